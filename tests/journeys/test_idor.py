"""Who can reach whose documents, over real HTTP, with a real store: nobody else's, and nothing tells that it is there."""

import asyncio

import pytest

from bench.idor import NO_PROBE_LIMIT, Outcome, cells, cliffs_delta, matrix
from strongroom.api.routes import WAYS
from strongroom.rehearse.stage import StageOptions
from strongroom.wiring.stage import open_stage

CASES = 1_000


@pytest.fixture(scope="module")
def found() -> Outcome:
    """What the matrix found on one store."""
    with open_stage(StageOptions(patients=60, decoys=0, probe_limit=NO_PROBE_LIMIT)) as stage:
        walked = {case.way for case in cells(stage)}
        assert walked == {way for way in WAYS if way.access}
        return asyncio.run(matrix(stage, CASES))


def test_nobody_reaches_somebody_elses_documents(found: Outcome) -> None:
    """Every route, role, relation and access path: no answer gives anything of a foreign document or record."""
    assert found.cases >= CASES
    assert found.leaks == []


def test_foreign_and_missing_are_answered_alike(found: Outcome) -> None:
    """Status, headers and body do not tell whether a document exists; and the same requests upon one's own succeed."""
    assert found.differences == []
    assert found.permitted >= 10


def test_every_route_is_in_the_matrix() -> None:
    """A route with an id in its address, or one that names a patient, has access paths for the matrix to walk."""
    bare = {way.path for way in WAYS if not way.access}
    assert bare == {
        "/healthz",
        "/readyz",
        "/.well-known/strongroom-probe",
        "/fhir/metadata",
        "/fhir/$step-up",
        "/fhir/$logout",
    }


def test_cliffs_delta_is_what_it_says() -> None:
    """0 for equal samples, 1 when every value is larger, -1 when every one is smaller."""
    assert cliffs_delta([1, 2, 3], [1, 2, 3]) == 0
    assert cliffs_delta([4, 5], [1, 2, 3]) == 1
    assert cliffs_delta([1], [2, 3]) == -1
