"""The page for operators, `docs/reliability.md`, out of what was measured (`docs/reliability.json`) and what the faults say."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from bench.faults.fault import PROMISE, Fault, Result, Row

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE, MEASURED = DOCS / "reliability.md", DOCS / "reliability.json"
WORDS = {"read": "downloads", "list": "lists", "upload": "uploads", "sign in": "signing in"}

HEAD = """\
# When a part is at fault

For whoever is called at night. Every part of a running store was put at fault, one after the other, while people asked over
HTTP; this page is what was seen. It is written by `.venv/bin/python -m bench.faults`, never by hand; `./up bench faults` shows the
same as figures.

**What people see.** A refusal says what to do and keeps nothing half done: `503` with `Retry-After` where a part is away
("{away}"), `500` where what is stored does not open
("{altered}"). Whoever repeats the request is served once the part is back. A
process that is gone breaks its connections; one that is stopped answers nothing, and nobody answers for it: those rows say so.

**What you see.** Each refusal is a line in the messages of `strongroom serve` that says which part it is and what to do; the lines
are in the second table. `strongroom doctor --store DIR` looks at everything and says the same. Nothing needs a restart by hand
unless the table says so: put the part right and wait.

**What holds meanwhile.** No key without its entry, and nothing that was acknowledged is lost: after all faults a copy of each
store was started and examined. {acknowledged}

"""
FIRST = """\
## What is refused, how soon, and how it heals

Promised: every refusal within {promise:g} s. Rows that miss it are marked. Seconds are those of the slowest refusal, asked by
{people} clients at once (after three seconds they give up) on {machine}; *healed after*
counts from the part's return, or from the moment a process was killed or stopped for good, until everything was served. Rows
may be of several runs (`--again`).

| fault | what is refused | within, s | how it heals | healed after, s |
|---|---|---|---|---|
"""
SECOND = """
## What the messages say, and what to do

| fault | what was done to it | the message | what to do |
|---|---|---|---|
"""
TAIL = """
## What this does not show

* A keeper, an app or a sign-in that lies: the app's case is rehearsed (`strongroom rehearse P1`), the keeper is the trusted core,
  and what a sign-in's thief can do stands in the [threat model](threat-model.md).
* A disk that says synced and is not, and power that is lost: `./up bench crash`. Bytes altered in any store: `./up bench tamper`.
* A bucket that says at once that a name is free, and then hangs in taking the object: that upload waits for up to twice
  `timeout_seconds`, as a long object may take that long. Seen for some seconds while a bucket starts.
* Two parts at fault at once: each is refused as here, one after the other, and a refusal may take the sum.
* A disk that never answers again, below a process: it cannot even be killed. Faults of disks are the kernel's answers to the real
  process, changed on their way (`strace`), which stops the process at each of its calls: those rows (the disks, the slow folder,
  the slow HSM) are slower than without it. The full and the read-only disk of the objects are real ones.
* A token whose PIN is refused is not tried again before the keeper's next start, or it would lock itself.
* The database of the sign-in; a machine without memory; a network between a gateway and the app.
"""


def write(result: Result, faults: Sequence[Fault]) -> None:
    """Keep what was measured, and the page of it."""
    MEASURED.write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    PAGE.write_text(render(result, faults), encoding="utf-8")


def read() -> Result:
    """What was measured last."""
    return msgspec.json.decode(MEASURED.read_bytes(), type=Result)


def render(result: Result, faults: Sequence[Fault]) -> str:
    """The page."""
    known = {fault.name: fault for fault in faults}
    said = {said for row in result.rows for one in row.seen.values() if (said := one.said)}
    head = HEAD.format(
        away=next((text for text in sorted(said) if "cannot answer" in text), ""),
        altered=next((text for text in sorted(said) if "does not open" in text), ""),
        acknowledged=_acknowledged(result),
    )
    first = FIRST.format(promise=PROMISE, people=8, machine=result.machine)
    return "".join((head, first, *map(_first, result.rows, (known[row.name] for row in result.rows)), SECOND,
                    *(_second(row, known[row.name]) for row in result.rows), TAIL))  # fmt: skip


def _acknowledged(result: Result) -> str:
    found = f"Of {result.released + result.listed:,} releases and lists and {result.uploads:,} uploads that were acknowledged"
    wrong = [*result.broken, *(f"{row.name}: {line}" for row in result.rows for line in row.broken + row.surprises)]
    if not wrong:
        return f"{found}, all were there."
    return f"{found}: **{len(wrong)} promises were broken**: " + "; ".join(wrong) + "."


def _first(row: Row, fault: Fault) -> str:
    return _line(f"**{row.part}** {row.how}", _refused(row), _within(row), fault.heals, _seconds(row))


def _second(row: Row, fault: Fault) -> str:
    message = f"`{row.log.replace(chr(96), chr(39))}`" if row.log else ""
    return _line(f"**{row.part}** {row.how}", fault.done, message, fault.do)


def _refused(row: Row) -> str:
    kinds = row.refused
    if not kinds:
        return "nothing"
    served = all(row.seen[kind].served > row.seen[kind].refused + row.seen[kind].unanswered for kind in kinds)
    return ", ".join(WORDS[kind] for kind in kinds) + (", at times" if served else "")


def _within(row: Row) -> str:
    if not row.refused:
        return ""
    if row.unanswered:
        return f"**no answer** ({row.unanswered} of {sum(sum(one.answers.values()) for one in row.seen.values())} requests)"
    return f"{row.slowest:.2f}" if row.in_time else f"**{row.slowest:.2f}, missed**"


def _seconds(row: Row) -> str:
    if row.healed is None:
        return "**not healed**"
    return f"{row.healed:.1f}" if row.refused else ""  # where nothing was refused, nobody saw it heal


def _line(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |\n"


def rows_of(page: str) -> Iterable[str]:
    """The names of the faults in the page's first table."""
    for line in page.partition("## What the messages say")[0].splitlines():
        if line.startswith("| **"):
            part, _, how = line.split(" | ", maxsplit=1)[0].removeprefix("| **").partition("** ")
            yield f"{part}: {how}"
