"""The errors of the whole program, divided by whose fault it is.

    StrongroomError              every error we raise on purpose; carries what to do about it
    ├── UsageError               the caller asked for something that makes no sense            exit 2
    ├── ConfigError              the configuration or the machine is not as it must be         exit 78
    ├── OperationError           we tried and it failed; nothing was half done                 exit 3
    │   ├── Unavailable          a part we need (disk, database, HSM, bucket, keeper) is away  exit 3, HTTP 503
    │   └── Conflict             the thing changed under the caller's feet                     exit 3, HTTP 409/412
    ├── Untrusted                bytes from outside are not what they claim to be
    │   ├── Malformed            they do not parse, or exceed a bound
    │   └── Tampered             they parse, and a signature, hash, tag or proof does not hold
    └── CheckFailed              a verification ran to its end and the answer is no            exit 1

A refusal by policy or budget is not an error: it is a value (`authz.Deny`, `budget.Spent`) with a sentence in it.
No message may contain a secret, a patient's name, a document's title or a token.
"""

import traceback
from typing import ClassVar


class StrongroomError(Exception):
    """Base of all errors raised on purpose. `advice` is one sentence that says what to do."""

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".rstrip()


class UsageError(StrongroomError):
    """The caller asked for something that makes no sense; nothing was tried."""

    exit_code = 2


class ConfigError(StrongroomError):
    """The configuration or the machine is not as it must be; nothing was started."""

    exit_code = 78


class OperationError(StrongroomError):
    """We tried and it failed. Nothing was half done."""


class Unavailable(OperationError):
    """A part we need is gone, full or slow. The same call may succeed later."""


class Conflict(OperationError):
    """The thing changed since the caller last looked, or exists already."""


class Untrusted(StrongroomError):
    """Bytes from outside are not what they claim to be."""


class Malformed(Untrusted):
    """The bytes do not parse, or exceed a bound."""


class Tampered(Untrusted):
    """The bytes parse, and a signature, hash, tag or proof does not hold."""


class CheckFailed(StrongroomError):
    """A verification ran to its end and the answer is no."""

    exit_code = 1


def where(error: BaseException) -> str:
    """The kind of an error that nobody thought of and the lines it came through, for a log.

    Not its message, nor those of the errors before it: they may hold what a client sent, an id or a key.
    """
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    lines = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames]
    return f"{type(error).__name__} at {' < '.join(reversed(lines))}"
