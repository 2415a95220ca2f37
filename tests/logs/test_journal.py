"""Lines from elsewhere, in files."""

from pathlib import Path

from strongroom.logs.journal import KEPT, UNREAD, Journal


def test_files_follow_each_other_also_after_a_restart(tmp_path: Path) -> None:
    """None is written twice, none is anybody else's."""
    first = Journal(tmp_path / "a")
    for text in (b"one\n", b"two\n"):
        with first.begin() as file:
            file.write(text)
    (tmp_path / "a" / "notes.log").touch()
    with Journal(tmp_path / "a").begin() as file:
        file.write(b"three\n")
    assert [path.read_bytes() for path in first.files()] == [b"one\n", b"two\n", b"three\n"]
    assert {path.stat().st_mode & 0o777 for path in first.files()} == {0o600}
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700


def test_what_was_read_goes_but_for_the_last(tmp_path: Path) -> None:
    """And it is full when too much waits."""
    journal = Journal(tmp_path)
    for _ in range(KEPT + UNREAD):
        assert not journal.full()
        journal.begin().close()
    assert journal.full()
    assert journal.sweep(lambda _: False) == 0
    oldest = journal.files()[0]
    assert journal.sweep(lambda path: path != oldest) == UNREAD - 2
    assert journal.files()[0] == oldest
    assert not journal.full()
