"""From a draft to the bytes of an entry: nobody is named, all is told, details are checked before they are read."""

import pytest

from strongroom.audit import event
from strongroom.audit.compose import MAX_DETAILS, MAX_NUMBER, Composed, Composer, Cover, Details, commit_to, reveal
from strongroom.audit.event import Draft, Target
from strongroom.audit.pseudonym import Naming, Pseudonyms
from strongroom.clock import Millis
from strongroom.errors import Malformed, Tampered
from strongroom.ids import DocumentId
from strongroom.tlog.entry import Entry, Op, decode
from strongroom.tlog.tree import leaf_hash
from tests.audit.conftest import GROUND, START, disclosure, listing, release, tagged, turned
from tests.audit.test_pseudonym import JANUARY, Memory

COVER = Cover(turned, turned, tagged)
AT = Millis(START)


def composed(draft: Draft, names: Pseudonyms | None = None) -> tuple[Composed, Entry]:
    """What is stored for a draft, and its entry."""
    done = Composer(names or Pseudonyms(Memory()), COVER).compose(draft)
    return done, decode(done.body)


def test_no_person_is_named() -> None:
    """Not the account, the patient, the session, the network or a document; neither of a target."""
    whole = Draft(
        t=AT, op=Op.SHARED, actor=release().actor, patient=release().patient, session=release().session,
        network="203.0.113.7", document=DocumentId("doc-1"), documents=((DocumentId("doc-2"), 4),), version=2,
        target=Target("account", "bert"), details="for Bert Brecht",
    )  # fmt: skip
    body = composed(whole)[0].body
    for real in (b"anna", b'"pat"', b"session-1", b"203.0.113.7", b"doc-", b"bert", b"Brecht"):
        assert real not in body


def test_everything_else_is_told() -> None:
    """Plain fields stand in the entry as they were in the draft."""
    done, entry = composed(event.released(disclosure(), GROUND, charged=1))
    assert (entry.t, entry.op, entry.client, entry.organisation) == (START, Op.RELEASED, "portal", "clinic")
    assert (entry.version, entry.bytes, entry.charged, entry.kind) == (1, 252_000, 1, "own")
    assert (entry.basis, entry.purpose, entry.policy) == ("owner", "PATRQT", "0123456789abcdef")
    assert done.leaf == leaf_hash(done.body)
    assert done.details is None


def test_names_and_columns_belong_together() -> None:
    """An entry is filed under the numbers of the very names it shows."""
    names = Pseudonyms(Memory())
    done, entry = composed(release(), names)
    assert (done.columns.actor, entry.actor) == names.name(Naming.ACCOUNT, "anna", JANUARY)
    assert (done.columns.patient, entry.patient) == names.name(Naming.PATIENT, "pat", JANUARY)
    assert (done.columns.session, entry.session) == names.name(Naming.SESSION, "session-1", JANUARY)
    assert (done.columns.client, "portal") == names.name(Naming.CLIENT, "portal", JANUARY)
    assert (done.columns.organisation, "clinic") == names.name(Naming.ORGANISATION, "clinic", JANUARY)
    assert entry.network == names.name(Naming.NETWORK, "203.0.113.7", JANUARY)[1]
    assert (done.columns.t, done.columns.op, done.columns.ref) == (START, "released", None)


def test_a_listing_shows_each_version() -> None:
    """`hash.version` for every document, the hash being that of the month."""
    names = Pseudonyms(Memory())
    _, entry = composed(listing(documents=("a", "b")), names)
    assert entry.documents == tuple(f"{names.document(DocumentId(one), JANUARY)}.1" for one in "ab")


@pytest.mark.parametrize("scope", ["account", "patient", "session", "network"])
def test_targets_that_are_people_have_names(scope: str) -> None:
    """The scope is told, the person is not."""
    names = Pseudonyms(Memory())
    _, entry = composed(event.frozen(AT, Target(scope, "x"), "why"), names)
    assert entry.target == f"{scope}:{names.name(Naming(scope), 'x', JANUARY)[1]}"


@pytest.mark.parametrize("scope", ["client", "organisation", "class", "module", "key"])
def test_other_targets_stand_as_they_are(scope: str) -> None:
    """A client, an organisation, a route class or a key is no person."""
    assert composed(event.frozen(AT, Target(scope, "x"), "why"))[1].target == f"{scope}:x"


def test_details_are_sealed_and_committed_to() -> None:
    """The entry commits to the text, the text lies beside it sealed, and only the right one is revealed."""
    done, entry = composed(event.started(AT, "ff", details="in words"))
    kept = done.details
    assert kept is not None
    assert entry.details == commit_to(kept.salt, "in words")
    assert kept.sealed == turned(b"in words")
    assert reveal(kept, entry.details, COVER) == "in words"
    for wrong in (Details(kept.salt, turned(b"other words")), Details(bytes(16), kept.sealed)):
        with pytest.raises(Tampered):
            reveal(wrong, entry.details, COVER)


def test_equal_details_do_not_show() -> None:
    """Two entries with the same text commit to it differently."""
    first, second = (composed(event.started(AT, "ff", details="same"))[1].details for _ in "ab")
    assert first != second


def test_bounds() -> None:
    """Details and entries that are too long are refused before anything is written."""
    composed(event.started(AT, "ff", details="x" * MAX_DETAILS))
    with pytest.raises(Malformed):
        composed(event.started(AT, "ff", details="x" * (MAX_DETAILS + 1)))
    with pytest.raises(Malformed):
        composed(event.alarm(AT, "x" * 20_000))
    composed(event.delivered(AT, 0, MAX_NUMBER, complete=True))
    for number in (-1, MAX_NUMBER + 1):
        with pytest.raises(Malformed):
            composed(event.delivered(AT, 0, number, complete=True))
