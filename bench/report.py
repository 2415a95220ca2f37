"""The shape of every figure, and its two forms: a table for people, one JSON object for programs.

    {"bench": "…", "figures": [{"name": "…", "value": 1.0, "unit": "…", "against": 2.0, "ratio": 0.5,
                                "goal": "ratio >= 0.4", "holds": true}]}

`against` is what the same run measured for the peer or baseline, in the same unit; `ratio` is value / against. Both are
null where there is nothing to compare with; `goal` and `holds` are null where nothing was promised. Whether a goal
holds is computed here and never told by a bench.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Goal:
    """What was promised of a figure: its value or its ratio, at most, at least or exactly so much."""

    of: Literal["value", "ratio"]
    sign: Literal["<=", ">=", "=="]
    bound: float

    def met_by(self, number: float | None) -> bool:
        """Whether `number` keeps the promise. No number, or one that is none, keeps none."""
        if number is None or not math.isfinite(number):
            return False
        return {"<=": number <= self.bound, ">=": number >= self.bound, "==": number == self.bound}[self.sign]

    def __str__(self) -> str:
        return f"{self.of} {self.sign} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `value` and `against` in `unit`."""

    name: str
    value: float
    unit: str
    against: float | None = None
    goal: Goal | None = None

    @property
    def ratio(self) -> float | None:
        """`value` / `against`; None where there is nothing to divide by."""
        return self.value / self.against if self.against else None

    @property
    def holds(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.goal is None:
            return None
        return self.goal.met_by(self.value if self.goal.of == "value" else self.ratio)

    def shape(self) -> dict[str, Any]:
        """For JSON. Infinities and NaN become null: JSON has no word for them."""
        return {
            "name": self.name,
            "value": _finite(self.value),
            "unit": self.unit,
            "against": _finite(self.against),
            "ratio": _finite(self.ratio),
            "goal": None if self.goal is None else str(self.goal),
            "holds": self.holds,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What one bench measured."""

    bench: str
    figures: tuple[Figure, ...]

    @property
    def holds(self) -> bool:
        """Whether every goal is met. A bench that measured nothing proved nothing."""
        return bool(self.figures) and all(figure.holds is not False for figure in self.figures)

    def to_json(self) -> str:
        """One object on one line."""
        shape = {"bench": self.bench, "figures": [figure.shape() for figure in self.figures]}
        return json.dumps(shape, ensure_ascii=False, allow_nan=False)

    def show(self, console: Console) -> None:
        """The table."""
        table = Table(title=self.bench, title_justify="left")
        table.add_column("figure")
        for column in ("value", "against", "ratio"):
            table.add_column(column, justify="right")
        table.add_column("goal")
        table.add_column("holds")
        for cells in _rows(self.figures):
            table.add_row(*cells)
        console.print(table)


def _rows(figures: Iterable[Figure]) -> Iterable[tuple[str, ...]]:
    for one in figures:
        value, against = (_text(number, one.unit) for number in (one.value, one.against))
        goal = "" if one.goal is None else str(one.goal)
        holds = {None: "", True: "yes", False: "NO"}[one.holds]
        yield one.name, value, against, _text(one.ratio, ""), goal, holds


def _text(number: float | None, unit: str) -> str:
    if number is None:
        return ""
    return f"{number:,.{0 if abs(number) >= 1_000 else 3}f} {unit}".rstrip()


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
