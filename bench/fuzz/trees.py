"""Mutations of JSON and MessagePack that keep their form: bytes flipped at random seldom get past the first bracket."""

import json
import random
from collections.abc import Callable
from typing import Any

import msgspec

ATOMS: tuple[object, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**63 - 1, -(2**63), 2**64 - 1, 1.5, -0.0, 1e308, 9_999_999_999, "", " ", "a", "\n", "\0",
    "é", "\u2028", "\U0001f512", "x" * 300, "0" * 30, "9999-12-31T23:59:60Z", "0000-00-00", "../..", "a|b", "Patient/a", [], {},
)  # fmt: skip
"""What stands at the borders of what is allowed."""

Tree = Any


def mutate_json(data: bytes, dice: random.Random) -> bytes:
    """JSON, changed in one place or a few. Raises ValueError, RecursionError when `data` is none."""
    return json.dumps(mutated(json.loads(data), dice), ensure_ascii=dice.random() < 0.5, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )


def mutate_msgpack(data: bytes, dice: random.Random) -> bytes:
    """MessagePack, changed in one place or a few. Raises ValueError, OverflowError, RecursionError when it cannot."""
    return msgspec.msgpack.encode(mutated(msgspec.msgpack.decode(data), dice))


def mutated(tree: Tree, dice: random.Random) -> Tree:
    """`tree`, changed in place or replaced; it shares nothing with other trees."""
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        nodes = list(_places(tree))
        if not nodes:
            return _copied(dice.choice(ATOMS))
        holder, at = dice.choice(nodes)
        dice.choice(_WAYS)(holder, at, nodes, dice)
    return tree


def _places(tree: Tree) -> list[tuple[Tree, Any]]:
    """Every container with the key or index of each of its members."""
    found: list[tuple[Tree, Any]] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict | list):
            members = list(node.items()) if isinstance(node, dict) else list(enumerate(node))
            found += [(node, at) for at, _ in members]
            waiting += [member for _, member in members]
    return found


def _atom(holder: Tree, at: Any, _nodes: list[tuple[Tree, Any]], dice: random.Random) -> None:
    holder[at] = _copied(dice.choice(ATOMS))


def _gone(holder: Tree, at: Any, _nodes: list[tuple[Tree, Any]], _dice: random.Random) -> None:
    del holder[at]


def _other(holder: Tree, at: Any, nodes: list[tuple[Tree, Any]], dice: random.Random) -> None:
    """What stands somewhere else."""
    other, there = dice.choice(nodes)
    holder[at] = _copied(other[there])


def _renamed(holder: Tree, at: Any, nodes: list[tuple[Tree, Any]], dice: random.Random) -> None:
    """Under another name; in a list: once more."""
    if isinstance(holder, list):
        holder.insert(at, _copied(holder[at]))
        return
    names = [name for _, name in nodes if isinstance(name, str)]
    holder[dice.choice(names)] = holder.pop(at)


def _deeper(holder: Tree, at: Any, _nodes: list[tuple[Tree, Any]], dice: random.Random) -> None:
    for _ in range(dice.choice((1, 2, 40))):
        holder[at] = [holder[at]] if dice.random() < 0.5 else {"a": holder[at]}


def _nearby(holder: Tree, at: Any, _nodes: list[tuple[Tree, Any]], dice: random.Random) -> None:
    """Nearly what it was."""
    value = holder[at]
    if isinstance(value, bool) or value is None:
        holder[at] = not value
    elif isinstance(value, int | float):
        holder[at] = value + dice.choice((-1, 1, 60, -60, 900, -900, 0.5))
    elif isinstance(value, str):
        cut = dice.randint(0, len(value))
        holder[at] = value[:cut] + dice.choice(("", "\0", "\n", " ", "/", "|", "é", "A", "0", value)) + value[cut + 1 :]
    elif isinstance(value, bytes):
        cut = dice.randint(0, len(value))
        holder[at] = value[:cut] + dice.choice((b"", b"\0", b"\xff", value)) + value[cut + 1 :]


_WAYS: tuple[Callable[[Tree, Any, list[tuple[Tree, Any]], random.Random], None], ...] = (
    _atom, _gone, _other, _renamed, _deeper, _nearby, _nearby,
)  # fmt: skip


def _copied(value: Tree) -> Tree:
    """Not shared: a tree with itself inside would have no end."""
    if isinstance(value, dict):
        return {name: _copied(member) for name, member in value.items()}
    return [_copied(member) for member in value] if isinstance(value, list) else value
