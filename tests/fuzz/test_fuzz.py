"""The fuzzer itself, on targets with planted faults: what is there is found, once, and kept; what is not is not."""

from importlib.util import find_spec
from pathlib import Path

import pytest

import bench.fuzz
from bench.fuzz import Finding, Outcome, fuzz, fuzz_one
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


def test_figures_are_sums_of_a_familys_targets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each target has its share of the time; one finding anywhere and the goal is missed, with its place on standard error."""
    shares: list[float] = []

    def one(_module: str, name: str, seconds: float, *, seeds: Path) -> Outcome:
        shares.append(seconds)
        found = [Finding("hang", "somewhere", "a-file")] if name == "token-url" else []
        return Outcome(name, executions=10, cpu=seconds, edges=3, findings=found)

    monkeypatch.setattr(bench.fuzz, "find_spec", lambda _: True)
    monkeypatch.setattr(bench.fuzz, "fuzz_one", one)
    figures = {figure.name: figure for figure in fuzz(("token", "fhir"), 2.0)}
    count = figures["token: targets"].value
    assert figures["token: inputs tried"].value == 10 * count
    assert figures["token: edges reached"].value == 3 * count
    assert figures["token: CPU"].value == pytest.approx(2.0)
    assert sum(shares) == pytest.approx(240.0)
    assert [figures[f"{family}: hangs"].holds for family in ("token", "fhir")] == [False, True]
    assert [figures[f"{family}: crashes and broken laws"].holds for family in ("token", "fhir")] == [True, True]
    assert "hang: somewhere: a-file" in capsys.readouterr().err
