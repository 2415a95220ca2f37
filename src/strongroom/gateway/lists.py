"""What lists show to a person: how many documents and patients for the first time, and whether that is too much.

Counted by whole hours is what was new to them, so that a list that is opened again counts nothing. A portal whose lists show
everybody's is robbed through its lists: nobody honest is shown hundreds of patients, unless they work for them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from strongroom.clock import DAY, HOUR
from strongroom.gateway.counts import UNUSED, Counts
from strongroom.gateway.rule import LISTS, Rule, Scope, What

WEEK: Final = 7 * 24
"""Hours after which somebody's past says something of them."""
THRICE: Final = 3


class Lists:
    """See the module. For within `Counts.together`."""

    def __init__(self, counts: Counts, rules: Sequence[Rule]) -> None:
        """Of the rules those that are about lists."""
        self._counts = counts
        self._rules = sorted((rule for rule in rules if rule.what in LISTS), key=lambda rule: -rule.rung)
        self._longest = {
            rule.what: max(other.window for other in self._rules if other.what is rule.what) for rule in self._rules
        }

    def new(
        self, person: str, documents: Sequence[int], people: Sequence[int], *, strange: bool, since: int
    ) -> dict[What, int]:
        """What of it is shown for the first time, as far as it counts for this person.

        `strange`: known, on a device and from an address that are not theirs for long; `since`: for how many hours they are known.
        """
        fresh, named = self._counts.fresh(person, documents), self._counts.fresh(person, people)
        new = {What.SHOWN: fresh, What.LISTED: named}
        if strange:
            new[What.FRESH] = fresh
        if since >= WEEK:
            new[What.WIDER] = named
        return new

    def beyond(self, person: str, new: Mapping[What, int], now: int, allowed: frozenset[str]) -> Iterator[Rule]:
        """The rules that this would pass, the sternest first."""
        for rule in self._rules:
            if new.get(rule.what) and rule.name not in allowed and self._beyond(rule, person, new[rule.what], now):
                yield rule

    def showed(self, person: str, new: Mapping[What, int], ids: Sequence[int], now: int) -> None:
        """It went out."""
        for what, number in new.items():
            if number and what in self._longest:
                self._counts.serve(self._place(person, what), now // HOUR, number, now + self._longest[what] + HOUR)
        if new[What.LISTED]:
            self._counts.serve(self._ever(person), 0, new[What.LISTED], now + UNUSED)
        self._counts.learn(person, ids, now, new[What.SHOWN] + new[What.LISTED])

    def _beyond(self, rule: Rule, person: str, number: int, now: int) -> bool:
        before = self._counts.bytes(self._place(person, rule.what), (now - rule.window) // HOUR)
        limit = rule.limit
        if rule.what is What.WIDER:
            today = self._counts.bytes(self._place(person, What.LISTED), (now - DAY) // HOUR)
            limit = max(limit, THRICE * (self._counts.bytes(self._ever(person), 0) - today))
        return before + number > limit and not self._counts.is_undone((Scope.PERSON, person), rule.name, now)

    def _place(self, person: str, what: What) -> int:
        return self._counts.number("lists", person, what.value)

    def _ever(self, person: str) -> int:
        """Where it stands how many patients were ever listed to them."""
        return self._counts.number("lists", person, "ever")
