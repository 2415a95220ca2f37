"""What a portal answers is read strictly, however it is cut: where it ends is known, or it is not believed."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import Malformed
from strongroom.gateway.answer import AnswerReader, Head, Heads

OK = b"HTTP/1.1 200 OK\r\n"
PIECES = [
    *(
        OK,
        b"HTTP/1.1 100 C\r\n\r\n",
        b"HTTP/1.1 204 N\r\n",
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
    ),
    *(b"X: y\r\n", b"\r\n", b"\n", b"3\r\nabc\r\n", b"0\r\n\r\n", b"abc"),
]


def heard(
    data: bytes, cuts: list[int], *, head_only: bool = False, close: bool = False
) -> tuple[Head | None, bytes, bool, bool]:
    """Head, body, whether it ended, whether the connection is as good as new; of `data` cut at `cuts`."""
    reader = AnswerReader(head_only=head_only)
    head, body = None, b""
    edges = [0, *sorted(cuts), len(data)]
    for start, end in itertools.pairwise(edges):
        for part in reader.feed(data[start:end]):
            if isinstance(part, Head):
                assert head is None
                head = part
            else:
                assert head is not None
                body += part
    if close:
        reader.eof()
    return head, body, reader.ended, reader.reusable


@pytest.mark.parametrize(
    ("data", "status", "length", "body", "reusable"),
    [
        (OK + b"Content-Length: 3\r\n\r\nabc", 200, 3, b"abc", True),
        (OK + b"Content-Length: 0\r\n\r\n", 200, 0, b"", True),
        (OK + b"Transfer-Encoding: Chunked\r\n\r\n3;x\r\nabc\r\n0\r\nTrailer: x\r\n\r\n", 200, None, b"abc", True),
        (OK + b"Content-Length: 3\r\nConnection: close\r\n\r\nabc", 200, 3, b"abc", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, 3, b"abc", False),
        (b"HTTP/1.1 204 No\r\n\r\n", 204, 0, b"", True),
        (b"HTTP/1.1 304 Not\r\nContent-Length: 9\r\n\r\n", 304, 9, b"", True),
        (b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\na", 200, 1, b"a", True),
        (OK + b"Content-Length: 3\r\n\r\nabcX", 200, 3, b"abc", False),
        (OK + b"Content-Length: 1\r\n\r\na" + OK + b"Content-Length: 1\r\n\r\nb", 200, 1, b"a", False),
    ],
)
def test_answers(data: bytes, status: int, length: int | None, body: bytes, reusable: bool) -> None:
    """Whole and byte by byte alike."""
    for cuts in ([], list(range(1, len(data)))):
        head, found, ended, new = heard(data, cuts)
        assert head is not None
        assert (head.status, head.length, found, ended, new) == (status, length, body, True, reusable)


@pytest.mark.parametrize(
    "data",
    [
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: identity\r\n\r\nabc",
        OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na",
        OK + b"Content-Length: 1, 1\r\n\r\na",
        OK + b"Content-Length: -1\r\n\r\na",
        OK + b"A: b\r\n c\r\n\r\n",
        b"HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 002 No\r\nContent-Length: 2\r\n\r\nab" + OK + b"Content-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switch\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 9,
        OK + b"A: b\r\n" * 202,
        OK + b"A: " + b"b" * 65_536,
    ],
)
def test_what_is_not_believed(data: bytes) -> None:
    """Whole and byte by byte alike."""
    for cuts in ([], list(range(1, min(len(data), 2_000)))):
        with pytest.raises(Malformed):
            heard(data, cuts)


def test_the_end_of_the_connection_ends_only_what_has_no_other_end() -> None:
    """Words until the end are taken; a length or chunks that were promised and did not come are not."""
    assert heard(OK + b"\r\nabc", [], close=True)[1:] == (b"abc", True, False)
    for data in (OK + b"Content-Length: 4\r\n\r\nabc", OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", OK, b""):
        with pytest.raises(Malformed):
            heard(data, [], close=True)


def test_an_answer_to_head_ends_with_its_head() -> None:
    """Its length is said of another answer."""
    head, body, ended, reusable = heard(OK + b"Content-Length: 9\r\n\r\n", [], head_only=True)
    assert head is not None
    assert (head.length, body, ended, reusable) == (9, b"", True, False)


@given(
    st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join),
    st.lists(st.integers(0, 60), max_size=6),
    st.booleans(),
)
def test_however_it_is_cut_it_is_the_same(data: bytes, cuts: list[int], head_only: bool) -> None:
    """The same answer, or none, in one piece and in many."""

    def outcome(places: list[int]) -> object:
        try:
            return heard(data, [min(place, len(data)) for place in places], head_only=head_only)[:3]
        except Malformed:
            return None

    assert outcome([]) == outcome(cuts)


@pytest.mark.parametrize(
    ("first", "then", "found"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"no", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"nono", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"n", False),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", b"no", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"0\r\n\r\n", False),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"ab", False),
    ],
)
def test_a_head_that_was_read_is_known_again(first: bytes, then: bytes, found: bool) -> None:
    """With another body as long as it says; never with a longer or shorter one, nor where its end is told otherwise."""
    heads, reader = Heads(), AnswerReader()
    assert heads.find(first) is None
    parts = reader.feed(first)
    head = next(part for part in parts if isinstance(part, Head))
    heads.keep(first, reader, head, b"".join(part for part in parts if isinstance(part, bytes)))
    again = heads.find(first[: first.index(b"\r\n\r\n") + 4] + then)
    assert again == (head if found else None)
