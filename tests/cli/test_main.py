"""The command line as a whole."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from strongroom.cli import bench
from strongroom.cli.main import COMMANDS, cli, main


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_helps(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command in the list is there, and its help shows an example."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert f"strongroom {name}" in (command.help or "")


def test_no_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a store: exit code 78, and what to do, also as one JSON object."""
    with pytest.raises(SystemExit) as ended:
        main(["log", "verify", "--store", str(tmp_path), "--json"])
    assert ended.value.code == 78
    assert "strongroom init" in json.loads(capsys.readouterr().out)["advice"]


def test_help_is_quick_to_load() -> None:
    """The list of commands loads neither cryptography nor the web."""
    code = "import sys; from strongroom.cli.main import cli; print([m for m in ('cryptography','starlette') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    assert done.stdout.strip() == "[]"


def test_bench_without_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Installed without its source, it says where measurements are."""
    monkeypatch.setattr(bench, "CHECKOUT", tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["bench"])
    assert ended.value.code == 2
    assert "./up bench" in capsys.readouterr().err
