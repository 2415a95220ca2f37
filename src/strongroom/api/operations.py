"""Operations upon a patient's record: share, delegate, withhold, break-glass; upon a document: relabel; step-up; logout.

Input is a FHIR Parameters resource or a plain JSON object with the same names. A time is a FHIR instant; `end` set to
true ends what was given before. Who may do any of it is the door's decision.
"""

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from strongroom.api.access import NOBODY, document_id
from strongroom.api.body import Body
from strongroom.api.parts import Parts, require_json
from strongroom.api.respond import fhir
from strongroom.clock import iso
from strongroom.errors import Malformed
from strongroom.fhir import parameters
from strongroom.fhir.dates import instant
from strongroom.fhir.fault import Fault, Unacceptable
from strongroom.fhir.labels import CATEGORIES
from strongroom.fhir.outcome import glass_outcome, single
from strongroom.ids import is_fhir_id
from strongroom.keeper.protocol import (
    BreakGlass,
    Delegate,
    Done,
    Glass,
    Logout,
    Relabel,
    Share,
    StepUp,
    Withhold,
)

Party = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
EVERYBODY = "everybody"
"""Said in words: a body with something left out must not withhold a record from everybody."""


class _Input(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    pass


class ShareInput(_Input, frozen=True, kw_only=True):
    """`party`: a clinician's account or an organisation, as id or reference."""

    party: Party
    until: str | None = None
    end: bool = False


class DelegateInput(_Input, frozen=True, kw_only=True):
    """`account`: the login that may act for the patient; `full`: all that the patient's own login may read."""

    account: Party
    full: bool = False
    until: str | None = None
    end: bool = False


class WithholdInput(_Input, frozen=True, kw_only=True):
    """`party`: as for a share, or `everybody`. `category` left out: the whole record."""

    party: Party
    category: str = ""
    rule_out_glass: bool = False
    end: bool = False


class GlassInput(_Input, frozen=True, kw_only=True):
    """Why this record must be opened now. The reason is kept in the log, and the patient is told."""

    reason: Annotated[str, msgspec.Meta(max_length=1_024)] = ""


class RelabelInput(_Input, frozen=True, kw_only=True):
    """`category`: normal, sensitive or clinician-only."""

    category: str


class Operations:
    """Handlers. Each parses, asks, renders."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def share(self, request: Request) -> Response:
        """POST Patient/[id]/$share."""
        asking, given = self._parts.access.asking(request), await self._input(request, ShareInput)
        until = _until(given.until, end=given.end)
        question = Share(asking=asking, patient=document_id(request), party=_party(given.party), until=until)
        await self._parts.access.ask(question, Done)
        return _done()

    async def delegate(self, request: Request) -> Response:
        """POST Patient/[id]/$delegate."""
        asking, given = self._parts.access.asking(request), await self._input(request, DelegateInput)
        until, account = _until(given.until, end=given.end), _party(given.account)
        question = Delegate(asking=asking, patient=document_id(request), account=account, full=given.full, until=until)
        await self._parts.access.ask(question, Done)
        return _done()

    async def withhold(self, request: Request) -> Response:
        """POST Patient/[id]/$withhold."""
        asking, given = self._parts.access.asking(request), await self._input(request, WithholdInput)
        if given.category:
            _check_category(given.category)
        question = Withhold(
            asking=asking,
            patient=document_id(request),
            party="" if given.party == EVERYBODY else _party(given.party),
            category=given.category,
            rule_out_glass=given.rule_out_glass,
            lift=given.end,
        )
        await self._parts.access.ask(question, Done)
        return _done()

    async def break_glass(self, request: Request) -> Response:
        """POST Patient/[id]/$break-glass: the answer says until when, and that the patient is told."""
        asking, given = self._parts.access.asking(request), await self._input(request, GlassInput)
        question = BreakGlass(asking=asking, patient=document_id(request), reason=given.reason.strip())
        glass = await self._parts.access.ask(question, Glass)
        answer = [
            {"name": "until", "valueInstant": iso(glass.until)},
            {"name": "outcome", "resource": glass_outcome()},
        ]
        return fhir(msgspec.json.encode({"resourceType": "Parameters", "parameter": answer}))

    async def relabel(self, request: Request) -> Response:
        """POST DocumentReference/[id]/$relabel."""
        asking, given = self._parts.access.asking(request), await self._input(request, RelabelInput)
        _check_category(given.category)
        question = Relabel(asking=asking, document=document_id(request), category=given.category)
        await self._parts.access.ask(question, Done)
        return _done()

    async def step_up(self, request: Request) -> Response:
        """POST $step-up: with a token that shows a fresh second factor, the budget's freeze is lifted."""
        asking = self._parts.access.asking(request)
        require_json(request)
        await self._parts.access.ask(StepUp(asking=asking), Done)
        return _done()

    async def logout(self, request: Request) -> Response:
        """POST $logout: the session that the token is of is over, here and for every other token of it."""
        asking = self._parts.access.asking(request)
        require_json(request)
        await self._parts.access.ask(Logout(asking=asking), Done)
        return _done()

    async def _input(self, request: Request, kind: type[parameters.T]) -> parameters.T:
        require_json(request)
        raw = await Body(request, parameters.MAX_BODY, self._parts.settings).whole()
        return parameters.typed(parameters.read_body(raw), kind)


def _party(text: str) -> str:
    """The id in `Practitioner/{id}`, `Organization/{id}` or `{id}`. An organisation's is its own, and not of our form."""
    ident = text.rpartition("/")[2]
    return ident if is_fhir_id(ident) else NOBODY


def _until(text: str | None, *, end: bool) -> int:
    """Milliseconds; 0 ends it. Raises Unacceptable (422) when neither is said: nothing is given for ever."""
    if end:
        return 0
    try:
        return instant(text or "")
    except Malformed:
        fault = Fault("required", "Say until when: until is an instant such as 2026-12-31T00:00:00Z.", "Parameters")
        raise Unacceptable(fault) from None


def _check_category(category: str) -> None:
    if category not in CATEGORIES:
        raise Unacceptable(Fault("code-invalid", f"A category is one of {', '.join(CATEGORIES)}.", "Parameters"))


def _done() -> Response:
    return fhir(single("informational", "It is done, and on record.", "information"))
