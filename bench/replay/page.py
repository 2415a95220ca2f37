"""The tables of docs/detection.md."""

from collections.abc import Iterator, Sequence

from bench.replay.score import Score, Scores


def tables(scores: Sequence[Scores]) -> str:
    """Markdown: a table a condition, a row a playbook, and the false alarms below."""
    return "\n".join(line for one in scores for line in _table(one))


def _table(scores: Scores) -> Iterator[str]:
    name = f"{scores.condition[0].upper()}{scores.condition[1:]}"
    yield f"| {name} | documents taken | documents lost | people lost | seconds to the first finding | what fired first |"
    yield "|---|---|---|---|---|---|"
    yield from map(_row, scores.plays)
    said = f"{scores.settled:.2f} a day after the first ten days; and {scores.hints:.2f} a day of a low level"
    yield f"| **false alarms** | | **{scores.alarms:.2f} a day** | | | {said} |"
    yield ""


def _row(one: Score) -> str:
    seconds = "never" if one.seconds is None else f"{one.seconds:,}"
    return f"| {one.play} | {one.taken:,} | {one.documents:,} | {one.people:,} | {seconds} | {one.by.lower()} |"
