"""The root key in an HSM, through PKCS#11 (OASIS, version 2.40): AES-256, not extractable, used for AES-GCM only.

The key is made inside and never leaves; what we hold is a handle. Calls run in a thread of their own with a time-out,
because a driver may hang: a hung HSM refuses like one that is gone. After a failure it is left alone for a moment, so that
it does not hold up those who need no new patient key, and then tried again with a new session.
"""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import pkcs11
from pkcs11.constants import Attribute, ObjectClass
from pkcs11.exceptions import (
    ArgumentsBad,
    DataInvalid,
    EncryptedDataInvalid,
    EncryptedDataLenRange,
    GeneralError,
    NoSuchKey,
    NoSuchToken,
    PinIncorrect,
    PinInvalid,
    PKCS11Error,
    SignatureInvalid,
    UserAlreadyLoggedIn,
)
from pkcs11.mechanisms import GCMParams, KeyType, Mechanism

from strongroom.errors import ConfigError, Conflict, Malformed, Tampered, Unavailable
from strongroom.secret import Secret

TIMEOUT = 0.8
"""Seconds for one operation: the door must refuse within a second."""
PAUSE = 1.0
"""Seconds during which a failed HSM is not asked again."""
_FORM = b"\x02"
_NONCE = 12
_TAG_BITS = 128
_KEY_SIZE = 32
_SEALED = 1 + _NONCE + _KEY_SIZE + _TAG_BITS // 8

T = TypeVar("T")


class Pkcs11RootKey:
    """A root key that is a handle into a token."""

    warning = ""

    def __init__(self, module: str, token: str, label: str, pin: Secret) -> None:
        """Opens a session and finds the key. Raises ConfigError when there is none, Unavailable when the HSM is away."""
        self._place = (module, token, label)
        self._pin = pin
        self._key: Any = None  # the binding's key classes get their methods at run time
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="hsm")
        self._rest_until = 0.0
        self._do(lambda _: None)

    @classmethod
    def create(cls, module: str, token: str, label: str, pin: Secret) -> "Pkcs11RootKey":
        """Make the key in the token. Raises Conflict when there is one of this label."""
        with _translated(), _session(module, token, pin, writing=True) as session:
            if list(session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.LABEL: label})):
                msg = f"The token {token} has a key {label} already."
                raise Conflict(msg, advice="It is left as it is; choose another label.")
            session.generate_key(
                KeyType.AES, 256, label=label, store=True,
                template={Attribute.EXTRACTABLE: False, Attribute.SENSITIVE: True, Attribute.MODIFIABLE: False,
                          Attribute.WRAP: False, Attribute.UNWRAP: False},
            )  # fmt: skip
        return cls(module, token, label, pin)

    def wrap(self, key: Secret, bound: bytes) -> bytes:
        """See `RootKey.wrap`."""
        if len(key) != _KEY_SIZE:
            msg = "Only 256-bit keys are wrapped under the root key."
            raise Malformed(msg)
        nonce = os.urandom(_NONCE)
        params = GCMParams(nonce, bound, _TAG_BITS)
        sealed: bytes = self._do(
            lambda root: root.encrypt(key.reveal(), mechanism=Mechanism.AES_GCM, mechanism_param=params)
        )
        return _FORM + nonce + sealed

    def unwrap(self, wrapped: bytes, bound: bytes) -> Secret:
        """See `RootKey.unwrap`."""
        if len(wrapped) != _SEALED or wrapped[:1] != _FORM:
            msg = "These bytes are not a key wrapped by this kind of root key."
            raise Malformed(msg)
        params = GCMParams(wrapped[1 : 1 + _NONCE], bound, _TAG_BITS)
        sealed = wrapped[1 + _NONCE :]
        return Secret(self._do(lambda root: root.decrypt(sealed, mechanism=Mechanism.AES_GCM, mechanism_param=params)))

    def _do(self, operation: Callable[[Any], T]) -> T:
        """One operation, within `TIMEOUT`."""
        if time.monotonic() < self._rest_until:
            raise _away()
        try:
            return self._worker.submit(self._with_key, operation).result(TIMEOUT)
        except TimeoutError as error:
            self._worker = ThreadPoolExecutor(1, thread_name_prefix="hsm")  # the old thread may never come back
            self._fail()
            raise _away() from error
        except Unavailable:
            self._fail()
            raise

    def _with_key(self, operation: Callable[[Any], T]) -> T:
        with _translated():
            if self._key is None:
                self._key = _find(*self._place, self._pin)
            try:
                return operation(self._key)
            except GeneralError as error:
                # Some tokens say this for a wrong tag. If the token still works, it was the ciphertext.
                self._key.encrypt(bytes(16), mechanism=Mechanism.AES_GCM, mechanism_param=GCMParams(bytes(_NONCE)))
                raise EncryptedDataInvalid from error

    def _fail(self) -> None:
        self._key = None
        self._rest_until = time.monotonic() + PAUSE


def _session(module: str, token: str, pin: Secret, *, writing: bool = False) -> Any:
    found = _library(module).get_token(token_label=token)
    try:
        return found.open(rw=writing, user_pin=_text(pin))
    except UserAlreadyLoggedIn:  # by an earlier session of this process; logging in counts for all of them (5.6.1)
        return found.open(rw=writing)


def _find(module: str, token: str, label: str, pin: Secret) -> Any:
    session = _session(module, token, pin)
    key = session.get_key(object_class=ObjectClass.SECRET_KEY, label=label)
    if not isinstance(key, pkcs11.SecretKey):
        msg = f"The object {label} in the token {token} is not a secret key."
        raise ConfigError(msg)
    return key


def _library(module: str) -> Any:
    try:
        load: Callable[[str], Any] = pkcs11.lib
        return load(module)
    except (RuntimeError, OSError) as error:
        msg = f"The PKCS#11 module {module} cannot be loaded."
        raise ConfigError(
            msg, advice="Check [keeper.pkcs11] module, and that the HSM's driver is installed."
        ) from error


def _text(pin: Secret) -> str:
    return pin.reveal().decode().strip()


@contextmanager
def _translated() -> Iterator[None]:
    """PKCS#11's own errors as ours."""
    try:
        yield
    except (NoSuchKey, NoSuchToken, PinIncorrect, PinInvalid) as error:
        msg = f"The HSM has no such token or key, or does not take the PIN ({type(error).__name__})."
        raise ConfigError(msg, advice="Check [keeper.pkcs11]; `strongroom init` makes the key.") from error
    except (ArgumentsBad, DataInvalid, EncryptedDataInvalid, EncryptedDataLenRange, SignatureInvalid) as error:
        msg = "A wrapped key does not open in the HSM: altered, moved from its place, or of another root key."
        raise Tampered(msg) from error
    except PKCS11Error as error:
        raise _away() from error


def _away() -> Unavailable:
    return Unavailable(
        "The HSM does not answer.", advice="Patients whose key is in memory are still served; see the HSM's own log."
    )
