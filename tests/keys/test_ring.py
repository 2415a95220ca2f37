"""Several root keys as one: wrapped under the newest, unwrapped by any."""

import asyncio
from pathlib import Path

import pytest

from strongroom.errors import Tampered, Unavailable
from strongroom.keys.file import FileRootKey
from strongroom.keys.ring import Ring, ring
from strongroom.secret import Secret

KEY = Secret(bytes(range(32)))


@pytest.fixture
def keys(tmp_path: Path) -> list[FileRootKey]:
    """The newest first."""
    return [FileRootKey.create(tmp_path / name) for name in ("three", "two", "one")]


def test_it_wraps_under_the_newest_and_unwraps_what_any_wrapped(keys: list[FileRootKey]) -> None:
    """Now or soon; what none of them wrapped is refused."""
    whole = Ring(keys)
    assert keys[0].unwrap(whole.wrap(KEY, b"b"), b"b") == KEY
    assert keys[0].unwrap(asyncio.run(whole.wrap_soon(KEY, b"b")), b"b") == KEY
    for one in keys:
        wrapped = one.wrap(KEY, b"b")
        assert whole.unwrap(wrapped, b"b") == asyncio.run(whole.unwrap_soon(wrapped, b"b")) == KEY
        with pytest.raises(Tampered):
            whole.unwrap(wrapped, b"other")
        with pytest.raises(Tampered):
            asyncio.run(whole.unwrap_soon(wrapped, b"other"))


def test_one_that_is_away_is_told_and_not_passed_over(keys: list[FileRootKey], monkeypatch: pytest.MonkeyPatch) -> None:
    """Or what it wrapped would seem altered."""

    def away(*_: object) -> Secret:
        raise Unavailable("away")

    wrapped = keys[1].wrap(KEY, b"b")
    monkeypatch.setattr(keys[0], "unwrap", away)
    with pytest.raises(Unavailable):
        Ring(keys).unwrap(wrapped, b"b")


def test_a_single_key_is_itself(keys: list[FileRootKey]) -> None:
    """And a ring warns as its newest does, and is distant if one of them is."""
    assert ring(keys[:1]) is keys[0]
    assert isinstance(ring(keys), Ring)
    assert (Ring(keys).warning, Ring(keys).distant) == (keys[0].warning, False)
