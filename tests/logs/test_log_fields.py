"""JSON access logs in which the operator names fields."""

import json
from pathlib import Path

import pytest

from strongroom.errors import ConfigError
from strongroom.logs import log_fields, mapping
from strongroom.logs.record import NO_JSON, NOT_THIS_FORMAT, Unreadable

ENTRY = {
    "ts": 1_766_998_800, "remote_addr": "192.0.2.1", "uri": "/view/9", "status": 200, "remote_user": "-",
    "token": {"sub": "ann", "n": 7}, "doc.id": "DOK-2024-00017", "of": 4711, "edge": "203.0.113.9",
}  # fmt: skip


def read(names: dict[str, str], entry: object = ENTRY) -> dict[str, object]:
    """The row of an entry, by column."""
    format_ = log_fields.format_of(names)
    row = format_.parse(json.dumps(entry).encode())
    assert not isinstance(row, Unreadable | list)
    return dict(zip(format_.fields, row, strict=True))


def test_fields_mean_what_the_operator_says() -> None:
    """Names at the top, dots in them or not, and names inside."""
    found = read(
        {"principal": "token.sub", "document": "doc.id", "patient": "of", "session": "token.n", "forwarded": "edge"}
    )
    names = (
        "principal",
        "principal.kind",
        "document",
        "number",
        "patient",
        "actor.session.uid",
        "http_request.x_forwarded_for",
    )
    assert [found[name] for name in names] == ["ann", "login", "DOK-2024-00017", 17, "4711", "7", "203.0.113.9"]


def test_what_a_line_lacks_is_not_told() -> None:
    """It is read like any other."""
    assert read({"principal": "token.none.sub", "session": "token"})["principal"] == "192.0.2.1"


@pytest.mark.parametrize(("line", "reason"), [(b"{", NO_JSON), (b'{"uri":"/"}', NOT_THIS_FORMAT)])
def test_what_is_no_request_is_a_reason(line: bytes, reason: Unreadable) -> None:
    """As for all logs in JSON."""
    assert log_fields.format_of({"principal": "x"}).parse(line) == reason


def test_a_mapping_names_them(tmp_path: Path) -> None:
    """For access logs in JSON, as they are or in a container's words, and for nothing else."""
    (tmp_path / "portal.toml").write_text('[fields]\nprincipal = "token.sub"\n')
    known = mapping.load(tmp_path / "portal.toml")
    line = json.dumps(ENTRY)
    for sample in (line, json.dumps({"log": line + "\n", "stream": "stdout", "time": "2025-12-29T09:00:00Z"})):
        format_ = known.format_of((sample + "\n").encode())
        assert format_ is not None
        row = format_.parse(sample.encode())
        assert isinstance(row, tuple)
        assert "ann" in row
    other = {
        "Workload": "SharePoint",
        "CreationTime": "2025-12-29T09:00:00",
        "Operation": "FileDownloaded",
        "UserId": "ann",
    }
    assert known.format_of((json.dumps(other) + "\n").encode()) is None


def test_what_is_no_field_is_refused(tmp_path: Path) -> None:
    """With those that are."""
    (tmp_path / "portal.toml").write_text('[fields]\nwho = "token.sub"\n')
    with pytest.raises(ConfigError, match="fields"):
        mapping.load(tmp_path / "portal.toml")
