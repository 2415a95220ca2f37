"""Mutations that keep the form."""

import json
import random

import msgspec
import pytest

from bench.fuzz.trees import ATOMS, mutate_json, mutate_msgpack, mutated

TREE = {"a": [1, {"b": "text", "c": None}], "d": True, "e": 2.5, "f": {"g": []}}


@pytest.mark.parametrize("seed", range(200))
def test_a_mutated_tree_is_a_tree(seed: int) -> None:
    """JSON stays JSON and MessagePack stays MessagePack, whatever was changed in it."""
    json.loads(mutate_json(json.dumps(TREE).encode(), random.Random(seed)))
    try:
        packed = mutate_msgpack(msgspec.msgpack.encode({**TREE, "h": b"raw"}), random.Random(seed))
    except (msgspec.MsgspecError, OverflowError):
        return  # a number that MessagePack has no room for
    msgspec.msgpack.decode(packed)


def test_a_mutated_tree_is_nobody_elses() -> None:
    """Whoever changes it changes no other: an empty object that two trees shared would grow in both."""
    before = repr(ATOMS)
    for seed in range(200):
        trees = [mutated({}, random.Random(seed)), mutated({"c": 1}, random.Random(seed))]
        for tree in trees:
            if isinstance(tree, dict):
                trees += tree.values()
                tree["grown"] = 1
            elif isinstance(tree, list):
                tree.append(1)
    assert repr(ATOMS) == before


def test_most_mutations_change_something() -> None:
    """Else the fuzzer would try the same again and again."""
    raw = json.dumps(TREE, separators=(",", ":")).encode()
    found = {mutate_json(raw, random.Random(seed)) for seed in range(200)}
    assert len(found - {raw}) > 100
