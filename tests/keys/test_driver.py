"""An HSM's driver: who may call it, and when it is ended. With one that is made up; a real one's is in test_pkcs11.py."""

import ctypes
import threading
from typing import Any

import pytest

from strongroom.errors import Unavailable
from strongroom.keys import driver as drivers


def pretend(monkeypatch: pytest.MonkeyPatch, functions: Any, listed: int = 0) -> None:
    """Put a driver of these functions into the place of a file."""

    class Library:
        def __init__(self, _module: str) -> None:
            pass

        @staticmethod
        def C_GetFunctionList(place: Any) -> int:  # noqa: N802  # the standard's name
            ctypes.cast(place, ctypes.POINTER(ctypes.POINTER(drivers._Functions)))[0] = ctypes.pointer(functions)
            return listed

    monkeypatch.setattr(ctypes, "CDLL", Library)


class Counted:
    """A driver whose beginnings and ends are counted."""

    def __init__(self) -> None:
        self.begun = self.ended = self.refuses = 0
        call = drivers._InitializeOrFinalize
        self.functions = drivers._Functions(initialize=call(self._begin), finalize=call(self._end))

    def _begin(self, _arguments: int | None) -> int:
        self.begun += 1
        return self.refuses

    def _end(self, _reserved: int | None) -> int:
        self.ended += 1
        return 0


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> tuple[Counted, drivers.Driver]:
    """The two, after the driver was begun for several threads."""
    one = Counted()
    pretend(monkeypatch, one.functions)
    return one, drivers.Driver(None, "driver.so")


def test_it_is_begun_anew_once_for_all_who_saw_it_fail(counted: tuple[Counted, drivers.Driver]) -> None:
    """Whoever comes second finds it done, and its new age."""
    one, driver = counted
    for _ in range(3):
        driver.begin_anew(0)
    assert (one.begun, one.ended, driver.age) == (2, 2, 1)
    driver.begin_anew(1)
    assert driver.age == 2


def test_it_is_not_ended_under_a_call(counted: tuple[Counted, drivers.Driver], monkeypatch: pytest.MonkeyPatch) -> None:
    """While a call hangs it stays as it is, and whoever wanted it anew is refused; others may still call it."""
    one, driver = counted
    monkeypatch.setattr(drivers, "QUIET", 0.05)
    inside, gate = threading.Event(), threading.Event()

    def hang() -> None:
        with driver.calling():
            inside.set()
            gate.wait(60)

    thread = threading.Thread(target=hang)
    thread.start()
    assert inside.wait(60)
    with pytest.raises(Unavailable):
        driver.begin_anew(0)
    assert (one.ended, driver.age) == (1, 0)
    with driver.calling():
        pass
    gate.set()
    thread.join()
    driver.begin_anew(0)
    assert (one.ended, driver.age) == (2, 1)


def test_a_call_that_is_under_way_is_waited_for(
    counted: tuple[Counted, drivers.Driver], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And none begins meanwhile: whoever comes later finds the new driver."""
    _, driver = counted
    monkeypatch.setattr(drivers, "QUIET", 60.0)
    found: list[int] = []

    def later() -> None:
        with driver.calling():
            found.append(driver.age)

    with driver.calling():
        anew = threading.Thread(target=driver.begin_anew, args=(0,))
        anew.start()
        while not driver._ending:
            pass
        second = threading.Thread(target=later)
        second.start()
        assert driver.age == 0
    anew.join(60)
    second.join(60)
    assert found == [1]


def test_one_that_does_not_come_back_is_away_until_it_does(counted: tuple[Counted, drivers.Driver]) -> None:
    """Each attempt is a whole one."""
    one, driver = counted
    one.refuses = 5
    with pytest.raises(Unavailable):
        driver.begin_anew(0)
    with pytest.raises(Unavailable):
        driver.begin_anew(1)
    one.refuses = 0
    driver.begin_anew(2)
    assert driver.age == 3


@pytest.mark.parametrize(
    ("listed", "finalized", "with_locks", "without", "threads"),
    [
        (0, 0, 0, 0, True),
        (0, 0, 10, 0, False),
        (0, 6, 0, 0, False),
        (0, 0x190, 0, 0, True),
        (5, 0, 0, 0, False),
        (0, 0, 10, 5, None),
    ],
)
def test_whether_a_driver_can_lock_is_asked_of_it(  # a row of the table
    monkeypatch: pytest.MonkeyPatch, listed: int, finalized: int, with_locks: int, without: int, threads: bool | None
) -> None:
    """Only its own yes counts; one that does not come back from being asked is away."""
    call = drivers._InitializeOrFinalize
    functions = drivers._Functions(
        initialize=call(lambda arguments: with_locks if arguments else without), finalize=call(lambda _: finalized)
    )
    pretend(monkeypatch, functions, listed)
    if threads is None:
        with pytest.raises(Unavailable):
            drivers.Driver(None, "driver.so")
    else:
        assert drivers.Driver(None, "driver.so").threaded is threads
