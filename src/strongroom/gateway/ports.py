"""What the proxy needs of the guard, and what it tells it."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from strongroom.gateway.measures import Place
from strongroom.gateway.person import Who
from strongroom.gateway.reading import Shown
from strongroom.gateway.refusal import Refusal
from strongroom.gateway.rule import Rule, Scope


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that the contract lets through, in what it counts as. Empty text: it has none.

    `family` and `document` name the document, `device` and `manner` what the client looks like (`looks`), `network` where it is.
    """

    request: str
    at: int
    route: str
    who: Who | None
    network: str
    device: str
    family: str = ""
    document: str = ""
    patient: str = ""
    manner: str = ""
    lists: bool = False
    """Whether the answer is to show documents."""

    def places(self) -> dict[Scope, Place]:
        """Where it counts; without what it does not have."""
        places = {
            Scope.DEVICE: (Scope.DEVICE, self.device), Scope.NETWORK: (Scope.NETWORK, self.network),
            Scope.MANNER: (Scope.MANNER, self.manner), Scope.ROUTE: (Scope.ROUTE, self.route), Scope.MODULE: (Scope.MODULE, ""),
        }  # fmt: skip
        if self.who is not None:
            places[Scope.PERSON] = Scope.PERSON, self.who.person
            places[Scope.SESSION] = Scope.SESSION, self.who.session
        return places


@dataclass(frozen=True, slots=True)
class Verdict:
    """A refusal. While the guard only simulates it is not `enforced`: the request passes, and is told to have been refused."""

    refusal: Refusal
    enforced: bool


@dataclass(frozen=True, slots=True)
class Act:
    """A rule was passed for `where`, and what it steps upon was done, or (`enforced` is False) only told."""

    asked: Asked
    rule: Rule
    where: Place
    enforced: bool


class Guard(Protocol):
    """Counts, and refuses by what it counted. Fails closed: what it raises ends the request."""

    def together(self) -> AbstractContextManager[None]:
        """What is answered inside is counted at once or not at all. Raises Uncounted."""

    def before(self, asked: Asked) -> Verdict | None:
        """Before the portal is asked: what is refused already. Counts nothing."""

    def answered(self, asked: Asked, status: int, size: int, before: Verdict | None = None) -> Verdict | None:
        """The portal answered, and nothing of it went out: count it, or refuse it.

        `size`: bytes that it says it will give, 0 where it does not say. `before`: what was said then.
        """

    def served(self, asked: Asked, size: int) -> None:
        """So many bytes went out that no answer had announced."""

    def showed(self, asked: Asked, shown: Shown | None, patients: frozenset[str] = frozenset()) -> Verdict | None:
        """An answer shows these documents, of these patients, to whoever asked; None: it shows some that could not be read.

        Where it could, nothing of it went out: count it, or refuse it.
        """

    def proved(self, asked: Asked) -> None:
        """Whoever asked proved to the portal who they are."""


class Unwatched:
    """No guard: nothing is counted. For `guard = "off"`, which says so loudly."""

    def together(self) -> AbstractContextManager[None]:
        """Nothing is counted."""
        return nullcontext()

    def before(self, asked: Asked) -> Verdict | None:  # noqa: ARG002  # the port's signature
        """Nothing is refused."""
        return None

    def answered(self, asked: Asked, status: int, size: int, before: Verdict | None = None) -> Verdict | None:  # noqa: ARG002  # as above
        """Nothing is counted."""
        return None

    def served(self, asked: Asked, size: int) -> None:
        """Nor here."""

    def showed(self, asked: Asked, shown: Shown | None, patients: frozenset[str] = frozenset()) -> Verdict | None:  # noqa: ARG002  # as above
        """Nothing is learned."""
        return None

    def proved(self, asked: Asked) -> None:
        """Nor here."""
