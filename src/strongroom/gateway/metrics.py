"""What the gateway did, in numbers for Prometheus (text format 0.0.4). Workers add up what they did; nobody's name is in it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from strongroom.gateway.proxy import Event

PREFIX: Final = "strongroom_gateway"
_HELP: Final = {
    "requests_total": ("counter", "Requests, by route of gateway.toml and status of the answer; 0: the client went before."),
    "refused_total": ("counter", "Requests that were refused, by rule."),
    "noted_total": ("counter", "Requests that would have been refused, by rule."),
    "bytes_total": ("counter", "Bytes of the portal's answers that went out, by route."),
    "events_dropped_total": ("counter", "Events that did not reach a file or receiver of events."),
    "held": ("gauge", "What is in force now, by what it holds."),
    "allowed": ("gauge", "What is allowed now."),
}  # fmt: skip
Series = str
"""A name and its labels, as they are written: `requests_total{route="letters",status="200"}`."""


class Metrics:
    """What one worker did since it was last added to what all did."""

    def __init__(self) -> None:
        self._new: Counter[Series] = Counter()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._bytes: Counter[str] = Counter()

    def note(self, event: Event) -> None:
        """A request has ended."""
        route = event.asked.route if event.asked is not None else ""
        self._requests[route, event.status] += 1
        if event.size:
            self._bytes[route] += event.size
        if event.rule:
            self._new[series("refused_total" if event.refused else "noted_total", rule=event.rule)] += 1

    def dropped(self, name: str, events: int) -> None:
        """So many events did not reach the file or receiver called `name`."""
        if events:
            self._new[series("events_dropped_total", to=name)] += events

    def take(self) -> dict[Series, int]:
        """What is new; then nothing is."""
        for (route, status), many in self._requests.items():
            self._new[series("requests_total", route=route, status=str(status))] += many
        for route, size in self._bytes.items():
            self._new[series("bytes_total", route=route)] += size
        self._requests.clear()
        self._bytes.clear()
        new, self._new = dict(self._new), Counter()
        return new

    def give_back(self, new: Mapping[Series, int]) -> None:
        """It could not be added."""
        self._new.update(new)


def series(name: str, **labels: str) -> Series:
    """A name with its labels."""
    inner = ",".join(f'{label}="{_escaped(value)}"' for label, value in labels.items())
    return f"{name}{{{inner}}}" if inner else name


def written(numbers: Iterable[tuple[Series, int]]) -> str:
    """As Prometheus reads it: families in one piece, each with its help."""
    families: dict[str, list[str]] = {}
    for one, value in numbers:
        families.setdefault(one.partition("{")[0], []).append(f"{PREFIX}_{one} {value}")
    lines: list[str] = []
    for name, rows in sorted(families.items()):
        kind, words = _HELP[name]
        lines += [f"# HELP {PREFIX}_{name} {words}", f"# TYPE {PREFIX}_{name} {kind}", *sorted(rows)]
    return "\n".join([*lines, ""])


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
