"""A practice's feed of people and relations, as `fhir.people` reads it. For demonstrations and rehearsals."""

import json
from datetime import UTC, datetime

from strongroom.clock import Millis
from strongroom.fhir.people import ACCOUNT
from strongroom.rehearse.population import Acting, Patient, Population, Staff

NHI = "https://standards.digital.health.nz/ns/nhi-id"


def feed(population: Population, practice: str, issuer: str, sequence: int, now: Millis) -> bytes:
    """NDJSON of one practice: header, itself, staff, patients, and who acts for them."""
    name = next(one.name for one in population.practices if one.id == practice)
    created = datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="seconds")
    rows: list[dict[str, object]] = [
        {"resourceType": "Parameters", "parameter": [
            {"name": "organisation", "valueId": practice},
            {"name": "sequence", "valueInteger": sequence},
            {"name": "created", "valueInstant": created},
        ]},
        {"resourceType": "Organization", "id": practice, "name": name},
    ]  # fmt: skip
    rows += [_practitioner(one, issuer) for one in population.staff if one.practice == practice]
    mine = {one.key: one for one in population.patients if one.practice == practice}
    rows += [_patient(one, issuer) for one in mine.values()]
    # Two days ago: a delegation younger than a day is charged as a stranger's.
    since = datetime.fromtimestamp(now / 1000 - 2 * 86_400, UTC).isoformat(timespec="seconds")
    rows += [
        _related(acting, f"r{number}", since, issuer)
        for number, acting in enumerate(population.acting)
        if acting.patient in mine
    ]
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def _practitioner(one: Staff, issuer: str) -> dict[str, object]:
    return {
        "resourceType": "Practitioner",
        "id": one.subject,
        "name": [{"text": one.name}],
        "identifier": [_login(issuer, one.subject)],
    }


def _patient(one: Patient, issuer: str) -> dict[str, object]:
    linked = [] if one.subject is None else [_login(issuer, one.subject)]
    return {
        "resourceType": "Patient",
        "id": one.key,
        "name": [{"text": one.name}],
        "birthDate": one.born.isoformat(),
        "identifier": [{"system": NHI, "value": one.nhi}, *linked],
    }


def _related(acting: Acting, ident: str, since: str, issuer: str) -> dict[str, object]:
    return {
        "resourceType": "RelatedPerson",
        "id": ident,
        "name": [{"text": acting.name}],
        "patient": {"reference": f"Patient/{acting.patient}"},
        "relationship": [{"coding": [{"code": "MTH" if acting.parent else "CAREGIVER"}]}],
        "period": {"start": since},
        "identifier": [_login(issuer, acting.subject)],
    }


def _login(issuer: str, subject: str) -> dict[str, str]:
    return {"system": ACCOUNT, "value": f"{issuer}|{subject}"}
