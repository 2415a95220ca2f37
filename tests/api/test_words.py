"""What is said of deliveries is said together, at once when the server stops, and fails nobody."""

import asyncio

from strongroom.api.words import Words
from strongroom.clock import ManualClock
from strongroom.keeper import protocol as p
from tests.api.standins import MemoryDoor


class Listening(MemoryDoor):
    """A door that remembers what was told together."""

    def __init__(self) -> None:
        super().__init__(ManualClock())
        self.together: list[int] = []
        self.heard = asyncio.Event()

    async def ask(self, request: p.AppRequest) -> p.Reply:
        """As the door."""
        assert isinstance(request, p.Deliveries)
        self.together.append(len(request.words))
        self.heard.set()
        return await super().ask(request)


def test_words_of_a_moment_go_together() -> None:
    """In their order; the next ones go by themselves."""

    async def run() -> Listening:
        door = Listening()
        words = Words(door)
        for receipt in range(3):
            words.tell(receipt, receipt, complete=True)
        await door.heard.wait()
        door.heard.clear()
        words.tell(3, 3, complete=False)
        await door.heard.wait()
        return door

    door = asyncio.run(run())
    assert door.together == [3, 1]
    assert [word.receipt for word in door.words(p.Delivered)] == [0, 1, 2, 3]


def test_too_many_words_are_several_requests() -> None:
    """None is longer than the door takes."""

    async def run() -> Listening:
        door = Listening()
        words = Words(door)
        for receipt in range(2 * p.MAX_WORDS + 1):
            words.tell(receipt, 1, complete=True)
        return door

    assert asyncio.run(run()).together == [p.MAX_WORDS, p.MAX_WORDS, 1]  # told as the loop ends


def test_a_door_that_does_not_hear() -> None:
    """Fails nobody: the release itself is on record. The next words are told again."""
    door = MemoryDoor(ManualClock(), lost={p.Deliveries})
    words = Words(door)

    async def run() -> None:
        words.tell(7, 1, complete=True)

    asyncio.run(run())
    asyncio.run(run())
    assert len(door.words(p.Delivered)) == 2


def test_words_that_a_loop_took_with_it_are_told_by_the_next_one() -> None:
    """Even where it ended before anybody began to tell them."""
    door = Listening()
    words = Words(door)

    async def run(receipt: int, *, abruptly: bool = False) -> None:
        words.tell(receipt, 1, complete=True)
        if abruptly:
            for task in words._telling:
                task.cancel()  # which has not begun: nothing of it runs
            await asyncio.sleep(0)

    asyncio.run(run(1, abruptly=True))
    assert door.together == []
    asyncio.run(run(2))
    assert door.together == [2]
