"""The gates themselves: each is shown to close."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools import check

CLEAN = "click==8.5.1 \\\n    --hash=sha256:00\nhttpx2==2.16.2 \\\n    --hash=sha256:00\n"


@pytest.mark.parametrize(
    "line",
    [
        "--index-url x",
        "--extra-index-url x",
        "--find-links /srv/wheels",
        "click @ https://example.org/click.whl",
        "click @ file:///srv/click.whl",
    ],
)
def test_a_lock_with_an_address_is_found(tmp_path: Path, line: str) -> None:
    """Each way in which a lock can name where to download is caught, with its line number."""
    lock = tmp_path / "runtime.txt"
    lock.write_text(CLEAN + line + "\n", encoding="utf-8")
    assert check.addresses(lock) == [f"5: {line}"]


def test_package_names_are_no_addresses(tmp_path: Path) -> None:
    """httpx2 and hashes are left alone; so are the funding links of an npm lock, but not what it resolved."""
    lock = tmp_path / "runtime.txt"
    lock.write_text(CLEAN, encoding="utf-8")
    assert check.addresses(lock) == []
    npm = tmp_path / "package-lock.json"
    npm.write_text('{"funding": "https://example.org",\n"resolved": "https://example.org/x.tgz"}\n', encoding="utf-8")
    assert [line.partition(":")[0] for line in check.addresses(npm)] == ["2"]


@pytest.mark.parametrize("git", [True, False])
def test_locks_are_found_before_they_are_committed(tmp_path: Path, git: bool) -> None:
    """With and without git, tracked or not: every kind of lock, but none of installed packages or ignored files."""
    wanted = {"requirements/dev.txt", "tests/npm/package-lock.json", "uv.lock"}
    for name in {*wanted, "node_modules/x/package-lock.json", ".venv/lib/requirements/x.txt", "requirements/notes.md"}:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    if git:
        (tmp_path / ".gitignore").write_text("node_modules/\n.venv/\n", encoding="utf-8")
        subprocess.run(["git", "init", "-q", tmp_path], check=True)
    assert {path.relative_to(tmp_path).as_posix() for path in check.lock_files(tmp_path)} == wanted


@pytest.mark.parametrize("much", [0, 2**62])
def test_the_files_of_the_tests_lie_in_memory_where_there_is_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, much: int
) -> None:
    """Else where all temporary files lie; other users may pass through, and nothing is left."""
    monkeypatch.setattr(check, "MUCH", much)
    with check.scratch(tmp_path) as folder:
        assert (folder.parent == tmp_path) is (much == 0)
        assert folder.stat().st_mode & 0o777 == 0o755
        (folder / "x").write_text("x", encoding="utf-8")
    assert not folder.exists()
    with check.scratch(tmp_path / "none") as folder:
        assert folder.parent != tmp_path / "none"


def summary(lines: int, of_lines: int, branches: int, of_branches: int) -> dict[str, dict[str, int]]:
    """A file's part of coverage's JSON report."""
    return {
        "summary": {
            "covered_lines": lines,
            "num_statements": of_lines,
            "covered_branches": branches,
            "num_branches": of_branches,
        }
    }


def test_a_room_is_the_sum_of_its_files() -> None:
    """Lines and branches are added over the files of a room; files outside any room count nowhere."""
    files = {
        "src/strongroom/tlog/a.py": summary(90, 90, 9, 10),
        "src/strongroom/tlog/b.py": summary(0, 10, 0, 0),
        "src/strongroom/ids.py": summary(0, 50, 0, 0),
    }
    tlog = next(room for room in check.measure(files) if room.name == "tlog")
    assert (tlog.lines, tlog.branches, tlog.needed) == (90.0, 90.0, check.CORE["tlog"])
    assert "strongroom" not in {room.name for room in check.measure(files)}


def test_a_core_room_nobody_measured_fails() -> None:
    """A core room missing from the report has 0 %, and 0 % does not hold."""
    assert {room.name for room in check.measure({}) if not room.holds} == set(check.CORE)


def test_unrun_branches_fail_where_all_lines_ran() -> None:
    """Lines do not make up for branches."""
    assert not check.Room("tlog", 100.0, 89.9, 90).holds
    assert check.Room("tlog", 90.0, 90.0, 90).holds


def fail() -> str:
    """A gate that does not hold."""
    raise check.Failed("three errors")


def test_every_gate_runs_and_one_failure_fails_all(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A gate after a failed one still runs; the table names both; the exit code is 1."""
    gates = (check.Gate("bad", "fails", fail), check.Gate("good", "holds", lambda: "well"))
    monkeypatch.setattr(check, "GATES", gates)
    assert check.main([]) == 1
    out = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in out[-3:]] == [["bad", "FAILS"], ["good", "holds"], ["all", "FAILS"]]
    assert "three errors" in out[-3]
    assert check.main(["good"]) == 0


def test_an_unknown_gate_is_a_usage_error() -> None:
    """A misspelt gate is not a gate that holds."""
    assert check.main(["lint", "tsets"]) == 2


def test_no_result_is_no_success() -> None:
    """An empty list of results reads FAILS."""
    assert "FAILS" in check.summary([])


SKIPPING = """
import pytest
def test_one(): pass
@pytest.mark.skip(reason="no HSM here")
def test_two(): pass
"""


@pytest.mark.parametrize("workers", ["0", "1"])
@pytest.mark.parametrize(("ci", "code"), [("1", 1), ("", 0)])
def test_a_skipped_test_fails_the_gate(tmp_path: Path, workers: str, ci: str, code: int) -> None:
    """With STRONGROOM_CI=1 a run with a skip fails and names the test; without, a skip is a skip."""
    done = run_pytest(tmp_path, SKIPPING, workers, ci)
    assert done.returncode == code, done.stdout
    assert ("test_x.py::test_two" in done.stdout) == bool(ci)
    assert ("no HSM here" in done.stdout) == bool(ci)


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_module_skipped_whole_fails_the_gate(tmp_path: Path, workers: str) -> None:
    """A skip while collecting, as importorskip does, fails the gate too."""
    text = SKIPPING.replace("import pytest", "import pytest\npytest.skip('no server', allow_module_level=True)")
    done = run_pytest(tmp_path, text + "\n", workers, "1", "def test_three(): pass\n")
    assert done.returncode == 1, done.stdout
    assert "no server" in done.stdout


def run_pytest(tmp_path: Path, text: str, workers: str, ci: str, other: str = "") -> Any:
    """A run of pytest with our conftest over one file, or two."""
    conftest = check.ROOT / "tests" / "conftest.py"
    (tmp_path / "conftest.py").write_text(conftest.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "test_x.py").write_text(text, encoding="utf-8")
    if other:
        (tmp_path / "test_y.py").write_text(other, encoding="utf-8")
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            workers,
            "-p",
            "no:cacheprovider",
            "--rootdir",
            tmp_path,
            tmp_path,
        ],
        cwd=tmp_path,
        env={"STRONGROOM_CI": ci, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
