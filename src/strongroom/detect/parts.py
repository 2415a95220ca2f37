"""A detection in steps, so that many machines can take it in parts: one text for them and for one machine alone.

Each step names a table that the later ones, and the hits, may read. `By` says which rows must be together to be judged; `Known`
is something small about everything, of which each part says its share; `Here` is a part's own. What a machine alone does is the
same with one part: the steps stand in front of the hits as they are. Before the first `By` a part is any of the events, each in
one part; `span` (first, last: the times of all events) is known always.
"""

from typing import Final, NamedTuple


class Known(NamedTuple):
    """What everybody must know. `share` is asked of each part, and `whole` makes it of all shares: a table NAME_share."""

    name: str
    share: str
    whole: str


class By(NamedTuple):
    """Rows of which all with the same `key`, an expression over them, come together. They are all that later steps have.

    Those that need not be `kept` are asked for anew on one machine, where nothing has to be moved, each time they are named: what
    is cheap to select and asked for once or twice is not worth writing down.
    """

    name: str
    rows: str
    key: str
    kept: bool = True


class Here(NamedTuple):
    """Something that a part makes for itself."""

    name: str
    rows: str


Step = Known | By | Here


class Parts(NamedTuple):
    """The steps, and the SQL of the hits (`Detection.hits`) over their tables, of one part. `fired` may be later there than over
    all parts: the earliest counts, of all hits of a detection about somebody.
    """

    steps: tuple[Step, ...]
    hits: str

    @property
    def sql(self) -> str:
        """The whole, for one machine."""
        if not self.steps:
            return self.hits
        tables = ", ".join(_tables(step) for step in self.steps)
        return f"WITH {tables} SELECT about, fired, event FROM ({self.hits})"


def _tables(step: Step) -> str:
    if isinstance(step, Known):
        return f"{step.name}_share AS ({step.share}), {step.name} AS ({step.whole})"
    return f"{step.name} AS ({step.rows})"


EVERYTHING: Final = By("event", "SELECT * FROM event", "0")
"""Of a detection that has no parts: one of them has everything."""
