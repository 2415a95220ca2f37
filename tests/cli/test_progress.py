"""How far a hunt is."""

import gzip
from pathlib import Path

import pytest

from strongroom.cli.progress import PACKED, Total
from strongroom.logs.files import Source, expand
from tests.cli.test_hunt import THIEF, run


def sources(folder: Path, **sizes: int) -> list[Source]:
    """Files of these sizes."""
    for name, size in sizes.items():
        (folder / name).write_bytes(b"x" * size)
    return expand((str(folder),))


def test_plain_files_are_known(tmp_path: Path) -> None:
    """All that there is, from the first block on; a file that grows meanwhile is as large as it was read."""
    total = Total(sources(tmp_path, a=100, b=50), set())
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    assert total.told(a, 10) == 150
    assert total.told(a, 110) == 170
    assert total.told(b, 50) == 170


def test_packed_files_are_guessed_by_those_that_were_read(tmp_path: Path) -> None:
    """First by what logs usually are, then by what these are."""
    a, b, c = (str(tmp_path / name) for name in "abc")
    total = Total(sources(tmp_path, a=100, b=100, c=100), {a, b})
    assert total.told(a, 1) == 2 * 100 * PACKED + 100
    assert total.told(a, 499) == 2 * 100 * PACKED + 100
    assert total.told(b, 1) == 500 + 100 * 5 + 100  # five bytes in one
    assert total.told(b, 899) == 500 + 900 + 100
    assert total.told(c, 100) == 500 + 900 + 100


def test_somebody_who_watches_sees_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reading, then looking, on stderr; who does not watch gets nothing there, and the answer is the same."""
    log = tmp_path / "a.log.gz"
    log.write_bytes(gzip.compress("".join(THIEF).encode()))
    assert run("hunt", log) == 1
    plain = capsys.readouterr()
    assert "detections" not in plain.err
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    assert run("hunt", log) == 1
    shown = capsys.readouterr()
    assert shown.out == plain.out
    assert "looking" in shown.err
    assert "detections" in shown.err
