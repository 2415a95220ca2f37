"""What programs get: tests/detect/test_hunt.py writes every result it makes as JSON."""

from strongroom.detect import shape
from strongroom.detect.hunt import Result


def test_an_empty_result_has_every_field() -> None:
    """A program need not ask whether a field is there."""
    assert shape.result(Result(), []) == {
        "events": 0, "duplicates": 0, "first": None, "last": None, "files": [], "detections": 0, "stopped": [],
        "suppressed": [], "unnamed": [], "finding_count": 0, "campaigns": [], "findings": [],
    }  # fmt: skip
