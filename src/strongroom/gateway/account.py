"""A test account for a probe: how it signs in, and what is its own. Bytes in, `Account` out; secrets do not print.

owns = ["70", "71"]                   # its documents; left out: what is shown to it and not to the other account

[login]                               # the fields of the login route's form or JSON, as a browser would send them
user = "7"
password = { env = "ANNA_PASSWORD" }

[headers]                             # or what every request carries, where that is how the portal knows people
Authorization = { env = "ANNA_AUTHORIZATION" }

[values]                              # of parameters in gateway.toml that are this account's own
patient = "7"
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from strongroom.errors import ConfigError
from strongroom.secret import Secret

MAX_ACCOUNT: Final = 65_536
"""Bytes."""
_ADVICE: Final = "docs/probe.md shows what stands in an account's file."

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=8_192)]
Line = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}\Z")]


class _From(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    env: Text


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    login: dict[Text, Text | _From] = {}
    headers: dict[Line, Text | _From] = {}
    values: dict[Text, Text] = {}
    owns: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """`name` is what reports call it."""

    name: str
    login: Mapping[str, Secret]
    headers: Mapping[str, Secret]
    values: Mapping[str, str]
    owns: frozenset[str]


def read_account(name: str, raw: bytes, environment: Mapping[str, str]) -> Account:
    """The account that `raw` (TOML, UTF-8) describes. Raises ConfigError, which repeats nothing of what stood there."""
    if len(raw) > MAX_ACCOUNT:
        raise ConfigError(f"The file of account {name} is longer than {MAX_ACCOUNT} bytes.")
    try:
        file = msgspec.toml.decode(raw, type=_File)
    except msgspec.ValidationError as error:  # names fields and kinds, no values
        raise ConfigError(f"The file of account {name}: {error}", advice=_ADVICE) from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"The file of account {name} is no TOML.", advice=_ADVICE) from error
    if bool(file.login) == bool(file.headers):
        raise ConfigError(f"Account {name} signs in by [login] or by [headers], one of the two.", advice=_ADVICE)

    def secrets(table: Mapping[str, str | _From]) -> dict[str, Secret]:
        return {key: Secret(_told(name, value, environment).encode()) for key, value in table.items()}

    headers = secrets(file.headers)
    if any(set(value.reveal()) & set(b"\r\n\0") for value in headers.values()):
        raise ConfigError(f"A header of account {name} holds the end of a line.")
    return Account(name, secrets(file.login), headers, file.values, frozenset(file.owns))


def _told(name: str, value: str | _From, environment: Mapping[str, str]) -> str:
    if isinstance(value, str):
        return value
    if not environment.get(value.env):
        raise ConfigError(f"Account {name} needs the environment variable {value.env}, and it is not set.")
    return environment[value.env]
