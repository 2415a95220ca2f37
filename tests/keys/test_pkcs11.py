"""The root key in an HSM, with a real one: SoftHSM. What hangs does so until it is let go, and not for a time."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pkcs11.constants import Attribute
from pkcs11.exceptions import AttributeSensitive, DeviceRemoved

from strongroom.errors import ConfigError, Conflict, Malformed, Tampered, Unavailable
from strongroom.keys import pkcs11
from strongroom.keys.driver import driver
from strongroom.keys.pkcs11 import Pkcs11RootKey
from strongroom.keys.ring import Ring
from strongroom.secret import Secret

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = b"87654321"
PROMISED = pkcs11.TIMEOUT
LONG = 60.0
"""Seconds for what must succeed: a machine that stands still for a while is no HSM that is away."""


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pkcs11, "TIMEOUT", LONG)


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A token of this process's own. SoftHSM reads its configuration when it begins, so there is one for all tests here."""
    if not Path(MODULE).exists():
        pytest.skip("needs SoftHSM (Debian's softhsm2; ./up check installs it)")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "softhsm.conf").write_text(f"directories.tokendir = {folder}\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm.conf")
    command = [
        "softhsm2-util",
        "--init-token",
        "--free",
        "--label",
        "unit",
        "--so-pin",
        "12345678",
        "--pin",
        PIN.decode(),
    ]
    subprocess.run(command, check=True, capture_output=True)
    known = driver(MODULE)
    known.begin_anew(known.age)  # another test of this process may have used the HSM of another folder
    yield "unit"
    del os.environ["SOFTHSM2_CONF"]


@pytest.fixture(scope="module")
def root(token: str) -> Any:
    """A root key in the token."""
    return Pkcs11RootKey.create(MODULE, token, "root", Secret(PIN))


def test_it_wraps_binds_and_never_shows_itself(root: Any) -> None:
    """What it wrapped opens where it belongs; altered or moved it does not; the key's value cannot be read."""
    key = Secret(os.urandom(32))
    wrapped = root.wrap(key, b"bound")
    assert root.unwrap(wrapped, b"bound") == key
    assert root.wrap(key, b"bound") != wrapped
    for bound, raw in ((b"other", wrapped), (b"bound", wrapped[:-1] + bytes([wrapped[-1] ^ 1]))):
        with pytest.raises(Tampered):
            root.unwrap(raw, bound)
    for short in (b"", wrapped[:-1], b"\x01" + wrapped[1:]):
        with pytest.raises(Malformed):
            root.unwrap(short, b"bound")
    with pytest.raises(Malformed):
        root.wrap(Secret(b"short"), b"bound")

    def look(held: Any) -> None:
        with pytest.raises(AttributeSensitive):
            held[Attribute.VALUE]

    root._do(look)
    assert root.warning == ""
    assert root.unwrap(wrapped, b"bound") == key


def test_a_second_key_of_the_label_is_refused_and_the_first_is_found_again(root: Any, token: str) -> None:
    """Creating is never a side effect of opening."""
    with pytest.raises(Conflict):
        Pkcs11RootKey.create(MODULE, token, "root", Secret(PIN))
    key = Secret(os.urandom(32))
    assert Pkcs11RootKey(MODULE, token, "root", Secret(PIN)).unwrap(root.wrap(key, b"b"), b"b") == key


def test_a_wrong_name_module_or_object_is_a_configuration_error(root: Any, token: str) -> None:
    """It says what to look at, and not the PIN."""
    del root
    for module, name, label in ((MODULE, token, "none"), (MODULE, "none", "root"), ("/none.so", token, "root")):
        with pytest.raises(ConfigError) as caught:
            Pkcs11RootKey(module, name, label, Secret(PIN))
        assert PIN.decode() not in str(caught.value)


def test_the_door_can_refuse_within_a_second() -> None:
    """What is left after the HSM's time is the door's own."""
    assert PROMISED < 1.0


def test_a_call_that_hangs_is_refused_and_holds_up_nobody(root: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other patients' keys are wrapped and unwrapped meanwhile, by other sessions, from a loop that goes on."""
    key, hangs, gate = Secret(os.urandom(32)), threading.Event(), threading.Event()
    wrapped = root.wrap(key, b"b")

    def hang(_: Any) -> None:
        hangs.set()
        gate.wait(LONG)

    async def whole() -> None:
        slow = asyncio.ensure_future(root._do_soon(hang))
        await asyncio.to_thread(hangs.wait)
        for _ in range(50):
            assert await root.unwrap_soon(await root.wrap_soon(key, b"b"), b"b") == key
        assert not slow.done()
        slow.cancel()
        with monkeypatch.context() as hasty:
            hasty.setattr(pkcs11, "TIMEOUT", 0.05)
            with pytest.raises(Unavailable):
                await root._do_soon(hang)

    asyncio.run(whole())
    assert root.unwrap(wrapped, b"b") == key  # while both still hang, or hold no lane
    gate.set()


def test_many_calls_at_once(root: Any) -> None:
    """The driver is told that several threads call it: none gets another's key, and none fails."""
    keys = [Secret(os.urandom(32)) for _ in range(200)]

    async def whole() -> None:
        wrapped = [await root.wrap_soon(key, b"b") for key in keys]
        assert await asyncio.gather(*(root.unwrap_soon(one, b"b") for one in wrapped)) == keys

    assert driver(MODULE).threaded
    asyncio.run(whole())


def test_a_driver_that_cannot_lock_is_called_by_one_thread(root: Any, token: str, monkeypatch: Any) -> None:
    """The second call waits for the first."""
    del root
    monkeypatch.setattr(driver(MODULE), "threaded", False)
    assert Pkcs11RootKey(MODULE, token, "root", Secret(PIN))._workers.lanes == 1


def test_a_dead_session_is_not_the_hsm_being_away(root: Any) -> None:
    """After the HSM was restarted the first question is answered, by a new session."""
    key = Secret(os.urandom(32))
    wrapped = root.wrap(key, b"b")
    root._do(lambda held: held.session.close())
    assert root.unwrap(wrapped, b"b") == key


def test_a_token_error_is_the_hsm_being_away(root: Any) -> None:
    """Any other error of the driver."""

    def gone(_: Any) -> None:
        raise DeviceRemoved

    with pytest.raises(Unavailable):
        root._do(gone)
    time.sleep(1.1)
    root._do(lambda _: None)


# SoftHSM checks a PIN only when nobody in the process is logged in, and reads its folder's name once. So these go into a
# process of their own.
ALONE = """
import os, pathlib, shutil, subprocess, sys, time
folder = pathlib.Path(sys.argv[1])
(folder / "tokens").mkdir()
(folder / "softhsm.conf").write_text(f"directories.tokendir = {folder}/tokens")
os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm.conf")

def make_token():
    subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "alone", "--so-pin", "12345678",
                    "--pin", "87654321"], check=True, capture_output=True)

make_token()

from pkcs11 import Attribute, KeyType
from strongroom.errors import StrongroomError
from strongroom.keys import pkcs11
from strongroom.secret import Secret

pkcs11.TIMEOUT = 60.0
PIN, WRONG, KEY = Secret(b"87654321"), Secret(b"00001111"), Secret(b"k" * 32)

def say(what, call):
    try:
        found = call()
    except StrongroomError as error:
        found = type(error).__name__
        assert "00001111" not in str(error) and "87654321" not in str(error)
    print(what, found)

def opened(label="root", pin=PIN):
    return pkcs11.Pkcs11RootKey(sys.argv[2], "alone", label, pin)

def new_session(root):
    root._do(lambda key: key.session.close())

say("wrong PIN at the start:", lambda: opened(pin=WRONG))
root = pkcs11.Pkcs11RootKey.create(sys.argv[2], "alone", "root", PIN)
with pkcs11._session(sys.argv[2], "alone", PIN, writing=True) as session:
    session.generate_key(KeyType.AES, 256, label="loose", store=True,
                         template={Attribute.EXTRACTABLE: True, Attribute.SENSITIVE: False})
    for _ in range(2):
        session.generate_key(KeyType.AES, 256, label="two", store=True, template={Attribute.EXTRACTABLE: False})
say("a key that can be taken out:", lambda: opened("loose"))
say("two keys of one label:", lambda: opened("two"))
wrapped = root.wrap(KEY, b"b")

tries = []
open_session = pkcs11._session
pkcs11._session = lambda *args, **kwargs: (tries.append(1), open_session(*args, **kwargs))[1]
new_session(root)
root._pin = WRONG
for _ in range(3):
    say("PIN changed meanwhile:", lambda: root.unwrap(wrapped, b"b"))
    time.sleep(pkcs11.PAUSE + 0.1)
print("tries with a refused PIN:", len(tries))

root = opened()
new_session(root)
say("new session:", lambda: root.unwrap(wrapped, b"b") == KEY)

def ask(what):
    say(what, lambda: root.unwrap(wrapped, b"b") == KEY)
    time.sleep(pkcs11.PAUSE + 0.1)

tokens, drawer = folder / "tokens", folder / "drawer"
tokens.rename(drawer)
ask("every token away:")
ask("and later:")
drawer.rename(tokens)
ask("back:")

[place] = tokens.iterdir()
place.rename(drawer)
ask("this token away:")
drawer.rename(tokens / "elsewhere")
ask("back in another slot:")

(tokens / "elsewhere").rename(drawer)
make_token()
other = (
    "import sys; from strongroom.keys.pkcs11 import Pkcs11RootKey; from strongroom.secret import Secret;"
    "Pkcs11RootKey.create(sys.argv[1], 'alone', 'root', Secret(b'87654321'))"
)
subprocess.run([sys.executable, "-c", other, sys.argv[2]], check=True)
ask("another token of this name:")
say("and nothing is wrapped by it:", lambda: root.wrap(KEY, b"b"))
shutil.rmtree(tokens)
tokens.mkdir()
drawer.rename(tokens / "first")
time.sleep(pkcs11.PAUSE + 0.1)
ask("the first one again:")

shutil.rmtree(tokens)
ask("token deleted:")
"""

EXPECTED = """\
wrong PIN at the start: ConfigError
a key that can be taken out: ConfigError
two keys of one label: ConfigError
PIN changed meanwhile: Unavailable
PIN changed meanwhile: Unavailable
PIN changed meanwhile: Unavailable
tries with a refused PIN: 1
new session: True
every token away: Unavailable
and later: Unavailable
back: True
this token away: Unavailable
back in another slot: True
another token of this name: Unavailable
and nothing is wrapped by it: Unavailable
the first one again: True
token deleted: Unavailable
"""


def test_a_token_that_changes_is_refused_and_its_pin_is_not_tried_to_death(tmp_path: Path) -> None:
    """At the start a configuration error; while running the HSM is away, and is used again when it is back, wherever it is. A
    token of its name and PIN with another key is not. No PIN is ever said.
    """
    if not Path(MODULE).exists():
        pytest.skip("needs SoftHSM (Debian's softhsm2; ./up check installs it)")
    done = subprocess.run(
        [sys.executable, "-c", ALONE, tmp_path, MODULE], capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.stdout, done.stderr) == (EXPECTED, "")


def test_an_older_key_is_destroyed_and_the_newer_stays(token: str) -> None:
    """Found by their labels; what the older wrapped opens with both as one, and with nothing once it is destroyed."""
    pin = Secret(PIN)
    older = Pkcs11RootKey.create(MODULE, token, "turn", pin)
    wrapped = older.wrap(Secret(bytes(32)), b"b")
    newer = Pkcs11RootKey.create(MODULE, token, "turn.2", pin)
    assert {"turn", "turn.2"} <= set(Pkcs11RootKey.labels(MODULE, token, pin))
    both: Any = Ring([newer, older])
    assert both.distant
    assert both.unwrap(wrapped, b"b") == Secret(bytes(32))
    assert asyncio.run(both.unwrap_soon(wrapped, b"b")) == Secret(bytes(32))
    Pkcs11RootKey.destroy(MODULE, token, "turn", pin)
    Pkcs11RootKey.destroy(MODULE, token, "turn", pin)
    labels = Pkcs11RootKey.labels(MODULE, token, pin)
    assert "turn" not in labels
    assert "turn.2" in labels
    assert newer.unwrap(newer.wrap(Secret(bytes(32)), b"b"), b"b") == Secret(bytes(32))
    with pytest.raises(Tampered):
        newer.unwrap(wrapped, b"b")
    with pytest.raises(ConfigError):
        Pkcs11RootKey(MODULE, token, "turn", pin)
    Pkcs11RootKey.destroy(MODULE, token, "turn.2", pin)
