"""The limits: one rule a line, its reason beside it. docs/budgets.md is printed from this table (`describe.py`).

The numbers are proposals until they have met the traffic of the portal that they guard. `[budget]` in strongroom.toml
changes them by name. Sources: docs/budgets.md.
"""

from types import MappingProxyType

from strongroom.budget.rules import Consequence, Rule, Rules, Scope
from strongroom.budget.scope import Kind
from strongroom.budget.window import Dimension
from strongroom.clock import DAY, HOUR, MONTH, YEAR

WINDOWS = MappingProxyType({HOUR: "1h", DAY: "24h", MONTH: "30d", YEAR: "365d"})
"""The windows there are, and what a rule's name calls them."""
MIB = 1 << 20
GIB = 1 << 30

_DOCUMENTS, _BYTES, _PEOPLE, _OPENINGS = Dimension
_ALARM, _REFUSE, _FREEZE = Consequence
_OWN, _CARE, _GLASS, _SERVICE, _STRANGER = (frozenset({kind}) for kind in Kind)
_ALL_BUT_OWN = _CARE | _GLASS | _STRANGER
"""What the module breaker counts. A service is left out: what its grant declares is its limit, and an announced
migration must not use up what everybody shares."""


def _rule(
    scope: Scope,
    counts: frozenset[Kind],
    limit: int,
    dimension: Dimension,
    window: int,
    consequence: Consequence,
    *,
    why: str,
    refuses: frozenset[Kind] | None = None,
    learned: bool = False,
    declared: int = 0,
) -> Rule:
    """A rule named after what it says: scope-kind-dimension-window."""
    kind = next(iter(counts)).value if len(counts) == 1 else "any"
    name = f"{scope.value}-{kind}-{dimension.name.lower()}-{WINDOWS[window]}"
    if consequence is _ALARM:
        name, refuses = f"{name}-alarm", frozenset()
    elif refuses is None:
        refuses = counts
    return Rule(
        name=name,
        scope=scope,
        counts=counts,
        refuses=refuses,
        window=window,
        dimension=dimension,
        limit=limit,
        consequence=consequence,
        why=why,
        learned=learned,
        declared=declared,
    )


# fmt: off
_ACCOUNT = (
    # Own documents, and those of people who gave a delegation more than a day ago.
    _rule(Scope.ACCOUNT, _OWN, 2_000, _DOCUMENTS, DAY, _FREEZE,
          why="A patient has 4.3 documents on average; 300 for a lawyer must pass, a family's lives too."),
    _rule(Scope.ACCOUNT, _OWN, 12, _PEOPLE, DAY, _FREEZE,
          why="Oneself, and a carer's 2 to 6 people twice over."),
    _rule(Scope.ACCOUNT, _OWN, 20 * GIB, _BYTES, DAY, _REFUSE,
          why="2,000 documents of 252 kB are 0.5 GB; 200 of the largest size (100 MB) pass."),
    _rule(Scope.ACCOUNT, _OWN, 20_000, _OPENINGS, DAY, _REFUSE,
          why="A refresh every five seconds, all day. Bounds what one login can write into the log."),
    # People that the login has no relation to: what a broken check lets through, and the first day of a delegation.
    _rule(Scope.ACCOUNT, _STRANGER, 1, _PEOPLE, DAY, _ALARM,
          why="A second stranger is worth a look: young delegations come one by one."),
    _rule(Scope.ACCOUNT, _STRANGER, 3, _PEOPLE, DAY, _FREEZE,
          why="The loss of a stolen login on a broken check, a day."),
    _rule(Scope.ACCOUNT, _STRANGER, 5, _PEOPLE, YEAR, _FREEZE,
          why="The same, in all: patience buys nothing."),
    _rule(Scope.ACCOUNT, _STRANGER, 40, _DOCUMENTS, DAY, _FREEZE,
          why="Three people's documents, and none of their archives."),
    _rule(Scope.ACCOUNT, _STRANGER, 1 * GIB, _BYTES, DAY, _REFUSE,
          why="40 documents of 25 MB."),
    _rule(Scope.ACCOUNT, _STRANGER, 400, _OPENINGS, DAY, _REFUSE,
          why="Ten for each document. Bounds the log."),
    # Clinicians within a live care relation.
    _rule(Scope.ACCOUNT, _CARE, 80, _PEOPLE, DAY, _ALARM,
          why="A clinician sees 20 to 25 people a day, about 450 a month."),
    _rule(Scope.ACCOUNT, _CARE, 250, _PEOPLE, DAY, _FREEZE,
          why="A reception desk handles 60 to 150 people a day."),
    _rule(Scope.ACCOUNT, _CARE, 2_500, _PEOPLE, MONTH, _FREEZE,
          why="Five times a clinician's month; a whole list of patients is not read by one login."),
    _rule(Scope.ACCOUNT, _CARE, 2_000, _DOCUMENTS, DAY, _FREEZE,
          why="25 people with 80 documents each."),
    _rule(Scope.ACCOUNT, _CARE, 50 * GIB, _BYTES, DAY, _REFUSE,
          why="2,000 documents of 25 MB."),
    _rule(Scope.ACCOUNT, _CARE, 50_000, _OPENINGS, DAY, _REFUSE,
          why="Large images are read in thousands of ranges. Bounds the log."),
    # Break-glass. Three a day and login, and ten an organisation, need nobody else; more need a second person.
    _rule(Scope.ACCOUNT, _GLASS, 12, _PEOPLE, DAY, _REFUSE,
          why="Three alone, the rest with a second person each. No freeze: it is an emergency."),
    _rule(Scope.ACCOUNT, _GLASS, 120, _PEOPLE, MONTH, _REFUSE,
          why="Three a day for 30 days, and a bad week."),
    _rule(Scope.ACCOUNT, _GLASS, 400, _DOCUMENTS, DAY, _REFUSE,
          why="Some 30 for each person."),
    _rule(Scope.ACCOUNT, _GLASS, 10 * GIB, _BYTES, DAY, _REFUSE,
          why="400 documents of 25 MB."),
    _rule(Scope.ACCOUNT, _GLASS, 10_000, _OPENINGS, DAY, _REFUSE,
          why="As for care, for fewer people. Bounds the log."),
    # Services. With a grant, its declared size takes the place of these numbers.
    _rule(Scope.ACCOUNT, _SERVICE, 200, _DOCUMENTS, DAY, _REFUSE,
          why="Without a declared size a service gets little. A practice's nightly run is 0 to 2,000.", declared=1),
    _rule(Scope.ACCOUNT, _SERVICE, 200, _PEOPLE, DAY, _REFUSE,
          why="At most one person a document.", declared=1),
    _rule(Scope.ACCOUNT, _SERVICE, 2 * GIB, _BYTES, DAY, _REFUSE,
          why="10 MiB a document, forty times the average.", declared=10 * MIB),
    _rule(Scope.ACCOUNT, _SERVICE, 800, _OPENINGS, DAY, _REFUSE,
          why="List, read, one more range, one retry, for each document.", declared=4),
)
_SHARED = (
    _rule(Scope.SESSION, _STRANGER, 3, _PEOPLE, DAY, _FREEZE,
          why="One session used by several logins gains nothing."),
    _rule(Scope.SESSION, _CARE, 120, _PEOPLE, HOUR, _FREEZE,
          why="Two people a minute for an hour is a machine, or a list being emptied."),
    _rule(Scope.CLIENT, _STRANGER, 300, _PEOPLE, HOUR, _REFUSE,
          why="Half of what the module lets strangers see: one app cannot use up all of it."),
    _rule(Scope.ORGANISATION, _STRANGER, 20, _PEOPLE, DAY, _REFUSE,
          why="Staff reading outside every relation: feeds are late for a few people, not for more."),
    _rule(Scope.ORGANISATION, _GLASS, 60, _PEOPLE, DAY, _REFUSE,
          why="Ten alone, the rest with a second person each."),
    _rule(Scope.ORGANISATION, _CARE, 600, _PEOPLE, HOUR, _ALARM,
          why="A hundred clinicians at six people an hour."),
    _rule(Scope.NETWORK, _STRANGER, 60, _PEOPLE, HOUR, _REFUSE,
          why="Hundreds of patients may share an address, few of them on a delegation's first day."),
    _rule(Scope.NETWORK, _CARE, 400, _PEOPLE, HOUR, _ALARM,
          why="5 to 60 staff share an address; 60 of them see 360 people an hour. Declare the network."),
    _rule(Scope.PRACTICE, _STRANGER, 120, _PEOPLE, HOUR, _REFUSE,
          why="Patients in the waiting room use its network too."),
    _rule(Scope.PRACTICE, _CARE, 2_000, _PEOPLE, HOUR, _ALARM,
          why="A hospital's 300 staff at six people an hour."),
    _rule(Scope.MODULE, _STRANGER, 600, _PEOPLE, HOUR, _REFUSE,
          why="However many logins were stolen, and however busy the hour is. Listings count."),
    _rule(Scope.MODULE, _ALL_BUT_OWN, 600, _DOCUMENTS, HOUR, _REFUSE,
          why="The breaker. A portal of 1.8 million patients opens some 330 documents an hour, owners included.",
          refuses=_STRANGER, learned=True),
)
# fmt: on

DEFAULTS = Rules(_ACCOUNT + _SHARED)
"""The limits of a store that overrides none."""
