"""Group commit: drafts wait in one queue, one thread writes all that wait in one go, the loop hands out the answers.

The thread begins when the loop has nothing more to add just now, or enough waits. To write the first draft of many at once
would make many small transactions: each is a sync to disk, and makes every reader of the database look anew.

Not here: what writing means. `write` is handed in; it takes a list of items and gives an outcome for each, or raises
Unavailable, after which this group is over and another one must be made.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue

import msgspec

from strongroom.audit.receipt import Receipt
from strongroom.audit.write import Item
from strongroom.errors import StrongroomError, Unavailable

MAX_BATCH = 512
"""Drafts in one transaction; a commit of that many takes some 20 ms."""
ENOUGH = 64
"""Drafts that are worth a transaction, however much more the loop has to add: it goes on while they are written."""
SOON = 0.01
"""Seconds after which no further round of the loop is waited for. The one under way goes on, up to `ENOUGH`: on a busy
machine a round takes long, and the more it has to do, the dearer small transactions are."""
MAX_WAITING = 8_192
"""Drafts that wait; beyond that the log is so far behind that it refuses at once."""
STOP_PATIENCE = 5.0
"""Seconds to wait for the loop to tell everybody that it is over."""
LOAD_ADVICE = "Look at the load of the keeper's disk."

Outcome = Receipt | StrongroomError
OnFailure = Callable[[], None]


class _Job(msgspec.Struct, frozen=True):
    item: Item
    on_failure: OnFailure | None
    answer: asyncio.Future[Receipt]


class Group:
    """One queue and one thread, for one event loop.

    * Jobs enter in the order in which `append` is called on the loop.
    * When writing fails, the jobs of that batch and all behind them fail in one step of the loop, newest first, and
      none can enter any more: whoever undoes charges on failure undoes them in exactly the reverse order.
    """

    def __init__(self, write: Callable[[Sequence[Item]], Sequence[Outcome]], patience: float) -> None:
        """`write` is called in the thread. `patience`: seconds that an `append` waits."""
        self._write = write
        self._patience = patience
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._go: SimpleQueue[None] = SimpleQueue()  # wakes the thread: there is something in the queue
        self._added = 0  # drafts since the thread was last woken; of the loop
        self._since = 0.0  # when the first of them came, in the loop's time
        self._loop: asyncio.AbstractEventLoop | None = None
        self._home: threading.Thread | None = None  # the loop's own
        self._thread: threading.Thread | None = None
        self._doomed: tuple[list[_Job], Unavailable | None] = ([], None)  # what the thread could not write, and why
        self._fault: Unavailable | None = None  # set on the loop only
        self._over = threading.Event()

    async def append(self, item: Item, on_failure: OnFailure | None) -> Receipt:
        """See `Log.append`."""
        job = _Job(item, on_failure, asyncio.get_running_loop().create_future())
        self._enqueue(job)
        patience = job.answer.get_loop().call_later(self._patience, self._give_up, job)
        try:
            return await job.answer
        finally:
            patience.cancel()

    def _give_up(self, job: _Job) -> None:
        if not job.answer.done():
            msg = f"The log did not answer within {self._patience:g} s."
            job.answer.set_exception(Unavailable(msg, advice=LOAD_ADVICE))

    def stop(self) -> None:
        """Write what waits, end the thread, and refuse from then on. May be called from any thread, and twice."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            self._fault = self._fault or _closed()
            return
        self._queue.put(None)
        self._go.put(None)
        thread.join()
        if loop.is_running() and threading.current_thread() is not self._home:
            loop.call_soon_threadsafe(self._fail)
            self._over.wait(STOP_PATIENCE)
        else:
            self._fail()

    def _enqueue(self, job: _Job) -> None:
        fault = self._fault
        if fault is None and self._queue.qsize() >= MAX_WAITING:
            fault = Unavailable("The log is too far behind.", advice=LOAD_ADVICE)
        if fault is not None:
            _undo([job])
            raise Unavailable(fault.message, advice=fault.advice)
        self._queue.put(job)
        self._added += 1
        loop = job.answer.get_loop()
        if self._added == 1:
            self._since = loop.time()
            loop.call_soon(self._look, 1)
        elif self._added >= ENOUGH:
            self._wake()
        if self._thread is None:
            self._loop = loop
            self._home = threading.current_thread()
            self._thread = threading.Thread(target=self._run, args=(self._loop,), name="log", daemon=True)
            self._thread.start()

    def _look(self, seen: int) -> None:
        """One round of the loop later: wake the thread, unless more was added; then look again after the next."""
        loop = asyncio.get_running_loop()
        if self._added not in (0, seen) and loop.time() - self._since <= SOON:
            loop.call_soon(self._look, self._added)
        elif self._added:
            self._wake()

    def _wake(self) -> None:
        self._added = 0
        self._go.put(None)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        """The thread: until told to stop, or writing fails."""
        while jobs := self._take():
            try:
                outcomes = self._write([job.item for job in jobs])
            except Unavailable as fault:
                self._doomed = (jobs, fault)
                _tell(loop, self._fail)
                return
            _tell(loop, _settle, jobs, outcomes)

    def _take(self) -> list[_Job]:
        """All jobs that wait, at least one; none when told to stop."""
        jobs: list[_Job] = []
        while not jobs:
            self._go.get()
            while len(jobs) < MAX_BATCH and not self._queue.empty():
                job = self._queue.get()
                if job is None:
                    if jobs:
                        self._queue.put(None)  # stop next time
                        self._go.put(None)
                    return jobs
                jobs.append(job)
        if not self._queue.empty():
            self._go.put(None)
        return jobs

    def _fail(self) -> None:
        """On the loop, so that nothing enters meanwhile: fail what was being written and all behind it."""
        (jobs, cause), self._doomed = self._doomed, ([], None)
        self._fault = fault = self._fault or cause or _closed()
        while not self._queue.empty():
            job = self._queue.get()
            if job is not None:
                jobs.append(job)
        _undo(jobs)
        for job in jobs:
            if not job.answer.done():
                job.answer.set_exception(Unavailable(fault.message, advice=fault.advice))
        self._over.set()


def _tell(loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *what: object) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits for an answer any more
        loop.call_soon_threadsafe(callback, *what)


def _settle(jobs: Sequence[_Job], outcomes: Sequence[Outcome]) -> None:
    """On the loop: hand out receipts, and to each draft that failed alone its own error."""
    _undo([job for job, outcome in zip(jobs, outcomes, strict=True) if isinstance(outcome, StrongroomError)])
    for job, outcome in zip(jobs, outcomes, strict=True):
        if job.answer.done():  # cancelled, or it gave up waiting: the entry stays, and so does its charge
            continue
        if isinstance(outcome, StrongroomError):
            job.answer.set_exception(outcome)
        else:
            job.answer.set_result(outcome)


def _undo(jobs: Sequence[_Job]) -> None:
    for job in reversed(jobs):
        if job.on_failure is not None:
            try:
                job.on_failure()
            except Exception as error:  # noqa: BLE001  # the others must be undone all the same; the loop reports it
                context = {"message": "a charge could not be undone", "exception": error}
                job.answer.get_loop().call_exception_handler(context)


def _closed() -> Unavailable:
    return Unavailable("The log is closed.", advice="Open it again.")
