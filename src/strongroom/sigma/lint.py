"""What is doubtful about a rule, without an event: against the specification, against official ids, and against itself.

pySigma's own validators judge what the specification says; those that would ask the network for lists of ids are left out, and
`official` stands in for them. Ours are about breadth and about regular expressions, which other engines evaluate by trying.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import yaml
from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule
from sigma.validation import SigmaValidator
from sigma.validators.core import condition, metadata, modifiers, tags, values
from sigma.validators.core.metadata import IdentifierExistenceValidator

from strongroom.sigma import official
from strongroom.sigma.rule import (
    LEVELS,
    All,
    Condition,
    Exists,
    Match,
    Not,
    Pattern,
    Regex,
    Rule,
    Some,
    Value,
    Wildcard,
    Within,
)

Weight = Literal["error", "warning"]

VALIDATORS: Final = {
    condition.AllOfThemConditionValidator, condition.DanglingConditionValidator, condition.DanglingDetectionValidator,
    condition.ThemConditionWithSingleDetectionValidator, IdentifierExistenceValidator, metadata.DuplicateReferencesValidator,
    modifiers.InvalidModifierCombinationsValidator, tags.CVETagValidator, tags.DuplicateTagValidator,
    tags.NamespaceTagValidator, tags.TagFormatValidator, tags.TLPTagValidator, values.ControlCharacterValidator,
    values.DoubleWildcardValidator, values.EscapedWildcardValidator, values.NumberAsStringValidator,
    values.WildcardsInsteadOfModifiersValidator,
}  # fmt: skip
"""Of pySigma, all that know without asking anybody."""
_GRAVE: Final = {"high"}
STATUS: Final = ("stable", "test", "experimental", "deprecated", "unsupported")
TITLE: Final = 256
"""Characters, by the specification."""
SHORT: Final = 3
"""Characters that a text must be long to tell anything, when it may stand anywhere."""
_PREFIX: Final = 8


@dataclass(frozen=True, slots=True)
class Remark:
    """One doubt about one rule."""

    title: str
    weight: Weight
    said: str


def spec(text: str) -> Iterator[Remark]:
    """What the specification says of the documents of a file that pySigma reads. What it does not read is a fault elsewhere."""
    try:
        documents = [one for one in yaml.safe_load_all(text) if isinstance(one, dict)]
    except yaml.YAMLError:
        return
    for document in documents:
        title = str(document.get("title", ""))
        yield from (Remark(title, weight, said) for weight, said in _head(document))
        if "detection" in document:
            yield from (Remark(title, weight, said) for weight, said in _validated(document))


def _head(document: dict[str, Any]) -> Iterator[tuple[Weight, str]]:
    title = document.get("title")
    if not title or len(str(title)) > TITLE:
        yield "error", f"It needs a title of at most {TITLE} characters."
    if "action" in document:
        yield "error", "`action` is of an older form of Sigma."
    given = [str(tag) for tag in document.get("tags") or () if isinstance(document.get("tags"), list)]
    for tag in official.unofficial(given):
        said = f"{tag} is not in ATT&CK {official.ATTACK} or D3FEND {official.D3FEND}: it is of another version, or a mistake."
        yield "warning", said
    if "name" not in document or "level" in document:  # else it is a part of a correlation, which speaks for it
        yield from _alone(document)
        if not official.attacks(given):
            yield "warning", "No tag names a technique of ATT&CK."


def _alone(document: dict[str, Any]) -> Iterator[tuple[Weight, str]]:
    """What somebody who gets its finding would miss."""
    if document.get("level") not in LEVELS:
        yield "error", f"Its level is none of {', '.join(LEVELS)}."
    if "id" not in document:
        yield "warning", "It has no id: suppressions and other systems cannot name it."
    if document.get("status") not in STATUS:
        yield "warning", f"Its status is none of {', '.join(STATUS)}."
    if not document.get("description"):
        yield "warning", "It has no description."
    if not document.get("falsepositives"):
        yield "warning", "It does not say what honest thing it could be (falsepositives)."


def _validated(document: dict[str, Any]) -> Iterator[tuple[Weight, str]]:
    try:
        found = SigmaCollection.from_dicts([document], collect_errors=True, resolve_references=False)
        rules = [one for one in found.rules if isinstance(one, SigmaRule) and not one.errors]
        issues = [issue for rule in rules for issue in SigmaValidator(VALIDATORS).validate_rule(rule)]
    except (SigmaError, RecursionError, TypeError, ValueError, AttributeError, KeyError):
        return  # parse says why
    for issue in issues:
        if type(issue).__name__ != "IdentifierExistenceIssue":  # said above, for rules that stand alone
            weight: Weight = "error" if issue.severity.name.lower() in _GRAVE else "warning"
            yield weight, f"{' '.join(issue.description.split())}."


def itself(rule: Rule) -> Iterator[Remark]:
    """What is doubtful about its condition."""
    if not _tells(rule.condition):
        yield Remark(
            rule.head.title, "warning",
            "Its condition is broad: it can be met without one value that tells anything (only absences, negations, wildcards or "
            f"texts shorter than {SHORT}).",
        )  # fmt: skip
    for pattern in _patterns(rule.condition):
        for said in _regex(pattern):
            yield Remark(rule.head.title, "warning", f"{said}: {pattern[:60]}")


def _tells(condition: Condition) -> bool:
    """Whether it cannot be met without at least one value that tells something."""
    match condition:
        case All(of):
            return any(_tells(part) for part in of)
        case Some(of):
            return all(_tells(part) for part in of)
        case Not():
            return False
        case Match(_, value):
            return _value(value)


def _value(value: Value) -> bool:
    match value:
        case Pattern(parts):
            wild = any(isinstance(part, Wildcard) for part in parts)
            known = sum(len(part) for part in parts if not isinstance(part, Wildcard))
            return known >= SHORT or (not wild and known > 0)
        case Regex(pattern):
            return sum(c.isalnum() for c in pattern) >= SHORT
        case Within(network):
            return network.prefixlen >= _PREFIX
        case Exists():
            return False
    return True


def _patterns(condition: Condition) -> Iterator[str]:
    match condition:
        case All(of) | Some(of):
            for part in of:
                yield from _patterns(part)
        case Not(of):
            yield from _patterns(of)
        case Match(_, Regex(pattern)):
            yield pattern


def _regex(pattern: str) -> Iterator[str]:
    """The hunt's engine is linear whatever the expression; those of other systems try, and some expressions make them hang."""
    if pattern.startswith((".*", "^.*")) or pattern.endswith((".*", ".*$")):
        yield "Its regular expression begins or ends with .*, which says nothing and costs much"
    if _nested(pattern):
        yield "Its regular expression repeats a repetition without bound: engines that try (Splunk, Elastic) can hang"


def _nested(pattern: str) -> bool:
    """Whether a group that holds an unbounded repetition is itself repeated without bound."""
    groups, inside, at = [False], False, 0
    while at < len(pattern):
        c, rest = pattern[at], pattern[at + 1 :]
        at += 2 if c == "\\" else 1
        if inside:
            inside = c != "]"
        elif c == "[":
            inside = True
            at += 2 if rest.startswith("^]") else 1 if rest.startswith("]") else 0
        elif c == "(":
            groups.append(False)
        elif c == ")" and len(groups) > 1:
            held = groups.pop()
            if held and (rest.startswith(("*", "+")) or _open_range(rest)):
                return True
            groups[-1] = groups[-1] or held
        elif c in "*+" or (c == "{" and _open_range(c + rest)):
            groups[-1] = True
    return False


def _open_range(text: str) -> bool:
    """{2,} and its like."""
    end = text.find("}")
    return text.startswith("{") and end > 0 and text[1:end].endswith(",")
