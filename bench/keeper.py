"""Releases a second through the keeper's own socket, against a server that only appends the same entries.

Both servers are processes of their own behind the same socket and framing (`keeper.socket`, `keeper.frame`), write with
the same group commit and disk sync (`audit.log`), and answer the same bytes to the same two client processes, in turns.
What the keeper does besides is what is measured: token, context, facts, decision, budgets, keys.

Every release is permitted. Three in four come from patients reading their own documents, one in four from clinicians in
a live care relation; every session is new, makes `USES` releases and is gone: so every eighth token is a stranger to
the keeper's memory. Contexts are signed for each request, shortly before, because their signer is another program.
"""

import multiprocessing
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from bench import Scale
from bench.appender import Planned
from bench.report import Figure, Goal
from bench.store import Store, cpu_seconds, open_store
from strongroom.clock import SystemClock
from strongroom.identity.context import ContextKey, sign_context
from strongroom.identity.token import session_id
from strongroom.ids import new_id
from strongroom.keeper.frame import Frames, frame
from strongroom.keeper.protocol import MAX_REPLY, Asking, Release, Released, Reply

USES = 8
CLINICIANS = 0.25
CLIENTS = 2
ROUNDS = 5
IN_FLIGHT = (64, 256)
RELEASES = {"small": 6_000, "full": 20_000}
"""In one round."""
PATIENTS = {"small": 200, "full": 600}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One release to ask for."""

    token: str
    document: str
    address: str


@dataclass(slots=True)
class Measured:
    """What the rounds of one server at one level gave."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)


def run(scale: Scale) -> Iterable[Figure]:
    """Both servers at both levels."""
    with open_store(PATIENTS[scale]) as store:
        rounds = [plan(store, RELEASES[scale], seed) for seed in range(ROUNDS)]
        with appender(store, rounds) as peer, clients(store.context_key) as workers:
            for in_flight in IN_FLIGHT:
                ours, theirs = Measured(), Measured()
                for wanted, _ in rounds:
                    measure(workers, store.layout.socket, store.pid("keeper"), wanted, in_flight, ours)
                    measure(workers, *peer, wanted, in_flight, theirs)
                yield from figures(in_flight, ours, theirs)


def figures(in_flight: int, ours: Measured, theirs: Measured) -> Iterator[Figure]:
    """Medians."""
    middle = statistics.median
    goal = Goal("ratio", ">=", 0.5)
    at = f"{in_flight} in flight"
    yield Figure(f"releases, {at}", middle(ours.rates), "1/s", middle(theirs.rates), goal)
    yield Figure(f"CPU of the server a release, {at}", middle(ours.cpu) * 1e6, "us", middle(theirs.cpu) * 1e6)
    yield Figure(f"p50, {at}", middle(ours.p50) * 1e3, "ms", middle(theirs.p50) * 1e3)
    yield Figure(f"p99, {at}", middle(ours.p99) * 1e3, "ms", middle(theirs.p99) * 1e3)


# ---- what is asked for ----------------------------------------------------------------------------------------------


def plan(store: Store, releases: int, seed: int) -> tuple[list[Wanted], list[Planned]]:
    """Permitted releases of new sessions, mixed; and what the log will say of each."""
    rng = random.Random(seed)
    held: dict[str, list[str]] = {}
    for document, patient in store.demo.documents:
        if document not in store.demo.hidden:
            held.setdefault(patient, []).append(document)
    people = [subject for subject in store.owners if store.demo.own[subject] in held]
    staff = [subject for login, subject in sorted(store.demo.logins.items()) if login.startswith("doctor")]
    found = []
    for n in range(releases // USES):
        clinician = rng.random() < CLINICIANS
        subject = rng.choice(staff if clinician else people)
        patients = (
            [one for one in store.demo.readable[subject] if one in held] if clinician else [store.demo.own[subject]]
        )
        token, address = store.token(subject), f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"
        for _ in range(USES):
            patient = rng.choice(patients)
            wanted = Wanted(token, rng.choice(held[patient]), address)
            found.append((wanted, planned(store, wanted, patient, subject, clinician=clinician)))
    rng.shuffle(found)
    return [wanted for wanted, _ in found], [entry for _, entry in found]


def planned(store: Store, wanted: Wanted, patient: str, subject: str, *, clinician: bool) -> Planned:
    """The entry that the appender is to write for it: the same fields, ids of the same length."""
    raw = wanted.token.split(".")[1]
    claims = msgspec.json.decode(urlsafe_b64decode(raw + "=" * (-len(raw) % 4)))
    return Planned(
        token=wanted.token, document=wanted.document, patient=patient, account=f"{subject:a<26}",
        session=session_id(store.config.issuer_url, "sid", claims["sid"]), network=f"{wanted.address}/32",
        organisation="practice-1" if clinician else None, care=clinician,
    )  # fmt: skip


# ---- the peer -------------------------------------------------------------------------------------------------------


@contextmanager
def appender(store: Store, rounds: list[tuple[list[Wanted], list[Planned]]]) -> Iterator[tuple[Path, int]]:
    """The server that only appends, on the same disk: its socket and its process."""
    with tempfile.TemporaryDirectory(prefix="strongroom-bench-", dir=store.layout.root.parent) as folder:
        known = {(one.token, one.document): one for _, entries in rounds for one in entries}
        Path(folder, "plan").write_bytes(msgspec.msgpack.encode(list(known.values())))
        command = [sys.executable, "-m", "bench.appender", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            try:
                yield Path(folder, "socket"), process.pid
            finally:
                process.terminate()


# ---- the clients ----------------------------------------------------------------------------------------------------


@contextmanager
def clients(key: ContextKey) -> Iterator[list[Connection]]:
    """Processes that ask; told what to ask through pipes."""
    context = multiprocessing.get_context("fork")
    started = []
    for _ in range(CLIENTS):
        ours, theirs = context.Pipe()
        process = context.Process(target=serve_rounds, args=(theirs, key), daemon=True)
        process.start()
        started.append((ours, process))
    try:
        yield [pipe for pipe, _ in started]
    finally:
        for pipe, process in started:
            pipe.send(None)
            process.join()


def measure(
    workers: list[Connection], address: Path, pid: int, wanted: list[Wanted], in_flight: int, into: Measured
) -> None:
    """One round against one server."""
    for at, worker in enumerate(workers):
        worker.send((address, wanted[at :: len(workers)], in_flight // len(workers)))
    for worker in workers:
        assert worker.recv() == "ready"
    before = cpu_seconds(pid)
    for worker in workers:
        worker.send("go")
    told = [worker.recv() for worker in workers]
    spent = cpu_seconds(pid) - before
    refused = [one for _, _, _, refusals in told for one in refusals]
    assert not refused, f"{len(refused)} refused: {refused[0]}"
    taken = sorted(seconds for _, _, latencies, _ in told for seconds in latencies)
    into.rates.append(len(wanted) / (max(end for _, end, _, _ in told) - min(start for start, _, _, _ in told)))
    into.cpu.append(spent / len(wanted))
    into.p50.append(taken[len(taken) // 2])
    into.p99.append(taken[len(taken) * 99 // 100])


def serve_rounds(pipe: Connection, key: ContextKey) -> None:
    """A client process: signs contexts, says that it is ready, asks, and tells when, how long and what was refused."""
    while (told := pipe.recv()) is not None:
        address, wanted, in_flight = told
        frames = [signed(number, one, key) for number, one in enumerate(wanted)]
        pipe.send("ready")
        assert pipe.recv() == "go"
        pipe.send(ask_all(address, frames, in_flight))


def signed(number: int, one: Wanted, key: ContextKey) -> bytes:
    """The request as it goes through the socket, its context signed now."""
    url = f"http://127.0.0.1:8441/fhir/Binary/{one.document}"
    context = sign_context(
        key, token=one.token, address=one.address, now=SystemClock().now(), method="GET", url=url, request=new_id()
    )
    return frame(number, Release(asking=Asking(token=one.token, context=context), document=one.document))


def ask_all(address: Path, requests: list[bytes], in_flight: int) -> tuple[float, float, list[float], list[str]]:
    """Ask all, so many at once, on one connection: start, end, seconds each took, refusals."""
    frames: Frames[Reply] = Frames(Reply, MAX_REPLY)  # type: ignore[arg-type]  # a union is no class to mypy
    sent, latencies, refusals = [0.0] * len(requests), list[float](), list[str]()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(address))
        start = time.monotonic()
        at = min(in_flight, len(requests))
        sent[:at] = [start] * at
        connection.sendall(b"".join(requests[:at]))
        while len(latencies) < len(requests):
            answers = list(frames.feed(connection.recv(262_144)))
            now = time.monotonic()
            for number, reply in answers:
                latencies.append(now - sent[number])
                if not isinstance(reply, Released):
                    refusals.append(str(reply))
            following = min(len(answers), len(requests) - at)
            sent[at : at + following] = [now] * following
            connection.sendall(b"".join(requests[at : at + following]))
            at += following
    return start, time.monotonic(), latencies, refusals
