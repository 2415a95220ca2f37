"""What a rehearsal found: one `Run` for each condition, in the shape that `rehearse --json` prints. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

PER_LOGIN = 5
"""People a stolen login may meet in a year when authorization is assumed broken (docs/budgets.md)."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run. Field names are the JSON's."""

    condition: str
    logins: int
    rate: str
    people_own: int
    people_listed: int
    documents_lost: int
    people_lost: int
    bound: int
    stopped_by: str
    seconds_to_containment: float | None
    requests: int
    list_equals_haul: bool | None
    """None where the store's own list could not be seen."""
    honest_requests: int
    honest_refused: int
    border: str

    @property
    def holds(self) -> bool:
        """Whether everything promised for this run held."""
        nothing = self.bound > 0 or self.documents_lost == 0  # what belongs to nobody is lost too
        few = max(self.people_lost, self.people_listed) <= self.bound
        return few and nothing and self.list_equals_haul is not False and self.honest_refused == 0


def as_json(playbook: str, runs: Sequence[Run]) -> dict[str, Any]:
    """The documented shape."""
    return {"playbook": playbook, "runs": [asdict(run) for run in runs]}


COLUMNS = (
    ("condition", "condition"), ("logins", "logins"), ("rate", "rate"), ("people lost", "people_lost"),
    ("bound", "bound"), ("documents lost", "documents_lost"), ("stopped by", "stopped_by"),
    ("contained after s", "seconds_to_containment"), ("requests", "requests"), ("list = haul", "list_equals_haul"),
    ("honest", "honest_requests"), ("refused", "honest_refused"),
)  # fmt: skip
"""Heading and field of the table for people."""
