"""What every reader promises, held on an honest file in its format."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.fuzz.lines import FILES
from bench.fuzz.logs import storable
from strongroom.logs import formats, read
from strongroom.logs.formats import FORMATS, NAMES, recognise

EACH = pytest.mark.parametrize("name", sorted(FILES))
NEVER_EMPTY = ("time", "metadata.log_name", "status_id", "act", "principal", "principal.kind")


def rows(blocks: list[bytes], name: str) -> tuple[list[dict[str, object]], read.Account]:
    """All rows by column, each of them storable; and the account."""
    account, format_ = read.Account(), NAMES[name]
    found = [row for batch in read.rows(blocks, format_, 0, account) for row in batch]
    fields = (*read.RECORD, *format_.fields)
    for row in found:
        storable(fields, row)
    return [dict(zip(fields, row, strict=True)) for row in found], account


def test_every_format_has_an_honest_file() -> None:
    """So that none is left out below, nor by the fuzzer."""
    assert set(FILES) == {format_.name for format_ in FORMATS} - {"nfcapd"}  # which is a reason to give, and no reader


@EACH
def test_it_is_recognised(name: str) -> None:
    """By itself, among all."""
    found = recognise(FILES[name])
    assert found is not None
    assert found.name == name


@EACH
def test_all_of_it_is_read(name: str) -> None:
    """Every unit is an event, and says when, who and what."""
    found, account = rows([FILES[name]], name)
    assert account.unreadable == {}
    assert account.events == len(found) > 0
    for row in found:
        assert all(row[column] is not None for column in NEVER_EMPTY), row


@EACH
def test_blocks_change_nothing(name: str) -> None:
    """Fed byte by byte the rows are the same, places included; and each unit stands where it is said to."""
    data = FILES[name]
    whole, _ = rows([data], name)
    assert rows([data[at : at + 1] for at in range(len(data))], name)[0] == whole
    for row in whole:
        offset, length = row["record.offset"], row["record.length"]
        assert isinstance(offset, int)
        assert isinstance(length, int)
        unit = data[offset : offset + length]
        assert unit
        assert unit.strip() == unit or NAMES[name].unit == "datagrams"


@EACH
def test_columns_are_the_same(name: str) -> None:
    """As columns the rows are the same, in one piece and in two, cut anywhere."""
    data, format_ = FILES[name], NAMES[name]
    whole, _ = rows([data], name)
    for cut in range(len(data)):
        tables = read.tables([data[:cut], data[cut:]], format_, 0, read.Account())
        assert [row for table in tables for row in table.to_pylist()] == whole


@EACH
def test_cut_anywhere_it_is_read_or_counted(name: str) -> None:
    """A file that ends at any byte raises nothing, and no unit is lost."""
    data = FILES[name]
    for end in range(len(data)):
        found, account = rows([data[:end]], name)
        assert account.bytes == end
        assert len(found) == account.events


@EACH
@given(data=st.data())
def test_junk_raises_nothing(name: str, data: st.DataObject) -> None:
    """Bytes laid over any place are read or counted, and what is read can be stored."""
    raw = bytearray(FILES[name])
    place = data.draw(st.integers(0, len(raw)))
    raw[place : place + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    rows([bytes(raw)], name)


@EACH
def test_no_other_reader_claims_it(name: str) -> None:
    """In another format forced upon it every unit is counted; none raises."""
    for other in FORMATS:
        rows([FILES[name]], other.name)


def test_headings_alone_are_no_loss() -> None:
    """A log without events is one all the same."""
    assert [
        found.name if (found := formats.recognise(sample)) else None
        for sample in (FILES["zeek-conn"].split(b"1766998800")[0], FILES["vpc-flow"].split(b"\n")[0] + b"\n")
    ] == ["zeek-conn", "vpc-flow"]
