"""The shortest history that goes wrong, if there is one: hypothesis chooses who works, what fails, and when it restarts."""

import asyncio
import logging
import shutil
import tempfile
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from bench.model.house import copied
from bench.model.play import PEOPLE, PLACES, Store, Tally


class Keeper(RuleBasedStateMachine):
    """One store; each rule is a round of some of its people at once, or what comes between rounds."""

    town: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(prefix="strongroom-machine-"))
        self._runner = asyncio.Runner()
        self.tally = Tally()
        copied(self.town, self._folder / "store")
        self.store = Store(self._folder / "store", 7, self.tally, broken=False)
        self._runner.run(self._open())
        self.people = self.store.crowd()
        self.rounds = 0

    async def _open(self) -> None:
        self.store.open()

    @rule(
        who=st.sets(st.integers(0, len(PEOPLE) + 1), min_size=2),
        each=st.integers(1, 4),
        fails=st.sampled_from(["", "", *PLACES]),
    )
    def work(self, who: set[int], each: int, fails: str) -> None:
        """Some of them do something, all at once; a commit may fail meanwhile."""
        disk = self.store.house.disk
        disk.arm(fails)
        with disk.installed():
            self._runner.run(self.store.round([self.people[one] for one in sorted(who)], each))
        disk.arm("")
        self.rounds += 1

    @precondition(lambda self: self.rounds)
    @rule(broken=st.booleans())
    def restart(self, broken: bool) -> None:
        """What was not written is gone; the policy may be a broken one from here on."""

        async def again() -> None:
            self.store.restart(broken=broken)

        self._runner.run(again())

    @precondition(lambda self: self.rounds)
    @rule()
    def wrong_clock(self) -> None:
        """Somebody sets the machine's clock."""
        self._runner.run(self.store.wrong_clock(self.people))

    def teardown(self) -> None:
        """Count all charges once more; nothing may have been found."""
        self.store.audit()
        self.store.close()
        self._runner.close()
        shutil.rmtree(self._folder)
        assert (self.tally.over, self.tally.undurable, self.tally.disagreements) == ([], [], [])


def test_no_history_goes_wrong(town: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A disagreement anywhere raises, and is shortened."""
    caplog.set_level(logging.CRITICAL)
    Keeper.town = town
    run_state_machine_as_test(Keeper, settings=settings(max_examples=10, stateful_step_count=12, deadline=None))
