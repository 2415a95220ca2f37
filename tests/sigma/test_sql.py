"""A condition's SQL says what the specification says, on every event."""

from ipaddress import IPv4Network, IPv6Address, IPv6Network
from typing import Literal

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.sigma.rule import (
    All,
    Compare,
    Condition,
    Exists,
    Match,
    Not,
    Number,
    Pattern,
    Regex,
    Same,
    Some,
    Value,
    Wildcard,
    Within,
)  # fmt: skip
from strongroom.sigma.sql import literal, where
from tests.sigma.naive import Event, holds

FIELDS = ("a", "b")
TEXTS = st.text(alphabet="aAb%_\\'*? \x00é", max_size=4)
SIGNS: tuple[Literal["<", "<=", ">", ">="], ...] = ("<", "<=", ">", ">=")
VALUES: st.SearchStrategy[Value] = st.one_of(
    st.builds(Pattern, st.lists(TEXTS | st.sampled_from(Wildcard), max_size=4).map(tuple), st.booleans()),
    st.builds(Number, st.integers(-3, 3) | st.just(2**70)),
    st.builds(Compare, st.sampled_from(SIGNS), st.integers(-3, 3)),
    st.builds(Regex, st.sampled_from(["a", "^a", "b$", "[aA]+", "a.b"]), st.sampled_from([frozenset(), frozenset("i")])),
    st.builds(Within, st.sampled_from([IPv4Network("10.0.0.0/8"), IPv4Network("10.1.2.3/32"), IPv4Network("0.0.0.0/0"),
                                          IPv6Network("::/0"), IPv6Network("fe80::/10")])),
    st.builds(Exists, st.booleans()),
    st.builds(Same, st.sampled_from(FIELDS)),
)  # fmt: skip
MATCHES: st.SearchStrategy[Condition] = st.builds(Match, st.sampled_from(FIELDS), VALUES) | st.builds(
    Match, st.none(), st.builds(Pattern, st.lists(TEXTS, min_size=1, max_size=2).map(tuple))
)
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    MATCHES,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(All, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Some, st.lists(inner, min_size=1, max_size=3).map(tuple)),
    ),
    max_leaves=5,
)
CELLS = (
    st.none()
    | TEXTS
    | st.sampled_from(["1", "-2", "10.1.2.3", "10.1.2.300", "10.01.2.3", "10.1.2", "ab", "A\nB", "::1", str(2**70)])
)


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    """An engine."""
    return duckdb.connect()


def resolve(field: str | None) -> str:
    """Two columns, and both for keywords."""
    return f'"{field}"' if field else "concat_ws(chr(10), a, b)"


@given(condition=CONDITIONS, cells=st.tuples(CELLS, CELLS))
def test_sql_and_specification_agree(
    con: duckdb.DuckDBPyConnection, condition: Condition, cells: tuple[str | None, str | None]
) -> None:
    """Any condition on any event; and never null."""
    event: Event = dict(zip(FIELDS, cells, strict=True))
    row = ", ".join(f"{'NULL' if cell is None else literal(cell)}::VARCHAR AS {name}" for name, cell in event.items())
    found = con.execute(f"SELECT {where(condition, resolve)} FROM (SELECT {row})").fetchall()  # noqa: S608  # a test's
    assert found == [(holds(condition, event),)]


@given(
    st.integers(0, 2**128 - 1), st.sampled_from([0, 1, 10, 32, 64, 127, 128]), st.booleans(), st.integers(0, 2**128 - 1)
)
def test_addresses_of_a_longer_kind(
    con: duckdb.DuckDBPyConnection, number: int, prefix: int, near: bool, other: int
) -> None:
    """Shortened, written out, or in capitals: an IPv6 address is of a network or it is not."""
    network = IPv6Network((number, prefix), strict=False)
    mask = int(network.hostmask)
    address = IPv6Address((int(network.network_address) | other & mask) if near else other)
    for text in (str(address), address.exploded, str(address).upper()):
        sql = where(Match("a", Within(network)), resolve)
        found = con.execute(f"SELECT {sql} FROM (SELECT '{text}' AS a)").fetchall()  # noqa: S608  # a test's
        assert found == [(address in network,)], text


@given(st.text(max_size=20))
def test_a_literal_is_its_text(con: duckdb.DuckDBPyConnection, text: str) -> None:
    """Whatever it holds: no text of a rule can become SQL."""
    if not any(0xD800 <= ord(c) < 0xE000 for c in text):
        assert con.execute(f"SELECT {literal(text)}").fetchall() == [(text,)]


ODD = st.text(alphabet="aAkKiI\u0131\u017f\u212a\u0130%_\\'*? \x00é[](){}.^$|\n", max_size=4)
SEVERAL = st.lists(
    st.builds(
        Match,
        st.sampled_from(("a", "b", None)),
        st.builds(Pattern, st.lists(ODD | st.sampled_from(Wildcard), max_size=4).map(tuple), st.booleans()),
    ),
    min_size=2,
    max_size=5,
).map(tuple)


@given(of=SEVERAL, cells=st.tuples(st.none() | ODD, st.none() | ODD))
def test_alternatives_looked_for_together_are_what_they_are_one_by_one(
    con: duckdb.DuckDBPyConnection, of: tuple[Condition, ...], cells: tuple[str | None, str | None]
) -> None:
    """Whatever signs of a regular expression stand in them, and letters that have another one's small form."""
    row = ", ".join(
        f"{'NULL' if cell is None else literal(cell)}::VARCHAR AS {name}"
        for name, cell in zip(FIELDS, cells, strict=True)
    )
    single = " OR ".join(where(part, resolve) for part in of)
    sql = f"SELECT {where(Some(of), resolve)}, {single} FROM (SELECT {row})"  # noqa: S608  # a test's
    ((together, one_by_one),) = con.execute(sql).fetchall()
    assert together == one_by_one


def test_records_are_taken_apart_last() -> None:
    """What looks into a record is asked only of those that all other tests leave, wherever the rule has it."""
    inside, beside = Match("deep", Exists(there=True)), Match("a", Exists(there=True))
    sql = where(
        All((All((inside,)), beside)), lambda field: "json_extract_string(r, '$.x')" if field == "deep" else '"a"'
    )
    assert sql.index('"a"') < sql.index("json_extract_string")
