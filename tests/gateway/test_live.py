"""What passes undescribed is learned, and neither people nor ids are in what is kept of it."""

import json
import re
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import ConfigError
from strongroom.gateway import live, sqlite_learned
from strongroom.gateway.live import KEPT, STANDS, Learning, Sketch, restored, sketch
from strongroom.gateway.sqlite_learned import Learned, prepare
from strongroom.gateway.target import Target, read

KEY = b"k" * 32


def seen(path: str) -> Target:
    """A target that may pass."""
    target = read(path.encode())
    assert isinstance(target, Target)
    return target


def learned(path: Path) -> Learned:
    """A file that is there."""
    prepare(path)
    return Learned(path)


def words(one: Sketch) -> dict[str, str]:
    """What stand-ins stand for."""
    return dict(one.words)


def kept(learning: Learning) -> Sketch:
    """The one thing that was seen."""
    (one,) = learning.take()
    return one


@pytest.mark.parametrize(
    ("segment", "form"),
    [
        ("4711", "[1-8]"),
        ("00123", "0[0-7]"),
        ("1984-07-03", "2000-01-0[1-8]"),
        ("0f8fad5b-d9cb-469f-a165-70867728950e", "0000000[0-7]-0000-4000-8000-000000000000"),
        ("0F8FAD5B-D9CB-469F-A165-70867728950E", "0000000[0-7]-0000-4000-8000-00000000000A"),
        ("9f86d081884c7d659a2feaa0", "abcdefabcdefabcd[0-7]"),
        ("4711.pdf", r"[1-8]\.pdf"),
        ("letter-4711.pdf", r"zq[a-z2-7]{16}-[1-8]\.pdf"),
        ("letters", "zq[a-z2-7]{16}"),
        ("ZZZ0016", "zq[a-z2-7]{16}"),
        ("ann.marie", r"zq\.[a-z2-7]{16}"),
        ("Ann Marie", r"zq [a-z2-7]{16}"),
        ("app.9f86d0.js", r"zq\.[a-z2-7]{16}\.js"),
        ("a'b", r"zq'[a-z2-7]{16}"),
    ],
)
def test_ids_and_words_become_stand_ins(segment: str, form: str) -> None:
    """An id one of eight of its form, a word a hash; and when words are known, the path is one of the same form."""
    learning = Learning(KEY)
    learning.saw(seen(f"/{segment.replace(' ', '%20')}"), "GET", "ann")
    one = kept(learning)
    assert re.fullmatch(form, one.path[0])
    assert restored(one.path, {}) == one.path
    known = restored(one.path, words(one))[0]
    assert known == segment or (segment == "letter-4711.pdf") == known.startswith("letter-")


@pytest.mark.parametrize("segment", ["ZZZ0016", "ann@example.org", "AB-12-34-CD", "a" * 61])
def test_what_may_be_the_number_or_name_of_somebody_is_never_a_word(segment: str) -> None:
    """However many ask for it."""
    learning = Learning(KEY)
    learning.saw(seen(f"/{segment}"), "GET", "ann")
    assert words(kept(learning)) == {}


def test_values_of_a_query_are_kinds() -> None:
    """Names are words; what comes twice is known to; nothing of what was asked for is kept."""
    learning = Learning(KEY)
    learning.saw(seen("/s?q=Ngaire+Tane&page=3&id=ab_1&to=2026-01-01&id=cd_2&x="), "GET", "ann")
    one = kept(learning)
    named = words(one)
    assert {(named[name], value) for name, value in one.query} == {
        ("q", "a b"), ("page", "1"), ("id", "a_b"), ("to", "2000-01-01"), ("x", "a'b"),
    }  # fmt: skip
    assert [named[name] for name in one.twice] == ["id"]
    assert "Ngaire" not in repr(one)
    assert "ann" not in repr((one.path, one.who, one.query))


def test_what_is_seen_between_two_times_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is new beyond that is counted; odd methods are not learned; a type that is none is none."""
    monkeypatch.setattr(live, "WAITING", 2)
    learning = Learning(KEY)
    for word in ("a", "b", "a", "c"):
        learning.saw(seen(f"/{word}"), "GET", "ann", kind="text/<x>")
    learning.saw(seen("/a"), "TRACE", "ann")
    taken = learning.take()
    assert (sorted(taken.values()), learning.beyond) == ([1, 2], 1)
    assert {one.kind for one in taken} == {""}
    assert learning.take() == {}
    learning.give_back(taken)
    assert learning.take() == taken


def test_a_word_is_known_when_three_asked_for_it(tmp_path: Path) -> None:
    """From whichever worker they came; until then it is in no file; ids and people never are."""
    path = tmp_path / "learned.db"
    workers = [learned(path), learned(path)]
    for number, person in enumerate(["ann", "bob", "ann", "cy"]):
        learning = Learning(workers[0].key)
        learning.saw(seen(f"/letters/99887{number}"), "GET", person, kind="application/json", size=40_000)
        assert b"letters" not in path.read_bytes()
        workers[number % 2].keep_all(learning)
    assert list(workers[0].words().values()) == ["letters"]
    raw = path.read_bytes()
    assert not any(word in raw for word in (b"99887", b"ann", b"bob"))
    leaves = [(restored(where, workers[1].words()), leaf) for where, leaf in workers[1].leaves()]
    assert sum(leaf.asked for _, leaf in leaves) == 4
    assert {where[0] for where, _ in leaves} == {"letters"}
    assert {kind for _, leaf in leaves for kind in leaf.kinds} == {"application/json"}
    assert max(leaf.size for _, leaf in leaves) == 65_536
    for one in workers:
        one.close()


def test_what_is_kept_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths, people and facts of a path; the rest is counted."""
    monkeypatch.setattr(sqlite_learned, "MOST_PATHS", 3)
    monkeypatch.setattr(sqlite_learned, "MOST_FACTS", 30)
    file = learned(tmp_path / "learned.db")
    for number in range(2 * KEPT):
        learning = Learning(file.key)
        learning.saw(seen(f"/a?{'b' * (number + 1)}=1"), "GET", f"p{number}")
        learning.saw(seen(f"/{'w' * (number + 1)}"), "GET", "ann")
        file.keep_all(learning)
    leaves = dict(file.leaves())
    assert len(leaves) == 3
    assert max(len(leaf.who) for leaf in leaves.values()) == KEPT
    assert all(len(leaf.who) + len(leaf.query) + len(leaf.methods) <= 30 for leaf in leaves.values())
    assert file.left_out() == 2 * KEPT - 2
    file.close()


def test_what_cannot_be_kept_now_is_kept_later(tmp_path: Path) -> None:
    """Another one holds the file: nothing is lost, and nobody waits for ever."""
    path = tmp_path / "learned.db"
    file = learned(path)
    file._db.execute("PRAGMA busy_timeout = 1")
    learning = Learning(file.key)
    learning.saw(seen("/a"), "GET", "ann")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    file.keep_all(learning)
    other.execute("ROLLBACK")
    other.close()
    file.keep_all(learning)
    assert [leaf.asked for _, leaf in file.leaves()] == [1]
    file.close()


def test_nothing_learned_is_said(tmp_path: Path) -> None:
    """With what to do; and where the file cannot be made, that."""
    with pytest.raises(ConfigError, match="Nothing was learned"):
        Learned(tmp_path / "learned.db")
    with pytest.raises(ConfigError, match="cannot be kept"):
        prepare(tmp_path / "no" / "learned.db")


@given(
    st.text(
        st.characters(codec="utf-8", exclude_characters="/\\?#%;", exclude_categories=["C", "Zl", "Zp"]),
        min_size=1,
        max_size=40,
    )
)
def test_nothing_that_was_asked_for_is_in_a_sketch(text: str) -> None:
    """Whatever it is: ids and words alike."""
    target = Target((text,), ((text, text),))
    one = sketch(lambda *_: "a" * 16, target, "GET", text)
    if len(text) > 3:
        assert text not in json.dumps([one.path, one.query, one.who], ensure_ascii=False)
    assert len({*one.path}) <= STANDS
