"""The honest people: what each does must be theirs to do, or a refusal would prove nothing."""

import random
from collections import Counter
from types import SimpleNamespace
from typing import cast

import pytest

from strongroom.clock import Millis
from strongroom.rehearse.lookalikes import SCRIPTS, Act, Town, everybody, honest
from strongroom.rehearse.population import CHILDREN, make_population
from strongroom.rehearse.stage import Stage


@pytest.fixture(scope="module")
def stage() -> Stage:
    """The truth about a town, without a running store."""
    people = make_population(Millis(1_795_000_000_000), patients=120)
    own = {one.subject: one.key for one in people.patients if one.subject is not None}
    readable = {subject: {patient} for subject, patient in own.items()}
    for acting in people.acting:
        readable[acting.subject].add(acting.patient)
    for one in people.staff:
        readable[one.subject] = {patient.key for patient in people.patients if patient.practice == one.practice}
    documents = [(f"{paper.patient}.{paper.number}", paper.patient) for paper in people.papers]
    hidden = {f"{paper.patient}.{paper.number}" for paper in people.papers if paper.category != "normal"}
    return cast(
        "Stage",
        SimpleNamespace(
            own=own, readable={subject: frozenset(patients) for subject, patients in readable.items()}, documents=documents,
            hidden=frozenset(hidden), clinicians=[one.subject for one in people.staff],
        ),
    )  # fmt: skip


def acts(stage: Stage, stolen: frozenset[str] = frozenset()) -> list[Act]:
    """All of one round."""
    return list(everybody(honest(stage, stolen), random.Random(1)))


def test_one_round_holds_a_thousand_requests_of_every_kind(stage: Stage) -> None:
    """B1 to B9, each at least a dozen times."""
    counts = Counter(act.script for act in acts(stage))
    assert set(counts) == {f"B{n}" for n in range(1, 10)}
    assert min(counts.values()) >= 12
    assert counts.total() >= 1_000


def test_nobody_asks_for_what_is_not_theirs(stage: Stage) -> None:
    """Every document and list asked for is one that the asker may truly read; programs keep to their practice."""
    owners = dict(stage.documents)
    for act in acts(stage):
        may = stage.readable["staff-" + act.subject.rpartition("-")[2] if act.program else act.subject]
        if act.path.startswith("Binary/"):
            document = act.path.removeprefix("Binary/")
            assert owners[document] in may
            assert document not in stage.hidden
        elif act.path.startswith("DocumentReference?patient="):
            assert act.path.partition("=")[2] in may


def test_a_stolen_login_is_no_longer_honest(stage: Stage) -> None:
    """Not even the mother's or the lawyer's client's."""
    stolen = frozenset(("person-1", "person-7", "person-20"))
    assert not stolen & {act.subject for act in acts(stage, stolen)}


def test_the_mother_reads_all_her_children(stage: Stage) -> None:
    """B6 is worth its name."""
    owners = dict(stage.documents)
    read = {owners[act.path[7:]] for act in acts(stage) if act.script == "B6" and act.path.startswith("Binary/")}
    listed = {act.path.partition("=")[2] for act in acts(stage) if act.script == "B6" and "=" in act.path}
    assert len(listed) == CHILDREN + 1
    assert read <= listed


def test_every_script_comes_from_addresses_of_its_own(stage: Stage) -> None:
    """An address tells which script was refused; a clinic and a carrier share one each."""
    sources: dict[str, set[str]] = {}
    for act in acts(stage):
        sources.setdefault(act.script, set()).add(act.source)
    assert len(sources["B4"]) == len(sources["B5"]) == 1
    assert len(sources["B9"]) > 50
    assert not set().union(*(sources[f"B{n}"] for n in (1, 3, 4, 5, 6, 7))) & (sources["B8"] | sources["B9"])


def test_the_scripts_end(stage: Stage) -> None:
    """Also in a town where everybody's login was stolen but one."""
    alone = honest(stage, frozenset(stage.own) - {"person-9"})
    assert isinstance(alone, Town)
    for script in SCRIPTS:
        assert len(list(script(alone, random.Random(1)))) <= 400
