"""A source's units, every one an event or counted."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs import read
from strongroom.logs.files import CutOff
from strongroom.logs.formats import NAMES
from strongroom.logs.seal import STRETCH

GOOD = b'203.0.113.9 - ann [29/Dec/2025:22:00:00 +1300] "GET /a HTTP/1.1" 200 5 "-" "-"'
LATE = GOOD.replace(b"29/Dec", b"31/Feb")


def rows(blocks: Iterator[bytes] | list[bytes], name: str = "access") -> tuple[list[tuple[object, ...]], read.Account]:
    """All rows and the account."""
    account = read.Account()
    return [row for batch in read.rows(blocks, NAMES[name], 3, account) for row in batch], account


@given(st.lists(st.sampled_from([GOOD, LATE, b"junk", b"\xff\x00"])))
def test_every_line_is_counted_once(written: list[bytes]) -> None:
    """Events and unreadable lines add up to all lines; every event knows its place."""
    data = b"\n".join(written)
    found, account = rows([data])
    assert account.events == len(found) == written.count(GOOD)
    assert account.events + sum(account.unreadable.values()) == len(written)
    assert account.bytes == len(data)
    for source, offset, length, *_ in found:
        assert isinstance(offset, int)
        assert isinstance(length, int)
        assert (source, data[offset : offset + length]) == (3, GOOD)


def test_places_are_kept_for_each_reason() -> None:
    """The first few; all are counted."""
    _, account = rows([b"junk\n" * 20 + LATE])
    assert account.unreadable == {"not written in this format": 20, "a time that is none": 1}
    assert account.places == {"not written in this format": [0, 5, 10, 15, 20], "a time that is none": [100]}


def test_a_stream_that_breaks_off_is_counted() -> None:
    """What came before it counts, and so does the break."""

    def broken() -> Iterator[bytes]:
        yield GOOD + b"\n"
        raise CutOff

    found, account = rows(broken())
    assert len(found) == 1
    assert account.unreadable == {"the file ends in its middle": 1}


def test_a_line_beyond_the_limit_is_counted() -> None:
    """Ten megabytes without an end are one unreadable line, and the lines around it are read."""
    found, account = rows([GOOD + b"\n", *[b"x" * 1_000_000] * 10, b"\n" + GOOD])
    assert len(found) == 2
    assert account.unreadable == {"longer than the limit": 1}


def test_batches_hold_all_rows(monkeypatch: object) -> None:
    """Rows come in batches, and none is lost between them."""
    account = read.Account()
    batches = list(read.rows([(GOOD + b"\n") * (read.BATCH + 1)], NAMES["access"], 0, account))
    assert [len(batch) for batch in batches] == [read.BATCH, 1]
    assert account.events == read.BATCH + 1


def test_a_table_without_its_heading_is_unreadable() -> None:
    """Forced upon another file it says why, for each line."""
    found, account = rows([GOOD + b"\n" + GOOD], "cloudtrail-table")
    assert found == []
    assert account.unreadable == {"a table without its first line": 2}


@given(blocks=st.lists(st.sampled_from([GOOD, GOOD + b"\n", b"junk\n", b"\n", b"x" * 70_000])))
def test_what_was_read_is_sealed(blocks: list[bytes]) -> None:
    """However it came in: its stretches are known again, and no others."""
    _, account = rows(blocks)
    data = b"".join(blocks)
    for number in range(len(data) // STRETCH + 1):
        stretch = data[number * STRETCH : (number + 1) * STRETCH]
        assert account.seal.holds(number, stretch)
        assert not stretch or not account.seal.holds(number, b"\xff" + stretch[1:])


def test_formats_without_columns_come_as_columns_too() -> None:
    """Row for row what they are otherwise."""
    records = b'{"eventName":"GetObject","eventSource":"s3.amazonaws.com","eventTime":"2025-12-29T09:00:00Z"}\n' * 3
    account = read.Account()
    tables = read.tables([records], NAMES["cloudtrail-lines"], 3, account)
    assert [tuple(row.values()) for table in tables for row in table.to_pylist()] == rows(
        [records], "cloudtrail-lines"
    )[0]
    assert account.events == 3


def test_a_stream_of_columns_breaks_off_and_overlong_lines_are_let_go() -> None:
    """As when it is read line by line."""

    def broken() -> Iterator[bytes]:
        yield GOOD + b"\n"
        yield from [b"x" * 1_000_000] * 3
        yield b"\n" + GOOD
        raise CutOff

    account = read.Account()
    found = list(read.tables(broken(), NAMES["access"], 0, account))
    assert sum(table.num_rows for table in found) == account.events == 2
    assert account.unreadable == {"longer than the limit": 1, "the file ends in its middle": 1}
