"""A practice's feed of people and relations, as `fhir.people` reads it. For demonstrations and rehearsals."""

import json
from datetime import UTC, datetime

from strongroom.clock import Millis
from strongroom.fhir.people import ACCOUNT
from strongroom.rehearse.population import Population

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
    for one in population.staff:
        if one.practice == practice:
            rows.append({"resourceType": "Practitioner", "id": one.subject, "name": [{"text": one.name}],
                         "identifier": [_login(issuer, one.subject)]})  # fmt: skip
    mine = {one.key for one in population.patients if one.practice == practice}
    for person in population.patients:
        if person.key in mine:
            linked = [] if person.subject is None else [_login(issuer, person.subject)]
            rows.append({"resourceType": "Patient", "id": person.key, "name": [{"text": person.name}],
                         "birthDate": person.born.isoformat(),
                         "identifier": [{"system": NHI, "value": person.nhi}, *linked]})  # fmt: skip
    # Two days ago: a delegation younger than a day is charged as a stranger's.
    since = datetime.fromtimestamp(now / 1000 - 2 * 86_400, UTC).isoformat(timespec="seconds")
    for number, acting in enumerate(population.acting):
        if acting.patient in mine:
            code = "MTH" if acting.parent else "CAREGIVER"
            rows.append({"resourceType": "RelatedPerson", "id": f"r{number}", "name": [{"text": acting.name}],
                         "patient": {"reference": f"Patient/{acting.patient}"},
                         "relationship": [{"coding": [{"code": code}]}], "period": {"start": since},
                         "identifier": [_login(issuer, acting.subject)]})  # fmt: skip
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def _login(issuer: str, subject: str) -> dict[str, str]:
    return {"system": ACCOUNT, "value": f"{issuer}|{subject}"}
