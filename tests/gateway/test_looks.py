"""What a client looks like: words and manner are two signs, and no release changes either."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.gateway.contract import Headers
from strongroom.gateway.looks import device, manner

SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS {0}_1 like Mac OS X) AppleWebKit/605.1.15 Version/{0}.1 Safari/604.1"
BROWSER = [
    (b"host", b"portal"), (b"connection", b"keep-alive"), (b"user-agent", SAFARI.format(18).encode()), (b"accept", b"*/*"),
    (b"accept-language", b"en-NZ"), (b"accept-encoding", b"gzip, deflate, br"),
]  # fmt: skip
TOOL = [BROWSER[0], BROWSER[2], (b"accept-encoding", b"gzip, deflate"), BROWSER[3], BROWSER[1]]


def but(headers: Headers, name: bytes, value: bytes) -> Headers:
    """The same with another value."""
    return [(key, value if key == name else old) for key, old in headers]


def test_a_release_changes_neither() -> None:
    """Another version of browser and system."""
    newer = but(BROWSER, b"user-agent", SAFARI.format(19).encode())
    assert (device(newer), manner(newer)) == (device(BROWSER), manner(BROWSER))


def test_who_changes_words_keeps_the_manner() -> None:
    """Another browser's words, another language: another device; the order and the set stay."""
    for changed in (but(TOOL, b"user-agent", b"Opera"), [*TOOL, (b"accept-language", b"mi-NZ")]):
        assert device(changed) != device(TOOL)
    assert manner(but(TOOL, b"user-agent", b"Opera")) == manner(TOOL) != manner(BROWSER)
    assert manner(BROWSER[:1] + BROWSER[:0:-1]) != manner(BROWSER)


@pytest.mark.parametrize(
    "name", ["cookie", "referer", "if-none-match", "range", "sec-fetch-mode", "content-type", "authorization", "origin"]
)
@given(st.integers(0, len(BROWSER)), st.binary(max_size=20))
def test_what_differs_by_request_is_no_manner(name: str, place: int, value: bytes) -> None:
    """Wherever it stands, whatever it says."""
    headers = [*BROWSER[:place], (name.encode(), value), *BROWSER[place:]]
    assert (device(headers), manner(headers)) == (device(BROWSER), manner(BROWSER))
