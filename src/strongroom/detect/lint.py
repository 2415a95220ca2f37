"""Rule files, looked over: everything that can be told to be wrong or doubtful before they meet an event."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from strongroom.detect import proof, rules
from strongroom.errors import ConfigError
from strongroom.sigma import lint
from strongroom.sigma.lint import Weight
from strongroom.sigma.rule import Correlation, Rule


@dataclass(frozen=True, slots=True)
class Remark:
    """One doubt about one rule of a file."""

    file: str
    title: str
    weight: Weight
    said: str


def look(paths: list[Path]) -> list[Remark]:
    """Every doubt about these files, file by file. An error is what is wrong; a warning what somebody should look at."""
    loaded = rules.load(paths)
    found = []
    for one in loaded.stopped:
        # What cannot be read is wrong; what asks for logs or fields that are not read is only of no use here.
        here = one.title in {rule.head.title for file, rule in loaded.rules if file == one.file}
        found.append(Remark(one.file, one.title, "warning" if here else "error", one.reason))
    parts = {key for _, rule in loaded.rules if isinstance(rule, Correlation) for key in rule.rules}
    ids: dict[str, str] = {}
    for file, rule in loaded.rules:
        if isinstance(rule, Rule):
            # A part may be broad: it is the count that tells.
            broad = not {rule.head.id, rule.name} & parts
            found += (
                Remark(file, one.title, one.weight, one.said)
                for one in lint.itself(rule)
                if broad or "broad" not in one.said
            )
        other = ids.setdefault(rule.head.id, file)
        if other != file:
            found.append(Remark(file, rule.head.title, "error", f"It has the id of a rule in {other}."))
    for path in paths:
        text = path.read_text(encoding="utf-8", errors="backslashreplace")
        found += (Remark(str(path), one.title, one.weight, one.said) for one in lint.spec(text))
        found += _events(path)
    return sorted(set(found), key=lambda one: (one.file, one.weight, one.title, one.said))


def _events(path: Path) -> Iterator[Remark]:
    """A rule that nobody tried is a guess."""
    beside = path.with_name(path.name.removesuffix(".yml") + rules.EVENTS)
    try:
        cases = proof.load(beside)
    except ConfigError as error:
        yield Remark(str(path), "", "error", str(error))
        return
    if not beside.exists():
        yield Remark(
            str(path), "", "warning", f"No events stand beside it ({beside.name}): nothing shows that it works."
        )
        return
    for name, given in (("match", cases.match), ("leave", cases.leave)):
        if len(given) < proof.LEAST:
            said = f"{beside.name} has {len(given)} logs under `{name}`; {proof.LEAST} are needed."
            yield Remark(str(path), "", "error", said)
