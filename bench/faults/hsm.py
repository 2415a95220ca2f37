"""Faults of the HSM: SoftHSM, which lies in the keeper's process and keeps its tokens in files."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial

from bench.faults.fault import DOOR, Fault
from bench.faults.injuries import SLOW, flapping
from bench.faults.scene import MODULE, Scene, init_token
from bench.faults.tracer import injected

OTHER_KEY = (
    "import sys; from strongroom.keys.pkcs11 import Pkcs11RootKey; from strongroom.secret import Secret;"
    f"Pkcs11RootKey.create('{MODULE}', 'strongroom', 'strongroom-root', Secret(b'87654321'))"
)


@contextlib.contextmanager
def token_away(scene: Scene) -> Iterator[None]:
    """Taken out, and put back."""
    drawer = scene.folder / "drawer"
    scene.tokens.rename(drawer)
    try:
        yield
    finally:
        drawer.rename(scene.tokens)


@contextlib.contextmanager
def token_slow(scene: Scene) -> Iterator[None]:
    """Every look at the token's files takes three seconds."""
    files = [path for path in scene.tokens.rglob("*") if path.is_file()]
    with injected(scene.pid("keeper"), [f"openat:{SLOW}"], files):
        yield


@contextlib.contextmanager
def token_of_another(scene: Scene) -> Iterator[None]:
    """A token of the same name and PIN, with another key of the same name."""
    drawer = scene.folder / "drawer"
    scene.tokens.rename(drawer)
    scene.tokens.mkdir()
    init_token()
    subprocess.run([sys.executable, "-c", OTHER_KEY], check=True)
    owner = drawer.stat()
    for path in (scene.tokens, *scene.tokens.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)
    try:
        yield
    finally:
        shutil.rmtree(scene.tokens)
        drawer.rename(scene.tokens)


_FOUND_AGAIN = (
    "The keeper looks for the token once a second, with its driver begun anew, and knows the key again by its use."
)

FAULTS = (
    Fault(
        "HSM", "gone", "the token is taken out", token_away, refused=DOOR,
        says=r"keeper: \w+ refused: The HSM does not answer\. .*found by itself",
        do="Put the token back; see the HSM's own log.", heals=_FOUND_AGAIN, whole=True, small=True,
    ),
    Fault(
        "HSM", "slow", "every use of the token takes three seconds", token_slow, refused=DOOR,
        says=r"keeper: \w+ refused: The HSM does not answer\.",
        do="See the HSM's own log and its network.", heals="Calls that hang are given up; the next are answered.", whole=True,
    ),
    Fault(
        "HSM", "flapping", "the token comes and goes, each for a second and a half",
        partial(flapping, token_away, each=1.5), maybe=DOOR, do="As gone.", heals=_FOUND_AGAIN, whole=True,
    ),
    Fault(
        "HSM", "lying", "a token of the same name and PIN holds another key", token_of_another, refused=DOOR,
        says=r"keeper: \w+ refused: The token strongroom holds another key strongroom-root than before\. Put the token back",
        do="Put the right token back. Nothing was wrapped by the other.", heals=_FOUND_AGAIN, whole=True, small=True,
    ),
)  # fmt: skip
