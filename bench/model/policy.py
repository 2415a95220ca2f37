"""Who may do what, and whose budget it is: the rules of docs/policy.md written once more, from the page and not from the code.

`say` answers with `yes`, `no` (which is told as `absent`), or a reason that the asker is told.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from bench.model.state import Login, Paper, State, Town
from strongroom.budget.scope import Kind
from strongroom.clock import DAY

ADULT = 16
READS = ("release", "list")
BY_OWNERS = (*READS, "deposit", "delete", "delegate", "share", "withhold")
WIDENS = ("delegate", "share", "withhold")
BY_DELEGATES = (*READS, "deposit")
BY_CLINICIANS = (*READS, "deposit", "relabel")


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and what they have shown."""

    login: Login
    mfa: bool
    fresh: bool


class Policy:
    """Relations of one town, at one state of it."""

    def __init__(self, town: Town) -> None:
        self._town = town

    def say(
        self, s: State, who: Asker, now: int, action: str, patient: str, *,
        paper: Paper | None = None, category: str | None = None,
    ) -> str:  # fmt: skip
        """`paper`: None where the question is about the record; then `category` is what a deposit will be, if it is one."""
        if not who.mfa:
            return "mfa"
        if paper is not None and paper.state != "available":
            return "no"
        if who.login.kind == "clinician":
            return self._clinician(s, who.login, now, action, patient, paper=paper, category=category)
        stands = self.standing(s, who.login, patient, now)
        if stands == "stranger" or (paper is not None and paper.category == "clinician-only"):
            return "no"
        if stands == "owner":
            if action not in BY_OWNERS:
                return "no"
            return "step-up" if action in WIDENS and not who.fresh else "yes"
        if stands == "full":
            return "yes" if action in BY_DELEGATES else "no"
        sensitive = paper is not None and paper.category == "sensitive"
        return "yes" if action in READS and not sensitive else "no"

    def _clinician(
        self, s: State, who: Login, now: int, action: str, patient: str, *, paper: Paper | None, category: str | None
    ) -> str:
        if action not in BY_CLINICIANS:
            return "no"
        kept = self._withheld(s, who.account, patient, paper.category if paper else category)
        glass = self.glass_open(s, who.account, patient, now) and action in READS
        if kept:
            return "yes" if glass and not any(kept) else "no"
        shared, practice = self._shared(s, who.account, patient, now), self.practice(who.account, patient, now)
        cared = shared or (practice is not None and not (paper and paper.category == "sensitive"))
        return "yes" if cared or glass else "no"

    def say_glass(self, s: State, who: Asker, now: int, patient: str, *, reason: bool) -> str:
        """Break-glass: for clinicians with a reason; three a day by themselves, ten an organisation."""
        if not who.mfa:
            return "mfa"
        if who.login.kind != "clinician":
            return "no"
        if not reason:
            return "reason"
        organisation = self.organisation(who.login.account, patient, now)
        lately = [one for one in s.glass if one[3] > now - DAY]
        mine = sum(1 for one in lately if one[0] == who.login.account)
        theirs = sum(1 for one in lately if one[2] == organisation)
        if organisation is None or mine >= 3 or theirs >= 10:
            return "second-person"
        return "yes"

    # ---- relations --------------------------------------------------------------------------------------------------

    def kind(self, s: State, who: Login, patient: str, now: int) -> Kind:
        """Whose budget a disclosure is charged to, whatever the policy said."""
        if who.kind == "clinician":
            if self._shared(s, who.account, patient, now) or self.practice(who.account, patient, now):
                return Kind.CARE
            return Kind.GLASS if self.glass_open(s, who.account, patient, now) else Kind.STRANGER
        stands = self.standing(s, who, patient, now)
        if stands == "owner":
            return Kind.OWN
        established = stands != "stranger" and now - s.delegations[who.account, patient][2] >= DAY
        return Kind.OWN if established else Kind.STRANGER

    def standing(self, s: State, who: Login, patient: str, now: int) -> str:
        """owner, full, read or stranger; a delegation that is over is a stranger's."""
        if who.patient and who.patient == patient:
            return "owner"
        level, basis, since, until = s.delegations.get((who.account, patient), ("", "", 0, 0))
        if not since <= now < until or (basis == "parent" and self._age(patient, now) >= ADULT):
            return "stranger"
        return level

    def practice(self, account: str, patient: str, now: int) -> str | None:
        """An organisation that both are with."""
        with_patient = {name for name, since, until in self._town.enrolled.get(patient, ()) if since <= now < until}
        both = [name for name in self._works(account, now) if name in with_patient]
        return both[0] if both else None

    def organisation(self, account: str, patient: str, now: int) -> str | None:
        """The organisation that a disclosure is charged to."""
        return self.practice(account, patient, now) or min(self._works(account, now), default=None)

    def glass_open(self, s: State, account: str, patient: str, now: int) -> bool:
        """Whether break-glass is open."""
        return any(one[:2] == (account, patient) and one[3] <= now < one[4] for one in s.glass)

    def _shared(self, s: State, account: str, patient: str, now: int) -> bool:
        parties = (account, *self._works(account, now))
        periods = [s.shares[patient, one] for one in parties if (patient, one) in s.shares]
        return any(since <= now < until for since, until in periods)

    def _withheld(self, s: State, account: str, patient: str, category: str | None) -> list[bool]:
        """For everything that keeps this from the clinician, whether it rules out break-glass as well."""
        parties = {"", account, *(name for name, _, _ in self._town.members.get(account, ()))}
        return [
            ruled_out
            for (whose, party, what), ruled_out in s.withheld.items()
            if whose == patient and party in parties and what in {"", category}
        ]

    def _works(self, account: str, now: int) -> list[str]:
        return [name for name, since, until in self._town.members.get(account, ()) if since <= now < until]

    def _age(self, patient: str, now: int) -> int:
        day, born = datetime.fromtimestamp(now / 1000, UTC).date(), self._town.born[patient]
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
