"""Events go out in order, in batches; nobody waits for a receiver; what is not taken is tried again, what is lost is counted."""

import json
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from strongroom.gateway.outbox import BATCH, Outbox, Unwanted

LONG = 60.0


class Receiver:
    """Takes what it is sent, unless it is told to do otherwise with the next batches."""

    def __init__(self, *moods: type[Exception] | None) -> None:
        self.batches: list[list[int]] = []
        self.moods = list(moods)
        self.open, self.asked, self.closed = threading.Event(), threading.Event(), threading.Event()
        self.open.set()

    def send(self, events: Sequence[tuple[str, bytes]]) -> None:
        """See `outbox.Way`."""
        self.asked.set()
        assert self.open.wait(LONG)
        mood = self.moods.pop(0) if self.moods else None
        if mood is not None:
            raise mood("not now")
        assert [json.loads(line)["metadata"]["uid"] for _, line in events] == [number for number, _ in events]
        self.batches.append([int(number) for number, _ in events])

    def close(self) -> None:
        """See `outbox.Way`."""
        self.closed.set()

    @property
    def taken(self) -> list[int]:
        """In order."""
        return [number for batch in self.batches for number in batch]


def made(number: int) -> dict[str, Any]:
    """An event."""
    return {"metadata": {"uid": str(number)}}


def put(outbox: Outbox, numbers: range) -> None:
    """Each of them."""
    for number in numbers:
        outbox.put(lambda number=number: made(number))  # type: ignore[misc]  # bound now


def test_events_go_out_in_order_and_together() -> None:
    """All of them, in batches with a bound; then the receiver is let go."""
    receiver = Receiver()
    outbox = Outbox("test", receiver, linger=0.01)
    put(outbox, range(2 * BATCH + 1))
    outbox.close()
    assert receiver.taken == list(range(2 * BATCH + 1))
    assert max(map(len, receiver.batches)) <= BATCH
    assert (outbox.dropped, receiver.closed.is_set()) == (0, True)


def test_what_is_not_taken_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """In its order, and nothing is lost; both turns are said."""
    receiver = Receiver(OSError)
    outbox = Outbox("test", receiver, linger=0.01)
    put(outbox, range(3))
    assert receiver.asked.wait(LONG)
    outbox.close()  # which waits for one more attempt
    assert (receiver.taken, outbox.dropped) == ([0, 1, 2], 0)
    assert "NOT TAKEN by test (not now)" in caplog.text
    assert "taken again by test" in caplog.text


def test_what_a_receiver_never_takes_does_not_keep_others_waiting(caplog: pytest.LogCaptureFixture) -> None:
    """It is lost, counted and loudly said; the next goes out."""
    receiver = Receiver(Unwanted)
    outbox = Outbox("test", receiver, linger=0.01)
    put(outbox, range(1))
    assert receiver.asked.wait(LONG)
    put(outbox, range(1, 2))
    outbox.close()
    assert (receiver.taken, outbox.dropped) == ([1], 1)
    assert "EVENTS ARE LOST" in caplog.text


def test_nobody_waits_for_a_receiver_that_hangs(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever tells goes on; beyond the room that there is events are dropped and counted; the end does not wait either."""
    receiver = Receiver()
    receiver.open.clear()
    outbox = Outbox("test", receiver, room=10, linger=0.01)
    put(outbox, range(1))
    assert receiver.asked.wait(LONG)
    put(outbox, range(1, 1_000))
    assert outbox.dropped == 989
    assert "faster than they are taken" in caplog.text
    outbox.close()
    assert outbox.dropped == 1_000  # the one under way may be there: it is not known
    receiver.open.set()


def test_the_end_does_not_wait_for_a_receiver_that_is_away() -> None:
    """One attempt, and all that waits is counted as lost."""
    receiver = Receiver(OSError, OSError)
    outbox = Outbox("test", receiver, linger=0.01)
    put(outbox, range(1))
    assert receiver.asked.wait(LONG)
    put(outbox, range(1, 2_000))
    outbox.close()
    assert (receiver.taken, outbox.dropped) == ([], 2_000)
    assert receiver.closed.wait(LONG)
