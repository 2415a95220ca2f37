"""A search of the log is by patient and time, and cannot be narrowed otherwise."""

import pytest

from strongroom.fhir.dates import span
from strongroom.fhir.fault import Unreadable
from strongroom.fhir.history import parse_history

JANUARY, FEBRUARY = span("2026-01").start, span("2026-02").start


@pytest.mark.parametrize(
    ("dates", "since", "until"),
    [
        (["2026-01"], JANUARY, FEBRUARY),
        (["ge2026-01"], JANUARY, None),
        (["gt2026-01"], FEBRUARY, None),
        (["sa2026-01"], FEBRUARY, None),
        (["le2026-01"], None, FEBRUARY),
        (["lt2026-01"], None, JANUARY),
        (["eb2026-01"], None, JANUARY),
        (["ge2026-01", "lt2026-02"], JANUARY, FEBRUARY),
        (["ge2025", "gt2026-01"], FEBRUARY, None),
        ([], None, None),
    ],
)
def test_dates_become_bounds(dates: list[str], since: int | None, until: int | None) -> None:
    """Included from below, not included from above; several narrow each other."""
    query = parse_history([("date", one) for one in dates], strict=True)
    assert (query.since, query.until) == (since, until)


def test_a_patient_is_named_in_three_ways() -> None:
    """And only one."""
    for name, value in (("patient", "p"), ("patient", "Patient/p"), ("entity", "Patient/p")):
        assert parse_history([(name, value)], strict=True).patient == "p"
    for pairs in ([("patient", "a"), ("patient", "b")], [("patient", "a,b")], [("patient", "")], [("date", "ne2026")],
                  [("_count", "x")], [("date", "x")], [("x", "y")] * 65):  # fmt: skip
        with pytest.raises(Unreadable):
            parse_history(pairs, strict=False)


def test_what_would_hide_an_access_is_not_taken() -> None:
    """Unknown parameters are left out, or refused under strict handling."""
    query = parse_history([("patient", "p"), ("agent", "x"), ("_count", "5"), ("_page", "t")], strict=False)
    assert query.used == (("patient", "p"), ("_count", "5"))
    assert (query.count, query.page) == (5, "t")
    with pytest.raises(Unreadable):
        parse_history([("agent", "x")], strict=True)
    assert parse_history([("_format", "json")], strict=True).used == ()
