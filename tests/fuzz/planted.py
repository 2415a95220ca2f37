"""Targets with planted faults, for the fuzzer itself to be tried on. Not a test."""

from bench.fuzz.target import Target


def _fine(_data: bytes) -> None:
    pass


def _raises(data: bytes) -> None:
    if len(data) > 2:
        raise KeyError(data[0])


def _hangs(data: bytes) -> None:
    while len(data) > 2:
        pass


TARGETS = (
    Target("fine", _fine),
    Target("raises", _raises, "json", ("word", '"\\')),
    Target("hangs", _hangs, "msgpack"),
)
