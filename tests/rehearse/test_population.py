"""The synthetic town: the same by seed, plausible, and readable by what reads real feeds and documents."""

import json
import re

import pytest
from fhir.resources.R4B.bundle import Bundle

from strongroom.authz.relations import PARENT_UNTIL, age
from strongroom.clock import DAY, Millis
from strongroom.envelope.mime import disagreement
from strongroom.errors import UsageError
from strongroom.fhir.people import DelegateRecord, PatientRecord, Problem, read_feed, read_header
from strongroom.rehearse.content import NOTE, make_content
from strongroom.rehearse.feed import feed
from strongroom.rehearse.population import CHILDREN, LEAST, MOST, RICH, Population, make_population

NOW = Millis(1_795_000_000_000)


@pytest.fixture(scope="module")
def town() -> Population:
    """Eighty patients."""
    return make_population(NOW, patients=80)


def test_the_same_seed_makes_the_same_town(town: Population) -> None:
    """Another seed makes another."""
    assert make_population(NOW, patients=80) == town
    assert make_population(NOW, patients=80, seed=1) != town


def test_the_town_has_what_the_scripts_need(town: Population) -> None:
    """A mother of five, a patient with 300 documents, and about four documents for everybody else."""
    acting = [one.patient for one in town.acting if one.subject == town.patients[0].subject]
    assert len(acting) == CHILDREN
    counts = {patient.key: sum(paper.patient == patient.key for paper in town.papers) for patient in town.patients}
    assert counts[RICH] == 300
    others = [count for key, count in counts.items() if key != RICH]
    assert 2.5 <= sum(others) / len(others) <= 5.5
    assert all(re.fullmatch(r"Z[A-Z]{2}\d{4}", patient.nhi) for patient in town.patients)


def test_a_child_grows_up_after_a_rehearsal_and_before_long(town: Population) -> None:
    """One child of the mother of five is sixteen in two months; a rehearsal's thirty days change nobody's standing."""
    children = town.patients[1 : CHILDREN + 1]
    assert all(age(child.born, Millis(NOW + 31 * DAY)) < PARENT_UNTIL for child in children)
    assert sum(age(child.born, Millis(NOW + 90 * DAY)) >= PARENT_UNTIL for child in children) == 1
    assert {child.name.rpartition(" ")[2] for child in children} == {town.patients[0].name.rpartition(" ")[2]}


@pytest.mark.parametrize("patients", [-1, 0, LEAST - 1, MOST + 1])
def test_a_town_has_a_least_and_a_most(patients: int) -> None:
    """Too small for its scripts, or too large for its health numbers."""
    with pytest.raises(UsageError):
        make_population(NOW, patients=patients)
    assert len(make_population(NOW, patients=LEAST, rich=1).patients) == LEAST


def test_every_feed_is_read_without_a_problem(town: Population) -> None:
    """All practices together bring everybody in."""
    records = []
    for practice in town.practices:
        lines = feed(town, practice.id, "http://issuer", 1, NOW).splitlines()
        assert read_header(lines).organisation == practice.id
        records += list(read_feed(lines))
    assert [record for record in records if isinstance(record, Problem)] == []
    assert sum(isinstance(record, PatientRecord) for record in records) == len(town.patients)
    assert sum(isinstance(record, DelegateRecord) for record in records) == len(town.acting)


def test_documents_are_what_they_say(town: Population) -> None:
    """Every kind is detected as its type, says that it is synthetic, and is the same each time."""
    people = {patient.key: patient for patient in town.patients}
    seen = set()
    for paper in town.papers:
        if paper.content_type in seen:
            continue
        seen.add(paper.content_type)
        content = make_content(paper, people[paper.patient])
        assert content == make_content(paper, people[paper.patient])
        assert disagreement(paper.content_type, content[:1_024]) is None
        assert b"SYNTHETIC" in content
    assert seen == {"application/pdf", "image/jpeg", "text/plain", "application/fhir+json"}


def test_the_pdf_points_to_its_own_objects(town: Population) -> None:
    """Every offset of the cross-reference table leads to its object, and the trailer to the table."""
    people = {patient.key: patient for patient in town.patients}
    paper = next(paper for paper in town.papers if paper.content_type == "application/pdf")
    content = make_content(paper, people[paper.patient])
    start = int(content.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    assert content[start : start + 4] == b"xref"
    offsets = re.findall(rb"(\d{10}) 00000 n", content[start:])
    assert len(offsets) >= 5
    for number, offset in enumerate(offsets, 1):
        assert content[int(offset) :].startswith(b"%d 0 obj" % number)


def test_the_jpeg_has_its_segments_in_order(town: Population) -> None:
    """Start, tables, frame, scan, end; and no marker inside the scan but stuffed ones."""
    people = {patient.key: patient for patient in town.patients}
    paper = next(paper for paper in town.papers if paper.content_type == "image/jpeg")
    content = make_content(paper, people[paper.patient])
    at, markers = 2, []
    while content[at + 1] != 0xDA:
        markers.append(content[at + 1])
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    scan = content[at + 2 + int.from_bytes(content[at + 2 : at + 4], "big") :]
    assert markers == [0xE0, 0xFE, 0xDB, 0xC0, 0xC4, 0xC4]
    assert scan.endswith(b"\xff\xd9")
    assert re.search(rb"\xff[^\x00]", scan[:-2]) is None


def test_the_fhir_document_is_json(town: Population) -> None:
    """A document Bundle."""
    people = {patient.key: patient for patient in town.patients}
    paper = next(paper for paper in town.papers if paper.content_type == "application/fhir+json")
    bundle = json.loads(make_content(paper, people[paper.patient]))
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "document")
    assert {"identifier", "timestamp"} <= bundle.keys()
    Bundle.model_validate(bundle)
    assert bundle["entry"][0]["resource"]["title"] == NOTE
