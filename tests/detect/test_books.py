"""Books that do not agree."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.detect import books
from tests.detect.conftest import Scene, read
from tests.detect.replayed import same

HOUR = 3_600
APP = {"metadata.log_name": "table"}
STORE = {
    "metadata.log_name": "cloudtrail", "principal": "app", "principal.kind": "role", "store": "papers", "http_response.code": None,
}  # fmt: skip


def one(number: int, at: int, *, web: bool = True, app: bool = True, store: bool = True) -> list[dict[str, Any]]:
    """A document is read, and stands in these books; the store's is some seconds late."""
    found = []
    if web:
        found.append(read(number, at, route="/d/{int}"))
    if app:
        found.append(read(number, at, **APP))
    if store:
        found.append(read(number, at + 7, **STORE))
    return found


def honest(hours: int = 60) -> list[dict[str, Any]]:
    """Thirty an hour; one in two hundred is missing in a book."""
    return [
        event
        for hour in range(hours)
        for n in range(30)
        for event in one(hour * 100 + n, hour * HOUR + n * 110, store=(hour * 30 + n) % 200 != 7)
    ]


def test_books_that_agree_are_no_finding(scene: Scene) -> None:
    """What is missing now and then is usual; lists, that no other book counts, are not set against any."""
    lists = [read(n % 50, n * 90, route="/people/{int}") for n in range(2_000)]
    scene.add(*honest(), *lists)
    assert scene.hits(books.detection()) == []


def test_what_went_past_the_application_is_seen_in_the_store(scene: Scene) -> None:
    """A forgotten address: the tenth fires, once the application went on a quarter of an hour later; only those are the finding."""
    past = [event for n in range(40) for event in one(9_000 + n, 40 * HOUR + 60 + n * 10, app=False)]
    scene.add(*honest(), *past)
    found = scene.hits(books.detection())
    assert {about for about, _, _ in found} == {
        "books: stores without application",
        "books: web server without application",
    }
    assert min(fired for _, fired, _ in found) == (40 * HOUR + 1_100) * 1_000
    assert len(found) == 80


def test_a_key_used_beside_everything_is_in_the_store_alone(scene: Scene) -> None:
    """Neither web server nor application know of it."""
    scene.add(*honest(), *(event for n in range(40) for event in one(9_000 + n, 40 * HOUR + n, web=False, app=False)))
    assert {about for about, _, _ in scene.hits(books.detection())} == {
        "books: stores without application", "books: stores without web server",
    }  # fmt: skip


def test_a_book_that_ends_is_no_difference(scene: Scene) -> None:
    """Only hours count in which both were kept."""
    later = [
        event for hour in range(60, 80) for n in range(30) for event in one(hour * 100 + n, hour * HOUR + n, app=False)
    ]
    scene.add(*honest(), *later)
    assert {about for about, _, _ in scene.hits(books.detection())} == set()


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32))
def test_a_watch_says_the_same(seed: int) -> None:
    """Two or three books, which begin and end at any time; kinds that are in one alone; more or fewer that went past one."""
    rng = random.Random(seed)
    events, lacks = [], rng.choice([0, 0.01, 0.05])
    kept = {book: rng.random() < 0.8 for book in ("web", "app", "store")}
    for hour in range(rng.randrange(30, 60)):
        odd = rng.choice([*kept, *[None] * 9])
        for n in range(rng.randrange(12, 30)):
            at = hour * HOUR + rng.choice([n * 110, 0, HOUR - 1])
            here = {book: told and rng.random() >= (0.8 if book == odd else lacks) for book, told in kept.items()}
            moved = rng.choice([0] * 30 + [899_000, 893_000, 901_000])
            events += [
                {**event, "time": event["time"] + moved * nth}
                for nth, event in enumerate(one(rng.randrange(3_000), at, **here))
            ]
    events += [read(n % 50, n * 90, route="/people/{int}") for n in range(300)]
    cut = rng.choice([0, 20, 40]) * HOUR * 1_000
    given_ = [event for event in events if event.get("metadata.log_name") != "table" or event["time"] >= cut]
    same(given_, books.detection(), rng=rng)


def test_the_property_says_something() -> None:
    """What went past a book is among what is compared."""
    past = [event for n in range(40) for event in one(9_000 + n, 40 * HOUR + 60 + n * 10, app=False)]
    assert len(same([*honest(), *past], books.detection(), rng=random.Random(1))) == 2
