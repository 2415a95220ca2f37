"""What a rule's field means in the table of events: Sigma's taxonomies, the names of clouds, OCSF's, and ours.

A field that a log kind has no column for is looked for in the whole record where the format keeps it; else the rule cannot run on
it, and that is said with the field's name.
"""

import re
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
    "c-uri-query": "http_request.url.query_string",
    "c-uri-stem": "http_request.url.path",
}
"""Sigma's webserver and proxy taxonomy -> column."""

_FLOW: Final = {
    "src_ip": "src_endpoint.ip",
    "dst_ip": "dst_endpoint.ip",
    "src_port": "src_endpoint.port",
    "dst_port": "dst_endpoint.port",
    "bytes_out": "traffic.bytes_out",
    "bytes_in": "traffic.bytes_in",
}
"""Sigma's firewall taxonomy, and its neighbours -> column."""
_CLOUDTRAIL: Final = {
    "eventName": "api.operation",
    "eventSource": "api.service.name",
    "errorCode": "api.response.error",
    "userAgent": "http_request.user_agent",
    "sourceIPAddress": "src_endpoint.ip",
    "userIdentity.accessKeyId": "actor.session.uid",
    "requestParameters.bucketName": "store",
}
"""Columns hold what the record says, but nothing where it says the empty text; a record need not be taken apart for them."""
_GCP: Final = {
    "gcp.audit.method_name": "api.operation",
    "data.protoPayload.methodName": "api.operation",
    "data.protoPayload.serviceName": "api.service.name",
}
_M365: Final = {"Operation": "api.operation", "Workload": "api.service.name", "eventSource": "api.service.name"}
_AZURE: Final = {
    **dict.fromkeys(
        ("operationName", "OperationName", "OperationNameValue", "ActivityDisplayName", "activityType", "ActivityType"),
        "api.operation",
    ),
    "userAgent": "http_request.user_agent",
    "Username": "actor.user.name",
}
_ZEEK: Final = {
    "method": "http_request.http_method",
    "uri": "uri",
    "c-uri": "uri",
    "user_agent": "http_request.user_agent",
    "referrer": "http_request.referrer",
    "status_code": "http_response.code",
    "username": "actor.user.name",
}
NAMES: Final[dict[Log, dict[str, str]]] = {
    Log.WEB: {**_ZEEK, **WEB},
    Log.WAF: WEB,
    Log.NETWORK: _FLOW,
    Log.CLOUDTRAIL: _CLOUDTRAIL,
    Log.AZURE: _AZURE,
    Log.GCP: _GCP,
    Log.M365: _M365,
}
"""Kind of log -> a rule's field -> column."""

_URI: Final = """("http_request.url.path" || coalesce('?' || "http_request.url.query_string", ''))"""
_WHOLE: Final = (
    f"""concat_ws(' ', "http_request.http_method", {_URI}, "http_request.user_agent", "http_request.referrer")"""
)


def _first(*paths: str) -> str:
    """The first of these places of the record that holds something."""
    return f"coalesce({', '.join(_in_record(path) for path in paths)})"


def _in_record(field: str) -> str:
    """A field of the whole record."""
    path = "$" + "".join(f'."{part}"' for part in field.replace('"', "").split("."))
    return f"json_extract_string(raw_data, {literal(path)})"


MADE: Final[dict[Log, dict[str, str]]] = {
    Log.WEB: {
        "cs-uri": _URI,
        "c-uri": _URI,
        "uri": _URI,
        "c-uri-extension": """nullif(regexp_extract("http_request.url.path", '[.]([A-Za-z0-9]{1,10})$', 1), '')""",
    },
    Log.NETWORK: {"action": "CASE action_id WHEN 1 THEN 'accept' WHEN 2 THEN 'deny' END"},
    Log.AZURE: {
        **{
            name: _first("properties.category", "CategoryValue", "Category", "category")
            for name in ("category", "Category", "CategoryValue")
        },
        "properties.message": f"""coalesce({_in_record("properties.message")}, "api.operation")""",
        "ResultType": _first("resultType", "ResultType", "properties.status.errorCode"),
        **dict.fromkeys(
            ("ResultDescription", "Resultdescription"),
            _first("resultDescription", "ResultDescription", "properties.status.failureReason"),
        ),
        "Status": "CASE status_id WHEN 1 THEN 'Success' ELSE 'Failure' END",
        "AuthenticationRequirement": _first("properties.authenticationRequirement", "AuthenticationRequirement"),
        "DeviceDetail.trusttype": _first("properties.deviceDetail.trustType", "DeviceDetail.trustType"),
        "DeviceDetail.deviceId": _first("properties.deviceDetail.deviceId", "DeviceDetail.deviceId"),
        "DeviceDetail.isCompliant": _first("properties.deviceDetail.isCompliant", "DeviceDetail.isCompliant"),
        "RiskState": _first("properties.riskState", "RiskState"),
        "riskEventType": _first("properties.riskEventType", "RiskEventType"),
        "conditionalAccessStatus": _first("properties.conditionalAccessStatus", "ConditionalAccessStatus"),
        "ResourceDisplayName": _first("properties.resourceDisplayName", "ResourceDisplayName"),
        "ClientApp": _first("properties.clientAppUsed", "ClientAppUsed"),
        "LoggedByService": _first("properties.loggedByService", "LoggedByService"),
        "ResourceId": _first("resourceId", "ResourceId", "_ResourceId"),
        "ResourceProviderValue": _first("ResourceProviderValue", "properties.resourceProviderValue"),
    },
    Log.M365: {
        "eventName": """coalesce(json_extract_string(raw_data, '$."Name"'), "api.operation")""",
        "status": "CASE status_id WHEN 1 THEN 'success' ELSE 'failure' END",
    },
}
"""What a log kind says by something that is no column. An alert of Microsoft 365 has its name in the record."""
IN_RECORD: Final[dict[Log, re.Pattern[str]]] = {
    Log.CLOUDTRAIL: re.compile(r".+", re.DOTALL),
    Log.GCP: re.compile(r"(?:data\.)?(?:protoPayload|resource|labels)\.[\w.]+"),
    Log.M365: re.compile(r"[A-Z]\w*(?:\.\w+)*"),
    Log.AZURE_STORAGE: re.compile(r"(?:properties|identity)\.[\w.]+"),
    Log.AZURE: re.compile(r"properties\.[\w.]+"),
    Log.FHIR: re.compile(r"[a-z]\w*(?:\.\w+)*"),
}
"""Formats that keep the whole record, and which names can be fields of theirs: another one is not, and is said."""

_AWS: Final = {
    "cloudtrail": (Log.CLOUDTRAIL,), "s3": (Log.S3,), "": (Log.CLOUDTRAIL, Log.S3), "vpcflow": (Log.NETWORK,),
    "waf": (Log.WAF,), "alb": (Log.WEB,), "cloudfront": (Log.WEB,),
}  # fmt: skip
_SERVICES: Final[dict[tuple[str, str], tuple[Log, ...]]] = {
    **{("aws", service): logs for service, logs in _AWS.items()},
    ("gcp", "gcp.audit"): (Log.GCP,),
    ("gcp", "google_workspace.login"): (Log.GCP,),
    **{("m365", service): (Log.M365,) for service in ("audit", "exchange", "threat_detection", "threat_management")},
    ("azure", "storage"): (Log.AZURE_STORAGE,),
    **{
        ("azure", service): (Log.AZURE,)
        for service in ("activitylogs", "auditlogs", "signinlogs", "riskdetection", "pim")
    },
    ("zeek", "http"): (Log.WEB,),
    ("zeek", "conn"): (Log.NETWORK,),
    ("fhir", "auditevent"): (Log.FHIR,),
}
_CATEGORIES: Final[dict[str, tuple[Log, ...]]] = {
    "webserver": (Log.WEB,),
    "proxy": (Log.WEB,),
    "firewall": (Log.NETWORK,),
    "waf": (Log.WAF,),
    "object-storage": (Log.CLOUDTRAIL, Log.S3, Log.AZURE_STORAGE, Log.AZURE, Log.GCP, Log.M365),
}
"""The last is ours: stores of objects, whoever runs them. Rules about them ask for our columns."""


class CannotRun(Exception):
    """A rule asks for logs or fields that are not read. The message says which."""


def logs_of(source: Logsource) -> tuple[Log, ...]:
    """The kinds of logs a rule is about. Raises CannotRun when none of them is read."""
    found = _SERVICES.get((source.product, source.service)) or _CATEGORIES.get(source.category)
    if found is not None:
        return found
    said = "/".join(part for part in (source.product, source.category, source.service) if part) or "no logsource"
    raise CannotRun(f"Logs of {said} are not read yet.")


def resolver(logs: tuple[Log, ...]) -> Resolve:
    """Field -> SQL, for events of these logs. A rule about several kinds of logs asks for columns alone."""
    log = logs[0] if len(logs) == 1 else None
    names, made = (NAMES.get(log, {}), MADE.get(log, {})) if log else ({}, {})

    def resolve(field: str | None) -> str:
        if field is None:
            return "raw_data" if log in IN_RECORD else _WHOLE
        if field in made:
            return made[field]
        column = names.get(field, field)
        if column in COLUMNS:
            return f'"{column}"' if COLUMNS[column] == "VARCHAR" else f'CAST("{column}" AS VARCHAR)'
        if log in IN_RECORD and IN_RECORD[log].fullmatch(field):
            return _in_record(field.removeprefix("data.") if log is Log.GCP else field)
        raise CannotRun(f"There is no field {field} in the logs it is about.")

    return resolve
