"""An organisation's feed, line by line."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.clock import DAY
from strongroom.errors import Malformed
from strongroom.fhir.people import (
    ACCOUNT,
    CARERS,
    MAX_LINE,
    PARENTS,
    DelegateRecord,
    Header,
    Login,
    OrganisationRecord,
    PatientRecord,
    PractitionerRecord,
    Problem,
    Record,
    read_feed,
    read_header,
    signing_bytes,
)

NAME = [{"family": "Ngata", "given": ["Aroha"]}]
LOGIN = {"system": ACCOUNT, "value": "https://id.example|aroha"}
NHI = {"system": "https://standards.digital.health.nz/ns/nhi-id", "value": "ZAA0001"}
PATIENT: dict[str, Any] = {"resourceType": "Patient", "id": "p1", "name": NAME, "identifier": [NHI, LOGIN]}
STAFF: dict[str, Any] = {"resourceType": "Practitioner", "id": "s1", "name": [{"text": "Dr X"}], "identifier": [LOGIN]}
CARER: dict[str, Any] = {
    "resourceType": "RelatedPerson", "id": "r1", "name": NAME, "patient": {"reference": "Patient/p1"},
    "relationship": [{"coding": [{"code": "MTH"}]}], "identifier": [LOGIN],
}  # fmt: skip
NEW_YEAR = 1_767_225_600_000


def header(**changed: Any) -> bytes:
    """A header with some values changed; None leaves one out."""
    values = {"organisation": "north", "sequence": 7, "created": "2026-01-01T00:00:00Z"} | changed
    kinds = {"organisation": "valueId", "sequence": "valueInteger", "created": "valueInstant"}
    parameter = [{"name": name, kinds[name]: value} for name, value in values.items() if value is not None]
    return json.dumps({"resourceType": "Parameters", "parameter": parameter}).encode()


def read(*lines: dict[str, Any] | bytes) -> list[Record | Problem]:
    """What the reader makes of lines after a header."""
    raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    return list(read_feed([header(), *raw]))


def delegate(**changed: Any) -> DelegateRecord | Problem:
    """A RelatedPerson with some fields changed."""
    [found] = read(CARER | changed)
    assert isinstance(found, DelegateRecord | Problem)
    return found


def test_the_header_says_whose_feed_it_is_and_which_one() -> None:
    """Organisation, number, time."""
    assert read_header([header()]) == Header("north", 7, NEW_YEAR)  # type: ignore[arg-type]  # Millis is an int


@pytest.mark.parametrize(
    "changed",
    [
        {"organisation": None}, {"organisation": ""}, {"organisation": "../north"}, {"organisation": "n" * 65},
        {"sequence": None}, {"sequence": 0}, {"sequence": -1}, {"sequence": 2**31}, {"sequence": 10**30}, {"sequence": "7"},
        {"created": None}, {"created": "yesterday"}, {"created": "2026-01-01T00:00:00"},
    ],
)  # fmt: skip
def test_a_header_that_cannot_be_used_stops_everything(changed: dict[str, Any]) -> None:
    """Without it neither owner nor replay could be told."""
    with pytest.raises(Malformed):
        read_header([header(**changed)])


@pytest.mark.parametrize(
    "lines",
    [[], [b""], [b"{}"], [b"\xff"], [b'{"resourceType":"Parameters","\xff":1}'], [json.dumps(PATIENT).encode()]],
)
def test_a_feed_begins_with_its_header(lines: list[bytes]) -> None:
    """An empty feed, or one that begins with anything else, is refused."""
    with pytest.raises(Malformed):
        read_header(lines)


def test_each_resource_becomes_its_record() -> None:
    """Organisation, staff, patient, delegate; in order."""
    organisation = {"resourceType": "Organization", "id": "north", "name": "North Clinic"}
    login = Login("https://id.example", "aroha")
    assert read(organisation, STAFF, PATIENT | {"birthDate": "2012-02-29"}, CARER) == [
        OrganisationRecord("north", "North Clinic"),
        PractitionerRecord("Dr X", login, active=True),
        PatientRecord("p1", "Aroha Ngata", ((NHI["system"], "ZAA0001"),), "2012-02-29", login, active=True),
        DelegateRecord("p1", "Aroha Ngata", login, parent=True, since=None, until=None, active=True),
    ]


def test_a_subject_may_hold_a_bar_and_an_issuer_not() -> None:
    """Some providers name people `auth0|1234`: the login is theirs, not somebody's at another issuer."""
    [found] = read(STAFF | {"identifier": [{"system": ACCOUNT, "value": "https://id.example/|auth0|1234"}]})
    assert isinstance(found, PractitionerRecord)
    assert found.login == Login("https://id.example/", "auth0|1234")


@pytest.mark.parametrize("value", ["nobar", "|subject", "issuer|", "|"])
def test_a_login_needs_an_issuer_and_a_subject(value: str) -> None:
    """Half a login is nobody's."""
    [found] = read(STAFF | {"identifier": [{"system": ACCOUNT, "value": value}]})
    assert isinstance(found, Problem)


def test_two_logins_in_one_resource_are_refused() -> None:
    """It could not be told which one is meant."""
    [found] = read(PATIENT | {"identifier": [NHI, LOGIN, LOGIN]})
    assert isinstance(found, Problem)


def test_a_patient_needs_an_identifier_but_no_login() -> None:
    """Children have none; without an identifier the next feed would make a second person."""
    [child] = read(PATIENT | {"identifier": [NHI]})
    assert isinstance(child, PatientRecord)
    assert child.login is None
    [nobody] = read(PATIENT | {"identifier": [LOGIN]})
    assert isinstance(nobody, Problem)


@pytest.mark.parametrize("code", sorted(PARENTS))
def test_every_parent_is_a_parent(code: str) -> None:
    """Step, foster and adoptive parents too: their authority must end with childhood."""
    found = delegate(relationship=[{"coding": [{"code": code}]}])
    assert isinstance(found, DelegateRecord)
    assert found.parent


@pytest.mark.parametrize("code", sorted(CARERS))
def test_a_carer_is_no_parent(code: str) -> None:
    """Who acts for an adult does so for the period."""
    found = delegate(relationship=[{"coding": [{"code": code}]}])
    assert isinstance(found, DelegateRecord)
    assert not found.parent


def test_who_is_both_is_a_parent() -> None:
    """The stricter of the two."""
    found = delegate(relationship=[{"coding": [{"code": "CAREGIVER"}]}, {"coding": [{"code": "STPMTH"}]}])
    assert isinstance(found, DelegateRecord)
    assert found.parent


@pytest.mark.parametrize(
    "relationship", [[], [{"coding": [{"code": "NBOR"}]}], [{"coding": [{"code": "GUARD"}]}], [{}]]
)
def test_an_unknown_relationship_is_never_taken_for_a_carers(relationship: list[dict[str, Any]]) -> None:
    """A carer of a child would stay when the child is grown."""
    assert isinstance(delegate(relationship=relationship), Problem)


def test_a_period_that_ends_on_a_date_covers_that_day() -> None:
    """FHIR's own rule for dates; an instant is taken as it is."""
    found = delegate(period={"start": "2026-01-01", "end": "2026-01-01"})
    assert isinstance(found, DelegateRecord)
    assert (found.since, found.until) == (NEW_YEAR, NEW_YEAR + DAY)
    exact = delegate(period={"end": "2026-01-01T13:00:00+13:00"})
    assert isinstance(exact, DelegateRecord)
    assert exact.until == NEW_YEAR


@pytest.mark.parametrize(
    "period",
    [
        {"start": "2026-01-02", "end": "2026-01-01"}, {"start": "2026"}, {"end": "2026-W01-1"}, {"start": "2026-01-01T00:00:00"},
        {"end": "2026-02-30"}, {"end": ""}, {"start": "2026-01-01T00:00:00,5Z"}, {"end": "2026-01-01\n"},
    ],
)  # fmt: skip
def test_a_period_that_cannot_be_read_is_a_problem(period: dict[str, str]) -> None:
    """Never a relation without end."""
    assert isinstance(delegate(period=period), Problem)


@pytest.mark.parametrize(
    "born",
    [
        "2020-W01-1",
        "20200101",
        "2020",
        "2020-13-01",
        "2020-01-01T00:00:00Z",
        "\u0662\u0660\u0662\u0660-\u0660\u0661-\u0660\u0661",
    ],
)
def test_a_birth_date_has_one_form(born: str) -> None:
    """Ages are reckoned from it."""
    [found] = read(PATIENT | {"birthDate": born})
    assert isinstance(found, Problem)


def test_a_bad_line_is_told_by_its_number_and_the_others_are_read() -> None:
    """Nothing is dropped silently, and the sentence repeats nothing of the line."""
    lines = [
        b"{",
        b'{"resourceType":"Observation","id":"secret"}',
        json.dumps(PATIENT).encode(),
        header(),
        b"[" * 5_000,
    ]
    found = read(*lines)
    assert [one.line for one in found if isinstance(one, Problem)] == [2, 3, 5, 6]
    assert sum(isinstance(one, PatientRecord) for one in found) == 1
    assert not any("secret" in one.sentence for one in found if isinstance(one, Problem))


def test_a_line_has_a_bound() -> None:
    """One byte more than allowed is a problem; exactly as many are read."""
    plain = json.dumps(PATIENT).encode()
    padded = plain + b" " * (MAX_LINE - len(plain))
    [whole, longer] = read(padded, padded + b" ")
    assert isinstance(whole, PatientRecord)
    assert isinstance(longer, Problem)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = st.sampled_from(("name", "identifier", "patient", "period", "relationship", "birthDate", "active", "id"))


@given(st.sampled_from((PATIENT, STAFF, CARER)), st.dictionaries(_FIELDS, _JSON, max_size=3), st.binary(max_size=40))
def test_no_line_can_make_the_reader_raise(base: dict[str, Any], changed: dict[str, Any], noise: bytes) -> None:
    """One record or one problem for every line that is not blank."""
    noise = noise.replace(b"\n", b"").strip()
    found = read(base | changed, noise)
    assert len(found) == 1 + bool(noise)


@given(st.text(max_size=30))
def test_no_date_can_make_the_reader_raise(text: str) -> None:
    """Years 0 and 9999, far zones, odd digits."""
    delegate(period={"start": text, "end": text})
    for extreme in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "9999-12-31", "0000-01-01"):
        delegate(period={"end": extreme})


def test_what_is_signed_names_the_purpose_and_the_bytes() -> None:
    """The digest covers the header, so organisation and sequence are signed with it; another use of the key is not."""
    assert signing_bytes(b"\1" * 32) == b"strongroom people feed v1\n" + b"\1" * 32


def test_the_documented_example_is_read() -> None:
    """docs/people-feed.md shows a feed that works, and names every relationship that does."""
    text = (Path(__file__).parents[2] / "docs" / "people-feed.md").read_text()
    lines = next(block for block in text.split("```") if '"Parameters"' in block).strip().encode().splitlines()
    assert read_header(lines).sequence > 0
    kinds = {type(record) for record in read_feed(lines)}
    assert kinds == {OrganisationRecord, PractitionerRecord, PatientRecord, DelegateRecord}
    listed = text.split("* **Parents**")[1].split("Any other code")[0]
    assert set(re.findall(r"\b[A-Z]{3,}\b", listed)) == PARENTS | CARERS
