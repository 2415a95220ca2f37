"""Our own log, as it is published: bundles of entries, each after its length in two bytes (docs/log-format.md).

Entries name nobody. Who, whose and what are pseudonyms of a month: counts within a month are exact, and from one month to the next
the same person is another. A release is a reading, whether or not it was delivered; a listing is a list of each document shown.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

from strongroom.errors import Malformed
from strongroom.logs import objects
from strongroom.logs.record import NOT_THIS_FORMAT, Act, Kind, Log, Read, Row, Unreadable
from strongroom.logs.units import Unit
from strongroom.tlog.entry import Entry, Op
from strongroom.tlog.entry import parse as parse_entry

FIELDS = objects.FIELDS
_LENGTH: Final = 2
_LONGEST: Final = 65_535
_READS: Final = frozenset({Op.RELEASED, Op.DENIED, Op.DENIALS, Op.REFUSED})
_WRITES: Final = frozenset(
    {Op.DEPOSITED, Op.IMPORTED, Op.RELABELLED, Op.REENCRYPTED, Op.SHARED, Op.GRANTED, Op.DELEGATED}
)
_DELETES: Final = frozenset({Op.DELETED, Op.ERASED})
_FAILED: Final = frozenset({Op.DENIED, Op.DENIALS, Op.REFUSED})
_MEANINGS: Final = {Op.FROZEN: "frozen", Op.GLASS: "glass", Op.DECOY: "decoy"}


def is_bundle(sample: bytes) -> bool:
    """Whether a file that begins like this is a bundle of entries."""
    return sample[_LENGTH : _LENGTH + 2] == b'{"'


def entries(blocks: Iterable[bytes]) -> Iterator[Unit]:
    """The entries of bundles, one behind the other. An entry that is cut off is a unit too."""
    held, offset = bytearray(), 0
    for block in blocks:
        held += block
        at = 0
        while len(held) - at >= _LENGTH:
            length = int.from_bytes(held[at : at + _LENGTH])
            if len(held) - at - _LENGTH < length:
                break
            yield offset + at + _LENGTH, length, bytes(held[at + _LENGTH : at + _LENGTH + length])
            at += _LENGTH + length
        del held[:at]
        offset += at
    if held:
        yield offset, len(held), bytes(held)


def entries_end(data: bytes) -> int:
    """Where the last whole entry of this piece of a bundle ends."""
    end = 0
    while (after := end + _LENGTH + int.from_bytes(data[end : end + _LENGTH])) <= len(data) and end + _LENGTH <= len(
        data
    ):
        end = after
    return end


def parse(unit: bytes) -> Read:
    """One entry."""
    try:
        entry = parse_entry(unit)
    except Malformed:
        return NOT_THIS_FORMAT
    if not 0 <= entry.t < 253_402_300_800_000:  # noqa: PLR2004  # the year 10000
        return NOT_THIS_FORMAT
    uid = hashlib.sha256(unit).hexdigest()[:32]
    shown = dict.fromkeys(one.partition(".")[0] for one in entry.documents) or [entry.document or ""]
    return [_row(entry, document, uid) for document in shown]


def _row(entry: Entry, document: str, uid: str) -> Row | Unreadable:
    who = entry.actor or entry.client or ""
    read = entry.op in _READS
    return objects.row(
        log=Log.STRONGROOM, time=entry.t, uid=uid, failed=entry.op in _FAILED, act=_act(entry.op, read=read),
        who=_safe(who) or "strongroom", kind=Kind.LOGIN if entry.actor else Kind.ROLE if entry.client else Kind.SERVICE,
        user=_safe(entry.actor or ""), session=_safe(entry.session or ""), operation=entry.op.value,
        size=(entry.bytes or 0) if entry.op is Op.RELEASED else 0, service="strongroom", error=_safe(entry.reason or ""),
        account=_safe(entry.organisation or ""), key=_safe(document), patient=_safe(entry.patient or ""),
        meaning=_MEANINGS.get(entry.op, ""), ordered=False,
    )  # fmt: skip


def _act(op: Op, *, read: bool) -> Act:
    if read:
        return Act.READ
    if op is Op.LISTED:
        return Act.LIST
    return Act.WRITE if op in _WRITES else Act.DELETE if op in _DELETES else Act.OTHER


def _safe(word: str) -> str:
    return word.encode("utf-8", "backslashreplace").decode()
