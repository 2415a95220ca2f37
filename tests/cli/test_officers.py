"""`people`, `relation`, `who-read`, `freeze`: what officers do."""

import hashlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from strongroom.cli import who_read
from strongroom.config import Layout
from strongroom.fhir.people import signing_bytes
from tests.cli.conftest import typed

Type = Callable


def feed(sequence: int) -> bytes:
    """A feed of one patient, and a line that cannot be used."""
    header = [
        {"name": "organisation", "valueId": "quay"},
        {"name": "sequence", "valueInteger": sequence},
        {"name": "created", "valueInstant": "2026-01-01T00:00:00Z"},
    ]
    patient = {
        "resourceType": "Patient", "id": "p1", "name": [{"text": "Pita"}],
        "identifier": [{"system": "urn:nhi", "value": "QUA0001"}],
    }  # fmt: skip
    lines = [{"resourceType": "Parameters", "parameter": header}, patient, {"resourceType": "Observation"}]
    return "\n".join(json.dumps(line) for line in lines).encode()


def test_a_feed_from_registration_to_status(strongroom: Type, tmp_path: Path) -> None:
    """A registered organisation's signed feed is taken in once, its problems named by line, its freshness shown."""
    key = Ed25519PrivateKey.generate()
    pem = tmp_path / "quay.pub"
    pem.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert strongroom("people", "register", "quay", "--name", "Quay", "--key", pem, "--json").code == 0
    path, signature = tmp_path / "feed.ndjson", tmp_path / "feed.sig"
    path.write_bytes(feed(1))
    signature.write_bytes(key.sign(signing_bytes(hashlib.sha256(feed(1)).digest())))
    taken = strongroom("people", "import", path, "--signature", signature, "--json").json
    assert (taken["people"], taken["problem_count"], taken["problems"][0]["line"]) == (1, 1, 3)
    again = strongroom("people", "import", path, "--signature", signature)
    assert (again.code, "not newer" in again.err) == (3, True)
    path.write_bytes(feed(2))
    assert strongroom("people", "import", path, "--signature", signature).code == 3
    rows = {one["organisation"]: one for one in strongroom("people", "status", "--json").json["organisations"]}
    assert (rows["quay"]["sequence"], rows["quay"]["name"], rows["quay"]["age_hours"]) == (1, "Quay", 0.0)
    assert "Quay" in strongroom("people", "status").out


@pytest.mark.parametrize("key", ["", "00", "zz" * 32, "00" * 33])
def test_what_is_no_key(strongroom: Type, key: str) -> None:
    """A key of another length or alphabet is refused before anything is signed."""
    assert strongroom("people", "register", "quay", "--name", "Quay", "--key", key).code == 2


def doctor(served: Path) -> str:
    """A clinician's account."""
    with sqlite3.connect(f"file:{Layout(served).database}?mode=ro", uri=True) as db:
        return str(db.execute("select id from account where kind = 'clinician'").fetchone()[0])


def test_relations(strongroom: Type, patient: str) -> None:
    """What is added is listed with its end, and what is ended is over."""
    added = strongroom("relation", "add", "share", patient, "practice-2", "--until", "2030-01-01", "--json").json
    assert added["until"] == 1_893_456_000_000
    rows = strongroom("relation", "ls", patient, "--json").json["relations"]
    assert {"kind": "share", "other": "practice-2"}.items() <= next(
        one for one in rows if one["kind"] == "share"
    ).items()
    assert "2030-01-01" in strongroom("relation", "ls", patient).out
    assert strongroom("relation", "end", "share", patient, "practice-2").code == 0
    assert "2030-01-01" not in strongroom("relation", "ls", patient).out
    assert strongroom("relation", "add", "share", "a" * 26, "practice-2").code == 3
    assert strongroom("relation", "add", "share", "nobody-here", "practice-2").code == 2
    assert strongroom("relation", "add", "share", patient, "practice-2", "--until", "soon").code == 2


def test_agreements_and_grants(strongroom: Type, served: Path, patient: str) -> None:
    """One privacy officer may agree; a rerun takes two; a grant makes the program's account."""
    account = doctor(served)
    assert strongroom("relation", "agree", account, patient, "--json").json["until"] > 0
    assert strongroom("relation", "rerun", account, patient).code == 3
    grant = (
        "relation", "grant", "practice-1", "--issuer", "https://id", "--subject", "sync", "--name", "Sync", "--purpose", "TREAT",
        "--json",
    )  # fmt: skip
    assert strongroom(*grant, "--since", "2020-01-01").code == 3
    assert len(strongroom(*grant).json["account"]) == 26


def test_who_read_counts_people(strongroom: Type, patient: str) -> None:
    """The list of one patient names the patient alone, within the times asked for."""
    told = strongroom("who-read", "--patient", patient, "--json").json
    assert (told["people"], {row["patient"] for row in told["rows"]}) == (1, {patient})
    assert "1 person" in strongroom("who-read", "--patient", patient).out
    assert strongroom("who-read", "--patient", patient, "--until", "2001-01-01", "--json").json["rows"] == []
    assert strongroom("who-read", "--since", "yesterday").code == 2


def test_freezes_are_listed(strongroom: Type) -> None:
    """A freeze is in the list with its reason until it is undone; freezing nothing, or without a reason, is refused."""
    assert strongroom("freeze", "class", "export", "--reason", "under review").code == 0
    [row] = strongroom("freeze", "--list", "--json").json["frozen"]
    assert (row["scope"], row["name"], row["why"]) == ("class", "export", "under review")
    assert "under review" in strongroom("freeze", "--list").out
    assert strongroom("unfreeze", "class", "export", "--reason", "looked").code == 0
    assert strongroom("freeze", "--list", "--json").json["frozen"] == []
    assert strongroom("freeze").code == 2
    assert strongroom("freeze", "module").code == 2


def test_an_officer_alone_must_have_the_role(strongroom: Type, served: Path, patient: str) -> None:
    """An operator's key alone may not see who read."""
    refused = strongroom("who-read", "--patient", patient, "--officer", served / "officers" / "operator.key")
    assert refused.code == 3
    assert "needs 1 officer" in refused.err


def test_only_what_was_deleted_is_brought_back(strongroom: Type) -> None:
    """Anything else is refused, with what to do."""
    refused = strongroom("undelete", "a" * 26, "--reason", "by mistake")
    assert refused.code == 3
    assert "no deleted document" in refused.err
    assert strongroom("undelete", "a" * 26).code == 2


def test_a_key_that_is_not_there_is_not_dropped(strongroom: Type) -> None:
    """It is refused with what to look at, and needs a reason."""
    refused = strongroom("drop-key", "https://nowhere", "k1", "--reason", "stolen")
    assert (refused.code, "No pinned issuer" in refused.err) == (3, True)
    assert strongroom("drop-key", "https://nowhere", "k1").code == 2


def test_a_list_that_comes_in_pieces_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the log as it was at the first piece; people are counted over all of them."""
    pieces = [
        {"log_size": 9, "people": 2, "rows": [_disclosed(0, "p"), _disclosed(3, "q")], "gaps": [], "next": 5},
        {"log_size": 9, "people": 1, "rows": [_disclosed(5, "p")], "gaps": ["a gap"], "next": None},
    ]
    asked: list[dict[str, object]] = []

    def act(_store: Path, _officers: object, _op: str, args: dict[str, object]) -> tuple[int, object]:
        asked.append(dict(args))
        return len(asked), pieces[len(asked) - 1]

    monkeypatch.setattr(who_read, "act", act)
    monkeypatch.setattr(who_read, "find_store", lambda _: Path())
    told = typed("who-read", "--account", "a", "--json").json
    assert asked == [{"account": "a"}, {"account": "a", "size": 9, "first": 5}]
    assert ([row["index"] for row in told["rows"]], told["people"], told["gaps"]) == ([0, 3, 5], 2, ["a gap"])
    assert "next" not in told


def _disclosed(index: int, patient: str) -> dict[str, object]:
    return {"index": index, "at": 0, "op": "released", "name": "", "account": "a", "patient": patient, "documents": [],
            "bytes": 1, "basis": "owner"}  # fmt: skip


def test_officers_come_and_go(strongroom: Type, served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key is made, registered by what it printed, listed and dismissed; a key file is never written over."""
    monkeypatch.chdir(tmp_path)
    made = strongroom("officer", "key", "nia", "--no-passphrase", "--json").json
    assert (tmp_path / "nia.key").stat().st_mode & 0o777 == 0o600
    assert strongroom("officer", "key", "nia", "--no-passphrase").code == 3
    assert strongroom("officer", "key", "../nia", "--no-passphrase").code == 2
    assert strongroom("officer", "add", "nia", "--role", "operator", "--key", "00", "--reason", "new").code == 2
    judge = served / "officers" / "privacy.key"
    hand = served / "officers" / "operator.key"
    given = ("--key", made["key"], "--reason", "new", "--officer", judge, "--officer", hand)
    said = strongroom("officer", "add", "nia", "--role", "privacy-officer", "--role", "operator", *given)
    assert (said.code, "is an officer from" in said.out) == (0, True), "one judge signed alone"
    assert "nia" in strongroom("officer", "ls").out
    assert strongroom("officer", "dismiss", "nia", "--reason", "a mistake", "--officer", judge).code == 0
    rows = {one["name"]: one for one in strongroom("officer", "ls", "--json").json["officers"]}
    assert (rows["nia"]["roles"], rows["nia"]["key"]) == ([], made["key"])
    assert "dismissed" in strongroom("officer", "ls").out
