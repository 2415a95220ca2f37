"""The keys of one log: the one that signs, those that sign beside it for a while, and those that do no longer.

A log's key can be replaced. From then on its checkpoints bear two signatures, of the old key and of the new one, until
everybody who verifies has the new key; then the old one signs no more. What it signed holds for ever: an older checkpoint
is verified by it, up to the size at which it was retired, and not beyond. So a retired key that is stolen signs nothing new.

Form, as it is handed out (`log.vkey`): a line for each key, the newest first, `name+id+base64`, and behind a retired one a
space and the size of the log at its last signature. A file of one line is the key of a log whose key was never replaced.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from strongroom.errors import Malformed
from strongroom.tlog.note import Signer, Verifier
from strongroom.tlog.tree import MAX_SIZE

MAX_KEYS = 64
_RETIRED = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class LogKeys:
    """The newest key first. `retired[i]`: the last size that key `i` signed; None while it signs."""

    verifiers: tuple[Verifier, ...]
    retired: tuple[int | None, ...]

    def __post_init__(self) -> None:
        """Raises Malformed for no key, keys of several logs, one key twice, or a newest one that is retired."""
        names = {one.name for one in self.verifiers}
        sizes = [size for size in self.retired if size is not None]
        good = len(self.verifiers) == len(self.retired) == len(set(self.verifiers)) <= MAX_KEYS and len(names) == 1
        if not good or self.retired[0] is not None or any(not 0 <= size <= MAX_SIZE for size in sizes):
            msg = "These are not the keys of one log."
            raise Malformed(msg)

    @classmethod
    def of(cls, verifier: "Verifier | LogKeys") -> "LogKeys":
        """The keys of a log that has one; or the keys themselves."""
        return verifier if isinstance(verifier, LogKeys) else cls((verifier,), (None,))

    @property
    def name(self) -> str:
        """The log's origin."""
        return self.verifiers[0].name

    @property
    def newest(self) -> Verifier:
        """The key to hand to whoever begins to verify now."""
        return self.verifiers[0]

    def active(self) -> tuple[Verifier, ...]:
        """Those that sign now."""
        return tuple(one for one, size in zip(self.verifiers, self.retired, strict=True) if size is None)

    def covers(self, signed_by: Sequence[Verifier], size: int) -> bool:
        """Whether one of these may have signed a checkpoint of this size."""
        bounds = dict(zip(self.verifiers, self.retired, strict=True))
        return any((bound := bounds.get(one)) is None or size <= bound for one in signed_by)

    def followed_by(self, newer: Verifier) -> Self:
        """With a newer key in front."""
        return type(self)((newer, *self.verifiers), (None, *self.retired))

    def settled(self, size: int) -> Self:
        """The newest alone signs from now on; the others have signed up to `size`."""
        rest = [size if bound is None else bound for bound in self.retired[1:]]
        return type(self)(self.verifiers, (None, *rest))

    def render(self) -> str:
        """As it is handed out."""
        lines = [
            one.vkey() if size is None else f"{one.vkey()} {size}"
            for one, size in zip(self.verifiers, self.retired, strict=True)
        ]
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse of `render`. Raises Malformed."""
        found: list[tuple[Verifier, int | None]] = []
        for line in text.strip().split("\n"):
            vkey, blank, size = line.strip().partition(" ")
            if blank and _RETIRED.fullmatch(size) is None:
                msg = "Behind a retired key of a log stands the last size that it signed."
                raise Malformed(msg)
            found.append((Verifier.parse(vkey), int(size) if blank else None))
        return cls(tuple(one for one, _ in found), tuple(size for _, size in found))


@dataclass(frozen=True, slots=True)
class LogSigners:
    """Who signs the log's checkpoints now: every active key, and all keys there were."""

    keys: LogKeys
    signers: tuple[Signer, ...]

    def __post_init__(self) -> None:
        """Raises Malformed unless the signers are the active keys."""
        if tuple(one.verifier for one in self.signers) != self.keys.active():
            msg = "The log's signing keys are not those that its public keys name."
            raise Malformed(msg, advice="Put keeper/trust/log.vkey and keeper/secrets back from one backup.")

    @classmethod
    def of(cls, signer: "Signer | LogSigners") -> "LogSigners":
        """A log with one key; or what signs it already."""
        return signer if isinstance(signer, LogSigners) else cls(LogKeys.of(signer.verifier), (signer,))
