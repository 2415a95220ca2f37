"""What a rehearsal reports."""

import xml.etree.ElementTree as ET
from dataclasses import replace

from strongroom.rehearse.attack import Moment
from strongroom.rehearse.scorecard import COLUMNS, Run, as_json
from strongroom.rehearse.timeline import Lane, draw

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
    assert replace(RUN, people_lost=5, bound=5).holds


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
