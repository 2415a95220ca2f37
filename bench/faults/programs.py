"""Faults of the store's own processes, and of who is outside of it: an issuer elsewhere and a witness."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from functools import partial

from bench.faults.fault import DOOR, Fault, Kind
from bench.faults.injuries import flapping, stopped
from bench.faults.scene import Scene

SIGNIN: frozenset[Kind] = frozenset(("sign in",))
NOBODY: frozenset[Kind] = frozenset()
WHOSE = {"keeper": DOOR, "app": DOOR, "signin": SIGNIN, "courier": NOBODY, "publisher": NOBODY}
"""What each process is needed for."""


@contextlib.contextmanager
def killed(program: str, scene: Scene) -> Iterator[None]:
    """Once; the supervisor starts it again."""
    scene.signal(program, signal.SIGKILL)
    yield


@contextlib.contextmanager
def hanging(program: str, scene: Scene) -> Iterator[None]:
    """Stopped for good: only somebody else can end that."""
    os.kill(scene.pid(program), signal.SIGSTOP)
    yield


def pid(program: str, scene: Scene) -> int:
    """Of a program."""
    return scene.pid(program)


@contextlib.contextmanager
def provider_away(scene: Scene) -> Iterator[None]:
    """The issuer does not answer."""
    assert scene.provider is not None
    scene.provider.stop()
    try:
        yield
    finally:
        scene.provider.start()


@contextlib.contextmanager
def provider_lies(scene: Scene) -> Iterator[None]:
    """The issuer's key set is none."""
    assert scene.provider is not None
    held, scene.provider.jwks = scene.provider.jwks, b'{"keys": []}'
    try:
        yield
    finally:
        scene.provider.jwks = held


@contextlib.contextmanager
def witness_away(scene: Scene) -> Iterator[None]:
    """The witness does not answer."""
    assert scene.watcher is not None
    scene.watcher.stop()
    try:
        yield
    finally:
        scene.watcher.start()
        time.sleep(1.0)


def _of(program: str, *, whole: bool = False, small: bool = False) -> tuple[Fault, ...]:
    name = f"{program} process"
    kinds = WHOSE[program]
    says = (
        r"app: request …: The keeper does not answer\. .*the supervisor restarts it by itself"
        if program == "keeper"
        else ""
    )
    restarted = "The supervisor starts it again; ever more slowly, ten seconds at most, where it ends at once."
    return (
        Fault(
            name, "gone", "killed", partial(killed, program), maybe=kinds, do="See its messages if it happens again.",
            heals=restarted, seconds=0.0, whole=whole, small=small, says=says,
        ),
        Fault(
            name, "slow", "stopped for four seconds", partial(stopped, partial(pid, program)), refused=kinds, maybe=kinds,
            do="See the machine's load.", heals="When it goes on.", whole=whole, says=says,
        ),
        Fault(
            name, "hangs", "stopped for good", partial(hanging, program), refused=kinds, maybe=kinds,
            do="See the machine's load, and the messages.", seconds=0.0, whole=whole, says=says,
            heals="The supervisor ends it after 60 s of silence, and starts it again.",
        ),
        Fault(
            name, "flapping", "killed each second", partial(flapping, partial(killed, program)), maybe=kinds,
            do="See its messages.", heals=restarted, whole=whole,
        ),
    )  # fmt: skip


FAULTS = (
    *_of("keeper", small=True), *_of("app"), *_of("signin"), *_of("courier", whole=True),
    *_of("publisher", whole=True),
    Fault(
        "issuer elsewhere", "gone", "its server does not answer", provider_away,
        do="Ask whoever runs it.", heals="Its keys in hand hold for seven days, and are fetched again each hour.", whole=True,
        small=True,
    ),
    Fault(
        "issuer elsewhere", "lying", "its key set is empty", provider_lies,
        do="Ask whoever runs it.", heals="A key set without a key is not taken; it is fetched again.", whole=True,
    ),
    Fault(
        "witness", "gone", "it does not answer", witness_away,
        says=r"publisher: witness witness\.example/w: away", do="Ask whoever runs it; `strongroom doctor` says since when.",
        heals="It is asked again every ten seconds.", whole=True, seconds=13.0,
    ),
)  # fmt: skip
