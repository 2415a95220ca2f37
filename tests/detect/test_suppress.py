"""Suppressions: nothing is quiet without a name, a reason and an end, and nothing is silent."""

import datetime as dt
from pathlib import Path

import pytest

from strongroom.detect import say, suppress, walk, wide
from strongroom.detect.finding import findings
from strongroom.detect.hunt import run
from strongroom.detect.suppress import Suppression
from strongroom.errors import ConfigError
from tests.detect.conftest import Scene, read

TODAY = dt.date(2026, 11, 28)
WHO = 'author = "Ann"\nreason = "backup"\n'


def load(folder: Path, text: str) -> tuple[tuple[Suppression, ...], tuple[Suppression, ...]]:
    """Those of a file."""
    (folder / "s.toml").write_text(text, encoding="utf-8")
    return suppress.load(folder / "s.toml", TODAY)


def given(**more: object) -> Suppression:
    """One in force."""
    return Suppression(**{"author": "Ann", "reason": "backup", "until": TODAY, **more})  # type: ignore[arg-type]  # a test's own


def test_the_last_day_counts_and_the_next_has_ended(tmp_path: Path) -> None:
    """An end is a day."""
    entry = f'[[suppression]]\nabout = "login a"\n{WHO}until = '
    active, ended = load(tmp_path, f"{entry}2026-11-28\n{entry}2026-11-27\n")
    assert ([one.until.day for one in active], [one.until.day for one in ended]) == ([28], [27])
    assert load(tmp_path, "") == ((), ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('about = "login a"\nauthor = ""\nreason = "r"\nuntil = 2026-12-01', "needs an author and a reason"),
        ('about = "login a"\nauthor = "A"\nreason = " "\nuntil = 2026-12-01', "needs an author and a reason"),
        (f"{WHO}until = 2026-12-01", "would quieten everything"),
        (f'about = "**"\n{WHO}until = 2026-12-01', "would quieten everything"),
        (f'about = "login a"\n{WHO}until = 2027-11-30', "ends later than a year from now: 2027-11-29 at the latest"),
        (f'about = "login a"\n{WHO}', "do not fit"),
        (f'about = "login a"\n{WHO}until = "soon"', "do not fit"),
        (f'abuot = "login a"\n{WHO}until = 2026-12-01', "do not fit"),
        ("= no toml", "do not fit"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """Nothing is quiet by half."""
    with pytest.raises(ConfigError, match=said):
        load(tmp_path, f"[[suppression]]\n{text}\n")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Also one that is too large."""
    with pytest.raises(ConfigError, match="cannot be read"):
        suppress.load(tmp_path / "nowhere.toml", TODAY)
    with pytest.raises(ConfigError, match="are larger"):
        load(tmp_path, "#" * 1_100_000)


@pytest.mark.parametrize(
    ("one", "left"),
    [
        (given(about="login ann"), []),
        (given(about="login a*"), []),
        (given(about="*n_n"), ["walk", "wide"]),
        (given(detection=walk.HEAD.id), ["wide"]),
        (given(about="login bob", detection=walk.HEAD.id), ["walk", "wide"]),
        (given(about="login ann", at_most=30), []),
        (given(about="login ann", at_most=29), ["walk", "wide"]),
        (given(about="login ' OR true --"), ["walk", "wide"]),
    ],
)
def test_one_detection_about_one_principal_is_quietened(scene: Scene, one: Suppression, left: list[str]) -> None:
    """By name, by detection, or both; up to its bound; the rest stands, and what is gone is counted."""
    scene.add(*(read(at, at) for at in range(30)))
    ran = run([walk.detection(), wide.detections()[1]], scene.engine, [])
    quiet = suppress.apply(scene.engine, [one], ran)
    assert [reason.detection.shape for found in findings(scene.engine, ran) for reason in found.reasons] == left
    assert len(quiet) == 2 - len(left)
    assert all((gone.about, gone.documents, gone.by) == ("login ann", 30, one) for gone in quiet)
    assert all(gone.events == 30 for gone in quiet)
    assert [say.suppression(gone) for gone in quiet if gone.title == walk.HEAD.title] == [
        "login ann: Ids were asked for in a row: 30 events, 30 documents. backup (Ann, until 2026-11-28)"
    ] * ("walk" not in left)
