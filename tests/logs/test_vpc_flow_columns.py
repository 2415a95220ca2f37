"""Flow logs as columns. Invariant: columns say of every line what `vpc_flow` says of it."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs import read
from strongroom.logs.formats import NAMES
from strongroom.logs.units import MAX_LINE
from strongroom.logs.vpc_flow import DEFAULT

FORMAT = NAMES["vpc-flow"]
OWN = ("srcaddr", "dstaddr", "start", "bytes", "flow-direction", "action", "log-status", "pkt-srcaddr")
LINE = "2 123456789010 eni-1 10.0.1.5 203.0.113.9 443 50000 6 20 4249 1418530010 1418530070 ACCEPT OK"
NUMBERS = st.sampled_from(
    [*"0 7 443 65535 65536 255 256 99999999999 999999999999 - x".split(), "9" * 18, str(2**63), ""]
)
WORDS = {
    "srcaddr": st.sampled_from(["10.0.1.5", "2001:db8::1", "-", "here", ":" * 46]),
    "dstaddr": st.sampled_from(["203.0.113.9", "1"]),
    "action": st.sampled_from(["ACCEPT", "REJECT", "-", "accept"]),
    "log-status": st.sampled_from(["OK", "NODATA", "SKIPDATA", "-"]),
    "flow-direction": st.sampled_from(["ingress", "egress", "-"]),
    "version": st.sampled_from(["2", "5", "version", "\u0663"]),
}


def both(data: bytes, blocks: Sequence[bytes]) -> None:
    """Line by line and as columns: the same rows in the same order, the same reasons at the same places."""
    slow, fast = read.Account(), read.Account()
    rows = [row for batch in read.rows([data], FORMAT, 3, slow) for row in batch]
    tables = list(read.tables(blocks, FORMAT, 3, fast))
    fields = (*read.RECORD, *FORMAT.fields)
    assert [tuple(row[name] for name in fields) for table in tables for row in table.to_pylist()] == rows
    assert (fast.events, fast.unreadable) == (slow.events, slow.unreadable)
    assert {why: sorted(at) for why, at in fast.places.items()} == {why: sorted(at) for why, at in slow.places.items()}


def written(names: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Lines with these fields, most of them usual."""
    usual = dict(zip(DEFAULT, LINE.split(), strict=True)) | {"flow-direction": "egress", "pkt-srcaddr": "10.0.1.5"}
    cells = [
        st.just(usual[name]) | WORDS.get(name, NUMBERS) if name in {*WORDS, *DEFAULT} else st.just(usual[name]) for name in names
    ]  # fmt: skip
    return st.tuples(*cells).map(" ".join)


STRANGE = st.sampled_from(
    [
        "",
        LINE + "\r",
        LINE + " more",
        LINE.replace(" ", "\t"),
        " " + LINE,
        "\x00",
        LINE[:30],
        "ä " + LINE,
        " ".join(OWN),
    ]
)


@pytest.mark.parametrize(
    "names", [None, DEFAULT, OWN, ("srcaddr", "dstaddr", "start", "bytes"), (*OWN, "bytes")], ids=range(5)
)
@given(data=st.data())
def test_columns_say_what_lines_say(names: tuple[str, ...] | None, data: st.DataObject) -> None:
    """Under any heading and under none, whatever stands in the lines, wherever the file is cut."""
    lines = data.draw(st.lists(written(names or DEFAULT) | STRANGE, max_size=6))
    heading = [] if names is None else [" ".join(names)]
    text = (
        data.draw(st.sampled_from(["", "\n", "\n\n"]))
        + "\n".join([*heading, *lines])
        + data.draw(st.sampled_from(["", "\n"]))
    )
    raw = text.encode()
    at = data.draw(st.integers(0, len(raw)))
    both(raw, [raw[:at], raw[at:]])


def test_what_is_usual_is_read_as_columns() -> None:
    """And not line by line after all."""
    assert FORMAT.below is not None
    found = FORMAT.below(LINE.encode())(f"{LINE}\n{LINE}".encode())
    assert found.rest == ()
    assert found.lengths.to_pylist() == [len(LINE)] * 2


def test_a_line_that_is_too_long() -> None:
    """Before all others, between them and by itself."""
    long = b"1 " * MAX_LINE
    for data in (long, long + b"\n" + LINE.encode(), LINE.encode() + b"\n" + long + b"\n" + LINE.encode()):
        both(data, [data])
        both(data + b"\n", [data[:99], data[99:] + b"\n"])
