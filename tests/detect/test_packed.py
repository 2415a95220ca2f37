"""Packed numbers by numbers say what a dict in the order of putting says, few or many, and over a restart."""

from hypothesis import given
from hypothesis import strategies as st

from strongroom.detect import packed

BIG = 2**64 - 1
KEYS = st.sampled_from([0, 1, 7, 2**8, 2**56, 2**63, BIG, *range(100, 130)])
NUMBERS = st.sampled_from([0, 1, 7, 2**8, 2**56, 2**62])
"""Some are as bytes what a key is across two entries."""


@given(
    steps=st.lists(
        st.tuples(KEYS, NUMBERS, st.sampled_from(["put", "put", "put", "drop", "without", "restart"])), max_size=120
    )
)
def test_packed_is_as_a_dict(steps: list[tuple[int, int, str]]) -> None:
    """Whatever is put, dropped and kept, and where one key's bytes stand across two others."""
    held, plain = packed.load(b""), dict[int, int]()
    for key, number, what in steps:
        if what == "restart":
            held = packed.load(packed.dump(held))
        elif what == "drop" and plain:
            held = packed.drop(held)
            del plain[next(iter(plain))]
        elif what == "without" and key in plain:
            held = packed.without(held, key)
            del plain[key]
        elif what == "put":
            held = packed.put(held, key, number)
            plain.pop(key, None)
            plain[key] = number
        assert list(packed.items(held)) == list(plain.items())
        assert packed.size(held) == len(plain)
        assert packed.get(held, key) == plain.get(key, packed.NEVER)
        if plain:
            assert (packed.oldest(held), packed.newest(held)) == (
                next(iter(plain.values())),
                next(reversed(plain.values())),
            )


@given(reads=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5)), max_size=200), window=st.integers(0, 60))
def test_what_was_before_a_time_is_let_go(reads: list[tuple[int, int]], window: int) -> None:
    """`renew` says when a key was last there, if that was within the window; or that it was there at all before it."""
    held, last, now = packed.load(b""), dict[int, int](), 0
    for key, later in reads:
        now += later
        held, before = packed.renew(held, key, now, now - window)
        known = last.get(key, packed.NEVER)
        assert before == known or (before == packed.NEVER and known < now - window)
        last[key] = now
        assert dict(packed.items(held)) == {key: time for key, time in last.items() if time >= now - window}


@given(st.lists(st.one_of(KEYS, st.integers(0, BIG)), max_size=200))
def test_many_numbers_are_a_set(numbers: list[int]) -> None:
    """Each is new once, also where its bytes stand across two others of the same part, and after it was kept."""
    many, known = packed.Many(), set[int]()
    for number in (one * 4_096 % 2**64 if one % 3 else one for one in numbers):
        assert many.add(number) == (number not in known)
        known.add(number)
        assert len(many) == len(known)
    assert not any(packed.Many(many.dump()).add(number) for number in known)
    assert len(many.dump()) == 8 * len(known)


@given(st.lists(st.tuples(KEYS, st.integers(0, 9)), max_size=60))
def test_what_is_marked_anew(marks: list[tuple[int, int]]) -> None:
    """It stays where it is, and is odd as long as its first time is not too long ago, before and after it was kept."""
    held, plain = packed.load(b""), dict[int, int]()
    for key, half in marks:
        marked = packed.marked(held, key.to_bytes(8, "big"), (2 * half).to_bytes(8, "big"), (6).to_bytes(8, "big"))
        last = plain.get(key, -1)
        if last >> 1 == half:
            assert marked is None
        else:
            assert marked is not None
            held, new = marked
            assert new == (last < 0 or (last % 2 == 1 and last >= 6))
            plain[key] = 2 * half + new
        assert [*packed.items(held)] == [*packed.items(packed.load(packed.dump(held)))] == [*plain.items()]
