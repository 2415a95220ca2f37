"""A login that always came from the same place comes from another, and reads many documents there: a stolen login.

A place is a network (/24, or /64 of IPv6); where the operator has files of places, the provider's network and the country are two
more. Only who has a past can be seen: TEN days, in at most FEW places. People at home and on the road have too many networks, but
few providers and one country. One document from a new place is a day at home; TEN in an hour are work.
"""

from collections.abc import Sequence
from struct import Struct
from typing import Any, Final

from strongroom.clock import DAY, HOUR
from strongroom.detect import packed
from strongroom.detect.correlation import distinct, windowed
from strongroom.detect.detection import ABOUT, SERVED, Base, Detection, Fire, digest, simple
from strongroom.detect.parts import By, Parts
from strongroom.detect.shelf import Column, Shelf
from strongroom.detect.sliding import Values
from strongroom.sigma.rule import Head

FEW, TEN = 2, 10

_TAGS: Final = ("attack.t1078", "attack.t1213", "d3fend.d3-uglpa", "d3fend.d3-rapa")

HEAD: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b0a",
    title="A login read from a place where it never was",
    level="medium",
    description="A login that for days had come from one or two networks came from another, and read many documents there.",
    honest=("the first day of work at home, or at another site", "the network of the site has new addresses"),
    tags=_TAGS,
    by=(),
)
PROVIDER: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b18",
    title="A login read from a provider where it never was",
    level="medium",
    description="A login that for days had come from one or two providers came from another, and read many documents.",
    honest=("another provider at home, or a new phone", "a network for travellers, or one that hides where they are"),
    tags=_TAGS,
    by=(),
)
COUNTRY: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b19",
    title="A login read from a country where it never was",
    level="medium",
    description="A login that for days had come from one or two countries came from another, and read many documents there.",
    honest=("somebody who travels, or works from abroad", "a network that hides where people are"),
    tags=_TAGS,
    by=(),
)

NETWORK: Final = """CASE WHEN contains("src_endpoint.ip", ':')
    THEN array_to_string(string_split("src_endpoint.ip", ':')[1:4], ':')
    ELSE regexp_replace("src_endpoint.ip", '[.][0-9]+$', '') END"""


def detection() -> Detection:
    """By network, which every log tells."""
    return _detection(HEAD, NETWORK, "networks")


def placed() -> tuple[Detection, ...]:
    """By provider and by country, which an operator's files tell."""
    return (
        _detection(PROVIDER, 'CAST("src_endpoint.autonomous_system.number" AS VARCHAR)', "providers"),
        _detection(COUNTRY, '"src_endpoint.location.country"', "countries"),
    )


def _detection(head: Head, place: str, places: str) -> Detection:
    """New place, many documents. Places of the same instant are as new as each other."""
    told = _base(place, v=f"CASE WHEN {SERVED} THEN document END")
    live = _base(place, digest(place), v=digest('"document"'), served=SERVED)
    base = f"""
    WITH debut AS (SELECT about, place, min(time) AS first FROM request GROUP BY about, place),
    ranked AS (SELECT *, rank() OVER (PARTITION BY about ORDER BY first) - 1 AS places FROM debut),
    days AS (SELECT about, time // {DAY} AS day FROM request GROUP BY ALL),
    dated AS (SELECT about, day, row_number() OVER (PARTITION BY about ORDER BY day) AS days FROM days),
    new AS (
        SELECT ranked.about, place, first FROM ranked
        JOIN dated ON dated.about = ranked.about AND dated.day = first // {DAY}
        WHERE places BETWEEN 1 AND {FEW} AND days > {TEN}
    )
    SELECT event, time, about || chr(31) || place AS g, about, v
    FROM request JOIN new USING (about, place) WHERE v IS NOT NULL AND time <= first + {DAY}
    """
    note = f"at least {TEN} documents in an hour, after {TEN} days in at most {FEW} {places}"
    parts = Parts((By("request", told.sql, "about"),), windowed(base, distinct(HOUR, TEN), DAY))
    return Detection(head, parts.sql, shape="wide", note=note, bases=(live,), fold=Borrowed, parts=parts)


def _base(place: str, told: str = "", **more: str) -> Base:
    known = "" if place is NETWORK else f" AND ({place}) IS NOT NULL"
    return simple(
        f""""principal.kind" = 'login' AND principal IS NOT NULL AND "src_endpoint.ip" IS NOT NULL{known}""",
        (),
        g=ABOUT, about=ABOUT, place=told or place, **more,
    )  # fmt: skip


_DAYS: Final = Struct(">iH")
_TOLD: Final = _DAYS.size


def comes(login: bytes, place: int, time: int) -> tuple[bytes, bool]:
    """A login comes from there; whether that is a new place of somebody who has a past.

    What is kept of a login is the last day on which it came, on how many it did, and its first places with when it was there first.
    """
    day, days = _DAYS.unpack_from(login) if login else (-1, 0)
    wanted = place.to_bytes(8, "big")
    at = login.find(wanted, _TOLD)
    known = at == _TOLD or (at > 0 and packed.place(login, wanted, _TOLD) > 0)
    if known and time // DAY == day:
        return login, False
    if time // DAY != day:
        day, days = time // DAY, min(days + 1, _MANY)
    if known:
        return _DAYS.pack(day, days) + login[_TOLD:], False
    places = packed.load(login[_TOLD:])
    earlier = sum(first < time for _, first in packed.items(places))
    if earlier <= FEW:
        places = packed.put(places, place, time)
    return _DAYS.pack(day, days) + packed.dump(places), 1 <= earlier <= FEW and days > TEN


_MANY: Final = 2**16 - 1


def _same(login: bytes) -> bytes:
    return login


class Borrowed:
    """The fold: where each login comes from, and what is read from places that are new, for a day."""

    def __init__(self) -> None:
        self.logins = Column[bytes](_same, _same)
        self.until: dict[str, int] = {}
        self.read = Values(HOUR, TEN)

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """See `Fold`."""
        event, time, g, about, place, value, served = row
        known, at = self.logins.row(g), self.logins.at
        known[at], new = comes(known[at] or b"", place, time)
        if new:
            self.until[f"{g}\x1f{place}"] = time + DAY
        if not served or not self.until:
            return ()
        case = f"{g}\x1f{place}"
        return self.read.feed((event, time, case, about, 0, value)) if time <= self.until.get(case, -1) else ()

    def passed(self, time: int) -> Sequence[Fire]:  # noqa: ARG002  # of all folds
        """See `Fold`."""
        return ()

    def tidy(self, time: int) -> None:
        """See `Fold`."""
        self.until = {case: until for case, until in self.until.items() if until >= time}
        self.read.tidy(time)

    def dump(self) -> Any:
        """See `Fold`."""
        return self.until

    def shelves(self) -> Sequence[Shelf[Any] | Column[Any]]:
        """See `Shelved`."""
        return (self.logins, *self.read.shelves())

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        self.until = kept
