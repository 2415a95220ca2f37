"""What an officer's act says, read out of its signed arguments."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from strongroom.budget.freeze import STRANGERS, Target, Upon
from strongroom.errors import UsageError
from strongroom.identity.officers import Signed
from strongroom.ids import AccountId
from strongroom.keeper.acts import OFFICER

Arguments = Mapping[str, object]
Outcome = tuple[int | None, dict[str, Any]]
"""Receipt in the log, if the act wrote its own entry; result."""


def by(signed: Signed) -> AccountId:
    """Who signed first."""
    return AccountId(OFFICER + signed.by[0].name)


def signers(signed: Signed) -> str:
    """Everybody who signed, as the log's details tell it."""
    return "signed by " + ", ".join(officer.name for officer in signed.by)


def text(args: Arguments, name: str) -> str:
    """A text that the act must have. Raises UsageError."""
    value = args.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > 1_024:  # noqa: PLR2004  # as protocol.Text
        raise UsageError(f"The act needs `{name}`, a text of at most 1,024 characters.")
    if name in {"key", "signature"} and re.fullmatch(r"(?:[0-9a-f]{2})+", value) is None:
        raise UsageError(f"`{name}` is written in hex.")
    return value


def optional(args: Arguments, name: str, kind: Callable[[str], Any]) -> Any:
    """A text that it may have, as `kind`; None without. Raises UsageError."""
    return kind(text(args, name)) if args.get(name) else None


def number(args: Arguments, name: str, default: int) -> int:
    """A whole number, 0 to 2^62. Raises UsageError."""
    value = args.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 2**62:
        raise UsageError(f"`{name}` is a whole number.")
    return value


def target(args: Arguments) -> Target:
    """What is frozen. Raises UsageError."""
    upon, name = text(args, "scope"), args.get("name")
    if upon == Upon.MODULE.value:
        return Target(Upon.MODULE, STRANGERS)
    try:
        return Target(Upon(upon), name if isinstance(name, str) else "")
    except ValueError as error:
        raise UsageError(f"That cannot be frozen: {error}") from error
