"""`put`, `get`, `ls`: documents as a user."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from strongroom.cli.http import Api, Order, described, refusal
from strongroom.errors import CheckFailed, OperationError

Type = Callable


@pytest.mark.parametrize("size", [12, 7_500_000])
def test_what_is_put_is_got(strongroom: Type, patient: str, tmp_path: Path, size: int) -> None:
    """A document comes back byte for byte, inline or streamed, and is listed with its title and type."""
    letter = tmp_path / "letter.txt"
    letter.write_bytes(b"0123456789\n" * (size // 11 + 1))
    put = strongroom("put", letter, "--title", "Kōrero", "--type", "18842-5", "--date", "2020-02-29", "--json").json
    assert (put["size"], put["patient"]) == (letter.stat().st_size, patient)
    back = tmp_path / "back.txt"
    assert strongroom("get", put["document"], "--out", back, "--json").json["content_type"].startswith("text/plain")
    assert back.read_bytes() == letter.read_bytes()
    [row] = [one for one in strongroom("ls", "--json").json["documents"] if one["id"] == put["document"]]
    assert (row["title"], row["type"], row["date"][:10]) == ("Kōrero", "18842-5", "2020-02-29")


def test_get_to_standard_output(strongroom: Type, tmp_path: Path) -> None:
    """Without --out the bytes are all that is printed."""
    note = tmp_path / "note.txt"
    note.write_text("a note\n")
    put = strongroom("put", note, "--json").json
    assert strongroom("get", put["document"]).out == "a note\n"


def test_get_overwrites_nothing(strongroom: Type, tmp_path: Path) -> None:
    """A file that is there stays as it is, and a document that is not leaves no file behind."""
    mine = tmp_path / "mine"
    mine.write_text("mine")
    assert strongroom("get", "a" * 26, "--out", mine).code == 2
    assert mine.read_text() == "mine"
    assert strongroom("get", "a" * 26, "--out", tmp_path / "other").code == 3
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_refusals_are_sentences(strongroom: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the store refuses is one sentence, one exit code, and one JSON object."""
    unknown = strongroom("get", "a" * 26, "--json", "--out", tmp_path / "x")
    assert (unknown.code, unknown.json["schema"]) == (3, "strongroom/error/v1")
    lie = tmp_path / "picture.png"
    lie.write_text("<html>not a picture</html>")
    assert strongroom("put", lie).code == 3
    monkeypatch.setenv("STRONGROOM_TOKEN", "nonsense")
    assert "token" in strongroom("ls").err
    monkeypatch.delenv("STRONGROOM_TOKEN")
    assert strongroom("ls").code == 78


def test_a_store_that_keeps_other_bytes_is_found_out(tmp_path: Path) -> None:
    """When size or hash that come back are not the file's, the document is taken out again and the command fails."""
    seen: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.method)
        if request.method == "DELETE":
            return httpx2.Response(204)
        kept = {**json.loads(request.content), "id": "x", "meta": {"versionId": "1"}}
        kept["content"][0]["attachment"] |= {"size": 3, "hash": "AAAA"}
        return httpx2.Response(201, json=kept)

    path = tmp_path / "a.txt"
    path.write_text("abc")
    api = Api("http://store/fhir", "token", httpx2.MockTransport(answer))
    with pytest.raises(CheckFailed):
        api.put(Order(path, "p"))
    assert seen == ["POST", "DELETE"]


def test_a_listing_stays_at_its_store() -> None:
    """A next page at another address gets no token."""
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url.host))
        return httpx2.Response(200, json={"link": [{"relation": "next", "url": "http://elsewhere/fhir/x"}]})

    with pytest.raises(OperationError):
        list(Api("http://store/fhir", "token", httpx2.MockTransport(answer)).listed(None))
    assert asked == ["store"]


@pytest.mark.parametrize(("category", "code"), [("normal", "N"), ("sensitive", "R"), ("clinician-only", "TBOO")])
def test_categories_become_labels(tmp_path: Path, category: str, code: str) -> None:
    """Each category is sent as the label the store reads it from."""
    told = described({}, Order(tmp_path / "a.pdf", "p", category=category))
    assert told["securityLabel"][0]["coding"][0]["code"] == code
    assert told["content"][0]["attachment"] == {"contentType": "application/pdf", "title": "a.pdf"}


def test_an_answer_that_is_no_outcome() -> None:
    """A proxy's page of HTML still ends in a sentence with the status."""
    assert "502" in refusal(httpx2.Response(502, text="<html>")).message
