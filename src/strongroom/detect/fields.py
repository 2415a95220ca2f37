"""What a rule's field means in the table of events: Sigma's taxonomies for web servers and CloudTrail, OCSF's names, and ours.

A field that a log kind has no column for is looked for in the whole record where the format keeps it (CloudTrail); else the rule
cannot run on it, and that is said with the field's name.
"""

from typing import Final

from strongroom.logs.record import COLUMNS, Log
from strongroom.sigma.rule import Logsource
from strongroom.sigma.sql import Resolve, literal

WEB: Final = {
    "c-ip": "src_endpoint.ip",
    "clientip": "src_endpoint.ip",
    "src_ip": "src_endpoint.ip",
    "cs-username": "actor.user.name",
    "cs-method": "http_request.http_method",
    "cs-uri-stem": "http_request.url.path",
    "cs-uri-query": "http_request.url.query_string",
    "cs-user-agent": "http_request.user_agent",
    "c-useragent": "http_request.user_agent",
    "cs-referer": "http_request.referrer",
    "sc-status": "http_response.code",
    "sc-bytes": "traffic.bytes_out",
}
"""Sigma's webserver and proxy taxonomy -> column."""

_WHOLE: Final = (
    """concat_ws(' ', "http_request.http_method", "http_request.url.path" """
    """|| coalesce('?' || "http_request.url.query_string", ''), "http_request.user_agent", "http_request.referrer")"""
)
_URI: Final = """("http_request.url.path" || coalesce('?' || "http_request.url.query_string", ''))"""


class CannotRun(Exception):
    """A rule asks for logs or fields that are not read. The message says which."""


def logs_of(source: Logsource) -> tuple[Log, ...]:
    """The kinds of logs a rule is about. Raises CannotRun when none of them is read."""
    if source.category in {"webserver", "proxy"}:
        return (Log.WEB,)
    if source.product == "aws":
        named = {"cloudtrail": (Log.CLOUDTRAIL,), "s3": (Log.S3,), "": (Log.CLOUDTRAIL, Log.S3)}
        if source.service in named:
            return named[source.service]
    said = "/".join(part for part in (source.product, source.category, source.service) if part) or "no logsource"
    raise CannotRun(f"Logs of {said} are not read yet.")


def resolver(logs: tuple[Log, ...]) -> Resolve:
    """Field -> SQL, for events of these logs."""

    def resolve(field: str | None) -> str:
        if field is None:
            return "raw_data" if logs == (Log.CLOUDTRAIL,) else _WHOLE
        if field in {"cs-uri", "c-uri"} and Log.WEB in logs:
            return _URI
        column = WEB.get(field, field) if Log.WEB in logs else field
        if column in COLUMNS:
            return f'"{column}"' if COLUMNS[column] == "VARCHAR" else f'CAST("{column}" AS VARCHAR)'
        if logs == (Log.CLOUDTRAIL,):
            return _in_record(field)
        raise CannotRun(f"There is no field {field} in the logs it is about.")

    return resolve


def _in_record(field: str) -> str:
    """A field of a CloudTrail record; the two that nearly every rule asks for have columns of their own."""
    own = {"eventName": "api.operation", "eventSource": "api.service.name"}
    if field in own:
        return f'"{own[field]}"'
    path = "$" + "".join(f'."{part}"' for part in field.replace('"', "").split("."))
    return f"json_extract_string(raw_data, {literal(path)})"
