"""A demonstration store: made, filled through the real door by a synthetic population, and handed to its users.

Nothing takes a short cut: feeds are signed and imported by an officer's act, every document is deposited over the API by a
login that may do so. Only the network is left out: the app talks to the keeper in the same process while filling.
"""

import asyncio
import base64
import hashlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx2
import msgspec

from strongroom.api.app import create_app
from strongroom.api.settings import Settings
from strongroom.clock import Clock, SystemClock
from strongroom.config import Layout
from strongroom.documents.sqlite import Catalogue
from strongroom.errors import OperationError
from strongroom.fhir.labels import CONFIDENTIALITY, SENSITIVITY, TABOO
from strongroom.fhir.people import signing_bytes
from strongroom.identity import keyfile
from strongroom.identity.officers import compose_act, sign_act
from strongroom.keeper.acts import Act, ActRefused, Signature
from strongroom.keeper.dispatch import Dispatch
from strongroom.keeper.officers import Acts
from strongroom.keeper.protocol import AppRequest, Reply
from strongroom.rehearse.content import make_content
from strongroom.rehearse.feed import NHI, feed
from strongroom.rehearse.population import Paper, Population, make_population
from strongroom.secret import Secret
from strongroom.signin.tokens import mint
from strongroom.wiring.app import ContextSigner, open_blobs, read_context_key
from strongroom.wiring.keeper import open_keeper, signer_of_contexts
from strongroom.wiring.place import Made, hand_over, make_store
from strongroom.wiring.rehearsal import Rehearsal
from strongroom.wiring.signin import signin_settings, signing_key

ATTEMPTS = 3
AT_ONCE = 24
"""Deposits under way: enough that they share syncs of the log."""
Say = Callable[[str], None]


class DemoFile(msgspec.Struct, frozen=True, kw_only=True):
    """`demo.json`: who there is, for `token --as` and for rehearsals. Only in stores whose people are synthetic."""

    logins: dict[str, str]
    """Sign-in name to subject."""
    own: dict[str, str]
    """Subject to the patient whose own login it is."""
    readable: dict[str, tuple[str, ...]]
    """Subject to every patient whose documents the login may read."""
    documents: tuple[tuple[str, str], ...]
    """(document, patient) of every document."""
    hidden: tuple[str, ...] = ()
    """Documents for clinicians only, or sensitive: not everybody who may read the patient may read these."""
    services: tuple[str, ...] = ()


def demo_file(layout: Layout) -> Path:
    """Where it lies."""
    return layout.root / "demo.json"


def make_demo(
    root: Path, text: str, *, patients: int = 300, decoys: int = 40, rehearsal: bool = False, say: Say = lambda _: None
) -> Made:
    """Make and fill a store. Raises Conflict if anything is in `root`."""
    made = make_store(root, text, rehearsal=rehearsal, hand=False)
    clock = SystemClock()
    population = make_population(clock.now(), patients=patients)
    try:
        asyncio.run(_fill(made, population, decoys, clock, Rehearsal() if rehearsal else None, say))
    except BaseException:
        shutil.rmtree(root)  # half a demonstration helps nobody, and the next start would take it for a whole one
        raise
    hand_over(made.layout, made.config)
    return made


async def _fill(
    made: Made, population: Population, decoys: int, clock: Clock, rehearsal: Rehearsal | None, say: Say
) -> None:
    opened = open_keeper(made.config, made.layout, rehearsal=rehearsal, patience=60.0)
    parts = opened.keeper.door.parts
    try:
        filler = _Filler(made, population, clock, opened.keeper.dispatch, opened.keeper.acts)
        say(f"People: {len(population.patients)} patients, {len(population.staff)} clinicians, all synthetic")
        await filler.people()
        found = {
            one.key: parts.catalog.patient_by_identifier(parts.veil.identifier(NHI, one.nhi))
            for one in population.patients
        }
        ids = {key: str(patient) for key, patient in found.items() if patient is not None}
        say(f"Documents: {len(population.papers)}, made here")
        documents = await filler.documents(ids, say)
        if decoys:
            await filler.act("decoys", {"count": decoys}, "security")
        demo_file(made.layout).write_bytes(msgspec.json.encode(_told(population, ids, documents)))
    finally:
        await opened.keeper.stop()


class _Filler:
    """Fills one store."""

    def __init__(self, made: Made, population: Population, clock: Clock, dispatch: Dispatch, acts: Acts) -> None:
        self._made = made
        self._population = population
        self._clock = clock
        self._acts = acts
        self._key = signing_key(made.config, made.layout)
        settings = Settings(base=made.config.base, page_key=Secret(keyfile.read_private(made.layout.page_key)))
        signer = ContextSigner(read_context_key(made.layout, signer=signer_of_contexts(made.config)), clock)
        self._catalogue = Catalogue.open(made.layout.catalogue)
        blobs = open_blobs(made.config, made.layout)
        app = create_app(_InProcess(dispatch), blobs, self._catalogue, signer, clock, settings)
        transport = httpx2.ASGITransport(app, client=("127.0.0.1", 1))
        self._http = httpx2.AsyncClient(transport=transport, base_url=made.config.base)
        self._tokens: dict[str, str] = {}

    async def act(self, op: str, args: Mapping[str, object], officer: str, attachment: bytes = b"") -> None:
        """One officer's act, as the command line would send it."""
        if attachment:
            args = {**args, "attachment": hashlib.sha256(attachment).hexdigest()}
        key = keyfile.read(self._made.layout.root / "officers" / f"{officer}.key")
        body = compose_act(self._made.config.store.name, op, args, self._clock.now())
        signature = Signature(officer=officer, value=sign_act(key, body))
        reply = await self._acts.handle(Act(body=body, signatures=(signature,), attachment=attachment), 0)
        if isinstance(reply, ActRefused):
            raise OperationError(reply.why, advice=reply.advice)

    async def people(self) -> None:
        """Register every practice's feed key, and take its feed in."""
        for practice in self._population.practices:
            key = keyfile.create(self._made.layout.root / "officers" / f"feed-{practice.id}.pem")
            registered = {"organisation": practice.id, "name": practice.name, "key": key.public_bytes.hex()}
            await self.act("register-feed", registered, "privacy")
            raw = feed(self._population, practice.id, self._made.config.issuer_url, 1, self._clock.now())
            signature = key.sign(signing_bytes(hashlib.sha256(raw).digest())).hex()
            await self.act("people-import", {"signature": signature}, "privacy", raw)
            service = {
                "issuer": self._made.config.issuer_url, "subject": f"sync-{practice.id}", "name": f"{practice.name}: sync",
                "organisation": practice.id, "purpose": "TREAT", "size": 2_000,
            }  # fmt: skip
            await self.act("grant", service, "privacy")

    async def documents(self, ids: dict[str, str], say: Say) -> dict[Paper, str]:
        """Deposit every paper over the API. Gives the document ids."""
        people = {one.key: one for one in self._population.patients}
        waiting = list(self._population.papers)
        done: dict[Paper, str] = {}

        async def work() -> None:
            while waiting:
                paper = waiting.pop()
                content = await asyncio.to_thread(make_content, paper, people[paper.patient])
                done[paper] = await self._deposit(paper, ids[paper.patient], content)
                if len(done) % 250 == 0:
                    say(f"  {len(done)} of {len(self._population.papers)}")

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        await self._http.aclose()
        self._catalogue.close()
        return done

    async def _deposit(self, paper: Paper, patient: str, content: bytes) -> str:
        depositor = next(one for one in self._population.staff if one.subject == paper.depositor)
        reference = {
            "resourceType": "DocumentReference", "status": "current", "date": f"{paper.written}T00:00:00Z",
            "subject": {"reference": f"Patient/{patient}"}, "author": [{"display": paper.author}],
            "type": {"coding": [{"system": "http://loinc.org", "code": paper.code, "display": paper.title}]},
            "securityLabel": [_LABELS[paper.category]],
            "content": [{"attachment": {
                "contentType": paper.content_type, "title": paper.title, "data": base64.b64encode(content).decode(),
            }}],
        }  # fmt: skip
        headers = {"Authorization": f"Bearer {self._token(depositor.subject)}", "Content-Type": "application/fhir+json",
                   "Prefer": "return=minimal"}  # fmt: skip
        for _ in range(ATTEMPTS):
            answer = await self._http.post(
                f"{self._made.config.base}/DocumentReference", json=reference, headers=headers
            )
            if answer.status_code != _AWAY:
                break
            await asyncio.sleep(1)  # a bucket that is just beginning; nothing was half done
        if answer.status_code != _CREATED:
            msg = f"A demonstration document was refused: {answer.status_code} {answer.text[:200]}"
            raise OperationError(msg)
        return str(answer.headers["location"]).split("/DocumentReference/")[1].split("/")[0]

    def _token(self, subject: str) -> str:
        if subject not in self._tokens:
            settings = signin_settings(self._made.config)
            self._tokens[subject] = mint(self._key, settings, subject, self._clock.now(), demonstration=True)
        return self._tokens[subject]


_CREATED = 201
_AWAY = 503
_LABELS = {
    "normal": {"coding": [{"system": CONFIDENTIALITY, "code": "N"}]},
    "sensitive": {"coding": [{"system": CONFIDENTIALITY, "code": "R"}]},
    "clinician-only": {"coding": [{"system": SENSITIVITY, "code": TABOO}]},
}


class _InProcess:
    """The door in the same process, with the protocol's own encoding between."""

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch

    async def ask(self, request: AppRequest) -> Reply:
        """See `api.ports.Door`."""
        return await self._dispatch.handle(request, 0)


def _told(population: Population, ids: dict[str, str], documents: dict[Paper, str]) -> DemoFile:
    own = {one.subject: ids[one.key] for one in population.patients if one.subject is not None}
    readable: dict[str, set[str]] = {subject: {patient} for subject, patient in own.items()}
    for acting in population.acting:
        readable[acting.subject].add(ids[acting.patient])
    of_practice = {
        practice.id: {ids[one.key] for one in population.patients if one.practice == practice.id}
        for practice in population.practices
    }
    for member in population.staff:
        readable[member.subject] = of_practice[member.practice]
    logins = {str(one.login): str(one.subject) for one in population.patients if one.login is not None}
    return DemoFile(
        logins={**logins, **{member.login: member.subject for member in population.staff}},
        own=own,
        readable={subject: tuple(sorted(patients)) for subject, patients in readable.items()},
        documents=tuple((document, ids[paper.patient]) for paper, document in documents.items()),
        hidden=tuple(document for paper, document in documents.items() if paper.category != "normal"),
        services=tuple(f"sync-{practice.id}" for practice in population.practices),
    )
