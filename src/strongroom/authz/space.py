"""The whole fact space, action by action: every case that can be written down. Walked by the proofs in the tests."""

from collections.abc import Iterator
from itertools import product

from strongroom.authz.facts import (
    Action,
    Asker,
    Care,
    Case,
    Category,
    Clinician,
    Document,
    Feed,
    Glass,
    Grant,
    Person,
    Quota,
    Service,
    Standing,
    State,
)

_BOOL = (False, True)


def askers() -> Iterator[Asker]:
    """Everybody who can ask."""
    yield from (Person(*facts) for facts in product(_BOOL, _BOOL, _BOOL, Standing))
    yield from (Clinician(*facts) for facts in product(_BOOL, _BOOL, Care, _BOOL, Glass, _BOOL, _BOOL, Quota))
    yield from (Service(*facts) for facts in product(_BOOL, Grant))
    yield from (Feed(*facts) for facts in product(_BOOL, _BOOL))


def documents() -> Iterator[Document | None]:
    """Everything that can be asked for, the record as a whole (None) first."""
    yield None
    yield from (Document(*facts) for facts in product(Category, State))


def cases(action: Action) -> Iterator[Case]:
    """Every case of one action, those of the wrong shape included."""
    yield from (Case(action, asker, document) for asker, document in product(askers(), documents()))
