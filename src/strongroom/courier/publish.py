"""Showing the published log to witnesses, and keeping what they cosigned. Reads the log, holds no key, blocks nobody.

The keeper signs and publishes whether or not anybody looks; this program follows behind. A witness that is away is asked
again in the next round. A witness that says no has seen something else than we are shown: that is told loudly, each round.

What is kept, in a folder of its own: `checkpoint`, the newest checkpoint that any witness cosigned, with all cosignatures
of it; and `witnesses.json`, how it stands with each of them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx2
import msgspec

from strongroom.audit.verify import CHECKPOINT, Keys, ReadFile, fetched, parsed_tile
from strongroom.clock import Clock
from strongroom.errors import Untrusted
from strongroom.tlog import note
from strongroom.tlog.checkpoint import Checkpoint, open_checkpoint
from strongroom.tlog.cosign import Cosigner, Submission, cosignatures
from strongroom.tlog.tile import tile_nodes
from strongroom.tlog.tree import consistency_proof

STATUS = "witnesses.json"
TIMEOUT = 5.0
"""Seconds that a witness may take."""
MAX_ANSWER = 65_536
ATTEMPTS = 3
"""A witness may tell us once what it saw last; others may have asked it meanwhile."""
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n")

Post = Callable[[str, bytes], tuple[int, bytes]]
"""Address and body of a request -> status and body of the answer. Raises OSError when there is none."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A witness and where it is asked."""

    key: Cosigner
    url: str


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How it stands with one witness. `state`: cosigned, away, refused. `size`: what it last cosigned, `at` when."""

    name: str
    state: str
    size: int = 0
    at: int = 0
    said: str = ""


class Publisher:
    """Asks all witnesses, round by round."""

    def __init__(
        self,
        read: ReadFile,
        keys: Callable[[], Keys],
        folder: Path,
        witnesses: Sequence[Asked],
        clock: Clock,
        post: Post,
    ) -> None:
        """`read`: of the published log. `keys`: its public keys as they are now. `folder` must exist."""
        self._read = read
        self._keys = keys
        self._folder = folder
        self._witnesses = witnesses
        self._clock = clock
        self._post = post
        self._standing = {one.name: one for one in read_standing(folder)}

    def round(self) -> tuple[Standing, ...]:
        """Show every witness the newest checkpoint, all at once. Raises as reading the log does."""
        raw = fetched(self._read, CHECKPOINT)
        checkpoint = open_checkpoint(raw, self._keys())
        if not checkpoint.size:
            return tuple(self._standing.values())
        with ThreadPoolExecutor(max(1, len(self._witnesses))) as pool:
            answers = list(pool.map(lambda one: self._ask(one, raw, checkpoint), self._witnesses))
        found = {key: line for standing, key, line in answers if line is not None}
        if found:
            self._keep(CHECKPOINT, _merged(raw, found))
        self._standing = {standing.name: standing for standing, *_ in answers}
        self._keep(STATUS, msgspec.json.format(msgspec.json.encode(list(self._standing.values()))))
        return tuple(self._standing.values())

    def _ask(self, one: Asked, raw: bytes, now: Checkpoint) -> tuple[Standing, Cosigner, note.Signature | None]:
        before = self._standing.get(one.key.name, Standing(name=one.key.name, state="away"))
        old = min(before.size, now.size)
        for _ in range(ATTEMPTS):
            try:
                status, body = self._post(f"{one.url.rstrip('/')}/add-checkpoint", self._submission(old, raw, now))
            except OSError as error:
                said = f"it does not answer ({type(error).__name__})"
                return msgspec.structs.replace(before, state="away", said=said), one.key, None
            if status == httpx2.codes.OK:
                return self._taken(one, before, now, body)
            seen = _SIZE.fullmatch(body)
            if status != httpx2.codes.CONFLICT or seen is None or int(seen[1]) == old or int(seen[1]) > now.size:
                return msgspec.structs.replace(before, state="refused", said=_why(status, body, now)), one.key, None
            old = int(seen[1])
        return msgspec.structs.replace(before, state="away", said="others ask it at the same time"), one.key, None

    def _submission(self, old: int, raw: bytes, now: Checkpoint) -> bytes:
        nodes = tile_nodes(now.size, lambda tile: parsed_tile(self._read, tile))
        return Submission(old, consistency_proof(old, now.size, nodes), raw).render()

    def _taken(
        self, one: Asked, before: Standing, now: Checkpoint, body: bytes
    ) -> tuple[Standing, Cosigner, note.Signature | None]:
        try:
            found = cosignatures(note.parse(now.render().encode() + b"\n" + body), (one.key,))
        except Untrusted as error:
            return msgspec.structs.replace(before, state="refused", said=error.message), one.key, None
        if one.key not in found:
            said = "its answer bears no cosignature of the key we know"
            return msgspec.structs.replace(before, state="refused", said=said), one.key, None
        return (
            Standing(name=one.key.name, state="cosigned", size=now.size, at=self._clock.now()),
            one.key,
            found[one.key],
        )

    def _keep(self, name: str, content: bytes) -> None:
        beside = self._folder / f".{name}.new"
        beside.write_bytes(content)
        beside.chmod(0o644)
        beside.replace(self._folder / name)


def read_standing(folder: Path) -> tuple[Standing, ...]:
    """How it stood after the last round. Nothing where there was none, or what lies there cannot be read."""
    try:
        return msgspec.json.decode((folder / STATUS).read_bytes(), type=tuple[Standing, ...])
    except (OSError, msgspec.MsgspecError):
        return ()


def post(url: str, body: bytes) -> tuple[int, bytes]:
    """`Post` over HTTP. Follows no redirect, reads no more than an answer can be long."""
    try:
        with httpx2.stream("POST", url, content=body, timeout=TIMEOUT, trust_env=False) as answer:
            found = b""
            for chunk in answer.iter_bytes():
                found += chunk
                if len(found) > MAX_ANSWER:
                    break
            return answer.status_code, found
    except httpx2.HTTPError as error:
        raise ConnectionError(type(error).__name__) from error


def _merged(raw: bytes, found: Mapping[Cosigner, note.Signature]) -> bytes:
    """The checkpoint with its own signatures first, then the witnesses'."""
    parsed = note.parse(raw)
    return note.Note(parsed.text, (*parsed.signatures, *found.values())).render()


def _why(status: int, body: bytes, now: Checkpoint) -> str:
    seen = _SIZE.fullmatch(body)
    if status == httpx2.codes.CONFLICT and seen is not None and int(seen[1]) > now.size:
        return f"it has seen {int(seen[1])} entries, and we are shown {now.size}: the log was set back"
    if status == httpx2.codes.CONFLICT:
        return f"it has seen another log of {now.size} entries: history was rewritten, or the log is forked"
    if status == httpx2.codes.UNPROCESSABLE_CONTENT:
        return f"our {now.size} entries do not extend what it has seen: history was rewritten, or the log is forked"
    return f"it answers {status}: {body[:200].decode(errors='replace').strip()}"
