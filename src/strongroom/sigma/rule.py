"""What a rule is, once it is understood: frozen values without a trace of the YAML they came from."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

Flag = Literal["i", "m", "s"]
FLAGS: tuple[Flag, ...] = ("i", "m", "s")
"""Of a regular expression: capitals alike, lines apart, a dot is a line's end too."""
Sign = Literal["<", "<=", ">", ">=", "=", "<>"]


class Wildcard(StrEnum):
    """A part of a pattern that stands for others."""

    MANY = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Pattern:
    """Text with wildcards, whole field, small and capital letters alike unless `cased`."""

    parts: tuple[str | Wildcard, ...]
    cased: bool = False


@dataclass(frozen=True, slots=True)
class Number:
    """Equal to this number."""

    value: float


@dataclass(frozen=True, slots=True)
class Regex:
    """Found anywhere in the field. RE2's dialect: its time is linear in the text, so a rule cannot be made to hang."""

    pattern: str
    flags: frozenset[Flag] = frozenset()


@dataclass(frozen=True, slots=True)
class Within:
    """An address of this network."""

    network: IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Compare:
    """A number that is smaller or larger."""

    sign: Sign
    bound: float


@dataclass(frozen=True, slots=True)
class Exists:
    """The field is there, or is not."""

    there: bool


@dataclass(frozen=True, slots=True)
class Same:
    """Equal to another field of the same event."""

    field: str


Value = Pattern | Number | Regex | Within | Compare | Exists | Same


@dataclass(frozen=True, slots=True)
class Match:
    """One field against one value. No field means a keyword: anywhere in the event."""

    field: str | None
    value: Value


@dataclass(frozen=True, slots=True)
class All:
    """Every one of these. Of nothing: no (parse refuses it)."""

    of: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of these."""

    of: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Not this. A field that is not there does not match, so that its Not does."""

    of: "Condition"


Condition = Match | All | Some | Not
Level = Literal["informational", "low", "medium", "high", "critical"]
LEVELS: tuple[Level, ...] = ("informational", "low", "medium", "high", "critical")


@dataclass(frozen=True, slots=True)
class Head:
    """What rules and correlations have in common: who they are, and what they say to a person."""

    id: str
    title: str
    level: Level
    description: str
    honest: tuple[str, ...]  # Sigma's falsepositives: what honest thing it could be
    tags: tuple[str, ...]
    by: tuple[str, ...]  # our own field: what a finding is about, when not about the principal


@dataclass(frozen=True, slots=True)
class Logsource:
    """Which logs a rule is about. Empty: not said."""

    category: str = ""
    product: str = ""
    service: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule about one event."""

    head: Head
    logsource: Logsource
    condition: Condition
    name: str = ""


class Kind(StrEnum):
    """The correlations that run."""

    EVENT_COUNT = "event_count"
    VALUE_COUNT = "value_count"
    VALUE_SUM = "value_sum"
    VALUE_AVG = "value_avg"
    VALUE_MEDIAN = "value_median"
    VALUE_PERCENTILE = "value_percentile"
    TEMPORAL = "temporal"
    TEMPORAL_ORDERED = "temporal_ordered"


@dataclass(frozen=True, slots=True)
class Matched:
    """Within an extended condition: the rule of this place matched within the window."""

    rule: int


@dataclass(frozen=True, slots=True)
class Joined:
    """An extended condition of a temporal correlation: `and`, `or` or `not` over others."""

    by: Literal["and", "or", "not"]
    of: tuple["Extended", ...]


Extended = Matched | Joined


@dataclass(frozen=True, slots=True)
class Correlation:
    """A rule about many events of one group within a window of time, which ends at one of them."""

    head: Head
    kind: Kind
    rules: tuple[str, ...]  # ids or names
    group_by: tuple[str, ...]
    window: int  # milliseconds
    at_least: float  # the bound: of events, different values, their sum …; unused by the temporal kinds
    fields: tuple[str, ...] = ()  # what is counted: of several, their combinations
    sign: Sign = ">="  # how the count stands to the bound
    percentile: int = 0
    aliases: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()  # a name in group_by: of each rule its field
    condition: Extended | None = None  # None: the temporal kinds ask for all rules

    @property
    def ranked(self) -> int:
        """The percentile that is asked for; a median is the fiftieth."""
        return 50 if self.kind is Kind.VALUE_MEDIAN else self.percentile


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition that rules are given beside their own. `rules` are ids or names; none: every rule about these logs."""

    title: str
    logsource: Logsource
    rules: tuple[str, ...]
    condition: Condition

    def concerns(self, rule: Rule) -> bool:
        """Whether it is about these logs, as far as it says, and about this rule."""
        told = (
            (self.logsource.category, rule.logsource.category),
            (self.logsource.product, rule.logsource.product),
            (self.logsource.service, rule.logsource.service),
        )
        return all(mine in {"", its} for mine, its in told) and (
            not self.rules or bool({rule.head.id, rule.name} & set(self.rules))
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule that cannot run, and why: it is shown, and the others still run."""

    title: str
    reason: str
    line: int = 0  # of the file, where it is known


Parsed = Rule | Correlation | Filter | Fault
