"""A bundle is one log under whichever of its names; hashes and the checkpoint beside it are none."""

from pathlib import Path

from strongroom.logs.bundles import gathered
from strongroom.logs.files import Source


def names(*paths: str) -> dict[str, str]:
    """Logs, and which file has each."""
    found = gathered(Source(path, Path(path), named=True) for path in paths)
    return {name: source.name for name, source in found.items()}


def test_the_longest_state_of_a_bundle_is_its_log() -> None:
    """By number and not by text; when it is full that is the one, whichever stands first."""
    partial = [f"l/tile/entries/x001/000.p/{width}" for width in (9, 10, 255, 0)]
    assert names(*partial) == {"l/tile/entries/x001/000": "l/tile/entries/x001/000.p/255"}
    assert names("l/tile/entries/x001/000", *partial) == {"l/tile/entries/x001/000": "l/tile/entries/x001/000"}
    assert names("a/tile/entries/000.p/1", "b/tile/entries/000.p/2").keys() == {
        "a/tile/entries/000",
        "b/tile/entries/000",
    }


def test_what_else_a_log_publishes_is_none() -> None:
    """But a file called checkpoint elsewhere is looked at, and so is whatever is called otherwise."""
    mine = ("l/checkpoint", "l/tile/0/000.p/3", "l/tile/0/x001/002", "l/tile/entries/000.p/3")
    other = ("l/access.log", "k/checkpoint", "l/tile/entries/0.p/3", "l/tile/readme")
    assert names(*mine, *other).keys() == {"l/tile/entries/000", *other}
