"""CloudTrail's records as columns: what `cloudtrail.parse` says of each, said of many at once.

A record is not taken apart further than it must be, and what repeats, who asked and what, is found out once. A record is taken
only where it has the usual forms; whatever else it is, it is left to `cloudtrail.parse`. That both say the same is held by a
property test.
"""

from collections.abc import Sequence

import pyarrow as pa

from strongroom.logs import cloudtrail as trail
from strongroom.logs.batch import Taken, always, spread
from strongroom.logs.moments import moments
from strongroom.logs.record import INT64_MAX


def many(units: Sequence[bytes]) -> Taken:
    """The records that have the usual forms."""
    read = [
        (place, record) for place, record in enumerate(map(trail.usual, units)) if record is not None and _sound(record)
    ]
    times = moments([record.time for _, record in read])
    if times.null_count:
        read = [one for one, told in zip(read, times.is_valid().to_pylist(), strict=True) if told]
        times = times.drop_null()
    places, records = [place for place, _ in read], [record for _, record in read]
    return Taken(places, _values(records, times, [units[place] for place in places]))


def _sound(record: trail.Usual) -> bool:
    """Whether it is an event, if its time is one."""
    return bool(record.name and record.source) and (record.more is None or 0 <= record.more.sent <= INT64_MAX)


def _values(records: list[trail.Usual], times: pa.Array, units: list[bytes]) -> tuple[pa.Array, ...]:
    """The columns, in the order of `cloudtrail.FIELDS`."""
    more = [record.more or trail.NO_MORE for record in records]
    who = (
        (record.identity or trail.NOBODY, record.address, told.signed, record.recipient)
        for record, told in zip(records, more, strict=True)
    )
    return (
        times,
        always(trail.LOG, len(records)),
        pa.array([record.uid or None for record in records], pa.string()),
        pa.array([record.agent or None for record in records], pa.string()),
        pa.array([int(told.sent) for told in more], pa.int64()),
        *spread(trail.WHO, trail.who, who),
        *spread(trail.WHAT, trail.what, ((one.name, one.source, one.error, one.reading) for one in records)),
        *spread(trail.WHICH, trail.which, ((record.asked or trail.NOTHING,) for record in records)),
        pa.array(list(map(trail.meaning, units, records)), pa.string()),
        pa.array(units, pa.binary()).view(pa.string()),
    )
