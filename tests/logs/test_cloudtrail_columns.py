"""CloudTrail as columns. Invariant: columns say of every record what `cloudtrail.parse` says of it."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs import read
from strongroom.logs.cloudtrail_columns import many
from strongroom.logs.formats import NAMES
from strongroom.logs.record import INT64_MAX
from tests.logs.test_cloudtrail import JSON, RECORD

TIMES = st.sampled_from(
    [
        "2025-12-29T09:00:00Z",
        "2025-12-29T09:00:01Z",
        "2025-12-29T09:00:00.25Z",
        "2025-12-29T24:00:00Z",
        "0000-01-01T00:00:00Z",
    ]
)
SETTINGS = st.sampled_from(
    [
        {"eventName": "PutBucketAcl", "readOnly": False, "requestParameters": {"x-amz-acl": "public-read"}},
        {"eventName": "StopLogging", "readOnly": False, "requestParameters": {"name": "trail"}},
        {"eventName": "StopLogging", "readOnly": False, "requestParameters": {}, "errorCode": "AccessDenied"},
        {"eventName": "DeleteObject", "readOnly": False},
        {"eventName": "ListObjects", "requestParameters": {"bucketName": "letters"}},
        {"requestParameters": {"key": "2025/letter-1.pdf"}},
        {"requestParameters": {"bucketName": "letters", "key": "Māori/4711/é.pdf"}},
        {"additionalEventData": {"AuthenticationMethod": "QueryString"}},
        {"additionalEventData": {"bytesTransferredOut": -1}},
        {"additionalEventData": {"bytesTransferredOut": INT64_MAX + 1}},
        {"userIdentity": None, "sourceIPAddress": "203.0.113.9"},
        {"userIdentity": {"type": "AWSAccount", "accountId": "anonymous"}},
        {"eventID": "", "userAgent": "", "recipientAccountId": ""},
        {"eventName": ""},
    ]
)
USUAL = st.builds(lambda change, time: {**RECORD, "eventTime": time, **change}, SETTINGS | st.just({}), TIMES)
STRANGE = st.dictionaries(st.sampled_from([*sorted(RECORD), "x"]), JSON, max_size=4).map(
    lambda change: {**RECORD, **change}
)
RECORDS = st.tuples(USUAL | STRANGE, st.booleans()).map(lambda told: json.dumps(told[0], ensure_ascii=told[1]).encode())


def both(name: str, data: bytes, blocks: Sequence[bytes]) -> None:
    """Record by record and as columns: the same rows in the same order, the same reasons at the same places."""
    slow, fast = read.Account(), read.Account()
    rows = [row for batch in read.rows([data], NAMES[name], 3, slow) for row in batch]
    fields = (*read.RECORD, *NAMES[name].fields)
    tables = list(read.tables(blocks, NAMES[name], 3, fast))
    assert [tuple(row[name] for name in fields) for table in tables for row in table.to_pylist()] == rows
    assert (fast.events, fast.unreadable, fast.places) == (slow.events, slow.unreadable, slow.places)


def written(name: str, units: list[bytes]) -> bytes:
    """A file of these records."""
    return b'{"Records": [' + b", ".join(units) + b"]}" if name == "cloudtrail" else b"\n".join(units)


@pytest.mark.parametrize("name", ["cloudtrail", "cloudtrail-lines"])
@given(units=st.lists(RECORDS, max_size=8), data=st.data())
def test_columns_say_what_records_say(name: str, units: list[bytes], data: st.DataObject) -> None:
    """Whatever stands in the records, wherever the file is cut."""
    raw = written(name, units)
    at = data.draw(st.integers(0, len(raw)))
    both(name, raw, [raw[:at], raw[at:]])


@pytest.mark.parametrize("name", ["cloudtrail", "cloudtrail-lines"])
@given(units=st.lists(RECORDS, min_size=1, max_size=4), data=st.data())
def test_a_file_with_junk_in_it(name: str, units: list[bytes], data: st.DataObject) -> None:
    """Bytes laid over any place: text that is none, escapes, quotes and brackets that were not there."""
    raw = bytearray(written(name, units))
    place = data.draw(st.integers(0, len(raw)))
    junk = data.draw(
        st.binary(max_size=4) | st.sampled_from([b"\xff", b"\\ud800", b'"', b"{", b"]", b"\n", b"\\u00e9", b"7e400"])
    )
    raw[place : place + len(junk)] = junk
    both(name, bytes(raw), [bytes(raw)])


def test_what_is_usual_is_read_as_columns() -> None:
    """And not record by record after all: readings, changes, and text beyond ASCII."""
    change = {"eventName": "PutObject", "readOnly": False, "requestParameters": {"bucketName": "letters", "key": "é"}}
    units = [json.dumps({**RECORD, **more}, ensure_ascii=False).encode() for more in ({}, change)]
    assert list(many([*units, b"{}", *units]).places) == [0, 1, 3, 4]


def test_bunches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many records are read at once."""
    units = [json.dumps({**RECORD, "eventID": str(at), "x": "x" * at}).encode() for at in range(20)] + [b"{}"]
    for rows, size in ((7, 1 << 20), (100, 2_000), (1, 1)):
        monkeypatch.setattr(read, "BATCH", rows)
        monkeypatch.setattr(read, "BUNCH", size)
        both("cloudtrail", written("cloudtrail", units), [written("cloudtrail", units)])
