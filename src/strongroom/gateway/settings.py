"""`gateway.toml`, decoded and bounded: what the portal behind serves, and who is who. No I/O: bytes in, `Settings` out."""

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec

from strongroom.errors import ConfigError, Malformed
from strongroom.gateway import lines
from strongroom.gateway.body import FORM, MULTIPART, named
from strongroom.gateway.credentials import place
from strongroom.gateway.kinds import KINDS, STRICT
from strongroom.gateway.pattern import Pattern, read_pattern
from strongroom.gateway.places import EVERY, Place, common, read_place
from strongroom.gateway.rule import Rule, overridden
from strongroom.gateway.sections import Elsewhere, Events, Gateway, Guard, Metrics, Name, Person, Section, Upstream, Waf
from strongroom.identity.network import Declared, declare

MAX_SETTINGS: Final = 1_048_576
"""Bytes. A route is about 200."""
MIB: Final = 1_048_576
MAX_PORT: Final = 65_535
UPSTREAMS: Final = 16
"""Beside the one that is told when the gateway is started."""
CREDENTIALS: Final = 4
"""That a portal may know people by."""
_ADDRESS: Final = re.compile(
    r"https?://(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::([1-9][0-9]{0,4}))?/?"
)
_ADVICE: Final = "docs/gateway.md describes every field."

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
MediaType = Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9.+-]{1,64}/[a-z0-9.+-]{1,64}\Z")]


class Login(Section, frozen=True, kw_only=True):
    """`[route.login]`: a successful answer of this route begins the session that it sets; this is whose."""

    form: str = ""
    """Field of the request's form that names the person."""
    json: str = ""
    """Or a place in the request's JSON."""
    answer: str = ""
    """Or a place in the answer's JSON."""
    token: str = ""
    """Where a token stands in the answer's JSON, that is the session. Alone: it is of whoever showed the one before."""

    @property
    def asked(self) -> bool:
        """Whether the request names the person."""
        return bool(self.form or self.json)


class Shows(Section, frozen=True, kw_only=True):
    """`[route.shows]`: the answer shows documents to whoever asked."""

    ids: tuple[str, ...] = ()
    """Places of document ids in JSON: `items[].id`."""
    family: str = "document"
    """The name of the document's parameter in the routes that read what is shown here."""
    patients: tuple[str, ...] = ()
    """Places of the patients whose documents these are: `items[].patient`."""
    links: bool = False
    """Every address in the answer that is a described document's."""
    within: str = ""
    """Where documents are counted `within` something: the parameter of this route that says within what, or a place beside the ids.
    Empty: the parameter of the same name as there.
    """


class Route(Section, frozen=True, kw_only=True):
    """`[[route]]`: one thing that the portal serves."""

    name: Name
    path: Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
    upstream: Name | None = None
    """Which of `[upstreams.NAME]` serves it; None: the one that is told when the gateway is started."""
    methods: Annotated[tuple[Method, ...], msgspec.Meta(min_length=1)] = ("GET", "HEAD")
    query: dict[str, str] = msgspec.field(default_factory=dict)
    """Parameter -> kind. A name that is not here is refused."""
    repeat: tuple[str, ...] = ()
    """Parameters that may come more than once."""
    body: dict[str, str] = msgspec.field(default_factory=dict)
    """Parameter -> where it stands in the body, and its kind: `letter.id:int`, a place in JSON or the name of a form's field."""
    document: str = ""
    """The parameter that names the document; empty: the one called `document`, if there is one."""
    patient: str = ""
    """The parameter that names the patient; empty: the one called `patient`, if there is one."""
    within: str = ""
    """The parameter within which documents are counted: where each patient has a document 1, the patient."""
    public: bool = False
    """Whether strangers may read documents here. Elsewhere a document needs somebody who is signed in."""
    content_types: tuple[MediaType, ...] = ()
    """Of bodies. Empty: no body."""
    max_body: Annotated[int, msgspec.Meta(ge=0, le=10_240 * MIB)] = 65_536
    max_keys: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 100
    """Members or values of JSON, fields of a form, parts of multipart."""
    login: Login | None = None
    proves: bool = False
    """Whether a successful answer means that whoever asks proved who they are, beyond a password: a code, a link in a mail."""
    shows: Shows | None = None


class Settings(Section, frozen=True, kw_only=True):
    """The whole of `gateway.toml`."""

    gateway: Gateway = Gateway()
    upstream: Upstream = Upstream()
    upstreams: Annotated[dict[Name, Elsewhere], msgspec.Meta(max_length=UPSTREAMS)] = msgspec.field(
        default_factory=dict
    )
    guard: Guard = Guard()
    waf: Waf = Waf()
    events: Events = Events()
    metrics: Metrics = Metrics()
    person: Person | Annotated[tuple[Person, ...], msgspec.Meta(min_length=1, max_length=CREDENTIALS)] | None = None
    route: tuple[Route, ...] = ()

    @property
    def people(self) -> tuple[Person, ...]:
        """The credentials that the portal believes, in order."""
        if self.person is None:
            return ()
        return self.person if isinstance(self.person, tuple) else (self.person,)


class Described(msgspec.Struct, frozen=True):
    """A route, read and checked. `document` and `patient` name its parameters, or are empty."""

    route: Route
    pattern: Pattern
    document: str
    patient: str
    shown: tuple[Place, ...]
    patients: tuple[Place, ...]
    login: Place
    """Where a login's request or answer says who it is."""
    body: Mapping[str, tuple[Place, str]] = {}
    """Parameters in the body: where each stands, and its kind."""
    token: Place = ()
    """Where the answer of a login gives a token."""
    whose: str = ""
    """Of a list of documents that are counted within something: the parameter that says within what, if that is one."""
    beside: Place = ()
    """Or the place of that in its answer, if that is one."""

    def kind_of(self, name: str) -> str:
        """The kind of one of its parameters, wherever it stands."""
        if name in self.body:
            return self.body[name][1]
        return self.route.query[name] if name in self.route.query else self.pattern.kind_of(name)


class Checked(msgspec.Struct, frozen=True):
    """Settings whose routes and networks have been read."""

    settings: Settings
    routes: tuple[Described, ...]
    proxies: Declared
    rules: tuple[Rule, ...]

    @property
    def listed(self) -> frozenset[str]:
        """Families whose documents some answer shows."""
        shows = [one.route.shows for one in self.routes if one.route.shows is not None]
        linked = {one.document for one in self.routes if one.document} if any(show.links for show in shows) else set()
        return frozenset(linked | {show.family for show in shows if show.ids})


class _Wrong(ConfigError):
    """Something is wrong with this table; of upstreams it is the name."""

    def __init__(self, table: Route | Person | str, message: str, advice: str = _ADVICE) -> None:
        super().__init__(message, advice=advice)
        self.table = table


def parse(raw: bytes) -> Checked:
    """What `raw` (TOML, UTF-8) says. Raises ConfigError that names the line, the route and what is wrong with it."""
    if len(raw) > MAX_SETTINGS:
        raise ConfigError(f"gateway.toml is longer than {MAX_SETTINGS} bytes.")
    try:
        settings = msgspec.toml.decode(raw, type=Settings)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"gateway.toml{_at(lines.told(raw, str(error)))}: {error}", advice=_ADVICE) from error
    try:
        routes = _routes(settings)
    except _Wrong as error:
        at = _line_of(raw, settings, error.table)
        raise ConfigError(f"gateway.toml{_at(at)}: {error.message}", advice=error.advice) from error
    if not routes and settings.gateway.routes == "enforce":
        raise ConfigError("gateway.toml describes no route: everything would be refused.", advice=_ADVICE)
    if not settings.people and any(one.document and not one.route.public for one in routes):
        msg = "gateway.toml has routes of documents and does not say how to find who is signed in."
        raise ConfigError(msg, advice="Add [person] with `by` and `name`.")
    if bool(settings.gateway.certificate) != bool(settings.gateway.key):
        raise ConfigError("gateway.toml: certificate and key belong together.", advice=_ADVICE)
    return Checked(
        settings,
        routes,
        declare({"proxies": settings.gateway.proxies}),
        overridden(settings.guard.limits, settings.guard.rungs),
    )


def _at(line: int) -> str:
    return f", line {line}" if line else ""


def _line_of(raw: bytes, settings: Settings, table: Route | Person | str) -> int:
    if isinstance(table, str):
        return lines.line(raw, rf"upstreams\.{table}")
    name = "person" if isinstance(table, Person) else "route"
    tables: tuple[Route | Person, ...] = settings.people if isinstance(table, Person) else settings.route
    return lines.line(raw, name, next(number for number, one in enumerate(tables) if one is table))


def _routes(settings: Settings) -> tuple[Described, ...]:
    """All of them, read. Raises _Wrong."""
    _must_stand_apart(settings.people)
    _must_be_there(settings)
    described = tuple(map(_described, settings.route))
    _must_differ(described)
    _must_count_alike(described)
    routes = tuple(_telling_whose(one, described) for one in described)
    for route in settings.route:
        for kind in route.content_types:
            if kind.startswith("multipart/") and kind != MULTIPART:
                raise _wrong(route, f"nobody looks into {kind}; of multipart bodies only {MULTIPART} is taken.")
    return routes


def _must_stand_apart(people: tuple[Person, ...]) -> None:
    """Two credentials in one place are one, read in two ways: every request would be of two people."""
    seen: set[tuple[bytes, bytes]] = set()
    for one in people:
        where = place(one.by, one.name)
        odd = len(people) > 1 and one.by == "header" and where[0] == b"authorization"
        if where in seen or odd or (one.by != "cookie" and where[0] == b"cookie"):
            raise _Wrong(one, f"{one.by} {one.name} stands where another one does.", "Name each place once.")
        seen.add(where)


def _must_be_there(settings: Settings) -> None:
    """Upstreams have addresses and are used; routes name one that there is."""
    for name, one in settings.upstreams.items():
        address = _ADDRESS.fullmatch(one.url)
        if address is None or int(address[1] or 1) > MAX_PORT:
            raise _Wrong(name, f"Upstream {name}: its url is a scheme, a host and a port, as http://host:port")
        if all(route.upstream != name for route in settings.route):
            raise _Wrong(name, f"Upstream {name}: no route says that it serves it.")
    for route in settings.route:
        if route.login is not None and route.login.token and all(one.by != "token" for one in settings.people):
            raise _wrong(route, "its answers give a token, and no [person] is by token.")
        if route.upstream is not None and route.upstream not in settings.upstreams:
            raise _wrong(route, f"there is no [upstreams.{route.upstream}].")


def _described(route: Route) -> Described:
    try:
        pattern = read_pattern(route.path)
        token = read_place(route.login.token) if route.login and route.login.token else ()
        shown = tuple(map(read_place, route.shows.ids if route.shows else ()))
        patients = tuple(map(read_place, route.shows.patients if route.shows else ()))
    except Malformed as error:
        raise _wrong(route, error.message) from error
    names = {*pattern.names, *route.query, *route.body}
    if len(names) != len(pattern.names) + len(route.query) + len(route.body):
        raise _wrong(route, "a parameter stands in two of path, query and body.")
    for name, kind in route.query.items():
        if kind not in KINDS:
            raise _wrong(route, f"parameter {name} is of no kind that there is.")
    for name in (*route.repeat, *filter(None, (route.document, route.patient))):
        if name not in names:
            raise _wrong(route, f"there is no parameter {name}.")
    document = route.document or ("document" if "document" in names else "")
    patient = route.patient or ("patient" if "patient" in names else "")
    if patient in route.repeat:
        raise _wrong(route, "the patient may not come twice.")
    one = Described(route, pattern, document, patient, shown, patients, _login(route), _in_body(route, document), token)
    if route.within:
        _check_within(one, names)
    return one


def _check_within(one: Described, names: set[str]) -> None:
    """A document that is counted within something is told by both, each in one spelling."""
    route, within = one.route, one.route.within
    if not one.document or within not in names - {one.document, *route.repeat}:
        raise _wrong(route, f"within names a parameter beside the document, that comes once; {within} is none.")
    if not {one.kind_of(one.document), one.kind_of(within)} <= STRICT:
        raise _wrong(route, f"documents and {within} are of strict kinds, or two of them could be one.")
    if within in one.body and one.document not in one.body:
        raise _wrong(route, f"{within} stands in the body, and the document in the address.")


def _must_count_alike(routes: tuple[Described, ...]) -> None:
    """Else one document would be two, or two one."""
    seen: dict[str, Described] = {}
    for one in routes:
        twin = seen.setdefault(one.document, one) if one.document else one
        if bool(twin.route.within) != bool(one.route.within):
            raise _wrong(
                one.route,
                f"its {one.document} is counted within nothing, or that of {twin.route.name} is: both, or none.",
            )


def _telling_whose(one: Described, routes: tuple[Described, ...]) -> Described:
    """A list, with where it says within what its documents are counted."""
    shows = one.route.shows
    if shows is None or not (shows.ids or shows.within):
        return one
    family = {other.route.within for other in routes if other.document == shows.family and other.route.within}
    if not family:
        if shows.within:
            raise _wrong(one.route, f"nothing says that a {shows.family} is counted within something.")
        return one
    own = {*one.pattern.names, *one.route.query} - {*one.route.repeat}
    name = shows.within or next(iter(sorted(family & own)), "")
    if name in own and one.kind_of(name) in STRICT:
        return msgspec.structs.replace(one, whose=name)
    try:
        beside = read_place(name)
    except Malformed as error:
        raise _wrong(one.route, f"it does not say within what its {shows.family} is counted.") from error
    if not shows.within or any(EVERY in beside[len(common(place, beside)) :] for place in one.shown):
        raise _wrong(one.route, f"within what its {shows.family} is counted stands beside no id.")
    return msgspec.structs.replace(one, beside=beside)


def _in_body(route: Route, document: str) -> dict[str, tuple[Place, str]]:
    """Parameters that stand in bodies: of types alone in which they are found, and of methods that have a body."""
    if route.body and (not route.content_types or not all(map(named, route.content_types))):
        raise _wrong(route, "a parameter in the body needs content_types, each of them JSON or a form.")
    if route.body and {"GET", "HEAD"} & set(route.methods):
        raise _wrong(route, "a parameter in the body needs methods that have one, as POST.")
    found = {}
    for name, told in route.body.items():
        where, _, kind = told.rpartition(":")
        if kind not in KINDS:
            raise _wrong(route, f"parameter {name} is of no kind that there is.")
        try:
            found[name] = read_place(where), kind
        except Malformed as error:
            raise _wrong(route, error.message) from error
        if EVERY in found[name][0] and name != document:
            raise _wrong(route, f"parameter {name} is one, and not every one of a list.")
        if EVERY in found[name][0][:-1] and not all(kind.endswith("json") for kind in route.content_types):
            raise _wrong(route, f"parameter {name}: a form has no lists within lists; `ids[]` is its only one.")
    return found


def _login(route: Route) -> Place:
    """Where a login says who it is; nowhere for other routes."""
    if route.login is None:
        return ()
    ways = [way for way in (route.login.form, route.login.json, route.login.answer) if way]
    if len(ways) > 1 or not (ways or route.login.token):
        raise _wrong(route, "a login says who it is by exactly one of form, json and answer.")
    if not ways:
        return ()
    if route.login.asked:
        _read_login(route)
    if route.login.form:
        return tuple(filter(None, re.split(r"[.\[\]]+", route.login.form))) or (route.login.form,)
    try:
        return read_place(ways[0])
    except Malformed as error:
        raise _wrong(route, error.message) from error


def _read_login(route: Route) -> None:
    """Bodies of another type than the one in which the name is found would sign in somebody whom nobody counts."""
    form = bool(route.login and route.login.form)
    if not route.content_types or not all(named(kind) and (kind == FORM) == form for kind in route.content_types):
        raise _wrong(
            route, f"the name of a login by {'form' if form else 'json'} is found in bodies of that type alone."
        )


def _must_differ(routes: tuple[Described, ...]) -> None:
    seen: dict[str, str] = {}
    names: set[str] = set()
    for one in routes:
        if one.route.name in names:
            raise _wrong(one.route, "there are two of this name.")
        names.add(one.route.name)
        bare = re.sub(r"\{[^}]*\}", "{}", one.route.path)
        for method in one.route.methods:
            twin = seen.setdefault(f"{method} {bare}", one.route.name)
            if twin != one.route.name and not _kinds_differ(one, next(r for r in routes if r.route.name == twin)):
                raise _wrong(one.route, f"it has the path and a method of {twin}.")


def _kinds_differ(one: Described, other: Described) -> bool:
    return one.pattern.kinds != other.pattern.kinds


def _wrong(route: Route, why: str) -> _Wrong:
    return _Wrong(route, f"Route {route.name}: {why}")
