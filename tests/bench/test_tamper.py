"""The harness of alterations: a hundred and fifty of them are found and told where, and it notices what is not."""

import random
from pathlib import Path

from bench import tamper as bench
from bench.tamper import Case, Lab, Tally, tamper


def test_everything_altered_is_found() -> None:
    """In every kind of thing that is kept; another chance than the bench's."""
    tally = tamper(150, seed=11)
    assert (tally.missed, tally.nameless) == ([], [])
    assert tally.made.total() >= 150
    assert tally.refused == tally.rewritten > 0


def test_what_is_missed_is_counted() -> None:
    """A harness that finds everything found would prove nothing."""
    undone: list[str] = []

    def case(said: str, *, idle: bool = False) -> Case:
        return Case("t", "k", ("name: ",), lambda: undone.append(said), lambda: said, lambda: idle)

    tally = Tally()
    for one in (case(""), case("name: wrong"), case("something is wrong"), case("", idle=True)):
        bench.judge(one, tally)
    assert (len(tally.missed), len(tally.nameless), tally.idle, tally.made["t"]) == (1, 1, 1, 3)
    assert len(undone) == 4


def test_its_alterations_are_undone(tmp_path: Path) -> None:
    """Byte by byte, so that each is found by itself."""
    lab = Lab(tmp_path, random.Random(3))

    def content() -> dict[Path, bytes]:
        files = [path for path in lab.layout.root.rglob("*") if path.is_file()]
        return {path: raw for path in files if (raw := path.read_bytes())}  # an empty journal says nothing

    before = content()
    for target in bench.TARGETS:
        for _ in range(4):
            made = target(lab)
            if made is not None:
                made.undo()
            now = content()
            assert [path for path in now.keys() | before.keys() if now.get(path) != before.get(path)] == [], target
