"""The columns of tables that nobody described. Invariant: a guess that is given reads the table."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs import read, suggest, table

NESTED = {
    "@timestamp": "2026-05-01T08:00:06.100Z", "traceId": "4f", "event": {"type": "DOCUMENT_VIEW"},
    "actor": {"id": "ann", "role": "CLINICIAN"}, "client": {"ip": "192.0.2.1", "userAgent": "Mozilla/5.0"},
    "target": {"documentId": "D-5f0c", "patientId": "P7"},
}  # fmt: skip
SIGNED_IN = NESTED | {"event": {"type": "LOGIN"}, "target": {}}
TABLES = {
    "nested": (
        "\n".join(map(json.dumps, [SIGNED_IN, NESTED, NESTED])) + "\n",
        {"time": "@timestamp", "principal": "actor.id", "document": "target.documentId", "patient": "target.patientId",
         "address": "client.ip", "agent": "client.userAgent"},
    ),
    "a spreadsheet's": (
        "Zeitpunkt;Benutzer;Rolle;Dokument-Nr;IP;Status\n2026-05-01 08:00:06;ann;Arzt;417;192.0.2.1;200\n",
        {"time": "Zeitpunkt", "principal": "Benutzer", "document": "Dokument-Nr", "address": "IP", "status": "Status"},
    ),
    "seconds since 1970": (
        '{"ts": 1766998800, "user_email": "ann@a.example", "file_name": "a.pdf", "size": 7}\n',
        {"time": "ts", "principal": "user_email", "document": "file_name", "bytes": "size"},
    ),
    "whose record it is": (
        "access_time,user_id,user_agent,patient_id\n2026-05-01T08:00:06,a17,Mozilla/5.0,88\n",
        {"time": "access_time", "principal": "user_id", "document": "patient_id", "patient": "patient_id", "agent": "user_agent"},
    ),
    "nobody reads": ("time,level,message\n2026-05-01T08:00:06,INFO,started\n", {}),
    "nothing is read": ("time,user,message\n2026-05-01T08:00:06,ann,signed in\n", {}),
    "no time": ("document,patient,user\n4,8,ann\n", {}),
    "an address is nobody": ("time,user,document\n2026-05-01T08:00:06,192.0.2.1,8\n", {}),
    "a heading alone": ("time,user,document\n", {}),
}  # fmt: skip


@pytest.mark.parametrize(("sample", "told"), TABLES.values(), ids=TABLES)
def test_columns_are_told_by_names_and_values(sample: str, told: dict[str, str]) -> None:
    """A role is nobody's name, and what an address looks like is no login."""
    assert suggest.columns(sample.encode()) == {known: (name,) for known, name in told.items()}


@pytest.mark.parametrize("sample", [sample for sample, told in TABLES.values() if told])
def test_a_guess_reads(sample: str) -> None:
    """All rows are events."""
    told = suggest.columns(sample.encode())
    account = read.Account()
    batches = list(read.rows([sample.encode()], table.format_of(told), 0, account))
    assert table.fits(sample.encode(), told)
    assert account.unreadable == {}
    assert account.events == sum(map(len, batches)) > 0


def test_the_line_of_a_mapping() -> None:
    """As TOML has it, whatever a column is called."""
    told: table.Columns = {"time": ("at",), "principal": ('who "it" \\ is',)}
    assert suggest.written(told) == 'columns = { time = "at", principal = "who \\"it\\" \\\\ is" }'


@given(st.binary(max_size=300), st.sampled_from(["{", "time,user,document\n", '{"time": 1, "user": ']))
def test_whatever_the_bytes(sample: bytes, first: str) -> None:
    """A guess has what is needed, or there is none."""
    told = suggest.columns(first.encode() + sample)
    assert not told or set(table.NEEDED) <= set(told)
