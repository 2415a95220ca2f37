"""Times of many records. Invariant: what `moment.any_of` says of each."""

from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs.moment import any_of
from strongroom.logs.moments import moments

NUMBERS = st.integers(0, 99).map("{:02d}".format)
DAYS = st.builds("{}{}-{}-{}".format, NUMBERS, NUMBERS, NUMBERS, NUMBERS) | st.sampled_from(
    ["2025-12-29", "2025-W01-2", "0001-01-01"]
)
CLOCKS = st.builds("{}:{}:{}".format, NUMBERS, NUMBERS, NUMBERS) | st.sampled_from(
    ["0900.00", "090000.1", "09:00+01", "23:59:60"]
)
USUAL = st.datetimes().map(lambda at: at.isoformat(timespec="seconds") + "Z")
FINE = st.datetimes().map(lambda at: at.isoformat(timespec="milliseconds") + "Z")
ODD = st.builds(
    "{}{}{}{}".format, DAYS, st.sampled_from("T t"), CLOCKS, st.sampled_from(["Z", ".000Z", ",000Z", "z", "+", ""])
)
OTHERS = st.sampled_from(
    [
        "29/Dec/2025:22:00:00 +1300",
        "2025-12-29T09:00:00+13:00",
        "soon",
        "",
        "\u0661" * 20,
        "2025-12-29T09:00:00.1234567Z",
    ]
)


@given(st.lists(USUAL) | st.lists(FINE) | st.lists(ODD, max_size=2) | st.lists(USUAL | FINE | ODD | OTHERS))
def test_they_say_what_each_says(written: list[str]) -> None:
    """All in one form, or in many."""
    assert moments(written).to_pylist() == list(map(any_of, written))
