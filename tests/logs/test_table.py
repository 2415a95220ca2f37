"""Tables by a mapping."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs import read, table
from strongroom.logs.record import BEYOND_64_BITS, NO_JSON, NO_TIME, NOT_THIS_FORMAT, Unreadable

COLUMNS: table.Columns = {
    "time": ("date", "time"), "principal": ("who",), "document": ("record",), "patient": ("patient",), "status": ("code",),
    "bytes": ("size",), "address": ("ip",),
}  # fmt: skip
HEADING = b"\xef\xbb\xbfip,date,time,who,record,patient,code,size,more"
LINE = b'192.0.2.1,2025-12-29,09:00:00,ann,417,"p, 1",200.0,252000,x'
ENTRY = {
    "ip": "192.0.2.1", "date": "2025-12-29", "time": "09:00:00", "who": "ann", "record": 417, "patient": "p, 1", "code": 200,
    "size": 252_000, "nested": {"a": 1},
}  # fmt: skip


def rows(data: bytes) -> tuple[list[dict[str, object]], read.Account]:
    """What a table gives, by column, and what it does not."""
    account = read.Account()
    fields = (*read.RECORD, *table.FIELDS)
    batches = read.rows([data], table.format_of(COLUMNS), 0, account)
    return [dict(zip(fields, row, strict=True)) for batch in batches for row in batch], account


@pytest.mark.parametrize("data", [HEADING + b"\n" + LINE, json.dumps(ENTRY).encode()], ids=["CSV", "JSON"])
def test_a_row(data: bytes) -> None:
    """CSV and JSON lines say the same, with a time in two columns, numbers with empty fractions and quotes."""
    (row,), account = rows(data)
    assert account.unreadable == {}
    expected = {
        "time": 1_766_998_800_000, "metadata.log_name": "table", "status_id": 1, "act": "read", "principal": "ann",
        "principal.kind": "login", "src_endpoint.ip": "192.0.2.1", "http_response.code": 200, "traffic.bytes_out": 252_000,
        "route": "{int}", "document": "417", "number": 417, "patient": "p, 1",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected


def test_names_inside_each_other() -> None:
    """In JSON they are joined by dots; who signs in has no document, and a file is told by all its first lines."""
    columns: table.Columns = {"time": ("at",), "principal": ("actor.id",), "document": ("what.doc.id",)}
    signs_in = {"at": 1_766_998_800, "actor": {"id": "ann"}}
    sample = "\n".join(map(json.dumps, [signs_in, signs_in | {"what": {"doc": {"id": 417}}}, {"at": 7}])).encode()
    account = read.Account()
    fields = (*read.RECORD, *table.FIELDS)
    first, second = (
        dict(zip(fields, row, strict=True))
        for batch in read.rows([sample], table.format_of(columns), 0, account)
        for row in batch
    )
    assert table.fits(sample, columns)
    assert not table.fits(json.dumps(signs_in).encode(), columns)
    assert (first["time"], first["principal"], first["document"]) == (1_766_998_800_000, "ann", None)
    assert (second["document"], second["number"]) == ("417", 417)
    assert account.unreadable == {NOT_THIS_FORMAT.reason: 1}


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_what_a_spreadsheet_writes(delimiter: str) -> None:
    """Cells may stand between other signs than commas."""
    text = 'date;time;who;record;patient;code;size;ip\n2025-12-29;09:00:00;ann;417;"p; 1";200;7;192.0.2.1\n'
    sample = text.replace(";", delimiter).encode()
    (row,), account = rows(sample)
    assert table.fits(sample, COLUMNS)
    assert (row["document"], row["patient"], account.unreadable) == ("417", f"p{delimiter} 1", {})


def test_an_empty_principal_is_the_system() -> None:
    """It is nobody's reading, and is left out of what people read."""
    (row,), _ = rows(HEADING + b"\n" + LINE.replace(b"ann", b""))
    assert row["principal.kind"] == "service"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (LINE.replace(b"2025-12-29", b"someday"), NO_TIME),
        (LINE.replace(b"252000", b"9" * 19), BEYOND_64_BITS),
        (LINE.replace(b"200.0", b"ok"), BEYOND_64_BITS),
        (LINE.replace(b"200.0", b"266666666600"), BEYOND_64_BITS),
        (LINE + b",one,more", NOT_THIS_FORMAT),
        (b'"half', NOT_THIS_FORMAT),
    ],
)
def test_what_cannot_be_read_has_a_reason(line: bytes, reason: Unreadable) -> None:
    """Times and numbers that are none, and rows of another length."""
    found, account = rows(HEADING + b"\n" + line)
    assert found == []
    assert account.unreadable == {reason.reason: 1}


@pytest.mark.parametrize(
    ("line", "reason"), [(b"{", NO_JSON), (b"[1]", NOT_THIS_FORMAT), (b'{"who": 1}', NOT_THIS_FORMAT)]
)
def test_lines_that_are_no_objects_of_the_table(line: bytes, reason: Unreadable) -> None:
    """Half an object, another value, an object without the columns."""
    found, account = rows(json.dumps(ENTRY).encode() + b"\n" + line)
    assert (len(found), account.unreadable) == (1, {reason.reason: 1})


@pytest.mark.parametrize(
    ("sample", "fits"),
    [
        (HEADING + b"\r\n" + LINE, True),
        (json.dumps(ENTRY).encode() + b"\n", True),
        (HEADING.replace(b"who", b"whom"), False),
        (b"{", False),
        (b"", False),
        (b'"', False),
    ],
)
def test_a_file_fits_by_its_first_line(sample: bytes, fits: bool) -> None:
    """All columns that are named are there."""
    assert table.fits(sample, COLUMNS) is fits


@given(st.binary(max_size=200))
def test_nothing_raises(junk: bytes) -> None:
    """Below a heading, and in the place of one."""
    rows(HEADING + b"\n" + junk)
    rows(junk)
    table.fits(junk, COLUMNS)
