"""What a rule's field means in the events."""

import msgspec
import pytest

from strongroom.detect.fields import NAMES, CannotRun, logs_of, resolver
from strongroom.logs import cloudtrail
from strongroom.logs.record import Log
from strongroom.sigma.rule import Logsource
from tests.detect.conftest import Scene
from tests.logs.test_cloudtrail import RECORD


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (Logsource(category="webserver"), (Log.WEB,)),
        (Logsource(category="proxy"), (Log.WEB,)),
        (Logsource(product="aws", service="cloudtrail"), (Log.CLOUDTRAIL,)),
        (Logsource(product="aws", service="s3"), (Log.S3,)),
        (Logsource(product="aws"), (Log.CLOUDTRAIL, Log.S3)),
        (Logsource(product="aws", service="waf"), (Log.WAF,)),
        (Logsource(product="gcp", service="gcp.audit"), (Log.GCP,)),
        (Logsource(product="m365", service="threat_management"), (Log.M365,)),
        (Logsource(product="zeek", service="http"), (Log.WEB,)),
        (Logsource(product="azure", service="signinlogs"), (Log.AZURE,)),
        (Logsource(category="firewall"), (Log.NETWORK,)),
        (Logsource(category="firewall", product="cisco"), (Log.NETWORK,)),
    ],
)
def test_log_sources(source: Logsource, expected: tuple[Log, ...]) -> None:
    """Sigma's log sources that are read."""
    assert logs_of(source) == expected


@pytest.mark.parametrize(
    "source",
    [Logsource(product="windows", service="security"), Logsource(), Logsource(product="aws", service="lambda")],
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
        (Log.CLOUDTRAIL, "requestParameters.key", """json_extract_string(raw_data, '$."requestParameters"."key"')"""),
        (Log.CLOUDTRAIL, "a'b\"c", """json_extract_string(raw_data, '$."a''bc"')"""),
        (Log.CLOUDTRAIL, None, "raw_data"),
        (Log.WEB, "c-uri-query", '"http_request.url.query_string"'),
        (Log.GCP, "gcp.audit.method_name", '"api.operation"'),
        (Log.GCP, "data.protoPayload.resource.type", """json_extract_string(raw_data, '$."protoPayload"."resource"."type"')"""),
        (Log.M365, "eventSource", '"api.service.name"'),
        (Log.M365, "ApplicationId", """json_extract_string(raw_data, '$."ApplicationId"')"""),
        (Log.AZURE, "operationName", '"api.operation"'),
        (Log.AZURE, "properties.result", """json_extract_string(raw_data, '$."properties"."result"')"""),
        (Log.NETWORK, "dst_port", 'CAST("dst_endpoint.port" AS VARCHAR)'),
        (Log.NETWORK, "action", "CASE action_id WHEN 1 THEN 'accept' WHEN 2 THEN 'deny' END"),
    ],
)  # fmt: skip
def test_fields(log: Log, field: str | None, expected: str) -> None:
    """A taxonomy's name, a number as text, ours, and a field of the whole record; quotes in names end nothing."""
    assert resolver((log,))(field) == expected


def test_columns_say_what_the_record_says(scene: Scene) -> None:
    """A field of CloudTrail's that has a column, in a record that has all of them."""
    unit = msgspec.json.encode({**RECORD, "errorCode": "AccessDenied"})
    found = cloudtrail.parse(unit)
    assert isinstance(found, tuple)
    scene.add(dict(zip(cloudtrail.FIELDS, found, strict=True)))
    for field, column in NAMES[Log.CLOUDTRAIL].items():
        path = "$." + field
        ((held, told),) = scene.engine.rows(f"SELECT \"{column}\", json_extract_string(raw_data, '{path}') FROM event")  # noqa: S608  # a test's
        assert held == told is not None, field


@pytest.mark.parametrize(
    ("logs", "field"),
    [
        ((Log.WEB,), "CommandLine"), ((Log.GCP,), "setting_name"), ((Log.M365,), "eventService"), ((Log.AZURE,), "TargetResources"),
        ((Log.CLOUDTRAIL, Log.S3), "requestParameters.bucketName"), ((Log.NETWORK,), "cs-method"),
    ],
)  # fmt: skip
def test_a_field_that_is_in_no_log_is_named(logs: tuple[Log, ...], field: str) -> None:
    """A web server's log has no process; several kinds of logs have only columns in common."""
    with pytest.raises(CannotRun, match=field):
        resolver(logs)(field)


@pytest.mark.parametrize(("path", "extension"), [("/a/b.EXE", "EXE"), ("/a.b/c", None), ("/", None), (None, None)])
def test_an_address_has_an_extension_or_none(scene: Scene, path: str | None, extension: str | None) -> None:
    """What stands behind the last dot of its last part."""
    scene.add({"time": 1, "http_request.url.path": path})
    sql = resolver((Log.WEB,))("c-uri-extension")
    assert scene.engine.rows(f"SELECT {sql} FROM event") == [(extension,)]  # noqa: S608  # the product's own
