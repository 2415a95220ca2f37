"""Effects: what a statement may and may not do to the draft it came with."""

import pytest

from strongroom.audit import event
from strongroom.audit.effect import Effect
from strongroom.audit.log import Log
from strongroom.clock import Millis
from strongroom.errors import Conflict, OperationError
from strongroom.tlog.entry import Op
from tests.audit.conftest import START, Store, release

STARTED = event.started(Millis(START), "ff")
TABLE = Effect("create table thing (id integer primary key, word text not null unique) strict")
ADD = "insert into thing (word) values (?)"


def words(store: Store) -> list[str]:
    """What is in the table."""
    return [row[0] for row in store.reader().rows("select word from thing order by id")]


@pytest.fixture(autouse=True)
def table(log: Log) -> None:
    """A table of the keeper's, made through the log like any other change."""
    log.append_now(STARTED, [TABLE, Effect(ADD, ("first",))])


def test_effects_are_durable_with_their_entry(store: Store, log: Log) -> None:
    """After the append both are there, for every other connection."""
    receipt = log.append_now(release(), [Effect(ADD, ("second",)), Effect(ADD, ("third",))])
    assert words(store) == ["first", "second", "third"]
    assert next(store.reader().entries(receipt.index, receipt.index + 1)).columns.op == Op.RELEASED.value


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (Effect(ADD, ("first",)), Conflict),
        (Effect(ADD, (None,)), Conflict),
        (Effect("update thing set word = 'x' where id = 99", rows=1), Conflict),
        (Effect("update thing set word = word", rows=0), Conflict),
        (Effect("update nothing set word = 'x'"), OperationError),
        (Effect(ADD, ()), OperationError),
        (Effect(ADD, ("\ud800",)), OperationError),
        (Effect("insert into thing values (?, 'x')", (2**70,)), OperationError),
        (Effect("insert into thing values ('no number', 'x')"), Conflict),
        (Effect("select 1; select 2"), OperationError),
    ],
)
def test_an_effect_that_fails_takes_everything_of_its_draft_with_it(
    store: Store, log: Log, bad: Effect, error: type[OperationError]
) -> None:
    """Neither the entry nor the effects before it are there; the log goes on."""
    with pytest.raises(OperationError) as raised:
        log.append_now(release(), [Effect(ADD, ("second",)), bad])
    assert type(raised.value) is error
    assert words(store) == ["first"]
    assert log.size == 1
    assert log.append_now(release(), [Effect(ADD, ("third",), rows=1)]).index == 1
    assert words(store) == ["first", "third"]
