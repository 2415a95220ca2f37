"""What must hold before the log may be continued. Run at every start and after every fault; the same path for both.

Three things are compared: the entries in the database, the newest signed checkpoint kept beside them, and the published
checkpoint. Since a checkpoint is signed only over entries that are written, and published only after it is kept, the
entries can be ahead of the kept checkpoint, and that ahead of the published one. Never the other way round: that is a
database set back to an earlier state, or another one altogether.

Not here: a full re-hash of old entries (`verify.py`), which a start has no time for.
"""

from dataclasses import dataclass

from strongroom.audit.compose import Columns, Cover, Details, reveal
from strongroom.audit.pseudonym import month_at
from strongroom.audit.sqlite_reader import Reader, Stored
from strongroom.clock import Millis
from strongroom.errors import Malformed, Tampered, Untrusted, UsageError
from strongroom.ids import AccountId
from strongroom.tlog.checkpoint import Checkpoint, open_checkpoint
from strongroom.tlog.entry import Entry, decode
from strongroom.tlog.logkeys import LogKeys
from strongroom.tlog.note import Verifier
from strongroom.tlog.tile import HEIGHT
from strongroom.tlog.tree import Frontier, frontier_at, leaf_hash

RESTORE_ADVICE = (
    "If this is a backup you restored on purpose, two officers may accept it: `strongroom restore --accept-log`."
    " If not, somebody set the log back: keep both copies, and call the security officer."
)
DAMAGED_ADVICE = "Restore the keeper's directory from a backup and keep this one for inspection."


Keys = Verifier | LogKeys
"""The key of a log, or all that it had."""


@dataclass(frozen=True, slots=True)
class AcceptedRollback:
    """Two officers' word that the log may go on from a state older than, or other than, what was published."""

    at: Millis
    officers: tuple[AccountId, AccountId]
    reason: str

    def __post_init__(self) -> None:
        """Raises UsageError without two different officers and a reason."""
        if len(set(self.officers)) != 2 or not all(self.officers) or not self.reason:  # noqa: PLR2004  # two persons
            msg = "Accepting a set-back log takes two different officers and a reason."
            raise UsageError(msg)


def check_stored(reader: Reader, verifier: Keys) -> Frontier:
    """The frontier to go on from, once the database agrees with itself and with its newest checkpoint.

    1. The kept checkpoint is signed by this log's key.
    2. There are at least as many entries as it covers, and their hashes give its root.
    3. Every entry after it is canonical, hashes to the stored leaf, and is found under what it says.
    4. The tiles completed since are those of the entries.
    5. All this ends at the stored frontier, and there are no entries beyond it.

    Raises Tampered.
    """
    # 1.
    head = reader.head()
    checkpoint = _opened(head.checkpoint, verifier, "kept in the database")
    # 2.
    frontier = _covered(reader, head.frontier.size, checkpoint, "kept in the database", DAMAGED_ADVICE)
    for stored in reader.entries(checkpoint.size, head.frontier.size):
        # 3.
        check_entry(reader, stored)
        frontier, completed = frontier.append(stored.leaf)
        # 4.
        _check_tiles(reader, stored.index, completed)
    # 5.
    beyond = next(reader.rows("select max(idx) from log_entry where idx >= ?", (frontier.size,)))
    if frontier != head.frontier or beyond != (None,):
        raise _damaged("frontier", frontier.size)
    return frontier


def check_published(reader: Reader, published: bytes | None, verifier: Keys) -> Checkpoint:
    """The published checkpoint, once the database is shown to extend it.

    1. There is one (an empty log has one, too), signed by this log's key.
    2. There are at least as many entries as it covers, and their hashes give its root.

    Raises Tampered.
    """
    # 1.
    if published is None:
        msg = "The published checkpoint is missing, so it cannot be told whether the log was set back."
        raise Tampered(msg, advice=RESTORE_ADVICE)
    checkpoint = _opened(published, verifier, "that was published")
    # 2.
    _covered(reader, reader.head().frontier.size, checkpoint, "that was published", RESTORE_ADVICE)
    return checkpoint


def check_entries(reader: Reader, published: Checkpoint | None) -> None:
    """Every entry of the database, and every hash kept beside them: a start has no time for it.

    1. Each entry is canonical, hashes to its leaf, and is found under what it says; the tiles are those of the entries.
    2. At its size the published checkpoint, where it is given, has their root.
    3. All this ends at the stored frontier, and there is neither entry nor tile beyond it.

    Raises Tampered.
    """
    head, frontier, tiles = reader.head(), Frontier(), 0
    for stored in reader.entries(0, head.frontier.size):
        # 1.
        check_entry(reader, stored)
        frontier, completed = frontier.append(stored.leaf)
        _check_tiles(reader, stored.index, completed)
        tiles += (len(completed) - 1) // HEIGHT
        # 2.
        if published and frontier.size == published.size and frontier.root() != published.root:
            msg = f"The first {published.size} entries are not those that the checkpoint that was published covers."
            raise Tampered(msg, advice=DAMAGED_ADVICE)
    if published and frontier.size < published.size:
        msg = f"The log has {frontier.size} entries, but the checkpoint that was published covers {published.size}."
        raise Tampered(msg, advice=RESTORE_ADVICE)
    # 3.
    beyond = next(reader.rows("select (select count(*) from log_entry), (select count(*) from log_tile)"))
    if frontier != head.frontier or beyond != (frontier.size, tiles):
        raise _damaged("frontier", frontier.size)


def check_details(reader: Reader, cover: Cover) -> None:
    """Every text beside an entry is the one the entry commits to, and none is missing but of people who were erased.

    Raises Tampered, naming the entry.
    """
    rows = reader.rows(
        "select e.idx, e.body, d.salt, d.body, exists (select 1 from log_name n where n.real is null"
        " and n.id in (e.actor, e.patient)) from log_entry e left join log_details d on d.idx = e.idx order by e.idx"
    )
    for index, body, salt, sealed, erased in rows:
        commitment = decode(body).details
        if sealed is None and (commitment is None or erased):
            continue
        if sealed is None or commitment is None:
            raise _damaged("details of entry", index)
        try:
            reveal(Details(salt, sealed), commitment, cover)
        except Untrusted as error:
            raise _damaged("details of entry", index) from error
    strays = next(reader.rows("select min(idx) from log_details where idx not in (select idx from log_entry)"))
    if strays != (None,):
        raise _damaged("details of entry", strays[0])


def check_entry(reader: Reader, stored: Stored) -> Entry:
    """The entry in a row, once its bytes, its leaf and its columns agree. Raises Tampered, naming the entry."""
    try:
        entry = decode(stored.body)
    except Malformed as error:
        raise _damaged("bytes of entry", stored.index) from error
    if leaf_hash(stored.body) != stored.leaf:
        raise _damaged("leaf of entry", stored.index)
    if not _is_filed(reader, stored.columns, entry):
        raise _damaged("columns of entry", stored.index)
    return entry


def _is_filed(reader: Reader, columns: Columns, entry: Entry) -> bool:
    """Whether the entry is found under what it says."""
    numbered = (
        ("account", columns.actor, entry.actor),
        ("patient", columns.patient, entry.patient),
        ("session", columns.session, entry.session),
        ("client", columns.client, entry.client),
        ("organisation", columns.organisation, entry.organisation),
    )
    same = (columns.t, columns.op, columns.ref) == (entry.t, entry.op.value, entry.ref)
    return same and all(_is_name(reader, month_at(entry.t), *one) for one in numbered)


def _is_name(reader: Reader, month: str, kind: str, number: int | None, shown: str | None) -> bool:
    if number is None:
        return shown is None
    named = reader.named(number)
    return named is not None and (named.kind, named.shown) == (kind, shown) and named.month in ("", month)


def _opened(raw: bytes, verifier: Keys, which: str) -> Checkpoint:
    try:
        return open_checkpoint(raw, verifier)
    except Untrusted as error:
        msg = f"The checkpoint {which} is not signed by this log. {error.message}"
        raise Tampered(msg, advice=RESTORE_ADVICE) from error


def _covered(reader: Reader, size: int, checkpoint: Checkpoint, which: str, advice: str) -> Frontier:
    """The frontier at the checkpoint."""
    if checkpoint.size > size:
        msg = f"The log has {size} entries, but the checkpoint {which} covers {checkpoint.size}."
        raise Tampered(msg, advice=advice)
    frontier = frontier_at(checkpoint.size, reader.nodes(checkpoint.size))
    if frontier.root() != checkpoint.root:
        msg = f"The first {checkpoint.size} entries are not those that the checkpoint {which} covers."
        raise Tampered(msg, advice=advice)
    return frontier


def _check_tiles(reader: Reader, index: int, completed: list[bytes]) -> None:
    for level in range(HEIGHT, len(completed), HEIGHT):
        place = (level // HEIGHT, index >> level)
        found = next(reader.rows("select hash from log_tile where level = ? and idx = ?", place), None)
        if found != (completed[level],):
            raise _damaged(f"level-{place[0]}-hash", place[1])


def _damaged(what: str, number: int) -> Tampered:
    return Tampered(f"The keeper's database does not agree with itself: {what} {number}.", advice=DAMAGED_ADVICE)
