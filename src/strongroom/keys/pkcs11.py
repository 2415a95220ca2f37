"""The root key in an HSM, through PKCS#11 (OASIS, version 2.40): AES-256, not extractable, used for AES-GCM only.

The key is made inside and never leaves; what we hold are handles, one a session. Calls run in threads of their own with a
time-out, because a driver may hang: a call that hangs refuses like an HSM that is gone, and holds up nobody while a session
is free. An operation that fails is tried once more with a new session, and with the driver begun anew (`driver.py`); then
the HSM is left alone for a moment. A token that comes back is known again by its key: another one is not used.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

from pkcs11.constants import Attribute, ObjectClass
from pkcs11.exceptions import (
    ArgumentsBad,
    DataInvalid,
    EncryptedDataInvalid,
    EncryptedDataLenRange,
    GeneralError,
    NoSuchToken,
    PinExpired,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    PKCS11Error,
    SignatureInvalid,
    UserAlreadyLoggedIn,
)
from pkcs11.mechanisms import GCMParams, KeyType, Mechanism

from strongroom.errors import ConfigError, Conflict, Malformed, Tampered, Unavailable
from strongroom.keys.driver import Driver, away, driver
from strongroom.keys.worker import LANES, Workers
from strongroom.secret import Secret

TIMEOUT = 0.7
"""Seconds for one operation: the door must refuse within a second."""
OPENING = 10.0
"""Seconds for the first session, at start: a driver that is loaded and logs in over the network takes its time."""
PAUSE = 1.0
"""Seconds during which a failed HSM is not asked again."""
_FORM = b"\x02"
_NONCE = 12
_TAG_BITS = 128
_KEY_SIZE = 32
_PIN_REFUSED = (PinExpired, PinIncorrect, PinInvalid, PinLenRange, PinLocked)
_ALTERED = (ArgumentsBad, DataInvalid, EncryptedDataInvalid, EncryptedDataLenRange, SignatureInvalid)
_SAMPLE = b"strongroom-sample"
_CHANGED = "Put the token back as it was; it is found by itself."
_PIN_SAID = "The HSM does not take the PIN any more."
_PIN_ADVICE = "Put the right one into pin_file, then start the keeper again: the PIN is not tried twice, or the token locks itself."
_SEALED = 1 + _NONCE + _KEY_SIZE + _TAG_BITS // 8

T = TypeVar("T")


class Pkcs11RootKey:
    """A root key that is a handle into a token."""

    warning = ""
    distant = True

    def __init__(self, module: str, token: str, label: str, pin: Secret) -> None:
        """Opens a session and finds the key. Raises ConfigError when there is none, Unavailable when the HSM is away."""
        self._place = (module, token, label)
        self._pin = pin
        self._own = threading.local()  # each lane's session and key
        self._opening = threading.Lock()
        self._pin_refused = False
        self._workers = Workers(1)
        self._rest_until, self._failed = 0.0, away()
        self._sample: bytes | None = None
        self._opened = False
        self._do(lambda _: None, OPENING)
        self._opened = True
        if driver(module).threaded:
            self._workers.lanes = LANES

    @classmethod
    def create(cls, module: str, token: str, label: str, pin: Secret) -> "Pkcs11RootKey":
        """Make the key in the token. Raises Conflict when there is one of this label."""
        with _calling(module), _session(module, token, pin, writing=True) as session:
            if _keys(session, label):
                msg = f"The token {token} has a key {label} already."
                raise Conflict(msg, advice="It is left as it is; choose another label.")
            session.generate_key(
                KeyType.AES, 256, label=label, store=True,
                template={Attribute.EXTRACTABLE: False, Attribute.SENSITIVE: True, Attribute.MODIFIABLE: False,
                          Attribute.WRAP: False, Attribute.UNWRAP: False, Attribute.SIGN: False, Attribute.VERIFY: False,
                          Attribute.DERIVE: False},
            )  # fmt: skip
        return cls(module, token, label, pin)

    @staticmethod
    def labels(module: str, token: str, pin: Secret) -> list[str]:
        """The labels of all secret keys in the token."""
        with _calling(module), _session(module, token, pin) as session:
            return [str(key.label) for key in session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY})]

    @staticmethod
    def destroy(module: str, token: str, label: str, pin: Secret) -> None:
        """Destroy the key of this label, if there is one."""
        with _calling(module), _session(module, token, pin, writing=True) as session:
            for key in _keys(session, label):
                key.destroy()

    def wrap(self, key: Secret, bound: bytes) -> bytes:
        """See `RootKey.wrap`."""
        return self._do(_wrapping(key, bound))

    def unwrap(self, wrapped: bytes, bound: bytes) -> Secret:
        """See `RootKey.unwrap`."""
        return self._do(_unwrapping(wrapped, bound))

    async def wrap_soon(self, key: Secret, bound: bytes) -> bytes:
        """See `RootKey.wrap_soon`."""
        return await self._do_soon(_wrapping(key, bound))

    async def unwrap_soon(self, wrapped: bytes, bound: bytes) -> Secret:
        """See `RootKey.unwrap_soon`."""
        return await self._do_soon(_unwrapping(wrapped, bound))

    def _do(self, operation: Callable[[Any], T], seconds: float | None = None) -> T:
        """One operation, within so many seconds; else within `TIMEOUT`."""
        with self._judged():
            return self._workers.run(partial(self._with_key, operation), TIMEOUT if seconds is None else seconds)

    async def _do_soon(self, operation: Callable[[Any], T]) -> T:
        with self._judged():
            return await self._workers.run_soon(partial(self._with_key, operation), TIMEOUT)

    @contextmanager
    def _judged(self) -> Iterator[None]:
        """What a failure means for those who ask next."""
        if time.monotonic() < self._rest_until:
            raise Unavailable(self._failed.message, advice=self._failed.advice)
        if self._opened and self._pin_refused:
            raise Unavailable(_PIN_SAID, advice=_PIN_ADVICE)
        try:
            yield
        except TimeoutError as error:  # says nothing of the other sessions; how many may hang is bounded
            raise away() from error
        except Unavailable as error:
            self._rest(error)
            raise
        except ConfigError as error:
            if not self._opened:
                raise
            # It was right at the start: the token is gone or another one, or its PIN was changed.
            raise self._rest(Unavailable(error.message, advice=_CHANGED)) from error

    def _rest(self, failed: Unavailable) -> Unavailable:
        """Leave the HSM alone for a moment; whoever asks meanwhile is told the same."""
        self._rest_until, self._failed = time.monotonic() + PAUSE, failed
        return failed

    # ---- in a lane --------------------------------------------------------------------------------------------------

    def _with_key(self, operation: Callable[[Any], T]) -> T:
        """By the session at hand, or a new one: the old may be dead of something that is over, as when the HSM was restarted
        or another session's end logged this one out (5.6.8). Last with the driver begun anew: the token may have been away.
        """
        at = driver(self._place[0])
        with _translated():
            age, failed = at.age, None
            for _ in range(1 + self._has_key(at)):
                try:
                    return self._try(operation, at)
                except (*_ALTERED, *_PIN_REFUSED):
                    raise
                except (PKCS11Error, ConfigError) as error:
                    failed = error
            if failed is not None and not self._opened:
                raise failed
            at.begin_anew(age)
            return self._try(operation, at)

    def _has_key(self, at: Driver) -> bool:
        """Whether this lane has a session. One of an older driver ended with it, and is not so much as closed: its number may
        be another's by now.
        """
        if getattr(self._own, "age", None) != at.age:
            self._own.key, self._own.age = None, at.age
        return self._own.key is not None

    def _try(self, operation: Callable[[Any], T], at: Driver) -> T:
        with at.calling():
            if not self._has_key(at):
                self._own.key = self._found()
            key = self._own.key
            try:
                return _told_apart(key, operation)
            except _ALTERED:
                raise
            except PKCS11Error:
                self._own.key = None
                _close(key.session)  # a token has only so many
                raise

    def _found(self) -> Any:
        with self._opening:  # one after another: a refused PIN is not tried by every lane
            if self._pin_refused:
                raise Unavailable(_PIN_SAID, advice=_PIN_ADVICE)
            try:
                key = _find(*self._place, self._pin)
            except _PIN_REFUSED:
                # Not before the next start: a few more tries and the token locks itself.
                self._pin_refused = True
                raise
            try:
                self._recognise(key)
            except (ConfigError, PKCS11Error):
                _close(key.session)
                raise
            return key

    def _recognise(self, key: Any) -> None:
        """Raises ConfigError when it is not the key that was there first: what it wrapped, the right one would not open."""
        if self._sample is None:
            self._sample = _wrapping(Secret(os.urandom(_KEY_SIZE)), _SAMPLE)(key)
        try:
            _told_apart(key, _unwrapping(self._sample, _SAMPLE))
        except _ALTERED as error:
            msg = f"The token {self._place[1]} holds another key {self._place[2]} than before."
            raise ConfigError(msg) from error


def _wrapping(key: Secret, bound: bytes) -> Callable[[Any], bytes]:
    if len(key) != _KEY_SIZE:
        msg = "Only 256-bit keys are wrapped under the root key."
        raise Malformed(msg)
    nonce = os.urandom(_NONCE)
    params = GCMParams(nonce, bound, _TAG_BITS)

    def wrap(root: Any) -> bytes:
        sealed: bytes = root.encrypt(key.reveal(), mechanism=Mechanism.AES_GCM, mechanism_param=params)
        return _FORM + nonce + sealed

    return wrap


def _unwrapping(wrapped: bytes, bound: bytes) -> Callable[[Any], Secret]:
    if len(wrapped) != _SEALED or wrapped[:1] != _FORM:
        msg = "These bytes are not a key wrapped by this kind of root key."
        raise Malformed(msg)
    params = GCMParams(wrapped[1 : 1 + _NONCE], bound, _TAG_BITS)
    sealed = wrapped[1 + _NONCE :]
    return lambda root: Secret(root.decrypt(sealed, mechanism=Mechanism.AES_GCM, mechanism_param=params))


def _told_apart(key: Any, operation: Callable[[Any], T]) -> T:
    try:
        return operation(key)
    except GeneralError as error:
        # Some tokens say this for a wrong tag. If the token still works, it was the ciphertext.
        key.encrypt(bytes(16), mechanism=Mechanism.AES_GCM, mechanism_param=GCMParams(os.urandom(_NONCE)))
        raise EncryptedDataInvalid from error


def _session(module: str, token: str, pin: Secret, *, writing: bool = False) -> Any:
    found = driver(module).library.get_token(token_label=token)
    try:
        return found.open(rw=writing, user_pin=_text(pin))
    except UserAlreadyLoggedIn:  # by an earlier session of this process; logging in counts for all of them (5.6.1)
        return found.open(rw=writing)


def _find(module: str, token: str, label: str, pin: Secret) -> Any:
    session = _session(module, token, pin)
    try:
        return _only(_keys(session, label), token, label)
    except (ConfigError, PKCS11Error):
        _close(session)
        raise


def _keys(session: Any, label: str) -> list[Any]:
    return list(session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.LABEL: label}))


def _only(found: list[Any], token: str, label: str) -> Any:
    """The one key of this label, if it cannot be taken out. Raises ConfigError."""
    if len(found) != 1:
        msg = f"The token {token} has {len(found) or 'no'} keys {label}."
        raise ConfigError(msg, advice="Check [keeper.pkcs11]; `strongroom init` makes the key.")
    key = found[0]
    if key[Attribute.EXTRACTABLE] or not key[Attribute.SENSITIVE]:
        msg = f"The key {label} in the token {token} can be taken out of it."
        raise ConfigError(msg, advice="Let `strongroom init` make the key, under another label.")
    return key


def _close(session: Any) -> None:
    with suppress(PKCS11Error):  # an error came before, and matters more
        session.close()


def _text(pin: Secret) -> str:
    return pin.reveal().decode().strip()


@contextmanager
def _calling(module: str) -> Iterator[None]:
    """For calls outside of a lane."""
    with _translated(), driver(module).calling():
        yield


@contextmanager
def _translated() -> Iterator[None]:
    """PKCS#11's own errors as ours."""
    try:
        yield
    except (NoSuchToken, *_PIN_REFUSED) as error:
        msg = f"The HSM has no such token, or does not take the PIN ({type(error).__name__})."
        raise ConfigError(msg, advice="Check [keeper.pkcs11]; `strongroom init` makes the key.") from error
    except _ALTERED as error:
        msg = "A wrapped key does not open in the HSM: altered, moved from its place, or of another root key."
        raise Tampered(msg) from error
    except PKCS11Error as error:
        raise away() from error
