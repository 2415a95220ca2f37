"""Flows as lines of OCSF."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs import network, ocsf
from strongroom.logs.formats import recognise
from strongroom.logs.ocsf_flow import line
from strongroom.logs.record import INT64_MAX, Unreadable

COUNT = st.none() | st.integers(0, INT64_MAX)
PORT = st.none() | st.integers(0, 65_535)
TIME = st.integers(1_000_000_000_000, 253_402_300_799_999)


@given(
    TIME, st.none() | TIME, st.ip_addresses(), PORT, st.ip_addresses(), PORT, st.none() | st.integers(0, 255),
    st.sampled_from([None, 1, 2]), st.tuples(COUNT, COUNT, COUNT, COUNT),
)  # fmt: skip
def test_a_line_is_the_flow(
    time: int, end: int | None, source: object, source_port: int | None, target: object, target_port: int | None,
    protocol: int | None, action: int | None, counts: tuple[int | None, int | None, int | None, int | None],
) -> None:  # fmt: skip
    """Read again it is the same, column by column: rules and baselines make no difference."""
    sent, received, packets, back = counts
    row = network.row(
        time=time, end=end, uid=None, source=str(source), source_port=source_port, target=str(target), target_port=target_port,
        protocol=protocol, direction=None, action=action, sent=sent, received=received, packets=packets, packets_back=back,
    )  # fmt: skip
    if isinstance(row, Unreadable):
        return
    written = line(row, "192.0.2.1")
    found = ocsf.parse(written.rstrip(b"\n"))
    assert isinstance(found, tuple)
    said = dict(zip(ocsf.FIELDS, found, strict=True))
    assert tuple(said[name] for name in network.FIELDS) == row
    assert {name for name, value in said.items() if value is not None} <= {*network.FIELDS, "raw_data"}


def test_a_line_is_ocsf() -> None:
    """Of the class Network Activity, and says which exporter told it."""
    row = network.row(
        time=1_766_998_800_250, end=None, uid=None, source="10.0.1.5", source_port=443, target="203.0.113.9", target_port=50_000,
        protocol=6, direction=None, action=None, sent=24_928, received=None, packets=20, packets_back=None,
    )  # fmt: skip
    assert isinstance(row, tuple)
    written = line(row, "192.0.2.1")
    event = msgspec.json.decode(written)
    assert (event["class_uid"], event["type_uid"], event["time"]) == (4001, 400106, 1_766_998_800_250)
    assert event["metadata"]["reporter"] == {"ip": "192.0.2.1"}
    assert event["traffic"] == {"bytes_out": 24_928, "packets_out": 20}
    found = recognise(written)
    assert found is not None
    assert found.name == "ocsf"
