"""What a fold keeps of each of very many: those who came lately lie in memory, others on disk, and who comes back is fetched.

Things have names. Each that lies in memory has a mark, by which it is

    fresh    changed since the last saving began: the mark is that saving's number
    due      to be written by the saving that is under way, as it is
    clean    written as it is: the mark is the number of the saving that did so, below nothing
    away     on disk alone: what had been clean for longest when there was too much in memory

What several folds keep of the same is one thing, a row, in which each has a cell: somebody has one place in memory and one on disk,
however many detections look at them.

A saving writes down what has changed, many things in one lot after what was written before: so it costs little, and all lots tell
what lies in memory. When they tell twice as much, everything is written anew. It keeps all as of the instant at which it began, and
is done in pieces between which the watch goes on: what is asked for meanwhile is written first. So it holds nothing up, and what is
on disk is always of one instant: a watch that is killed goes on from the last saving that was done.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec

from strongroom.detect.state import FOREVER, State

T = TypeVar("T", bound="Thing | Row")
C = TypeVar("C")

MOST: Final = 600_000
"""Things of all shelves that lie in memory when a saving is done: some 400 bytes each."""
FULL: Final = 720_000
"""And at which nothing else is done before there are fewer."""
PIECE: Final = 250
"""Things that are written at once."""
LOOKED: Final = 5_000
"""Things that are looked at at once, whether they are to be."""
SWEPT: Final = 2_000
"""Things of each shelf that are away and at which a saving looks, besides as many as it wrote: whether they matter still."""


def forever(_: Any) -> int:
    """Of what always matters."""
    return FOREVER


class Thing:
    """Whatever lies on a shelf."""

    __slots__ = ("mark",)

    mark: int


class Row(list[Any]):
    """A thing that is a cell for each column; None where there is nothing."""

    __slots__ = ("mark",)

    mark: int


class Shelf(Generic[T]):
    """Things of one kind. `get` is for whoever changes what they get."""

    def __init__(
        self, plain: Callable[[T], Any], revived: Callable[[Any], T], until: Callable[[T], int] = forever, *,
        stays: bool = False,
    ) -> None:  # fmt: skip
        """`plain` and `revived`: a thing as lists, texts and numbers, and the way back. `until`: the time after which a thing is as
        good as none. `stays`: it is bounded otherwise, and always lies in memory.
        """
        self.all: dict[str, T] = {}  # that lie in memory
        self.stays = stays
        self._plain, self._revived, self._until = plain, revived, until
        self._state: State | None = None
        self._number = 0
        self.turn = 1  # the number of the next saving
        self._whole = False  # whether what is clean is due too
        self._away = False  # whether anything is
        self._first: list[msgspec.Raw] = []  # was asked for before the saving came to it
        self._after, self._wrote = "", 0

    def __len__(self) -> int:
        """How many lie in memory."""
        return len(self.all)

    def get(self, key: str) -> T | None:
        """The thing of this name, which is changed now; None where there is none."""
        one = self.all.get(key)
        if one is None:
            return self._fetched(key) if self._away else None
        if one.mark != self.turn:
            if self.due(one):
                self._write_first(key, one)
            one.mark = self.turn
        return one

    def add(self, key: str, one: T) -> T:
        """A thing that was not there."""
        one.mark = self.turn
        self.all[key] = one
        return one

    def values(self) -> Iterable[T]:
        """Those that lie in memory."""
        return self.all.values()

    def tidy(self, now: int) -> None:
        """Let go what does not matter any more."""
        until = self._until
        for key in [key for key, one in self.all.items() if until(one) < now and not self.due(one)]:
            del self.all[key]

    def columns(self) -> Sequence["Column[Any]"]:
        """Of its rows, if it has such."""
        return ()

    def _write_first(self, key: str, one: T) -> None:
        self._first.append(self._raw(key, one))
        if len(self._first) >= PIECE and self._state is not None:
            self._add(self._state, self._first)
            self._first = []

    def due(self, one: T) -> bool:
        """Whether the saving that is under way has not come to it yet."""
        mark, turn = one.mark, self.turn
        return mark not in {turn, -turn} if self._whole else 0 < mark < turn

    def _fetched(self, key: str) -> T | None:
        assert self._state is not None  # noqa: S101  # something is away there
        kept = self._state.get(self._number, key)
        return None if kept is None else self.add(key, self._revived(kept))

    def _raw(self, key: str, one: T) -> msgspec.Raw:
        return msgspec.Raw(_ENCODE((key, self._plain(one))))

    def lie(self, state: State, name: str, names: dict[str, str]) -> int:
        """From now on in this state, where it may lie already; its number there. `names`: of things, which shelves share."""
        self._state, self._number = state, state.shelf(name)
        self._away = state.any(self._number)
        for key, kept in state.lots(self._number):
            self.add(names.setdefault(key, key), self._revived(kept)).mark = 0
        return self._number

    def begin(self, *, whole: bool) -> None:
        """A saving begins: what has changed, or the `whole`, is due as it is now."""
        self.turn += 1
        self._whole, self._wrote = whole, 0

    def write(self, state: State, ages: Counter[int]) -> Iterator[None]:
        """What is due, a piece each; and of what is clean, how many since which saving."""
        names = list(self.all)
        for begin in range(0, len(names), LOOKED):
            lot = list[msgspec.Raw]()
            for key in names[begin : begin + LOOKED]:
                one = self.all.get(key)
                if one is not None and self.due(one):
                    lot.append(self._raw(key, one))
                    one.mark = -self.turn
                if one is not None and one.mark <= 0:
                    ages[-one.mark] += 1
                if len(lot) >= PIECE:
                    self._add(state, lot)
                    lot = []
                    yield
            self._add(state, lot)
            yield
        self._whole = False
        first, self._first = self._first, []
        self._add(state, first)

    def _add(self, state: State, lot: list[msgspec.Raw]) -> None:
        if lot:
            state.add(self._number, lot)
            self._wrote += len(lot)

    def sweep(self, state: State, now: int) -> Iterator[None]:
        """Let go what is away and does not matter any more, some of it."""
        for _ in range(0, SWEPT + self._wrote if self._away else 0, PIECE):
            self._after = state.sweep(self._number, self._after, PIECE, now)
            yield

    def send_away(self, state: State, age: int, share: float) -> Iterator[None]:
        """Of what has been clean since this saving, so much."""
        names = list(self.all)
        for begin in range(0, len(names), LOOKED):
            old = [key for key in names[begin : begin + LOOKED] if (one := self.all.get(key)) and one.mark == -age]
            yield from self._send(state, sorted(old[: math.ceil(len(old) * share)]))
            yield

    def _send(self, state: State, names: Sequence[str]) -> Iterator[None]:
        for begin in range(0, len(names), PIECE):
            some = [(key, one) for key in names[begin : begin + PIECE] if (one := self.all.get(key)) and one.mark <= 0]
            state.put(self._number, ((key, self._until(one), self._plain(one)) for key, one in some))
            for key, _ in some:
                del self.all[key]
            self._away = True
            yield


_ENCODE: Final = msgspec.msgpack.Encoder().encode


class Column(Generic[C]):
    """What a fold keeps of each of those that rows name, beside others who keep something of the same.

    A cell may be anything but None; what cannot be changed is put there anew.
    """

    def __init__(
        self, plain: Callable[[C], Any], revived: Callable[[Any], C], until: Callable[[C], int] = forever
    ) -> None:
        """See `Shelf`. It has rows of its own until it is told to share some (`Rows`)."""
        self.plain, self.revived, self.until = plain, revived, until
        self.number, self.at = 0, 0
        self.rows = Rows("", [self])

    def get(self, key: str) -> C | None:
        """The cell of this name, which is changed now; None where there is none."""
        row = self.rows.get(key)
        return None if row is None else row[self.at]

    def row(self, key: str) -> Row:
        """The row of this name, which is changed now, and may be new."""
        rows = self.rows
        row = rows.all.get(key)
        if row is not None and row.mark == rows.turn:
            return row
        return rows.get(key) or rows.add(key, Row(rows.empty))

    def add(self, key: str, cell: C) -> C:
        """A cell in place of the one that was there, or of none."""
        self.row(key)[self.at] = cell
        return cell

    def values(self) -> Iterator[C]:
        """Those that lie in memory."""
        at = self.at
        return (row[at] for row in self.rows.all.values() if row[at] is not None)

    def tidy(self, now: int) -> None:
        """Let go what does not matter any more."""
        rows, at, until = self.rows, self.at, self.until
        old = [key for key, row in rows.all.items() if row[at] is not None and until(row[at]) < now]
        for key in old:
            row = rows.all[key]
            if not rows.due(row):
                row[at] = None
                if row == rows.empty:
                    del rows.all[key]


class Rows(Shelf[Row]):
    """Rows of several columns. On disk a row tells its cells by the numbers of their columns, so that there may be others later."""

    def __init__(self, name: str, columns: Sequence[Column[Any]]) -> None:
        """From now on these columns lie here. Before the first row."""
        super().__init__(self._cells, self._row, self._last)
        self.name, self.empty = name, [None] * len(columns)
        self._columns = columns
        for at, column in enumerate(columns):
            column.rows, column.at = self, at

    def columns(self) -> Sequence[Column[Any]]:
        """See `Shelf`."""
        return self._columns

    def _cells(self, row: Row) -> dict[int, Any]:
        cells = zip(self._columns, row, strict=True)
        return {column.number: column.plain(cell) for column, cell in cells if cell is not None}

    def _row(self, kept: dict[int, Any]) -> Row:
        return Row(column.revived(kept[column.number]) if column.number in kept else None for column in self._columns)

    def _last(self, row: Row) -> int:
        cells = zip(self._columns, row, strict=True)
        return max((column.until(cell) for column, cell in cells if cell is not None), default=0)


class Shelves:
    """All shelves of a watch, and the state that they are part of."""

    def __init__(self, state: State, shelves: Iterable[tuple[str, Shelf[Any] | Column[Any]]]) -> None:
        """With the names of their places there. What lies at other places is forgotten."""
        self._state = state
        places: dict[str, Shelf[Any]] = {}
        for name, one in shelves:
            if isinstance(one, Column):
                one.number = state.shelf(name)
                places[one.rows.name or f"rows {name}"] = one.rows
            else:
                places[name] = one
        self._all = list(places.values())
        names: dict[str, str] = {}
        numbers = [shelf.lie(state, name, names) for name, shelf in places.items()]
        state.only([*numbers, *(column.number for shelf in self._all for column in shelf.columns())])
        self._work: Iterator[None] = iter(())
        self.saving = False

    def __len__(self) -> int:
        """How many things lie in memory."""
        return sum(map(len, self._all))

    def begin(self, pieces: Iterable[tuple[str, Any]], now: int) -> None:
        """A saving begins: these are kept, and everything that lies on a shelf, as of now (`now`: events' time).

        Raises OperationError.
        """
        whole = self._state.many() > 2 * len(self) + PIECE
        self._state.begin(pieces)
        for shelf in self._all:
            shelf.begin(whole=whole)
        self._work, self.saving = self._pieces(now, self._state.last() if whole else 0), True

    def go_on(self, seconds: float | None = None) -> bool:
        """Write for so long, or all that is left; whether the saving is done then. Raises OperationError."""
        end = None if seconds is None else time.monotonic() + seconds
        for _ in self._work:
            if end is not None and time.monotonic() >= end:
                return False
        self._state.commit()
        self.saving = False
        return True

    def _pieces(self, now: int, old: int) -> Iterator[None]:
        if old:  # what was written first since the saving began comes after these
            yield from self._state.drop(old)
        ages = Counter[int]()
        for shelf in self._all:
            yield from shelf.write(self._state, Counter() if shelf.stays else ages)
            yield from shelf.sweep(self._state, now)
        for age in sorted(ages):
            share = min(1.0, (len(self) - MOST) / ages[age])
            for shelf in self._all if share > 0 else ():
                if not shelf.stays:
                    yield from shelf.send_away(self._state, age, share)

    def crowded(self) -> bool:
        """Whether a saving should begin for want of memory."""
        return len(self) > (MOST + FULL) // 2

    def full(self) -> bool:
        """Whether a saving must be done before anything else."""
        return len(self) > FULL
