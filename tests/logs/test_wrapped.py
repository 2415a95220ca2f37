"""Lines that somebody carried."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.fuzz.lines import FILES
from strongroom.logs import read
from strongroom.logs.formats import NAMES, recognise
from strongroom.logs.wrapped import CARRIERS

LINE = FILES["access"].rstrip(b"\n").decode()
OBJECT = FILES["access-json"].rstrip(b"\n").decode()
SYSLOG, CONTAINER = "Mar  2 06:00:00 web01 nginx: ", "2026-03-02T06:00:00.123456789Z stdout F "
CARRIED = [
    SYSLOG + LINE,
    "<190>" + SYSLOG + LINE,
    "2026-03-02T06:00:00.123456+13:00 web01 nginx[7]: " + LINE,
    "<190>1 2026-03-02T06:00:00Z web01 nginx 7 - - " + LINE,
    '<190>1 2026-03-02T06:00:00Z web01 nginx 7 access [a@1 b="c\\]"][d@2] ' + LINE,
    CONTAINER + LINE,
    CONTAINER.replace("Z", "+13:00").replace("stdout", "stderr") + LINE,
    json.dumps({"log": LINE + "\n", "stream": "stdout", "time": "2026-03-02T06:00:00Z"}),
    json.dumps({"MESSAGE": LINE, "_SYSTEMD_UNIT": "nginx.service", "PRIORITY": "6"}),
    json.dumps({"@timestamp": "2026-03-02T06:00:00Z", "message": LINE, "host": {"name": "web01"}}),
    json.dumps({"textPayload": LINE, "resource": {"type": "k8s_container"}}),
    json.dumps({"line": LINE, "labels": {}}),
    json.dumps({"_raw": LINE, "sourcetype": "access_combined"}),
    json.dumps({"log": OBJECT + "\n", "stream": "stdout"}),
    SYSLOG + OBJECT,
]


@pytest.mark.parametrize("carried", CARRIED)
def test_a_carried_line_is_the_line(carried: str) -> None:
    """By whomever: the same event, which stands where the carrier's line stands."""
    data = f"{carried}\n".encode()
    format_ = recognise(data * 3)
    assert format_ is not None
    name = "access-json" if OBJECT[:20] in carried or json.dumps(OBJECT)[1:20] in carried else "access"
    assert format_.name == name
    account = read.Account()
    found = [row for batch in read.rows([data, b"junk\n"], format_, 0, account) for row in batch]
    expected = NAMES[name].parse((LINE if name == "access" else OBJECT).encode())
    assert found == [(0, 0, len(data) - 1, *expected)]  # type: ignore[misc]  # it is a row
    assert list(account.unreadable.values()) == [1]
    assert sum(table.num_rows for table in read.tables([data], format_, 0, read.Account())) == 1


@pytest.mark.parametrize(
    "name", ["haproxy", "access", "access-json", "gcp", "modsecurity", "nextcloud", "ocsf", "envoy"]
)
def test_what_nobody_carried_is_left_as_it_is(name: str) -> None:
    """Also where it begins as syslog does."""
    assert recognise(FILES[name]) is NAMES[name]


@given(st.binary(max_size=200) | st.sampled_from(CARRIED).map(str.encode), st.integers(0, 60), st.binary(max_size=4))
def test_nothing_raises(line: bytes, place: int, junk: bytes) -> None:
    """Junk, and junk in the middle of what is none."""
    changed = line[:place] + junk + line[place:]
    for _, unwrap in CARRIERS:
        found = unwrap(changed)
        assert found is None or isinstance(found, bytes)
    recognise(changed)
