"""From relations as they are stored to the small facts of a decision: ages, periods, quotas. Pure.

Periods run from their first millisecond on, up to but not including their last. Birthdays are counted in UTC: within
hours of the right day anywhere, and the same everywhere.
"""

from datetime import UTC, date, datetime
from enum import Enum, unique

import msgspec

from strongroom.authz.facts import Care, Category, Glass, Quota, Standing
from strongroom.clock import DAY, Millis
from strongroom.errors import Malformed

PARENT_UNTIL = 16
"""Years of age at which a parent's authority to read ends (New Zealand: Code of Health Consumers' Rights practice)."""
ESTABLISHED = DAY
"""A delegation younger than this is charged as a stranger's: a thief's new delegations gain them little on the day."""
OPENINGS_ACCOUNT = 3
OPENINGS_ORGANISATION = 10
"""Break-glass openings within 24 h before a second person must agree."""


@unique
class Ground(Enum):
    """What a delegation rests on."""

    PARENT = "parent"
    """Ends at the child's birthday, whatever its period says."""
    CARER = "carer"
    GRANT = "grant"
    """Given by the patient."""


class Delegation(msgspec.Struct, frozen=True, gc=False):
    """One login acting for one patient. Times in milliseconds."""

    full: bool
    ground: Ground
    since: int
    until: int


def is_live(since: int, until: int, now: Millis) -> bool:
    """Whether a period covers `now`."""
    return since <= now < until


def age(born: date, now: Millis) -> int:
    """Completed years. Somebody born on 29 February has their birthday on 1 March of other years."""
    today = datetime.fromtimestamp(now / 1000, UTC).date()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def parse_born(text: str | None) -> date | None:
    """A stored birth date, YYYY-MM-DD; None where none is known. Raises Malformed for another form."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        msg = "A stored birth date does not parse."
        raise Malformed(msg) from error


def standing(*, own: bool, delegation: Delegation | None, born: date | None, now: Millis) -> Standing:
    """How a person's login stands to the patient. A parent of a child without a known birth date has no standing."""
    if own:
        return Standing.OWNER
    if delegation is None or now < delegation.since:
        return Standing.STRANGER
    if not is_live(delegation.since, delegation.until, now) or _outgrown(delegation, born, now):
        return Standing.LAPSED
    return Standing.DELEGATE_FULL if delegation.full else Standing.DELEGATE_READ


def is_established(delegation: Delegation | None, now: Millis) -> bool:
    """Whether the delegation is a day old, so that its reads are charged as the patient's own."""
    return delegation is not None and now - delegation.since >= ESTABLISHED


def care(*, practice: bool, shared: bool) -> Care:
    """A clinician's live care relation. A share reaches further than a practice, so it wins."""
    if shared:
        return Care.SHARE
    return Care.PRACTICE if practice else Care.NONE


def is_withheld(withheld: frozenset[str], category: Category | None) -> bool:
    """Whether the record (empty word) or this category of it is withheld."""
    return "" in withheld or (category is not None and category.value in withheld)


def glass(until: int | None, now: Millis) -> Glass:
    """Whether break-glass is open for this login and patient."""
    return Glass.LIVE if until is not None and now < until else Glass.NONE


def quota(mine: int, theirs: int, *, works: bool, agreed: bool) -> Quota:
    """Whether one more opening is within 3 an account and 10 an organisation; `agreed`: a second person said yes.

    `works`: in some organisation, today. Who works in none has no openings of their own.
    """
    if works and mine < OPENINGS_ACCOUNT and theirs < OPENINGS_ORGANISATION:
        return Quota.WITHIN
    return Quota.AGREED if agreed else Quota.USED_UP


def _outgrown(delegation: Delegation, born: date | None, now: Millis) -> bool:
    if delegation.ground is not Ground.PARENT:
        return False
    return born is None or age(born, now) >= PARENT_UNTIL
