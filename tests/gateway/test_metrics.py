"""Numbers for Prometheus: what each worker did is added up, and written as it is read."""

from strongroom.gateway.counts import Counts
from strongroom.gateway.metrics import Metrics, series, written
from strongroom.gateway.ports import Asked
from strongroom.gateway.proxy import Event

ASKED = Asked("r", 1, "letters", None, "n", "d")


def test_what_each_worker_did_is_added_up() -> None:
    """Requests by route and status, refusals by rule, bytes; taken once, and given back where it could not be added."""
    counts = Counts()
    for _ in range(2):
        worker = Metrics()
        worker.note(Event("r", 1, asked=ASKED, status=200, size=70))
        worker.note(Event("r", 1, asked=ASKED, status=403, rule="waf-942100", refused=True))
        worker.note(Event("r", 1, status=404, rule="route-undescribed"))
        worker.dropped("http", 0)
        worker.dropped("file", 3)
        new = worker.take()
        assert worker.take() == {}
        worker.give_back(new)
        counts.add_numbers(worker.take())
    assert dict(counts.numbers()) == {
        'requests_total{route="letters",status="200"}': 2,
        'requests_total{route="letters",status="403"}': 2,
        'requests_total{route="",status="404"}': 2,
        'refused_total{rule="waf-942100"}': 2,
        'noted_total{rule="route-undescribed"}': 2,
        'bytes_total{route="letters"}': 140,
        'events_dropped_total{to="file"}': 6,
    }


def test_it_is_written_as_prometheus_reads_it() -> None:
    """Families in one piece, with help and type; labels escaped; a line's end at the end."""
    numbers = [
        (series("held", scope="person"), 1),
        (series("requests_total", route='a"b\\', status="200"), 2),
        ("allowed", 0),
    ]
    assert written(numbers).splitlines() == [
        "# HELP strongroom_gateway_allowed What is allowed now.",
        "# TYPE strongroom_gateway_allowed gauge",
        "strongroom_gateway_allowed 0",
        "# HELP strongroom_gateway_held What is in force now, by what it holds.",
        "# TYPE strongroom_gateway_held gauge",
        'strongroom_gateway_held{scope="person"} 1',
        (
            "# HELP strongroom_gateway_requests_total Requests, by route of gateway.toml and status of the answer;"
            " 0: the client went before."
        ),
        "# TYPE strongroom_gateway_requests_total counter",
        'strongroom_gateway_requests_total{route="a\\"b\\\\",status="200"} 2',
    ]
    assert written(numbers).endswith("\n")
