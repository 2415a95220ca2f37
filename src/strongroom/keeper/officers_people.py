"""Officers' acts about people: feeds of organisations, and relations by hand."""

import asyncio
import hashlib
from typing import TYPE_CHECKING

from strongroom.audit import event
from strongroom.errors import Conflict, UsageError
from strongroom.fhir import people as feeds
from strongroom.identity.officers import Signed
from strongroom.ids import AccountId, OrganisationId, PatientId
from strongroom.keeper import effects
from strongroom.keeper.arguments import Arguments, Outcome, by, number, text
from strongroom.keeper.door import Parts
from strongroom.keeper.effects import FOREVER
from strongroom.keeper.people import Intake, Taken, is_signed
from strongroom.keeper.schema import NOBODY
from strongroom.keeper.sqlite import Catalog
from strongroom.tlog.entry import Op

if TYPE_CHECKING:
    from strongroom.audit.effect import Effect

_RELATIONS = {
    "login": "select id, null, null from account where patient = ?",
    "enrolment": "select organisation, since, until from enrolment where patient = ?",
    "delegate": "select account, since, until from delegation where patient = ?",
    "share": "select party, since, until from share where patient = ?",
    "break-glass": "select account, opened, until from glass where patient = ?",
}


def check_patient(catalog: Catalog, patient: PatientId) -> None:
    """Raises UsageError where there is none, and for the one who is nobody."""
    if patient == NOBODY or not catalog.rows("select 1 from patient where id = ?", (patient,)):
        raise UsageError("There is no such patient.")


class PeopleActs:
    """The acts of one store."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._importing = asyncio.Lock()  # two feeds at once could each make the same patient

    async def register_feed(self, signed: Signed, _attachment: bytes) -> Outcome:
        """An organisation's key, with which its feeds are signed."""
        organisation = OrganisationId(text(signed.args, "organisation"))
        key = bytes.fromhex(text(signed.args, "key"))
        name = self._parts.veil.seal(text(signed.args, "name"), "organisation", organisation)
        now = self._parts.clock.now()
        draft = event.key(now, "register-feed", event.Target("organisation", organisation), by=by(signed))
        receipt = await self._parts.log.append(draft, [effects.put_organisation(organisation, name, key)])
        return receipt.index, {}

    async def people_import(self, signed: Signed, attachment: bytes) -> Outcome:
        """Take in a feed: people and relations of one organisation."""
        async with self._importing:
            return await self._import(signed, attachment)

    async def _import(self, signed: Signed, attachment: bytes) -> Outcome:
        lines = attachment.splitlines()
        header = feeds.read_header(lines)
        organisation = OrganisationId(header.organisation)
        found = self._parts.catalog.feed_state(organisation)
        signature = bytes.fromhex(text(signed.args, "signature"))
        if found is None or found[0] is None:
            raise UsageError("No feed key is registered for this organisation.", advice="`strongroom people register`.")
        trusted = is_signed(hashlib.sha256(attachment).digest(), found[0], signature)
        if trusted and header.sequence <= found[1]:
            raise UsageError(f"Feed {header.sequence} is not newer than the last one taken in ({found[1]}).")
        now = self._parts.clock.now()
        taken = Taken(organisation, header.sequence)
        intake = Intake(self._parts, organisation, trusted=trusted, now=now, taken=taken)
        if not trusted:
            raise UsageError(
                "The feed's signature does not hold; nothing was taken in.", advice="Ask the organisation."
            )
        await intake.run(lines)
        done = event.imported(now, organisation, taken.persons)
        receipt = await self._parts.log.append(done, [effects.fed(organisation, header.sequence, now)])
        problems = [{"line": one.line, "sentence": one.sentence} for one in taken.problems[:1_000]]
        return receipt.index, {
            "organisation": organisation,
            "sequence": header.sequence,
            "people": taken.persons,
            "relations": taken.relations,
            "problems": problems,
            "problem_count": len(taken.problems),
        }

    async def people_status(self, _signed: Signed, _attachment: bytes) -> Outcome:
        """Which organisations there are, and how old their newest feed is."""
        now = self._parts.clock.now()
        rows = self._parts.catalog.rows("select id, sequence, imported from organisation order by id")
        listed = []
        for ident, sequence, imported in rows:
            name = self._parts.veil.try_open(
                self._parts.catalog.name_of("organisation", str(ident)), "organisation", str(ident)
            )
            listed.append({
                "organisation": ident, "name": name, "sequence": sequence, "imported": imported or None,
                "age_hours": round((now - int(str(imported))) / 3_600_000, 1) if imported else None,
            })  # fmt: skip
        return None, {"organisations": listed}

    async def relation_add(self, signed: Signed, _attachment: bytes) -> Outcome:
        """A relation by hand."""
        return await self._relation(signed, Op.RELATED, signed.args)

    async def relation_end(self, signed: Signed, _attachment: bytes) -> Outcome:
        """The end of one."""
        return await self._relation(signed, Op.UNRELATED, signed.args)

    async def _relation(self, signed: Signed, op: Op, args: Arguments) -> Outcome:
        now, kind = self._parts.clock.now(), text(args, "kind")
        patient, other = PatientId(text(args, "patient")), text(args, "other")
        until = number(args, "until", FOREVER)
        added: dict[str, Effect] = {
            "enrolment": effects.enrol(patient, OrganisationId(other), now, until, by_hand=True),
            "share": effects.share(patient, other, now, until),
            "delegate": effects.delegate(AccountId(other), patient, "full", "carer", now, until),
            "parent": effects.delegate(AccountId(other), patient, "full", "parent", now, until),
            "login": effects.bind_login(AccountId(other), patient),
        }
        ended: dict[str, Effect] = {
            "enrolment": effects.end_enrolment(patient, OrganisationId(other), now, by_hand=True),
            "share": effects.end_share(patient, other, now),
            "delegate": effects.end_delegation(AccountId(other), patient, now),
            "parent": effects.end_delegation(AccountId(other), patient, now),
            "login": effects.unbind_login(AccountId(other), patient),
        }
        change = (added if op is Op.RELATED else ended).get(kind)
        if change is None:
            raise UsageError(
                f"There is no relation of kind {kind[:20]!r}.", advice=f"One of {', '.join(sorted(added))}."
            )
        check_patient(self._parts.catalog, patient)
        if op is Op.RELATED and not self._is_there(kind, other):
            raise UsageError(
                "There is nobody of this name to relate.",
                advice="An enrolment is with an organisation, a share with one or a clinician, all else with a person's login.",
            )
        draft = event.Draft(
            t=now, op=op, actor=by(signed), patient=patient, until=until if op is Op.RELATED else None, action=kind,
            details=other,
        )  # fmt: skip
        try:
            return (await self._parts.log.append(draft, [change])).index, {}
        except Conflict as error:
            raise UsageError(
                "The login is somebody's already, or was not this patient's.",
                advice="`strongroom relation ls` lists them.",
            ) from error

    def _is_there(self, kind: str, other: str) -> bool:
        catalog = self._parts.catalog
        match kind:
            case "enrolment":
                return catalog.feed_state(OrganisationId(other)) is not None
            case "share":
                return catalog.is_party(other)
            case _:
                return catalog.kind_of(AccountId(other)) == "person"

    async def relation_ls(self, signed: Signed, _attachment: bytes) -> Outcome:
        """All relations of one patient."""
        patient = PatientId(text(signed.args, "patient"))
        rows: list[dict[str, object]] = []
        for kind, sql in _RELATIONS.items():
            rows += [
                {"kind": kind, "other": other, "since": since, "until": until if until != FOREVER else None}
                for other, since, until in self._parts.catalog.rows(sql, (patient,))
            ]
        return None, {"patient": patient, "relations": rows}
