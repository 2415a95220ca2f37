"""The fuzzer itself, on targets with planted faults: what is there is found, once, and kept; what is not is not."""

from importlib.util import find_spec
from pathlib import Path

import pytest

import bench.fuzz
from bench.fuzz import Outcome, fuzz, fuzz_one
from strongroom.errors import ConfigError

HERE = "tests.fuzz.planted"


@pytest.fixture
def fuzzed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Outcome]:
    """Each planted target, for a little CPU time."""
    monkeypatch.setattr(bench.fuzz, "KEPT", tmp_path / "kept")
    for name in ("fine", "raises", "hangs"):
        (tmp_path / "seeds" / name).mkdir(parents=True)
        (tmp_path / "seeds" / name / "one").write_bytes(b"\xc0")
    if find_spec("atheris") is None:
        with pytest.raises(ConfigError, match="no atheris"):
            list(fuzz(("token",), 1))
        return {}
    return {name: fuzz_one(HERE, name, 0.5, seeds=tmp_path / "seeds") for name in ("fine", "raises", "hangs")}


def test_what_is_planted_is_found_and_kept(fuzzed: dict[str, Outcome]) -> None:
    """A fault of one place is one finding, however many inputs lead to it, with an input that leads to it again."""
    if not fuzzed:
        return  # a machine for which there is no fuzzer; the fixture saw that it says so
    assert fuzzed["fine"].findings == []
    assert fuzzed["fine"].executions > 0
    assert fuzzed["fine"].cpu >= 0.5
    (crash,) = fuzzed["raises"].findings
    assert crash.kind == "crash"
    assert "KeyError" in crash.place
    assert "planted.py" in crash.place
    assert len(Path(crash.file).read_bytes()) > 2
    (hang,) = fuzzed["hangs"].findings
    assert hang.kind == "hang"
    assert len(Path(hang.file).read_bytes()) > 2


def test_a_process_that_ends_before_its_time_is_a_finding(tmp_path: Path) -> None:
    """A crash of native code leaves no word behind; that there is none, is one."""
    (tmp_path / "absent").mkdir()
    (finding,) = fuzz_one(HERE, "absent", 0.1, seeds=tmp_path).findings
    assert finding.kind == "crash"
    assert "ended with 1" in finding.place
