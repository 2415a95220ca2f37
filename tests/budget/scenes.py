"""What the budget tests share: a permit as the policy makes it, and disclosures in few words."""

from collections.abc import Iterable, Iterator

from strongroom.authz.facts import Action, Case, Category, Document, Person, Standing, State
from strongroom.authz.policy import Permit, decide
from strongroom.budget.ledger import Charge, Ledger
from strongroom.budget.scope import Disclosure, Kind, Scopes
from strongroom.budget.spent import Spent
from strongroom.clock import Millis
from strongroom.ids import AccountId, DocumentId, OrganisationId, PatientId, SessionId

START = 1_767_225_600_000
"""2026-01-01T00:00:00Z."""
SIZE = 252_000
"""Bytes of an average document."""


def permit() -> Permit:
    """What the policy says to an owner who reads."""
    asker = Person(disabled=False, mfa=True, fresh=False, standing=Standing.OWNER)
    answer = decide(Case(Action.RELEASE, asker, Document(Category.NORMAL, State.AVAILABLE)))
    assert isinstance(answer, Permit)
    return answer


PERMIT = permit()


def scopes(
    account: str, *, session: str = "", client: str = "portal", organisation: str = "", network: str = "192.0.2.7/32"
) -> Scopes:
    """The scopes of a login, in a session of its own unless one is named."""
    return Scopes(
        session=SessionId(session or f"session-of-{account}"),
        account=AccountId(account),
        client=client,
        organisation=OrganisationId(organisation) if organisation else None,
        network=network,
    )


def read(
    at: int, kind: Kind, who: Scopes, patient: str, *, document: str = "letter", version: int = 1, size: int = SIZE
) -> Disclosure:
    """One document of `patient` is read."""
    return Disclosure(Millis(at), kind, who, PatientId(patient), DocumentId(f"{patient}-{document}"), version, size)


def listing(at: int, kind: Kind, who: Scopes, patient: str) -> Disclosure:
    """The documents of `patient` are listed."""
    return Disclosure(Millis(at), kind, who, PatientId(patient), None, 0, 0)


def charge_all(ledger: Ledger, disclosures: Iterable[Disclosure]) -> Iterator[Charge | Spent]:
    """Charge each in turn."""
    return (ledger.charge(PERMIT, one) for one in disclosures)


def state(ledger: Ledger, now: int) -> tuple[object, ...]:
    """All that the ledger counts at `now`."""
    return ledger._windows.dump(now), ledger._rereads.dump(now), ledger._history.dump(now)
