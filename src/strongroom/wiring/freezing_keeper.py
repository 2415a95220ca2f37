"""How a watch asks the keeper to freeze a login: as an officer whose role lets it do nothing else (`keeper.watching`)."""

from pathlib import Path
from typing import Annotated, Final

import msgspec

from strongroom.clock import Clock
from strongroom.config import Layout, parse
from strongroom.errors import ConfigError
from strongroom.gateway.acts import Answer
from strongroom.identity import keyfile
from strongroom.identity.officers import compose_act, sign_act
from strongroom.keeper.acts import Act, ActDone, Signature
from strongroom.keeper.client import OfficersClient

_LONGEST: Final = 256
"""Characters of a login's name in a log."""


class KeeperFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[keeper]` of the file that says by which alerts is frozen."""

    store: Annotated[str, msgspec.Meta(min_length=1)]
    key: Annotated[str, msgspec.Meta(pattern=r"\.key\Z")]
    """Of the watch, registered under the file's name without `.key`."""
    issuer: str = ""
    """Whose logins the watched log names. None: it is the keeper's own, which calls people by names of its own."""


class KeeperDesk:
    """The keeper's door for it. What it may, the keeper says: nothing here is a bound."""

    def __init__(self, file: KeeperFile, beside: Path, clock: Clock) -> None:
        """`beside`: the directory that paths begin at. Raises ConfigError for a store or a key that cannot be read."""
        self._issuer, self._clock = file.issuer, clock
        layout, self._key_file = Layout(beside / file.store), beside / file.key
        try:
            self._store = parse(layout.config.read_bytes()).store.name
        except OSError as error:
            raise ConfigError(f"There is no store at {layout.root}: {error.strerror}.") from error
        self._key = keyfile.read(self._key_file)
        self._client = OfficersClient(layout.admin_socket)

    def ask(self, name: str, reason: str) -> Answer:
        """Raises Unavailable when the keeper cannot be asked now. What nobody can be called is not asked for."""
        if len(name) > _LONGEST or not name.isprintable():
            return Answer(done=False, because="nobody has such a name")
        args = {"name": name, "reason": reason} | ({"issuer": self._issuer} if self._issuer else {})
        body = compose_act(self._store, "watch-freeze", args, self._clock.now())
        signature = Signature(officer=self._key_file.stem, value=sign_act(self._key, body))
        reply = self._client.ask(Act(body=body, signatures=(signature,)))
        if isinstance(reply, ActDone):
            return Answer(done=True, because=f"the login is frozen, log entry {reply.receipt}")
        return Answer(done=False, because=f"{reply.why} {reply.advice}".strip().removesuffix("."))
