"""Faults of the keeper's database and of the disk below it."""

from functools import partial
from pathlib import Path

from bench.faults.fault import DOOR, Fault
from bench.faults.injuries import (
    FULL,
    READ_FAILS,
    READ_ONLY,
    SYNC_FAILS,
    SYNC_SLOW,
    disk,
    flapping,
    locked,
    renamed,
    replaced,
)
from bench.faults.scene import Scene


def database(scene: Scene) -> Path:
    """The keeper's."""
    return scene.layout.database


_REOPEN = "The keeper opens its log again each second, with every check of a start."
_keeper = partial(partial, disk, "keeper", database)


FAULTS = (
    Fault(
        "keeper database", "gone", "keeper.db is moved away", partial(renamed, database), refused=DOOR,
        says=r"keeper: \w+ refused: The keeper's keeper\.db is not in its place any more\. Put it back",
        do="Put the file back.", heals=_REOPEN, small=True,
    ),
    Fault(
        "keeper database", "slow", "another program holds its lock", partial(locked, database), refused=DOOR,
        says=r"keeper: \w+ refused: The keeper's database cannot be used \(SQLITE_BUSY\)\. Another program holds a lock",
        do="End the program that holds the lock (`fuser keeper/keeper.db`).", heals=_REOPEN,
    ),
    Fault(
        "keeper database", "flapping", "the lock is taken and given back, each for a second",
        partial(flapping, partial(locked, database), each=1.0), maybe=DOOR, do="As slow.", heals=_REOPEN,
    ),
    Fault(
        "keeper database", "lying", "a copy lies in its place", partial(replaced, database), refused=DOOR,
        says=r"keeper: \w+ refused: The keeper's keeper\.db is not in its place any more\.|Another database lies",
        do="Put the first one back. If the copy is meant, start the keeper again.", heals=_REOPEN, small=True,
    ),
    Fault(
        "keeper disk", "full", "no write finds room", _keeper(FULL), refused=DOOR,
        says=r"keeper: \w+ refused: The keeper's database cannot be used \(SQLITE_FULL\)\. Make room",
        do="Make room on the disk of the keeper's directory.", heals=_REOPEN, small=True,
    ),
    Fault(
        "keeper disk", "read-only", "the kernel takes no write any more", _keeper(READ_ONLY), refused=DOOR,
        says=r"keeper: \w+ refused: The keeper's database cannot be used \(SQLITE_\w+\)\. Look at the disk",
        do="Look at the kernel's messages; mount it for writing again.", heals=_REOPEN,
    ),
    Fault(
        "keeper disk", "slow", "every sync takes three seconds", _keeper(SYNC_SLOW), refused=DOOR,
        says=r"keeper: \w+ refused: The log did not answer within [\d.]+ s\. Look at the load of the keeper's disk",
        do="Look at what else loads the disk.", heals="What waited is written; the next is answered.",
    ),
    Fault(
        "keeper disk", "sync fails", "every sync ends with an error", _keeper(SYNC_FAILS), refused=DOOR,
        says=r"keeper: \w+ refused: The keeper's database cannot be used \(SQLITE_IOERR\w*\)\. Look at the disk",
        do="Look at the kernel's messages; replace the disk.",
        heals=_REOPEN + " What was on it is counted again from what can be read.",
    ),
    Fault(
        "keeper disk", "reads fail", "every read ends with an error", _keeper(READ_FAILS), maybe=DOOR,
        says=r"keeper: \w+ (refused|failed): ",
        do="Look at the kernel's messages; replace the disk.", heals=_REOPEN,
    ),
)  # fmt: skip
