"""What a rehearsal reports."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.rehearse.attack import Moment
from strongroom.rehearse.scorecard import COLUMNS, Run, as_json
from strongroom.rehearse.timeline import LANE, LEFT, PLOT, TOP, Lane, draw, duration

RUN = Run(
    condition="guards-on", logins=1, rate="max", people_own=1, people_listed=0, documents_lost=0, people_lost=0, bound=0,
    stopped_by="policy", seconds_to_containment=None, requests=10, list_equals_haul=True, honest_requests=5,
    honest_refused=0, border="uid",
)  # fmt: skip


def test_a_promise_is_broken_by_one_person_one_refusal_or_a_list_that_differs() -> None:
    """Each by itself."""
    assert RUN.holds
    assert not replace(RUN, people_lost=1).holds
    assert not replace(RUN, honest_refused=1).holds
    assert not replace(RUN, list_equals_haul=False).holds
    assert not replace(RUN, people_listed=1).holds
    assert not replace(RUN, documents_lost=1).holds
    assert replace(RUN, people_lost=5, people_listed=2, documents_lost=9, bound=5).holds
    assert not replace(RUN, people_lost=6, bound=5).holds


def test_the_json_has_the_documented_shape() -> None:
    """Exactly these fields, in every run."""
    shape = as_json("P1", [RUN])
    assert shape["playbook"] == "P1"
    assert set(shape["runs"][0]) == {
        "condition", "logins", "rate", "people_own", "people_listed", "documents_lost", "people_lost", "bound", "stopped_by",
        "seconds_to_containment", "requests", "list_equals_haul", "honest_requests", "honest_refused", "border",
    }  # fmt: skip
    assert all(hasattr(RUN, name) for _, name in COLUMNS)


def test_the_timeline_shows_every_run_and_escapes_what_it_is_told() -> None:
    """One lane a run; text is text."""
    moments = [Moment(at / 10, at % 3 == 0, ("own", "foreign", "refused")[at % 3]) for at in range(100)]
    svg = draw("P1", [Lane(replace(RUN, stopped_by="<script>"), moments), Lane(RUN, [])])
    root = ET.fromstring(svg)  # noqa: S314  # our own picture
    texts = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert sum("guards-on" in (text or "") for text in texts) == 2
    assert "script" not in {element.tag.rpartition("}")[2] for element in root.iter()}


_MOMENTS = st.lists(
    st.builds(Moment, st.floats(0, 3_000_000), st.booleans(), st.sampled_from(("own", "foreign", "refused", "absent"))),
    max_size=80,
)


def _drawn(svg: str, kind: str) -> list[dict[str, str]]:
    """Attributes of the shapes of a kind, the legend's left out."""
    found = [element.attrib for element in ET.fromstring(svg).iter() if element.attrib.get("class") == kind]  # noqa: S314  # ours
    return [one for one in found if one.get("y") != "38"]


@given(st.lists(_MOMENTS, min_size=1, max_size=3))
def test_every_bar_stays_in_its_lane(drawn: list[list[Moment]]) -> None:
    """Whatever came in, and however much of it at once."""
    svg = draw("P1", [Lane(RUN, moments) for moments in drawn])
    for kind in ("foreign", "own", "refused", "honest", "wronged"):
        for bar in _drawn(svg, kind):
            x, y = float(bar["x"]), float(bar["y"])
            lane = TOP + int((y - TOP) // LANE) * LANE
            assert lane + 2 <= y
            assert y + float(bar["height"]) <= lane + LANE - 4 + 0.1
            assert LEFT <= x <= LEFT + PLOT - float(bar["width"])


def test_an_honest_person_who_was_refused_is_seen() -> None:
    """It is a failure of ours, and drawn as one; the last foreign document has a line, and only then."""
    fine = [Moment(1.0, honest=True, outcome="own"), Moment(2.0, honest=False, outcome="refused")]
    wrong = [Moment(1.5, honest=True, outcome="refused"), Moment(1.8, honest=False, outcome="foreign")]
    svg = draw("P1", [Lane(RUN, fine)])
    assert [len(_drawn(svg, kind)) for kind in ("wronged", "honest", "refused", "foreign", "end")] == [0, 1, 1, 0, 0]
    svg = draw("P1", [Lane(RUN, fine + wrong)])
    assert [len(_drawn(svg, kind)) for kind in ("wronged", "honest", "refused", "foreign", "end")] == [1, 1, 1, 1, 1]


def test_the_picture_is_told_in_words_too() -> None:
    """Title and description say what the bars show, and that nobody in it is real."""
    root = ET.fromstring(draw("P1", [Lane(replace(RUN, people_lost=3, bound=5), [])]))  # noqa: S314  # our own picture
    said = {element.attrib.get("id"): element.text or "" for element in root}
    assert "3 people lost" in said["t"]
    assert "synthetic" in said["t"]
    assert "guards-on, 1 login, max: 3 of at most 5 people" in said["d"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.04, "0.0 s"),
        (4.24, "4.2 s"),
        (45, "45 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7_200, "2 h"),
        (2_505_602, "29 days"),
    ],
)
def test_durations_are_for_people(seconds: float, said: str) -> None:
    """Thirty simulated days are no number of seconds."""
    assert duration(seconds) == said
