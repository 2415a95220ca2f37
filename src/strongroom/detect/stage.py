"""Detections on one machine, step by step: what a step makes is a table until no later detection begins with the same steps.

As one statement the engine guesses how many rows each step has, and guesses wrong: it then joins the large to the large.
"""

from types import TracebackType
from typing import Final, Self

from strongroom.detect.detection import Detection
from strongroom.detect.duckdb import Engine, Error
from strongroom.detect.parts import By, Known, Parts, Step
from strongroom.sigma.sql import literal


class Stage:
    """The tables of one chain of steps. A context manager: they go at its end."""

    def __init__(self, engine: Engine) -> None:
        """Nothing is made yet."""
        self._engine = engine
        self._made: list[Step] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._keep(0)

    def run(self, detection: Detection) -> None:
        """Write its hits. Raises what the engine does; then nothing of it is written."""
        steps, hits = detection.parts or Parts((), detection.hits)
        same = 0
        while same < min(len(steps), len(self._made)) and steps[same] == self._made[same]:
            same += 1
        self._keep(same)
        for step in steps[same:]:
            self._made.append(step)
            try:
                self._make(step)
            except Error:
                self._keep(len(self._made) - 1)
                raise
        self._engine.write(
            f"INSERT INTO hit SELECT {literal(detection.head.id)}, about, fired, event FROM ({hits})"  # a detection's own
        )

    def _make(self, step: Step) -> None:
        if isinstance(step, Known):
            share = f"{step.name}_share"
            self._engine.write(_MAKE.format(share, step.share))
            self._engine.write(_MAKE.format(step.name, step.whole))
            self._engine.run(_DROP.format("TABLE", share))
        elif _named(step):
            self._engine.run(f"CREATE TEMP VIEW {step.name} AS {step.rows}")
        else:
            self._engine.write(_MAKE.format(step.name, step.rows))

    def _keep(self, many: int) -> None:
        for step in self._made[many:]:
            self._engine.run(_DROP.format("VIEW" if _named(step) else "TABLE", step.name))
            self._engine.run(_DROP.format("TABLE", f"{step.name}_share"))
        del self._made[many:]


def _named(step: Step) -> bool:
    """Whether it is a name for a question, and no table."""
    return isinstance(step, By) and not step.kept


_MAKE: Final = "CREATE TEMP TABLE {} AS {}"
_DROP: Final = "DROP {} IF EXISTS temp.{}"
