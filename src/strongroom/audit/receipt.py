"""A receipt: proof, inside the keeper, that an event is durable in the log. Only `ReceiptSeal.issue` makes valid ones.

The type guards against mistakes; the tag guards against a receipt made up elsewhere in the process: key custody checks
it before it unwraps anything. The seal's key is random, made at start, and never leaves the keeper.
"""

import hashlib
import hmac
import secrets

import msgspec

from strongroom.errors import Tampered
from strongroom.ids import DocumentId, PatientId
from strongroom.tlog.entry import Op


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """The event at `index` is durable. It covers these versions of these documents of this patient, and no others."""

    index: int
    leaf: bytes
    """RFC 6962 leaf hash of the entry, 32 bytes."""
    op: Op
    patient: PatientId | None
    covers: frozenset[tuple[DocumentId, int]]
    tag: bytes


class ReceiptSeal:
    """Issues and checks receipts. One per keeper process, shared by the log (issues) and key custody (checks)."""

    def __init__(self) -> None:
        # BLAKE2 in its keyed mode (RFC 7693) is a MAC by itself; hmac.digest gives up the interpreter's lock each time.
        self._keyed = hashlib.blake2b(key=secrets.token_bytes(32), digest_size=32)

    def issue(
        self, index: int, leaf: bytes, op: Op, patient: PatientId | None, covers: frozenset[tuple[DocumentId, int]]
    ) -> Receipt:
        """A receipt for an entry that is durable. To be called after the commit returned, never before."""
        return Receipt(index, leaf, op, patient, covers, self._tag(index, leaf, op, patient, covers))

    def check(self, receipt: Receipt) -> None:
        """Raises Tampered when this seal did not issue `receipt` as it stands."""
        expected = self._tag(receipt.index, receipt.leaf, receipt.op, receipt.patient, receipt.covers)
        if not hmac.compare_digest(expected, receipt.tag):
            msg = "A receipt was not issued by this keeper's log."
            raise Tampered(msg)

    def _tag(
        self, index: int, leaf: bytes, op: Op, patient: PatientId | None, covers: frozenset[tuple[DocumentId, int]]
    ) -> bytes:
        told = msgspec.msgpack.encode((index, leaf, op.value, patient, sorted(covers)))
        keyed = self._keyed.copy()
        keyed.update(told)
        return keyed.digest()
