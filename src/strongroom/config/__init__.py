"""The configuration of one store: `strongroom.toml`, decoded and bounded. No I/O: bytes in, `Config` out."""

import ipaddress
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from strongroom.errors import ConfigError

MAX_CONFIG = 262_144
"""Bytes. A configuration of a hundred declared networks is about 10 KB."""

Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
HostPort = Annotated[str, msgspec.Meta(pattern=r"\A([A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\]):[1-9][0-9]{0,4}\Z")]
"""`host:port`; an IPv6 address in brackets."""


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Store(_Section, frozen=True, kw_only=True):
    """`[store]`: what this store is called. The name goes into the log's origin and into every key's binding."""

    name: Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9][a-z0-9.-]{0,62}\Z")]
    demonstration: bool = False
    """True only in stores that `strongroom demo` or `rehearse` made: their signing key may be used by `token --as`."""
    patience_seconds: Annotated[float, msgspec.Meta(ge=0.1, le=60)] = 0.7
    """For which log, keeper, catalogue and object store are each waited for, before a person is refused. More than a second is for
    machines so busy that a late answer is better than none.
    """


class Pkcs11(_Section, frozen=True, kw_only=True):
    """`[keeper.pkcs11]`: where the root key lives when it lives in an HSM."""

    module: str
    token: str
    label: str = "strongroom-root"
    pin_file: str
    addresses: tuple[HostPort, ...] = ()
    """Where the module connects to, if its HSM is on the network."""
    paths: tuple[str, ...] = ()
    """What it opens besides: its device, its daemon's socket, the directory of a token. For the keeper's user only."""


class Keeper(_Section, frozen=True, kw_only=True):
    """`[keeper]`: the door."""

    root: Literal["file", "pkcs11"] = "file"
    pkcs11: Pkcs11 | None = None
    break_glass_minutes: Annotated[int, msgspec.Meta(ge=5, le=1_440)] = 60
    deletion_delay_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 30
    probe_limit: Annotated[int, msgspec.Meta(ge=3)] = 20
    """Distinct unknown or forbidden ids an account may name within an hour before its session is frozen."""
    patient_keys: Annotated[int, msgspec.Meta(ge=0, le=65_536)] | None = None
    """Patient keys held in the clear for five minutes at most. None: 4,096 with a root key in a file, 0 with an HSM."""

    @property
    def held_keys(self) -> int:
        """`patient_keys`, or what the kind of root key makes of it: with an HSM its own count of uses is the last word."""
        if self.patient_keys is not None:
            return self.patient_keys
        return 4_096 if self.root == "file" else 0


class Objects(_Section, frozen=True, kw_only=True):
    """`[objects]`: where ciphertext lies."""

    kind: Literal["local", "s3"] = "local"
    path: str = "objects"
    bucket: str = ""
    endpoint: str = ""
    region: str = "us-east-1"
    access_key_file: str = ""
    """A file of two lines: access key, secret key. Readable by the app's user only."""
    allow_http: bool = False
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=60)] = 5.0


class Api(_Section, frozen=True, kw_only=True):
    """`[api]`: the FHIR server."""

    host: str = "127.0.0.1"
    port: Port = 8441
    base: str = ""
    """Public base address; empty: `http://host:port/fhir`, of the gateway where there is one."""
    max_document_mb: Annotated[int, msgspec.Meta(ge=1, le=10_240)] = 100
    media_types: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=200)] | None = None
    """Media types of documents that are accepted, in place of the usual ones."""
    probe: Annotated[str, msgspec.Meta(pattern=r"\A([A-Za-z0-9_-]{20,100})?\Z")] = ""
    """The line by which the store confirms that `strongroom probe` may look at it; empty: it does not."""


class Gateway(_Section, frozen=True, kw_only=True):
    """`[gateway]`: our own gateway before this store's app. It alone then signs the circumstances of requests."""

    enabled: bool = False
    host: str = "127.0.0.1"
    port: Port = 8440
    guard: Literal["simulate", "enforce", "off"] = "simulate"
    waf: Literal["block", "detect", "off"] = "block"
    settings: str = ""
    """A `gateway.toml`, relative to the store; where it listens and what is on is told here. Empty: the one for our API."""


class Signin(_Section, frozen=True, kw_only=True):
    """`[signin]`: the built-in issuer. `enabled = false` where an identity provider of your own is pinned."""

    enabled: bool = True
    host: str = "127.0.0.1"
    port: Port = 8442
    issuer: str = ""
    """Issuer address; empty: `http://host:port`."""


class Issuer(_Section, frozen=True, kw_only=True):
    """`[[issuer]]`: one pinned OpenID Connect issuer. Its keys are fetched through the courier, or read from a file."""

    url: str
    algorithms: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] = ("ES256",)
    jwks_uri: str = ""
    jwks_file: str = ""
    ca_file: str = ""
    spki_sha256: tuple[str, ...] = ()
    """SHA-256 of acceptable public keys of the issuer's certificate (SubjectPublicKeyInfo, DER), in hex. Empty: any."""
    overlap_minutes: Annotated[int, msgspec.Meta(ge=0, le=1_440)] = 60
    """How long a signing key that left the issuer's key set still holds."""
    mfa_amr: tuple[str, ...] = ("mfa", "otp", "hwk", "sc", "fpt", "face")
    mfa_acr: tuple[str, ...] = ()
    bound_clients: tuple[str, ...] = ()
    """Clients whose tokens must be bound to a key (DPoP)."""


class Network(_Section, frozen=True, kw_only=True):
    """`[[network]]`: an organisation's own addresses."""

    name: Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9-]{1,40}\Z")]
    addresses: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]


class Witness(_Section, frozen=True, kw_only=True):
    """`[[witness]]`: somebody who cosigns the log's checkpoints, and where they are asked."""

    vkey: str
    url: Annotated[str, msgspec.Meta(pattern=r"\Ahttps?://[^\s?#]+\Z")]
    """Submission prefix; `/add-checkpoint` is put behind it."""


class Copy(_Section, frozen=True, kw_only=True):
    """`[copy]`: a second bucket, with object lock, into which the published log is pushed."""

    bucket: Annotated[str, msgspec.Meta(min_length=1)]
    access_key_file: Annotated[str, msgspec.Meta(min_length=1)]
    """A file of two lines: access key, secret key. Readable by root, or whoever starts the publisher, only."""
    endpoint: str = ""
    region: str = "us-east-1"
    prefix: Annotated[str, msgspec.Meta(pattern=r"\A([A-Za-z0-9._-]+/)*\Z")] = ""
    """Before every name; ends with a slash."""
    allow_http: bool = False
    minutes: Annotated[int, msgspec.Meta(ge=1, le=1_440)] = 5
    """Between two checkpoints in the copy."""
    retention_days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] = 730
    """For which every object is locked."""
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=60)] = 10.0


class Reach(_Section, frozen=True, kw_only=True):
    """`[reach]`: what the table of processes (`strongroom network`) cannot know of the other sections."""

    gateways: tuple[str, ...] = ()
    """Addresses of gateways on other machines: besides the one here they alone reach app and signin."""
    resolvers: tuple[str, ...] = ()
    """Addresses of name servers that may be asked. None: names stand in /etc/hosts, and nothing leaves inside a name."""
    siem: tuple[HostPort, ...] = ()
    """Where the gateway's events go."""
    admin: tuple[str, ...] = ()
    """Networks that reach `admin_port` of this machine."""
    admin_port: Port = 22


class Operators(_Section, frozen=True, kw_only=True):
    """`[operators]`: who may open the officers' socket."""

    uids: tuple[int, ...] = ()
    """Besides root and the keeper's own user."""


class Watch(_Section, frozen=True, kw_only=True):
    """`[watch]`: what a watch over logs, registered as an officer with this role, may have frozen: single logins alone."""

    an_hour: Annotated[int, msgspec.Meta(ge=0, le=20)] = 3
    at_once: Annotated[int, msgspec.Meta(ge=0, le=100)] = 20
    hours: Annotated[int, msgspec.Meta(ge=1, le=24)] = 4
    """For which each freeze holds."""


class Users(_Section, frozen=True, kw_only=True):
    """`[users]`: the separate system users, as numbers; 0 means: run as whoever starts it (no border, and said so)."""

    keeper: int = 0
    app: int = 0
    signin: int = 0
    courier: int = 0
    gateway: int = 0
    """0: no gateway on this machine has a user of its own."""


class Config(_Section, frozen=True, kw_only=True):
    """The whole of `strongroom.toml`."""

    store: Store
    keeper: Keeper = Keeper()
    objects: Objects = Objects()
    api: Api = Api()
    gateway: Gateway = Gateway()
    signin: Signin = Signin()
    issuer: tuple[Issuer, ...] = ()
    network: tuple[Network, ...] = ()
    witness: tuple[Witness, ...] = ()
    copy: Copy | None = None
    reach: Reach = Reach()
    operators: Operators = Operators()
    watch: Watch = Watch()
    users: Users = Users()
    budget: dict[str, int] = {}
    """Overrides of single limits, as `docs/budgets.md` names them."""

    @property
    def base(self) -> str:
        """Public base address of the FHIR server; also the audience of access tokens."""
        if self.api.base:
            return self.api.base
        street: Gateway | Api = self.gateway if self.gateway.enabled else self.api
        return f"http://{street.host}:{street.port}/fhir"

    @property
    def issuer_url(self) -> str:
        """Address of the built-in issuer."""
        return self.signin.issuer or f"http://{self.signin.host}:{self.signin.port}"

    @property
    def separate_users(self) -> bool:
        """Whether every process runs under a user of its own."""
        users = (self.users.keeper, self.users.app, self.users.signin, self.users.courier)
        every = users if self.users.gateway == 0 else (*users, self.users.gateway)
        return 0 not in users and len(set(every)) == len(every)


def parse(raw: bytes) -> Config:
    """The configuration in `raw` (TOML, UTF-8). Raises ConfigError that names the field and what is wrong with it."""
    if len(raw) > MAX_CONFIG:
        msg = f"The configuration is longer than {MAX_CONFIG} bytes."
        raise ConfigError(msg)
    try:
        config = msgspec.toml.decode(raw, type=Config)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        msg = f"strongroom.toml: {error}"
        raise ConfigError(msg, advice="See docs/configuration.md for every field.") from error
    if config.keeper.root == "pkcs11" and config.keeper.pkcs11 is None:
        msg = "strongroom.toml: keeper.root is pkcs11, but there is no [keeper.pkcs11] section."
        raise ConfigError(msg, advice="Name module, token and pin_file there.")
    if config.copy is not None and config.copy.endpoint.startswith("http:") and not config.copy.allow_http:
        msg = "strongroom.toml: copy.endpoint is without TLS, and copy.allow_http is not set."
        raise ConfigError(msg, advice="Use https; without TLS is for loopback and tests.")
    for field, read in _REACH.items():
        _addresses(f"reach.{field}", getattr(config.reach, field), read)
    if not config.signin.enabled and not config.issuer:
        msg = "strongroom.toml: the built-in sign-in is off and no [[issuer]] is pinned: nobody could ever sign in."
        raise ConfigError(msg)
    return config


_REACH: Mapping[str, Callable[[str], object]] = {
    "gateways": ipaddress.ip_network, "resolvers": ipaddress.ip_address, "admin": ipaddress.ip_network,
}  # fmt: skip


def _addresses(field: str, given: tuple[str, ...], read: Callable[[str], object]) -> None:
    """Each must be what the field holds, as it is written. Raises ConfigError."""
    for one in given:
        try:
            read("" if "%" in one else one)  # the rules know no zones
        except ValueError as error:
            kind = "address" if read is ipaddress.ip_address else "network"
            msg = f"strongroom.toml: {field}: {one[:60]} is no {kind}."
            raise ConfigError(msg, advice="As 10.0.0.7 or fd00::7; a network as 10.0.0.0/24 or fd00::/64.") from error


class Layout:
    """Where the files of a store lie. Paths only; nothing is opened here."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = root / "strongroom.toml"
        self.keeper = root / "keeper"
        self.database = self.keeper / "keeper.db"
        self.life = self.keeper / "life.db"
        self.root_key = self.keeper / "root.key"
        self.secrets = self.keeper / "secrets"
        self.log = self.keeper / "log"
        self.trust = self.keeper / "trust"
        """Public keys the keeper pins: issuers' JWKS files, context signers, officers, the recovery key."""
        self.signin = root / "signin"
        self.app = root / "app"
        self.catalogue = self.app / "catalogue.db"
        self.context_key = self.app / "context.key"
        self.page_key = self.app / "page.key"
        self.gateway = root / "gateway"
        """Where there is one: its key for contexts, and what it counted."""
        self.gateway_key = self.gateway / "context.key"
        self.published = root / "published"
        """What the courier keeps of the published log: the newest checkpoint that witnesses cosigned."""
        self.run = root / "run"
        self.socket = self.run / "keeper.sock"
        self.admin_socket = self.run / "admin" / "keeper-admin.sock"
        self.courier_socket = self.run / "courier" / "courier.sock"
