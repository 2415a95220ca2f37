"""Every input that was ever worth keeping, through the functions that the fuzzer calls: no crash, no hang, every law holds."""

from importlib import import_module

import pytest

from bench.fuzz import FAMILIES, SEEDS
from bench.fuzz.seeds import seeds
from bench.fuzz.target import Target, Watch

TARGETS: tuple[Target, ...] = sum((import_module(f"bench.fuzz.{family}").TARGETS for family in FAMILIES), ())


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_no_seed_breaks_a_law(target: Target) -> None:
    """What the product writes, and what once broke something."""
    inputs = [file.read_bytes() for file in sorted((SEEDS / target.name).iterdir())]
    assert inputs
    watch = Watch()
    with watch.on():
        for data in inputs:
            watch.attempt(target, data)


def test_every_seed_belongs_to_a_target_and_is_small() -> None:
    """A folder for each target, none for others; an input is a few kilobytes."""
    names = [target.name for target in TARGETS]
    assert len(set(names)) == len(names)
    assert sorted(names) == sorted(folder.name for folder in SEEDS.iterdir())
    files = [file for folder in SEEDS.iterdir() for file in folder.iterdir()]
    assert [file.name for file in files if file.stat().st_size > 4_096] == []


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_what_the_product_writes_today_breaks_no_law(target: Target) -> None:
    """Seeds are kept; so that they do not grow old unnoticed, what would be written as seeds today is tried too."""
    watch = Watch()
    with watch.on():
        for data in _TODAY[target.name]:
            watch.attempt(target, data)


_TODAY = seeds()
