"""The tables of `gateway.toml` that are not routes: each bounded, and with nothing in it that is not known (`settings`)."""

from typing import Annotated, Literal

import msgspec

Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
Name = Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9][a-z0-9-]{0,62}\Z")]
Token = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}\Z")]
"""Of a header or a cookie (RFC 9110, section 5.6.2)."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table. A field that it does not have is an error."""


class Gateway(Section, frozen=True, kw_only=True):
    """`[gateway]`: where it listens, and how strictly."""

    host: str = "127.0.0.1"
    port: Port = 8440
    routes: Literal["enforce", "learn"] = "enforce"
    """`learn`: what is not described is passed on and reported. What could be read in two ways is refused in both."""
    certificate: str = ""
    """File of the certificate and what signed it (PEM). Empty: no TLS here; then a proxy in front ends it."""
    key: str = ""
    """File of its key."""
    hosts: tuple[str, ...] = ()
    """Names that may stand in Host, with the port where one is written. Empty: any."""
    proxies: tuple[str, ...] = ()
    """Address blocks of proxies in front, whose X-Forwarded-For is believed. Empty: nobody's."""
    workers: Annotated[int, msgspec.Meta(ge=1, le=64)] = 2
    """Processes that serve together. At least two: one that dies takes only its own connections with it."""
    user: str = ""
    """Who the workers become, by name or number, when root starts them. Empty: they stay who they are."""
    state: Annotated[str, msgspec.Meta(min_length=1)] = "gateway-state"
    """Folder of the counts, beside gateway.toml unless it begins with `/`."""
    max_headers: Annotated[int, msgspec.Meta(ge=8, le=200)] = 64
    max_cookies: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    """libmodsecurity spends 36 to 65 ms on three hundred."""


class Upstream(Section, frozen=True, kw_only=True):
    """`[upstream]`: how long the portal behind may take."""

    connections: Annotated[int, msgspec.Meta(ge=1, le=1_024)] = 64
    """Open at once. Requests wait for one, `connect_seconds` at most."""
    connect_seconds: Annotated[float, msgspec.Meta(gt=0, le=60)] = 5.0
    answer_seconds: Annotated[float, msgspec.Meta(gt=0, le=600)] = 60.0
    """Until the first byte of an answer, and between two."""
    ca_file: str = ""
    """Certificates that are believed for https, in place of the system's."""


class Elsewhere(Upstream, frozen=True, kw_only=True):
    """Each `[upstreams.NAME]`: what serves the routes that say so; with bounds of its own."""

    url: Annotated[str, msgspec.Meta(max_length=512)]
    """A scheme, a host and a port."""


class Person(Section, frozen=True, kw_only=True):
    """`[person]`, or each `[[person]]`: how requests tell who is signed in."""

    by: Literal["cookie", "header", "jwt", "token"]
    """A session cookie; a header that names the person; a claim of the bearer token in `Authorization`; or a token in a header that
    says nothing by itself.
    """
    name: Token
    """Of the cookie, header or claim."""
    known: bool = False
    """Whether documents are for those alone of whom it is known who they are: a login was seen to begin the session, or there is
    the claim. Else whoever is not known is a person of its own.
    """


class Guard(Section, frozen=True, kw_only=True):
    """`[guard]`: what leaves is counted."""

    mode: Literal["simulate", "enforce", "off"] = "simulate"
    """`simulate`: nothing is refused, and what would have been is told."""
    limits: dict[str, int] = {}
    """Overrides of single limits, by the names of docs/gateway.md."""
    rungs: dict[str, str] = {}
    """And of what is done when they are passed: note, slow, step-up, session, account, route, strangers, newcomers."""
    decoys: tuple[str, ...] = ()
    """Ids of documents that no answer of the portal ever shows."""
    exempt: tuple[str, ...] = ()
    """Networks that no rule on networks is about: /32 of IPv4, /64 of IPv6."""


class Waf(Section, frozen=True, kw_only=True):
    """`[waf]`: libmodsecurity and the Core Rule Set."""

    mode: Literal["block", "detect", "off"] = "block"
    """`detect`: nothing is blocked, and what would have been is told."""
    rules: str = "/usr/share/modsecurity-crs/rules"
    """Directory of the Core Rule Set."""
    library: str = "libmodsecurity.so.3"
    milliseconds: Annotated[int, msgspec.Meta(ge=20, le=10_000)] = 500
    """Of CPU that one look may take. What takes longer is refused. Ordinary requests take one or two, 64 KiB of prose a hundred."""
    exempt: tuple[
        Annotated[str, msgspec.Meta(pattern=r"\A(?:[1-9][0-9]{3,6}|\*) [A-Z_]{1,40}(:[A-Za-z0-9_.-]{1,60})?\Z")], ...
    ] = ()
    """A rule and the part of requests that it is not to look at: `942100 ARGS:q`; `*`: no rule of the Core Rule Set."""


class EventsHttp(Section, frozen=True, kw_only=True):
    """`[events.http]`: a collector that takes lines of JSON by POST."""

    url: str
    """`https`, or `http` on this machine."""
    token_file: str = ""
    """What it knows us by: a line in a file that nobody else reads. Empty: it asks for nothing."""
    scheme: Token = "Bearer"
    """What stands before the token in `Authorization`."""
    ca_file: str = ""
    """Certificates that are believed in place of the system's."""


class EventsNats(Section, frozen=True, kw_only=True):
    """`[events.nats]`: a stream of NATS."""

    url: str
    """`tls://HOST:PORT`, or `nats` on this machine."""
    subject: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9_-]{1,64}){0,8}\Z")] = (
        "strongroom.gateway"
    )
    """That a stream takes."""
    token_file: str = ""
    ca_file: str = ""


class Events(Section, frozen=True, kw_only=True):
    """`[events]`: what became of each request."""

    file: str = ""
    """OCSF, a line each; turned over at 64 MiB, eight are kept. Empty: only what is refused, in the log."""
    syslog: str = ""
    """Where what is refused goes besides, in CEF: `udp://HOST:PORT`, or the path of a socket."""
    http: EventsHttp | None = None
    nats: EventsNats | None = None
    """Where all events go besides."""


class Metrics(Section, frozen=True, kw_only=True):
    """`[metrics]`: numbers for Prometheus, at a port that the street does not reach."""

    port: Port | None = None
    """Of `GET /metrics`. None: they are not told."""
    host: str = "127.0.0.1"
