"""CloudTrail as a table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs import cloudtrail_table
from strongroom.logs.record import NOT_THIS_FORMAT, Unreadable

CONSOLE = b"Event ID,Event time,User name,Event name,Resource type,Resource name,AWS access key,AWS region,Error code,\
Source IP address,Event source"
EXPORT = b"\xef\xbb\xbfEvent Name,User ID,Request Parameters,Event ID,Event DateTime,Source IP,Request User Agent"
ANON = "\"{'type': 'AWSAccount', 'accountId': 'ANONYMOUS_PRINCIPAL'}\""


def row(heading: bytes, line: str) -> dict[str, object]:
    """A readable line below a heading, by column."""
    parse = cloudtrail_table.reader(heading)
    assert parse is not None
    found = parse(line.encode())
    assert not isinstance(found, Unreadable), found
    return dict(zip(cloudtrail_table.FIELDS, found, strict=True))


def test_the_consoles_event_history() -> None:
    """The columns of AWS' own download."""
    line = "e-1,2025-12-29T09:00:00Z,ann,StopLogging,,,AKIAX,us-east-1,,198.51.100.4,cloudtrail.amazonaws.com"
    found = row(CONSOLE, line)
    assert found["principal"] == "ann"
    assert found["actor.session.uid"] == "AKIAX"
    assert found["api.operation"] == "StopLogging"


def test_cells_that_hold_objects() -> None:
    """A Python literal and JSON are both read; an export that names no source but a bucket is about S3."""
    line = f'ListObjects,{ANON},"{{""bucketName"": ""letters""}}",e-1,2025-12-29T09:00:00Z,203.0.113.9,curl'
    found = row(EXPORT, line)
    assert (found["principal.kind"], found["store"], found["act"]) == ("anonymous", "letters", "list")
    assert found["api.service.name"] == "s3.amazonaws.com"


@pytest.mark.parametrize("name", ["userName", "username"])
def test_cells_that_hold_structs(name: str) -> None:
    """As Athena and CloudTrail Lake print them, one in another, with commas and equals signs in values."""
    heading = b"eventTime,eventName,eventSource,userIdentity,sourceIPAddress,requestParameters,eventID"
    who = f"{{type=IAMUser, principalid=AIDA, {name}=intern, sessioncontext={{attributes={{mfa=false}}, x=null}}, invokedby=null}}"
    asked = "{bucketName=portal-docs, key=letters/a=b, c.pdf}"
    line = f'2026-03-02 06:00:00.000,GetObject,s3.amazonaws.com,"{who}",203.0.113.9,"{asked}",e-1'
    found = row(heading, line)
    assert (found["principal"], found["principal.kind"], found["store"]) == ("intern", "login", "portal-docs")
    assert found["document"] == "portal-docs/letters/a=b, c.pdf"


def test_nothing_in_a_cell_is_run() -> None:
    """A cell that is a program is no object: it is left out, and what it would have done is not done."""
    program = "\"{'bucketName': __import__('os').abort()}\""
    line = f"ListObjects,{ANON},{program},e-1,2025-12-29T09:00:00Z,203.0.113.9,curl"
    parse = cloudtrail_table.reader(EXPORT)
    assert parse is not None
    assert parse(line.encode()) == NOT_THIS_FORMAT  # no bucket, so no source is known


@pytest.mark.parametrize(
    "cell",
    [
        "{" * 3_000,
        "{'a':" * 3_000,
        "{'x'*9**9}",
        "{1:2}",
        "{'a': 1e999}",
        "{\\x00}",
        "{a=" * 3_000,
        "{a=b, " * 900,
        "{=}",
    ],
)
def test_hostile_cells_are_answered(cell: str) -> None:
    """Depth without end, arithmetic and odd literals are no objects, or harmless ones."""
    parse = cloudtrail_table.reader(CONSOLE + b",Request parameters")
    assert parse is not None
    found = parse(f'e,2025-12-29T09:00:00Z,ann,Get,,,k,r,,198.51.100.4,s3.amazonaws.com,"{cell}"'.encode())
    assert not isinstance(found, Unreadable)


@pytest.mark.parametrize("heading", [b"", b"a,b,c", b"time,ip,url", b'"', b"\x00\xff"])
def test_another_table_is_not_taken(heading: bytes) -> None:
    """Without a name, a time and an address it is not CloudTrail's."""
    assert cloudtrail_table.reader(heading) is None


@given(st.binary(max_size=200))
def test_nothing_raises(line: bytes) -> None:
    """Whatever the bytes below the heading; too few or too many cells are no line of the table."""
    parse = cloudtrail_table.reader(EXPORT)
    assert parse is not None
    parse(line)
