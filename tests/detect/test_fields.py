"""What a rule's field means in the events."""

import pytest

from strongroom.detect.fields import CannotRun, logs_of, resolver
from strongroom.logs.record import Log
from strongroom.sigma.rule import Logsource


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (Logsource(category="webserver"), (Log.WEB,)),
        (Logsource(category="proxy"), (Log.WEB,)),
        (Logsource(product="aws", service="cloudtrail"), (Log.CLOUDTRAIL,)),
        (Logsource(product="aws", service="s3"), (Log.S3,)),
        (Logsource(product="aws"), (Log.CLOUDTRAIL, Log.S3)),
    ],
)
def test_log_sources(source: Logsource, expected: tuple[Log, ...]) -> None:
    """Sigma's log sources that are read."""
    assert logs_of(source) == expected


@pytest.mark.parametrize(
    "source", [Logsource(product="windows", service="security"), Logsource(), Logsource(product="aws", service="waf")]
)
def test_logs_that_are_not_read_are_named(source: Logsource) -> None:
    """A rule about them does not silently find nothing."""
    with pytest.raises(CannotRun, match="not read yet"):
        logs_of(source)


@pytest.mark.parametrize(
    ("log", "field", "expected"),
    [
        (Log.WEB, "cs-uri-stem", '"http_request.url.path"'),
        (Log.WEB, "sc-status", 'CAST("http_response.code" AS VARCHAR)'),
        (Log.WEB, "document", '"document"'),
        (Log.WEB, "cs-uri", """("http_request.url.path" || coalesce('?' || "http_request.url.query_string", ''))"""),
        (Log.CLOUDTRAIL, "eventName", '"api.operation"'),
        (Log.CLOUDTRAIL, "requestParameters.bucketName", """json_extract_string(raw_data, '$."requestParameters"."bucketName"')"""),
        (Log.CLOUDTRAIL, "a'b\"c", """json_extract_string(raw_data, '$."a''bc"')"""),
        (Log.CLOUDTRAIL, None, "raw_data"),
    ],
)  # fmt: skip
def test_fields(log: Log, field: str | None, expected: str) -> None:
    """A taxonomy's name, a number as text, ours, and a field of the whole record; quotes in names end nothing."""
    assert resolver((log,))(field) == expected


def test_a_field_that_is_in_no_log_is_named() -> None:
    """A web server's log has no process."""
    with pytest.raises(CannotRun, match="CommandLine"):
        resolver((Log.WEB,))("CommandLine")
