"""What only the operator knows: which addresses are documents, whose they are, and who has a relation to whom.

A file of ten lines:

    routes = ["/portal/documents/{document}/content", "/patients/{patient}/letters/{document}", "/get?id={document}"]
    documents = "documents.csv"      # columns document,patient
    relations = "relations.csv"      # columns account,patient; a group may stand for an account
    accounts = "accounts.csv"        # columns account,role,group: who works as what, and where

Where in the world addresses are is told by MMDB files, of countries, of networks, or both:

    places = ["GeoLite2-Country.mmdb", "GeoLite2-ASN.mmdb"]

Behind a content network every request comes from it; whose networks are believed when they say for whom they ask (`proxies`):

    proxies = ["192.0.2.0/24", "2001:db8::/32"]

A table instead of a log has its columns named (`table` says which there are):

    [columns]
    time = "timestamp"
    principal = "account"
    document = "record"

An access log in a format of its own has its string, and what its values mean that no server's words tell (`log_format`):

    log_format = '$remote_addr $http_x_user [$time_local] "$request" $status $body_bytes_sent'
    [fields]
    principal = "$http_x_user"

Without a string these are names of fields in an access log in JSON (`log_fields`).

Paths of tables are relative to the file. With routes only what they match is a document; the names in braces stand for one
segment of the path each. Of any other address the ids stay known: whoever walks over them is found, for an address that nobody
remembers is in no mapping.
"""

import csv
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from strongroom.errors import ConfigError
from strongroom.logs import formats, log_fields, log_format, places, proxies, routes, table
from strongroom.logs.batch import ARROW
from strongroom.logs.formats import Format
from strongroom.logs.places import Places
from strongroom.logs.proxies import Proxies
from strongroom.logs.record import COLUMNS
from strongroom.logs.routes import Route, Told

_MAX: Final = 64 * 1024
_PATH, _QUERY = "http_request.url.path", "http_request.url.query_string"
_ACCOUNTS: Final = ("account", "role", "group")
_TOLD: Final = """
UPDATE event SET patient = told.patient FROM (
    SELECT document, min(patient) AS patient FROM event WHERE patient IS NOT NULL AND document IS NOT NULL
    GROUP BY document HAVING min(patient) = max(patient)
) AS told WHERE event.patient IS NULL AND event.document = told.document
"""
"""Whose a document is, another of the logs may tell."""
_ROLES: Final = """
UPDATE event SET "actor.user.type" = member.role FROM member
WHERE event.principal = member.account AND event."principal.kind" = 'login'
"""
"""What a login works as: its peers are those who work as the same."""


_PAGE: Final = (None, None, None, None)
_LEFT: Final = frozenset({"route", "number"})
"""What the reader found out of an address stays where no route matches it."""
_NO: Final = pa.scalar(value=False)


class _File(msgspec.Struct, forbid_unknown_fields=True):
    routes: list[str] = []
    documents: str = ""
    relations: str = ""
    accounts: str = ""
    places: list[str] = []
    proxies: list[str] = []
    columns: dict[str, str | list[str]] = {}
    log_format: str = ""
    fields: dict[str, str] = {}


class _Engine(Protocol):
    """What tables are loaded into."""

    def run(self, sql: str) -> int: ...

    def load(self, into: str, batch: pa.Table) -> None: ...


@dataclass(frozen=True, slots=True)
class Mapping:
    """An operator's mapping."""

    routes: tuple[Route, ...]
    documents: tuple[tuple[str, str], ...]
    relations: tuple[tuple[str, str], ...]
    columns: table.Columns | None = None
    custom: Format | None = None
    accounts: tuple[tuple[str, ...], ...] = ()
    places: Places | None = None
    proxies: Proxies | None = None

    def format_of(self, sample: bytes) -> Format | None:
        """The table's format, for a file that has the columns; that of the format string, for a file that fits; else None."""
        if self.columns and table.fits(sample, self.columns):
            return table.format_of(self.columns)
        if self.custom is None:
            return None
        if self.custom.unit == "json":  # a format of its own with fields of the same names is read as that
            known = formats.recognise(sample)
            if known is not None and known.name != "access-json":
                return None
        return formats.fitting(self.custom, sample)

    def changed(self, events: pa.Table) -> pa.Table:
        """The events with who asked, what the routes make of their paths, and where their clients are."""
        events = events if self.proxies is None else self.proxies.changed(events)
        events = self._routed(events)
        return events if self.places is None else self.places.changed(events)

    def _routed(self, events: pa.Table) -> pa.Table:
        names = ("route", "document", "number", "patient")
        if not self.routes or any(name not in events.column_names for name in (_PATH, *names)):
            return events
        paths = events[_PATH].combine_chunks().cast(pa.string())
        if any(route.query for route in self.routes) and _QUERY in events.column_names:
            paths = pc.binary_join_element_wise(paths, pc.coalesce(events[_QUERY].combine_chunks(), pa.scalar("")), "?")
        paths = paths.dictionary_encode()
        found = [self._asked(address) for address in paths.dictionary.to_pylist()]
        named = pa.array([one is not None for one in found], pa.bool_()).take(paths.indices)
        for at, name in enumerate(names):
            values = [(one or _PAGE)[at] for one in found]
            place, kind = events.column_names.index(name), ARROW[COLUMNS[name]]
            told = pa.array(values, kind).take(paths.indices)
            if name in _LEFT:
                told = pc.if_else(pc.coalesce(named, _NO), told, events[name].combine_chunks().cast(kind))
            events = events.set_column(place, name, told)
        return events

    def _asked(self, address: str) -> Told | None:
        path, _, query = address.partition("?")
        return self.target(path, query)

    def target(self, path: str, query: str = "") -> Told | None:
        """What an address means; None where no route matches: that is a page, whatever ids are in it."""
        return next((told for route in self.routes if (told := route.told(path, query)) is not None), None)

    def fill(self, engine: _Engine) -> None:
        """Whose documents are, who has relations and who works as what, into the engine's tables and its events."""
        for name, names, rows in (
            ("relation", ("account", "patient"), self.relations), ("owner", ("document", "patient"), self.documents),
            ("member", _ACCOUNTS, self.accounts),
        ):  # fmt: skip
            typed = ", ".join(f'"{one}" VARCHAR' for one in names)
            engine.run(f"CREATE TABLE {name} ({typed})")
            columns = list(zip(*rows, strict=True)) or [() for _ in names]
            engine.load(name, pa.table([pa.array(c, type=pa.string()) for c in columns], names=list(names)))
        self.join(engine)
        engine.run(_TOLD)

    def join(self, engine: _Engine) -> None:
        """What the operator's tables tell, into the engine's events."""
        engine.run("UPDATE event SET patient = owner.patient FROM owner WHERE event.document = owner.document")
        if self.accounts:
            engine.run(_ROLES)


def load(path: Path) -> Mapping:
    """Read a mapping. Raises ConfigError with the file and what does not fit."""
    try:
        raw = path.read_bytes()[: _MAX + 1]
        file = msgspec.toml.decode(raw, type=_File)
    except OSError as error:
        raise ConfigError(f"The mapping {path} cannot be read: {error.strerror}.") from error
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise ConfigError(f"The mapping {path} does not fit: {error}.") from error
    if len(raw) > _MAX:
        raise ConfigError(f"The mapping {path} is larger than {_MAX} bytes.")
    wanted = tuple(_route(written, path) for written in file.routes)
    documents, relations = (
        tuple((row[0], row[1]) for row in _table(path, name, columns))
        for name, columns in ((file.documents, ("document", "patient")), (file.relations, ("account", "patient")))
    )
    accounts = _table(path, file.accounts, _ACCOUNTS)
    where = places.load([path.parent / name for name in file.places]) if file.places else None
    known = proxies.read(file.proxies) if file.proxies else None
    return Mapping(
        wanted, documents, relations, _columns(file.columns, path), _custom(file, path), accounts, where, known
    )


def by_string(written: str, mapping: Mapping | None) -> Mapping:
    """The mapping, or an empty one, with the format of an access log by its string. Raises log_format.Misfit."""
    return replace(mapping or Mapping((), (), ()), custom=log_format.format_of(written))


def _custom(file: _File, path: Path) -> Format | None:
    if set(file.fields) - set(log_format.NAMES):
        advice = f"They name values of log_format, or fields of a log in JSON: {', '.join(log_format.NAMES)}."
        raise ConfigError(f"The fields of {path} do not fit.", advice=advice)
    if file.fields and not file.log_format:
        if any(value.startswith(("$", "%")) for value in file.fields.values()):
            advice = "What begins with $ or % stands in a log_format, which is missing; fields of a log in JSON have names alone."
            raise ConfigError(f"The fields of {path} do not fit.", advice=advice)
        return log_fields.format_of(file.fields)
    try:
        return log_format.format_of(file.log_format, file.fields) if file.log_format else None
    except log_format.Misfit as error:
        raise ConfigError(f"The log_format of {path} does not fit: {error}") from error


def _columns(given: dict[str, str | list[str]], path: Path) -> table.Columns | None:
    if not given:
        return None
    if set(given) - set(table.KNOWN) or not set(table.NEEDED) <= set(given):
        advice = f"Needed: {', '.join(table.NEEDED)}. Known besides: {', '.join(table.KNOWN[len(table.NEEDED) :])}."
        raise ConfigError(f"The columns of {path} do not fit.", advice=advice)
    return {known: (names,) if isinstance(names, str) else tuple(names) for known, names in given.items()}


def _route(written: str, path: Path) -> Route:
    route = routes.read(written)
    if route is None:
        advice = "A route begins with / and names {document}, {patient} or both, each once: in its path or as a parameter's value."
        raise ConfigError(f"The route {written!r} of {path} does not fit.", advice=advice)
    return route


def _table(mapping: Path, name: str, columns: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The columns of a table beside the mapping; nothing where none is named."""
    if not name:
        return ()
    path = mapping.parent / name
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            if not set(columns) <= set(reader.fieldnames or ()):
                raise ConfigError(f"The table {path} has no columns {' and '.join(columns)} in its first line.")
            return tuple(tuple(_cell(row, column, path) for column in columns) for row in reader)
    except OSError as error:
        raise ConfigError(f"The table {path} cannot be read: {error.strerror}.") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise ConfigError(f"The table {path} is not CSV in UTF-8.") from error


def _cell(row: dict[str, Any], name: str, path: Path) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise ConfigError(f"A row of the table {path} has no {name}.")
    return value
