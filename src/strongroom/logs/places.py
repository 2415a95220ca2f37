"""Where in the world an address is, and whose network it is in: from an operator's own MMDB files.

A file of countries (or cities), a file of autonomous systems, or one that tells both: MaxMind's, DB-IP's and IPinfo's are read.
Which it is is not asked: each address takes from every file what it says. Format: MaxMind DB 2.0.
"""

import io
import struct
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

import maxminddb
import pyarrow as pa

from strongroom.errors import ConfigError
from strongroom.logs.batch import ARROW
from strongroom.logs.record import COLUMNS

MOST: Final = 512 * 1024 * 1024
"""Bytes of one file, which is held in memory: the largest of cities have some 150 MB."""
REMEMBERED: Final = 100_000
"""Addresses whose place is remembered."""
ADDRESS, COUNTRY, PROVIDER = "src_endpoint.ip", "src_endpoint.location.country", "src_endpoint.autonomous_system.number"

BROKEN: Final = (
    maxminddb.InvalidDatabaseError, ValueError, LookupError, TypeError, OverflowError, RecursionError, struct.error, AttributeError
)  # fmt: skip
"""What the library may raise over a file with wrong bytes in it."""

Place = tuple[str | None, int | None]
"""Country (ISO 3166-1 alpha-2), number of the autonomous system (RFC 1930)."""


class Places:
    """The files' answers. Travels as their bytes, so that other machines need not have them."""

    def __init__(self, files: tuple[bytes, ...]) -> None:
        """Raises ConfigError for what is no such file."""
        self._files = files
        try:
            readers = [maxminddb.open_database(io.BytesIO(raw), maxminddb.MODE_FD) for raw in files]
            self._readers = [(reader, reader.metadata().ip_version) for reader in readers]
        except BROKEN as error:
            raise ConfigError("A file of places is no MMDB.", advice="Take the provider's .mmdb, unpacked.") from error
        self._of = lru_cache(REMEMBERED)(self._look)

    def __reduce__(self) -> tuple[type["Places"], tuple[tuple[bytes, ...]]]:
        """See `pickle`."""
        return Places, (self._files,)

    def of(self, address: str | None) -> Place:
        """The place of an address; nothing of what is none, or in no file. Raises ConfigError where a file is broken."""
        return (None, None) if address is None else self._of(address)

    def _look(self, address: str) -> Place:
        country: str | None = None
        provider: int | None = None
        try:
            asked = ip_address(address)
        except ValueError:
            return None, None
        for reader, version in self._readers:
            try:
                found = reader.get(asked) if asked.version <= version else None
            except BROKEN as error:
                raise ConfigError("A file of places is broken.", advice="Get it again.") from error
            if isinstance(found, dict):
                country = country or _country(found)
                provider = provider or _provider(found)
        return country, provider

    def changed(self, events: pa.Table) -> pa.Table:
        """The events with the places of their clients; the same where they have no addresses."""
        if ADDRESS not in events.column_names:
            return events
        addresses = events[ADDRESS].combine_chunks().dictionary_encode()
        found = [self.of(address) for address in addresses.dictionary.to_pylist()]
        for place, name in enumerate((COUNTRY, PROVIDER)):
            values = pa.array([one[place] for one in found], ARROW[COLUMNS[name]]).take(addresses.indices)
            events = events.append_column(name, values)
        return events


def load(paths: list[Path]) -> Places:
    """Read the files. Raises ConfigError with the one that cannot be."""
    files = []
    for path in paths:
        try:
            with path.open("rb") as file:
                raw = file.read(MOST + 1)
            Places((raw,))
        except OSError as error:
            raise ConfigError(f"The file of places {path} cannot be read: {error.strerror}.") from error
        except ConfigError as error:
            raise ConfigError(f"The file of places {path} is no MMDB.", advice=error.advice) from error
        if len(raw) > MOST:
            raise ConfigError(f"The file of places {path} is larger than {MOST} bytes.")
        files.append(raw)
    return Places(tuple(files))


def _country(found: dict[str, Any]) -> str | None:
    """MaxMind's and DB-IP's `country.iso_code`, or IPinfo's `country_code` or `country`."""
    told = found.get("country")
    if isinstance(told, dict):
        told = told.get("iso_code")
    for code in (told, found.get("country_code")):
        if isinstance(code, str) and len(code) == 2 and code.isascii() and code.isalpha():  # noqa: PLR2004  # alpha-2
            return code.upper()
    return None


def _provider(found: dict[str, Any]) -> int | None:
    """MaxMind's and DB-IP's `autonomous_system_number`, or IPinfo's `asn`, as AS64496."""
    told = found.get("autonomous_system_number")
    if told is None:
        told = found.get("asn")
    if isinstance(told, str):
        digits = told.upper().removeprefix("AS")
        told = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 10 else None  # noqa: PLR2004  # 32 bits
    return told if isinstance(told, int) and 0 < told < 2**32 else None
