"""The strict route contract: what `gateway.toml` describes may pass; nothing else does. Pure.

    check(request) -> Match | Refusal

In order, cheapest first, each step only on what the step before has let through:

1. headers: how many, how many cookies, one of each that may come once;
2. the target has one spelling (`target`);
3. a route describes the path (404), its method (405), and the query (400): each name described, once, of its kind;
4. the body: none where none is described (400), of a described type (415), not larger than described (413).

What a body holds is checked where it is read (`body`). A refusal that is not `hard` is only reported in learning mode.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from strongroom.gateway import body as bodies
from strongroom.gateway import target as targets
from strongroom.gateway.kinds import counted, fits
from strongroom.gateway.pattern import MAX_DEPTH, PATH
from strongroom.gateway.plain import Plain
from strongroom.gateway.refusal import Refusal
from strongroom.gateway.settings import Checked, Described
from strongroom.gateway.target import MAX_TARGET, Target

Headers = Sequence[tuple[bytes, bytes]]
"""Lower-case names, as they came."""

SINGLE: Final = frozenset(
    b"host content-length content-type transfer-encoding authorization content-encoding content-range range expect te "
    b"x-http-method-override x-http-method x-method-override cookie".split()
)
"""Headers that come once or not at all: two of them are two messages to two readers."""
MANY: Final = 100
"""Documents that one request may name."""
_OVERRIDES: Final = (
    b"x-http-method-override",
    b"x-http-method",
    b"x-method-override",
    b"x-original-url",
    b"x-rewrite-url",
)
"""They make a portal do another thing than what was checked."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is known before a body is read. `method` and `target` as they stood in the request line."""

    method: str
    target: bytes
    headers: Headers


@dataclass(frozen=True, slots=True)
class Match:
    """A request that may pass. `route` is None where nothing describes it, in learning mode, and `noted` says why.

    `document` and `patient` are what the request counts as, or empty.
    """

    target: Target
    route: Described | None
    values: Mapping[str, str]
    document: str = ""
    patient: str = ""
    noted: Refusal | None = None
    also: tuple[str, ...] = ()
    """Other documents, where the request names several at once."""
    like: bytes = field(default=b"", compare=False, repr=False)
    """The same as `alike`, once that was asked for."""

    def naming(self, values: Mapping[str, tuple[str, ...]]) -> "Match | Refusal":
        """With what its body names: each parameter's values, of which only the document's may be several."""
        if self.route is None:
            return self
        told = {**self.values, **{name: given[0] for name, given in values.items()}}
        return _match(self.target, self.route, told, values.get(self.route.document, ()))

    @property
    def alike(self) -> bytes:
        """The target with one value for all strict ids of a length in its path: requests that differ in nothing else look the same
        to the rules of a WAF.
        """
        if self.route is None:
            return self.target.wire
        if not self.like:
            segments = self.route.pattern.alike(self.target.segments)
            object.__setattr__(self, "like", replace(self.target, segments=segments, spelled=b"").wire)
        return self.like


class Contract:
    """The described routes, the most literal first."""

    def __init__(self, checked: Checked) -> None:
        self._gateway = checked.settings.gateway
        self._learning = self._gateway.routes == "learn"
        self._hosts = frozenset(host.lower().encode() for host in self._gateway.hosts)
        self._by_depth: dict[int, list[Described]] = {}
        for one in sorted(checked.routes, key=lambda one: one.pattern.weight()):
            own = len(one.pattern.segments)
            for depth in range(own + 1, MAX_DEPTH + 1) if one.pattern.rest else (own,):
                self._by_depth.setdefault(depth, []).append(one)
        self._plain = Plain(self._by_depth)
        self._families: dict[str, list[Described]] = {}
        for one in checked.routes:
            self._families.setdefault(one.document, []).append(one)
        self._within = {
            name: frozenset(one.route.within for one in routes if one.route.within)
            for name, routes in self._families.items()
        }

    def check(self, request: Request) -> Match | Refusal:
        """See the module."""
        return self.check_headers(request.headers) or self.described(request)

    def described(self, request: Request) -> Match | Refusal:
        """2 to 4, of a request whose headers were checked."""
        plain = self._plain.find(request.target) if len(request.target) <= MAX_TARGET else None
        if plain is not None and request.method in plain.one.route.methods:
            spelled = Target(tuple(request.target[1:].decode("ascii").split("/")), spelled=request.target)
            return self._said(
                spelled, _body(request, plain.one) or _match(spelled, plain.one, plain.values, like=plain.alike)
            )
        target = targets.read(request.target)
        return target if isinstance(target, Refusal) else self._said(target, self._route(request, target))

    def _said(self, target: Target, found: Match | Refusal) -> Match | Refusal:
        if isinstance(found, Match) or found.hard or not self._learning:
            return found
        return Match(target, None, {}, noted=found)

    def document_of(self, raw: bytes) -> tuple[str, str] | None:
        """The document that a link names, as `Match` has it: route's family and id. None for other addresses."""
        target = targets.read(raw)
        if isinstance(target, Refusal):
            return None
        for one, values in self._candidates(target):
            kinds = one.route.query
            query = {name: value for name, value in target.pairs if name in kinds and fits(kinds[name], value)}
            told = {**query, **values}
            if one.document in told and (not one.route.within or one.route.within in told):
                return family(one), _whole(one, told, told[one.document])
        return None

    def listed(self, kind: str, named: str, whose: str = "") -> tuple[str, str]:
        """The same of an id of that family, or a reference that ends with it, in an answer; `whose`: within what it is counted."""
        bare = named.rpartition("/")[2]
        for one in self._families.get(kind, ()):
            within, own = one.route.within, one.kind_of(one.document)
            document = next((spelled for spelled in (named, bare) if own == PATH or fits(own, spelled)), None)
            if document is not None and (not within or fits(one.kind_of(within), whose)):
                return kind, _whole(one, {within: whose}, document)
        return kind, f"{whose}/{bare}" if self._within.get(kind) else bare

    def apart(self, kind: str, document: str) -> tuple[str, frozenset[str]]:
        """The id of a document of that family without what it is counted within, and the parameters that say that."""
        within = self._within.get(kind, frozenset())
        return (document.rpartition("/")[2] if within else document), within

    def signs_in(self, raw: bytes) -> bool:
        """Whether the address is that of a login, whatever its query says."""
        target = targets.read(raw)
        return isinstance(target, Target) and any(one.route.login is not None for one, _ in self._candidates(target))

    # ---- the steps --------------------------------------------------------------------------------------------------

    def check_headers(self, headers: Headers) -> Refusal | None:
        """1."""
        if len(headers) > self._gateway.max_headers:
            return Refusal(431, "headers-many", "The request has too many headers.", hard=True)
        seen: set[bytes] = set()
        for name, value in headers:
            if name in SINGLE and name in seen:
                return Refusal(400, "header-twice", "A header that may come once came twice.", hard=True)
            seen.add(name)
            if name == b"cookie" and value.count(b";") >= self._gateway.max_cookies:
                return Refusal(431, "cookies-many", "The request has too many cookies.", hard=True)
            if name == b"host" and self._hosts and value.lower() not in self._hosts:
                return Refusal(421, "host-other", "This is not the host that was asked for.", hard=True)
            if name == b"transfer-encoding" and value.lower() != b"chunked":
                return Refusal(501, "coding-other", "The body comes in a coding that is not taken.", hard=True)
            if name == b"content-encoding" and value.lower() != b"identity":
                return Refusal(415, "body-encoded", "The body is compressed; what is in it cannot be seen.", hard=True)
        if not seen.isdisjoint(_OVERRIDES):
            return Refusal(
                400, "method-override", "A header asks for another method or address than the request.", hard=True
            )
        return None

    def _route(self, request: Request, target: Target) -> Match | Refusal:
        methods: set[str] = set()
        for one, values in self._candidates(target):
            if request.method in one.route.methods:
                return self._query(request, target, one, values)
            methods.update(one.route.methods)
        if methods:
            allow = tuple(sorted(methods))
            return Refusal(405, "method-undescribed", "This address is not described for this method.", allow=allow)
        return Refusal(404, "route-undescribed", "This address is not described.")

    def _candidates(self, target: Target) -> Iterable[tuple[Described, dict[str, str]]]:
        for one in self._by_depth.get(len(target.segments), ()):
            values = one.pattern.match(target.segments)
            if values is not None:
                yield one, values

    def _query(self, request: Request, target: Target, one: Described, values: dict[str, str]) -> Match | Refusal:
        documents: list[str] = []
        for name, value in target.pairs:
            kind = one.route.query.get(name)
            if kind is None:
                return Refusal(400, "query-undescribed", "The query has a parameter that is not described.")
            if not fits(kind, value):
                return Refusal(400, "query-kind", "A parameter is not of the kind that is described.")
            if name in values and name not in one.route.repeat:
                return Refusal(400, "query-twice", "A parameter that may come once came twice.")
            if name == one.document:
                documents.append(value)
            values[name] = value
        return _body(request, one) or _match(target, one, values, documents)


def family(one: Described) -> str:
    """What ids of a route are compared within: routes that share the name of their document's parameter share its ids."""
    return one.document


def _match(
    target: Target, one: Described, values: Mapping[str, str], several: Sequence[str] = (), like: bytes = b""
) -> Match | Refusal:
    """`several`: all values of the document's parameter, where there may be more than one."""
    patient = _counted(one, one.patient, values)
    document = _whole(one, values, values[one.document]) if one.document and one.document in values else ""
    if document and one.route.within and one.route.within not in values:
        return Refusal(
            400, "document-alone", "The request names a document, and not within what it is counted.", hard=True
        )
    if len(several) <= 1:
        return Match(target, one, values, document, patient, like=like)
    if len(several) > MANY:
        return Refusal(400, "documents-many", f"The request names more than {MANY} documents.", hard=True)
    first, *also = dict.fromkeys(_whole(one, values, value) for value in several)
    return Match(target, one, values, first, patient, also=tuple(also))


def _whole(one: Described, values: Mapping[str, str], document: str) -> str:
    """What a document counts as: where it is counted within something, `something/document`."""
    told = counted(one.kind_of(one.document), document)
    return f"{_counted(one, one.route.within, values)}/{told}" if one.route.within else told


def _counted(one: Described, name: str, values: Mapping[str, str]) -> str:
    if not name or name not in values:
        return ""
    return counted(one.kind_of(name), values[name])


def _body(request: Request, one: Described) -> Refusal | None:
    headers = dict(request.headers)
    length = headers.get(b"content-length", b"0")
    if b"transfer-encoding" not in headers and length == b"0":
        login = one.route.login
        needed = one.body or (login is not None and login.asked and request.method not in {"GET", "HEAD"})
        return Refusal(400, "body-lacks", "A body is described, and there is none.") if needed else None
    if not one.route.content_types or request.method in {"GET", "HEAD"}:
        return Refusal(400, "body-undescribed", "This request has a body, and none is described.")
    kind = media_type(headers.get(b"content-type", b""))
    if kind not in one.route.content_types:
        return Refusal(415, "body-type", "The body is of a type that is not described.")
    most = max_body(one, kind)
    if not length.isdigit() or len(length) > 15 or int(length) > most:  # noqa: PLR2004  # more than any disk
        return Refusal(413, "body-large", f"The body is larger than {most} bytes.", hard=True)
    return None


def max_body(one: Described, kind: str) -> int:
    """Bytes that a body of this type may have."""
    return min(one.route.max_body, bodies.MAX_WHOLE) if bodies.whole(kind) else one.route.max_body


def media_type(value: bytes) -> str:
    """The type alone, in lower case."""
    return value.partition(b";")[0].strip(b" \t").lower().decode("latin-1")
