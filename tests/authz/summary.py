"""The tables of docs/policy.md, drawn from the code: `python -m tests.authz.summary` prints them."""

from collections import Counter, defaultdict

from msgspec.structs import replace

from strongroom.authz.facts import (
    Action,
    Asker,
    Care,
    Case,
    Category,
    Clinician,
    Document,
    Feed,
    Glass,
    Grant,
    Person,
    Quota,
    Service,
    Standing,
    State,
)
from strongroom.authz.policy import UPON_DOCUMENT, Deny, Permit, Reason, decide
from strongroom.authz.space import cases

_PERSON = Person(disabled=False, mfa=True, fresh=True, standing=Standing.OWNER)
_CLINICIAN = Clinician(
    disabled=False,
    mfa=True,
    care=Care.NONE,
    withheld=False,
    glass=Glass.NONE,
    ruled_out=False,
    reason=True,
    quota=Quota.WITHIN,
)
_COLUMNS: dict[str, Asker] = {
    "the patient": _PERSON,
    "full delegate": replace(_PERSON, standing=Standing.DELEGATE_FULL),
    "reading delegate": replace(_PERSON, standing=Standing.DELEGATE_READ),
    "shared with": replace(_CLINICIAN, care=Care.SHARE),
    "practice": replace(_CLINICIAN, care=Care.PRACTICE),
    "other clinician": _CLINICIAN,
    "broken glass": replace(_CLINICIAN, glass=Glass.LIVE, withheld=True),
    "program": Service(disabled=False, grant=Grant.COVERS),
    "feed": Feed(trusted=True, own_patient=True),
}
"""Each kind of asker with everything else in their favour; `broken glass` is without care, upon what was withheld."""

_LETTERS = {Category.NORMAL: "N", Category.SENSITIVE: "S", Category.CLINICIAN_ONLY: "C"}
_KINDS = {Person: "people", Clinician: "clinicians", Service: "programs", Feed: "feeds"}


def who_may_do_what() -> str:
    """A row for each action, a column for each kind of asker."""
    rows = [["action", *_COLUMNS], ["---"] * (len(_COLUMNS) + 1)]
    rows += [[f"`{action.value}`", *(_cell(action, asker) for asker in _COLUMNS.values())] for action in Action]
    return _drawn(rows)


def reasons() -> str:
    """A row for each reason: what it says, who can meet it, and in how many questions of the space."""
    met, counted = defaultdict[Reason, set[str]](set), Counter[Reason]()
    for case in (case for action in Action for case in cases(action)):
        outcome = decide(case)
        if isinstance(outcome, Deny):
            met[outcome.reason].add(_KINDS[type(case.asker)])
            counted[outcome.reason] += 1
    rows = [["reason", "in words", "met by", "questions"], ["---", "---", "---", "---:"]]
    for reason in Reason:
        kinds = ", ".join(kind for kind in _KINDS.values() if kind in met[reason])
        rows.append([f"`{reason.value}`", reason.sentence, kinds, f"{counted[reason]:,}"])
    return _drawn(rows)


def _cell(action: Action, asker: Asker) -> str:
    if action not in UPON_DOCUMENT:
        said = "yes" if _allowed(action, asker, None) else ""
    else:
        said = "".join(
            letter for kind, letter in _LETTERS.items() if _allowed(action, asker, Document(kind, State.AVAILABLE))
        )
    if said == "yes" and isinstance(asker, Person) and not _allowed(action, replace(asker, fresh=False), None):
        return "fresh"
    return said or "-"


def _allowed(action: Action, asker: Asker, document: Document | None) -> bool:
    return isinstance(decide(Case(action, asker, document)), Permit)


def _drawn(rows: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    print(who_may_do_what())  # noqa: T201  # what the command is for
    print(reasons())  # noqa: T201  # the same
