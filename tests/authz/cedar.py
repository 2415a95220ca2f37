"""The published policy, asked through Cedar itself: the oracle that `policy.decide` and its mutants are held against.

Every asker and every document of the fact space is one Cedar entity, named by its own facts; a case is one request.
The answer is read off the policies that Cedar says were determining: the first of them in the text names the basis (and
obligations) or the reason.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import cache

import cedarpy
from msgspec.structs import fields

from strongroom.authz import published
from strongroom.authz.facts import Action, Asker, Case, Document
from strongroom.authz.policy import Deny, Permit
from strongroom.authz.space import askers, cases, documents

RECORD = 'Record::"the record"'


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision in words: the basis of a yes, the reason of a no; what a yes obliges to."""

    allowed: bool
    word: str
    obligations: frozenset[str]
    rule: str = field(default="", compare=False)
    """The policy of the text that says so; the code has no such name."""


def said(outcome: Permit | Deny) -> Answer:
    """The code's answer, in the same words. By attribute, not by class: a mutant has classes of its own."""
    reason = getattr(outcome, "reason", None)
    if reason is not None:
        return Answer(allowed=False, word=reason.value, obligations=frozenset())
    assert not isinstance(outcome, Deny)
    return Answer(allowed=True, word=outcome.basis.value, obligations=frozenset(o.value for o in outcome.obligations))


@cache
def schema() -> cedarpy.Schema:
    """The published schema, parsed once."""
    return cedarpy.Schema.from_str(published.text(published.SCHEMA))


@cache
def annotations() -> dict[str, dict[str, str]]:
    """Each policy's annotations, by the id Cedar gives it (policy0, policy1 ... in the order of the text)."""
    parsed = json.loads(cedarpy.policies_to_json_str(published.text(published.POLICY)))
    return {name: policy.get("annotations", {}) for name, policy in parsed["staticPolicies"].items()}


def place(name: str) -> int:
    """A policy's place on the page."""
    return int(name.removeprefix("policy"))


def _facts(thing: Asker | Document) -> dict[str, bool | str]:
    values = {fact.name: getattr(thing, fact.name) for fact in fields(type(thing))}
    return {name: value.value if isinstance(value, Enum) else value for name, value in values.items()}


@cache
def uid(thing: Asker | Document | None) -> str:
    """The Cedar name of an asker or of what is asked for."""
    if thing is None:
        return RECORD
    return f'{type(thing).__name__}::"{" ".join(str(fact) for fact in _facts(thing).values())}"'


def _entity(thing: Asker | Document) -> dict[str, object]:
    kind, name = uid(thing).split("::", 1)
    return {"uid": {"type": kind, "id": json.loads(name)}, "attrs": _facts(thing), "parents": []}


def entities() -> list[dict[str, object]]:
    """Everybody who can ask, and everything that can be asked for."""
    things = [*askers(), *(document for document in documents() if document is not None)]
    record: dict[str, object] = {"uid": {"type": "Record", "id": "the record"}, "attrs": {}, "parents": []}
    return [record, *map(_entity, things)]


@cache
def _world() -> tuple[cedarpy.PolicySet, cedarpy.Entities]:
    policies = cedarpy.PolicySet.from_str(published.text(published.POLICY))
    return policies, cedarpy.Entities.from_json_str(json.dumps(entities()), schema())


def request(case: Case) -> dict[str, object]:
    """One case as Cedar hears it."""
    return {
        "principal": uid(case.asker),
        "action": f'Action::"{case.action.value}"',
        "resource": uid(case.document),
        "context": "{}",
    }


def read(result: cedarpy.AuthzResult) -> Answer:
    """What Cedar's result says. Raises where it says nothing: an evaluation error, or a no without a reason."""
    errors, names = result.diagnostics.errors, result.diagnostics.reasons
    if errors or not names:
        msg = f"No answer: {errors or 'no rule applies'}"
        raise LookupError(msg)
    rule = min(names, key=place)
    first = annotations()[rule]
    if result.allowed:
        owed = first.get("obligation")
        return Answer(allowed=True, word=first["basis"], obligations=frozenset({owed} if owed else ()), rule=rule)
    return Answer(allowed=False, word=first["reason"], obligations=frozenset(), rule=rule)


def ask(questions: Iterable[Case]) -> list[Answer]:
    """Cedar's answers to these cases, each checked against the schema on its way in."""
    policies, world = _world()
    requests = [request(case) for case in questions]
    results = cedarpy.is_authorized_batch(requests, policies, world, schema())
    return [read(result) for result in results]


@cache
def table(action: Action) -> tuple[tuple[Case, Answer], ...]:
    """Every case of one action with Cedar's answer; asked once in a process."""
    walk = list(cases(action))
    return tuple(zip(walk, ask(walk), strict=True))
