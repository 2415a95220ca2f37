"""The command that runs benches."""

import importlib
import json
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

import bench
from bench.__main__ import main
from bench.report import Figure, Goal


class Fixed(ModuleType):
    """A bench that always measures the same against a goal of at most 2 s."""

    def __init__(self, name: str, value: float) -> None:
        super().__init__(name)
        self.value = value

    def run(self, scale: bench.Scale) -> list[Figure]:
        """As every bench."""
        return [Figure(f"cost {scale}", self.value, "s", goal=Goal("value", "<=", 2.0))]


@pytest.fixture
def two_benches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of two benches, `good` and `bad`, beside the real ones."""
    for name, value in (("good", 1.0), ("bad", 9.0)):
        monkeypatch.setitem(sys.modules, f"bench.{name}", Fixed(name, value))
        monkeypatch.setitem(bench.BENCHES, name, bench.Entry("something", 1, 100))


@pytest.mark.usefixtures("two_benches")
@pytest.mark.parametrize(("name", "code"), [("good", 0), ("bad", 1)])
def test_the_exit_code_tells_whether_goals_are_met(name: str, code: int) -> None:
    """0 when every goal is met, 1 when one is missed."""
    assert CliRunner().invoke(main, [name]).exit_code == code


@pytest.mark.usefixtures("two_benches")
def test_json_is_one_object_a_bench() -> None:
    """Standard output holds nothing but the objects; what is under way goes to standard error."""
    result = CliRunner().invoke(main, ["good", "bad", "--json", "--scale", "full"])
    assert [json.loads(line)["bench"] for line in result.stdout.splitlines()] == ["good", "bad"]
    assert "about 100 s" in result.stderr


def test_an_unknown_bench_is_a_usage_error() -> None:
    """Exit code 2, and nothing is measured."""
    assert CliRunner().invoke(main, ["no-such-bench"]).exit_code == 2


def test_every_listed_bench_exists() -> None:
    """Each entry of the list is a module with a `run`, and the list is in alphabetical order."""
    assert list(bench.BENCHES) == sorted(bench.BENCHES)
    for name in bench.BENCHES:
        assert callable(importlib.import_module(f"bench.{name}").run)


@pytest.mark.usefixtures("two_benches")
def test_large_stores_are_kept_where_it_is_said_and_removed_when_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the directory of --cache, for all benches of the run; --remove-cache needs no bench."""
    monkeypatch.setenv(bench.CACHE, "elsewhere")
    (tmp_path / "scale-small").mkdir()
    assert CliRunner().invoke(main, ["good", "--cache", str(tmp_path)]).exit_code == 0
    assert os.environ[bench.CACHE] == str(tmp_path)
    assert CliRunner().invoke(main, ["--cache", str(tmp_path), "--remove-cache"]).exit_code == 0
    assert not (tmp_path / "scale-small").exists()


@pytest.mark.parametrize("total", [1, 7, 1_000])
def test_the_parts_of_a_bench_are_all_of_it(total: int) -> None:
    """And no part has much more than another."""
    shares = [bench.Part(number, 5).share(total) for number in range(1, 6)]
    assert sum(shares) == total
    assert max(shares) - min(shares) <= 1


@pytest.mark.usefixtures("two_benches")
def test_a_part_is_one_of_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of five reaches the bench; the sixth of five and words are usage errors."""
    monkeypatch.setenv(bench.PART, "1/1")
    assert CliRunner().invoke(main, ["good", "--part", "2/5"]).exit_code == 0
    assert bench.Part.asked() == bench.Part(2, 5)
    for wrong in ("6/5", "0/5", "two", "2/"):
        assert CliRunner().invoke(main, ["good", "--part", wrong]).exit_code == 2


@pytest.mark.usefixtures("two_benches")
def test_minutes_for_each_target(monkeypatch: pytest.MonkeyPatch) -> None:
    """Handed to the bench that asks for them; none and less than none are usage errors."""
    monkeypatch.setenv(bench.EACH, "1")  # so that what the command sets is undone
    assert CliRunner().invoke(main, ["good", "--minutes", "10"]).exit_code == 0
    assert os.environ[bench.EACH] == "10.0"
    for wrong in ("0", "-1", "x"):
        assert CliRunner().invoke(main, ["good", "--minutes", wrong]).exit_code == 2
