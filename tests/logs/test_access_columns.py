"""Access logs as columns. Invariant: block by block they are what they are line by line."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from bench.fuzz.lines import FILES
from strongroom.logs import read
from strongroom.logs.formats import NAMES

ACCESS = NAMES["access"]
TIMES = [
    "29/Dec/2025:22:00:00 +1300",
    "31/Feb/2025:22:00:00 +1300",
    "29/Dec/1970:00:00:00 +0000",
    "29/Dec/2025:24:00:00 +0000",
    "29/Dec/2025:23:60:00 +0000",
    "29/Dec/2025:23:00:61 +0000",
    "29/Dec/2025:23:00:00 -2400",
    "29/Dez/2025:23:00:00 -0030",
    "29/Dec/2025:22:00:00.123456 +1300",
    "2025-12-29T22:00:00+13:00",
    "01/Jan/9999:23:59:60 -1200",
]
PARTS = st.one_of(
    st.sampled_from(
        ["documents", "4711", "0", "2015", "05", "v2", "a.pdf", "12.css", "app.woff2", "woff2", "ZAA0083", "%34", "img2015",
         "file007", "deadbeef0123", "5f3a0011", "5f3a00112", "MTIwMDAw", "MTIwMDAw=", "7;v=1", "a;b",
         "5f0c1b5e-1111-4222-8333-123456789abc", "9" * 19, "1" * 30, "x.tar.gz", "a b", "é7",
         "٣", "", "4711.mp3",         "tok3nwithmorethantwentychars", "letter-00417.pdf", '\\"', "\\\\", "\\x22"]
    ),
    st.from_regex(r"[a-z0-9.%]{0,6}", fullmatch=True),
)  # fmt: skip
NAME = st.sampled_from(["id", "doc", "FileId", "page", "p2", "d", "Q", "x1y", "", "v"])
QUERIES = st.lists(st.one_of(st.builds("{}={}".format, NAME, PARTS), NAME), max_size=3).map("&".join)
PATHS = st.builds(
    lambda parts, query, mark: "/" + "/".join(parts) + (f"?{query}" if mark else ""),
    st.lists(PARTS, max_size=4), QUERIES, st.booleans(),
)  # fmt: skip
REQUESTS = st.one_of(
    st.builds("{} {}{}".format, st.sampled_from(["GET", "POST", "get", "DELETE", "OPTIONS"]),
              PATHS, st.sampled_from([" HTTP/1.1", " HTTP/2.0", "", " HTTP/1.10", " FTP/1"])),
    st.sampled_from(["-", "", "\\x16\\x03", "GET", "GET ", "GET  x", "OPTIONS * HTTP/1.0", "GET woff2 HTTP/1.1", "GET a?b?c=4"]),
)  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(["-", "", "Mozilla/5.0 (X11)", 'odd \\"quoted\\" one', "back\\\\", "ü", "\x1b[2J", "a\x00b", "\x0b"]),
                  st.text(st.characters(exclude_characters='"\n\\', exclude_categories=["Cs"]), max_size=8))  # fmt: skip
LINES = st.one_of(
    st.builds(
        lambda host, address, user, when, request, answer, told: (
            f'{host}{address} - {user} [{when}] "{request}" {answer}{told}'.encode()
        ),
        st.sampled_from(["", "", "portal.example:443 ", "a:1 b:2 "]),
        st.sampled_from(["203.0.113.9", "10.0.0.3", "192.168.1.1", '"198.51.100.7" 10.0.0.3', "198.51.100.7, 10.1.1.1 10.0.0.3",
                         "198.51.100.7 10.0.0.3", "- 10.0.0.3", "203.0.113.9:80", "[2001:db8::7]:80", "fd00::1",
                         "2001:db8::7", "host", "h:80", "::1", "x y", "", "é"]),
        st.sampled_from(["-", "ann", "Ann of  the North", "- ", 'us"er', "a b [",
                         "CORP\\\\ann", '\\"q\\"', " x", "é", "[29/Dec/2025:22:00:00 +1300]"]),
        st.sampled_from([TIMES[0], *TIMES]),
        REQUESTS,
        st.sampled_from(["200 5", "404 -", "200 " + "9" * 18, "200 " + "9" * 19, "20 5", "200 5x", "200 5 0.004",
                        '"200" 5', "٣٣٣ 5", "200  5"]),
        st.one_of(
            st.builds(' "{}" "{}"{}'.format, TEXTS, TEXTS, st.sampled_from(["", ' 0.004 "10.0.0.1"', ' "198.51.100.7, 10.0.0.1"',
                                                            ' "198.51.100.7:80"x', ' "2001:db8::9" rt=1',
                                                            ' "-"', "x", " ", ' "', ' \\"'])),
            st.sampled_from(["", " ", '"one"', ' "one"', ' "one"  "two"', ' "one" "two', " more", "\r"]),
        ),
    ),
    st.sampled_from([b"", b"\r", b"junk", b"\xff\xfe", b"\x01\x02", b'"' * 6, b"x" * 1_048_577, b" "]),
    st.binary(max_size=40),
)  # fmt: skip


def by_line(blocks: list[bytes]) -> tuple[list[tuple[object, ...]], read.Account]:
    """All rows, line by line; and the account."""
    account = read.Account()
    return [row for batch in read.rows(blocks, ACCESS, 3, account) for row in batch], account


def by_columns(blocks: list[bytes]) -> tuple[list[tuple[object, ...]], read.Account]:
    """The same, read as columns."""
    account = read.Account()
    found = [tuple(row.values()) for table in read.tables(blocks, ACCESS, 3, account) for row in table.to_pylist()]
    return found, account


def same(blocks: list[bytes]) -> None:
    """Both say the same of every line and of every byte."""
    (one, line), (other, column) = by_line(blocks), by_columns(blocks)
    assert other == one
    assert (line.events, line.bytes, line.unreadable, line.places) == (
        column.events, column.bytes, column.unreadable, column.places,
    )  # fmt: skip


@given(
    lines=st.lists(LINES, max_size=12),
    often=st.integers(1, 10),
    end=st.sampled_from([b"", b"\n"]),
    cuts=st.lists(st.integers(0, 2_000), max_size=3),
)
def test_columns_say_what_lines_say(lines: list[bytes], often: int, end: bytes, cuts: list[int]) -> None:
    """Of whatever a client, a server or a thief wrote, in one piece or in several: the same rows, reasons and places."""
    data = b"\n".join(lines * often) + end
    places = [0, *sorted(cuts), len(data)]
    same([data])
    same([data[start:stop] for start, stop in itertools.pairwise(places)])


def test_usual_lines_are_read_as_columns() -> None:
    """And are not all left to the other reader, which would make the promise above an empty one."""
    assert ACCESS.columns is not None
    usual = FILES["access"].rstrip()
    for line in (
        usual,
        usual.split(b' "-"')[0],
        b"portal.example:443 " + usual,
        usual + b' 0.1 "x"',
        usual.replace(b"ann", b"Ann B"),
    ):
        assert ACCESS.columns((line + b"\n") * 20).rest == ()
