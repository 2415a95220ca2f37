"""Effects, done in a real database: what each changes, and what it leaves alone."""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from strongroom.audit.effect import Effect
from strongroom.ids import AccountId, DocumentId, OrganisationId, PatientId, SessionId
from strongroom.keeper import effects
from strongroom.keeper.schema import create_tables

A, P, ORG, D = AccountId("a"), PatientId("p"), OrganisationId("o"), DocumentId("d")


class Table:
    """A keeper's database, changed by effects only."""

    def __init__(self, path: Path) -> None:
        create_tables(path)
        self.db = sqlite3.connect(path)

    def do(self, *changes: Effect | Iterable[Effect]) -> list[int]:
        """Rows that each changed."""
        flat = [one for change in changes for one in ([change] if isinstance(change, Effect) else change)]
        return [self.db.execute(one.sql, tuple(one.parameters)).rowcount for one in flat]

    def all(self, sql: str) -> list[tuple[object, ...]]:
        """What is there now."""
        return self.db.execute(sql).fetchall()


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    """An empty keeper's database."""
    made = Table(tmp_path / "k.db")
    yield made
    made.db.close()


def test_a_login_that_is_there_keeps_who_it_is(table: Table) -> None:
    """Its name is renewed, and it is given a patient once; never another id, kind or patient, nor is it made twice."""
    table.do(effects.insert_account(A, b"login", "person", None, b"one", ORG))
    table.do(effects.update_account(A, P, b"two"), effects.update_account(A, PatientId("q"), b"three"))
    assert table.all("select id, kind, patient, name, brought from account") == [("a", "person", "p", b"three", "o")]
    with pytest.raises(sqlite3.IntegrityError):
        table.do(effects.insert_account(AccountId("b"), b"login", "service", None, b"four", None))


def test_an_organisation_keeps_its_feed_key_unless_another_is_registered(table: Table) -> None:
    """A feed that names itself does not take the key away; an older feed changes nothing."""
    table.do(effects.put_organisation(ORG, b"n", b"key"), effects.put_organisation(ORG, b"m", None))
    assert table.all("select name, feed_key from organisation") == [(b"m", b"key")]
    assert table.do(effects.fed(ORG, 5, 1), effects.fed(ORG, 5, 2), effects.fed(ORG, 4, 3)) == [1, 0, 0]
    assert effects.fed(ORG, 5, 1).rows == 1
    table.do(effects.put_organisation(ORG, b"m", b"new"))
    assert table.all("select feed_key, sequence, imported from organisation") == [(b"new", 5, 1)]


def test_an_identifier_stays_with_whom_it_names(table: Table) -> None:
    """It cannot be moved to another patient."""
    table.do(effects.identify(b"h", P), effects.identify(b"h", PatientId("q")))
    assert table.all("select patient from identifier") == [("p",)]


@pytest.mark.parametrize(
    ("level", "since", "expected"), [("full", 50, 10), ("read", 50, 50), ("full", 100, 100), ("full", 99, 10)]
)
def test_a_delegation_that_goes_on_keeps_its_beginning(table: Table, level: str, since: int, expected: int) -> None:
    """Renewed while it is live and at the same level; else it begins anew, and is young again."""
    table.do(effects.delegate(A, P, "full", "grant", 10, 100), effects.delegate(A, P, level, "grant", since, 200))
    assert table.all("select level, since, until from delegation") == [(level, expected, 200)]


def test_ending_never_makes_anything_longer(table: Table) -> None:
    """Ended twice, the first end stands."""
    table.do(effects.delegate(A, P, "full", "grant", 1, 100), effects.share(P, "x", 1, 100),
             effects.enrol(P, ORG, 1, 100, by_hand=False),
             effects.join(A, ORG, 1, 100))  # fmt: skip
    for at in (50, 80):
        table.do(effects.end_delegation(A, P, at), effects.end_share(P, "x", at),
                 effects.end_enrolment(P, ORG, at, by_hand=True),
                 effects.end_membership(A, ORG, at))  # fmt: skip
    for name in ("delegation", "share", "enrolment", "member"):
        assert table.all(f"select since, until from {name} where since = 1") == [(1, 50)]  # noqa: S608  # one of the four


def test_a_feed_leaves_what_an_officer_set(table: Table) -> None:
    """An enrolment with an end, or ended, by hand; the feed may end what is live, and only then is it the feed's again."""
    table.do(effects.enrol(P, ORG, 1, 100, by_hand=True), effects.enrol(P, ORG, 2, 999, by_hand=False))
    assert table.all("select since, until, by_hand from enrolment where organisation = 'o'") == [(1, 100, 1)]
    table.do(effects.end_enrolment(P, ORG, 100, by_hand=False))
    assert table.all("select until, by_hand from enrolment where organisation = 'o'") == [(100, 1)]
    table.do(effects.end_enrolment(P, ORG, 50, by_hand=False), effects.enrol(P, ORG, 60, 999, by_hand=False))
    assert table.all("select since, until, by_hand from enrolment where organisation = 'o'") == [(60, 999, 0)]
    table.do(effects.end_enrolment(P, ORG, 70, by_hand=True), effects.enrol(P, ORG, 80, 999, by_hand=False))
    assert table.all("select since, until, by_hand from enrolment where organisation = 'o'") == [(60, 70, 1)]


def fed(basis: str, since: int = 10, at: int = 10) -> Effect:
    """A feed's delegation without end."""
    return effects.feed_delegation(A, P, basis, since, 999, at)


def test_a_feed_changes_no_delegation_that_was_given_or_ended_by_hand(table: Table) -> None:
    """The patient's own grant, and the patient's end of what a feed gave, stand; a feed ends and renews its own."""
    assert table.do(fed("carer"), effects.end_fed_delegation(A, P, 20), fed("carer", 30)) == [1, 1, 1]
    assert table.all("select since, until, by_hand from delegation") == [(30, 999, 0)]
    table.do(effects.end_delegation(A, P, 40))
    assert table.do(fed("carer", 50), effects.end_fed_delegation(A, P, 30)) == [0, 0]
    assert table.all("select until, by_hand from delegation") == [(40, 1)]
    table.do(effects.delegate(A, P, "read", "grant", 60, 100))
    assert table.do(fed("parent", 70), effects.end_fed_delegation(A, P, 70)) == [0, 0]
    assert table.all("select level, basis, since, until from delegation") == [("read", "grant", 60, 100)]
    assert [one.rows for one in (fed("carer"), effects.end_fed_delegation(A, P, 1))] == [1, 1]


def test_a_parent_becomes_no_carer_until_it_is_ended(table: Table) -> None:
    """A carer's authority outlasts childhood, a parent's does not; a carer may become a parent."""
    assert table.do(fed("carer"), fed("parent"), fed("parent"), fed("carer")) == [1, 1, 1, 0]
    assert table.all("select basis from delegation") == [("parent",)]
    assert table.do(effects.end_fed_delegation(A, P, 20), fed("carer", 20, at=20)) == [1, 1]
    assert table.all("select basis from delegation") == [("carer",)]


def test_withholding_twice_is_withholding_once(table: Table) -> None:
    """One lift ends it, and another category stays withheld."""
    table.do(*[effects.withhold(P, "", category, since, ruled_out=False)
               for category, since in (("normal", 1), ("normal", 9), ("", 2))])  # fmt: skip
    assert table.do(effects.lift_withholding(P, "", "normal"), effects.lift_withholding(P, "", "normal")) == [1, 0]
    assert table.all("select category, since from withholding") == [("", 2)]


def test_ruling_glass_out_is_said_of_one_withholding(table: Table) -> None:
    """Said anew of the same one it changes; of another one it changes nothing here."""
    for party, out in (("a", True), ("b", False), ("c", True), ("c", False)):
        table.do(effects.withhold(P, party, "", 1, ruled_out=out))
    assert table.all("select party, ruled_out from withholding order by party") == [("a", 1), ("b", 0), ("c", 0)]


def test_a_cursor_never_goes_back_by_itself(table: Table) -> None:
    """Reading something older leaves it where it is; a new grant sets it."""
    table.do(effects.grant(A, ORG, "TREAT", 10, 5, 99), effects.move_cursor(A, 30), effects.move_cursor(A, 20))
    assert table.all("select cursor from service_grant") == [(30,)]
    table.do(effects.grant(A, ORG, "TREAT", 7, 6, 98))
    assert table.all("select cursor, size, until from service_grant") == [(7, 6, 98)]


def opened(number: int) -> Effect:
    """A version that is being written."""
    return effects.open_version(D, number, "text/plain", 1, A, b"c", b"m", (P, 1))


def test_a_version_is_finished_once_upon_the_version_that_was_seen(table: Table) -> None:
    """Not twice, not upon an older one than the newest, and not when its document was deleted."""
    table.do(effects.insert_patient(P, b"w", b"r", None, b"n"), effects.insert_document(D, P, "normal"))
    table.do(opened(1), opened(2), opened(3))
    assert table.all("select state, newest from document where id = 'd'") == [("pending", 0)]
    assert table.do(*effects.finish_version(D, 2, 0, 1, 73)) == [1, 1]
    assert table.do(effects.finish_version(D, 2, 0, 9, 99)[0]) == [0]
    assert [one.rows for one in effects.finish_version(D, 2, 0, 1, 73)] == [1, 1]
    assert table.do(effects.finish_version(D, 1, 0, 1, 73)[1]) == [0]
    assert table.all("select state, newest from document where id = 'd'") == [("available", 2)]
    assert table.do(effects.delete_document(D, 5), effects.delete_document(D, 6)) == [1, 0]
    assert table.do(effects.finish_version(D, 3, 2, 1, 73)[1]) == [0]
    assert table.all("select state, newest, deleted from document where id = 'd'") == [("deleted", 2, 5)]


def test_the_same_version_is_opened_once(table: Table) -> None:
    """Of two writers at once, one fails; and under a patient's key that was rotated meanwhile, nothing is written."""
    table.do(effects.insert_patient(P, b"w", b"r", None, b"n"))
    assert table.do(opened(1)) == [1]
    assert table.do(replace(opened(2), parameters=[*opened(2).parameters[:-1], 2])) == [0]
    with pytest.raises(sqlite3.IntegrityError):
        table.do(opened(1))


def test_effects_upon_nothing_change_nothing_and_say_so(table: Table) -> None:
    """Those that must hit a row are guarded by its count."""
    for effect in (effects.relabel(D, "normal"), effects.delete_document(D, 1), effects.fed(ORG, 1, 1),
                   effects.finish_version(D, 1, 0, 1, 1)[0]):  # fmt: skip
        assert effect.rows == 1
        assert table.do(effect) == [0]


def test_state_beside_the_log_is_replaced_whole(table: Table) -> None:
    """The newest snapshot is the only one."""
    table.do(effects.keep_state("freezes", b"one"), effects.keep_state("freezes", b"two"))
    assert table.all("select name, value from state") == [("freezes", b"two")]


def test_patients_are_renewed_and_told_once(table: Table) -> None:
    """A birth date and a name change; the key does not. A notice of one moment is one notice."""
    table.do(effects.insert_patient(P, b"w", b"r", None, b"n"), effects.update_patient(P, "2015-01-01", b"m"))
    found = table.all("select wrapped, recovery, born, name from patient where id = 'p'")
    assert found == [(b"w", b"r", "2015-01-01", b"m")]
    table.do(effects.notice(P, 1, "break-glass"), effects.notice(P, 1, "break-glass"))
    assert len(table.all("select * from notice")) == 1


def test_agreements_and_openings_are_kept_with_their_ends(table: Table) -> None:
    """A later agreement replaces the earlier; each opening of glass is its own row."""
    table.do(effects.agree(A, "p", 5), effects.agree(A, "p", 9))
    assert table.all("select until from agreement") == [(9,)]
    table.do(effects.open_glass(A, P, ORG, 1, 5, agreed=False), effects.open_glass(A, P, None, 2, 6, agreed=True))
    assert table.all("select opened, organisation, agreed from glass order by opened") == [(1, "o", 0), (2, None, 1)]


def test_a_decoy_looks_available_and_holds_nothing(table: Table) -> None:
    """It has a first version's number, and no version."""
    table.do(effects.insert_document(D, P, "normal", decoy=True), effects.open_ticket("t", 0, (D, 1), A, 1))
    assert table.all("select state, newest, decoy from document where id = 'd'") == [("available", 1, 1)]
    assert table.all("select * from version where document = 'd'") == []


def test_a_session_revoked_twice_was_revoked_last(table: Table) -> None:
    """It is kept as long after the later one."""
    table.do(effects.revoke_session(SessionId("s"), 1), effects.revoke_session(SessionId("s"), 5))
    assert table.all("select session, at from revoked") == [("s", 5)]
