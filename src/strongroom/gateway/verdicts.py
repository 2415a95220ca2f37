"""What the WAF said before: requests without a body that look the same to its rules are looked at once. Pure.

Remembered is only that nothing at all matched, under everything that the rules see: method, target, all headers in their order, the
client's address. In the target's path one value stands for all strict ids of a length (`kinds.alike`): digits of a number, which no
rule can tell from other digits. That a verdict from here is the verdict that the engine would give is a property in
`tests/gateway/test_verdicts.py`. Rules that look at clocks or keep counts are not loaded; where an operator's are, nothing is
remembered (`crs.RuleSet.steady`). A new set of rules is a new process or a new `Verdicts`.
"""

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

MOST: Final = 20_000
"""Requests: some three megabytes. Those longest unasked go first."""


class Verdicts:
    """See the module. Keys are keyed hashes: nobody makes two requests that meet in one."""

    def __init__(self, most: int = MOST) -> None:
        self._key, self._most = secrets.token_bytes(32), most
        self._passed: OrderedDict[bytes, None] = OrderedDict()
        self.met = 0
        """How often something was remembered."""

    def __len__(self) -> int:
        return len(self._passed)

    def looks(self, client: str, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
        """What stands for a client and its headers in keys."""
        parts = [client.encode(), *(part for pair in headers for part in pair)]
        sizes = b",".join(b"%d" % len(part) for part in parts)
        return hashlib.blake2b(b"%b:%b" % (sizes, b"".join(parts)), key=self._key, digest_size=32).digest()

    def key(self, looks: bytes, method: str, alike: bytes) -> bytes:
        """What a request without a body, whose target looks like `alike`, is remembered under. A method has no space in it."""
        return hashlib.blake2b(b"%b%b %b" % (looks, method.encode(), alike), key=self._key, digest_size=32).digest()

    def passed(self, key: bytes) -> bool:
        """Whether nothing matched then."""
        if key not in self._passed:
            return False
        self._passed.move_to_end(key)
        self.met += 1
        return True

    def remember(self, key: bytes) -> None:
        """Nothing matched."""
        self._passed[key] = None
        if len(self._passed) > self._most:
            self._passed.popitem(last=False)
