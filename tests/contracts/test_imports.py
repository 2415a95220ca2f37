"""The floors and locked doors of the house hold, and each one is shown to catch."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "strongroom"
LINT = Path(sys.executable).with_name("lint-imports")

FLOORS = "Every room has a floor, and imports only downward"
KEYS = "Only the keeper holds keys"
DOORS = "Doors reach the keeper only through its client"
LANGUAGES = "Languages do no I/O"
CORE = "The keeper knows no web, no documents and no screen"


def lint(source: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """import-linter over the package below `source`, which comes before the installed one."""
    return subprocess.run(
        [LINT, "--no-logo", "--no-cache", "--config", ROOT / "pyproject.toml"],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(source), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a copy of the package, to break."""
    source = tmp_path_factory.mktemp("source")
    shutil.copytree(SOURCE, source / "strongroom", ignore=shutil.ignore_patterns("__pycache__"))
    return source


def test_the_house_keeps_its_contracts(tmp_path: Path) -> None:
    """The package as it stands breaks no contract."""
    result = lint(ROOT / "src", tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


def test_an_untouched_copy_keeps_them_too(copy: Path, tmp_path: Path) -> None:
    """What the breaches below add is what breaks, not the copying."""
    result = lint(copy, tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("file", "line", "contract", "named"),
    [
        pytest.param(
            "api/breach.py", "import strongroom.keys", KEYS, "strongroom.api.breach -> strongroom.keys", id="app-keys"
        ),
        pytest.param(
            "audit/breach.py",
            "from strongroom import keys",
            KEYS,
            "strongroom.audit.breach -> strongroom.keys",
            id="audit-keys",
        ),
        pytest.param("attic/__init__.py", '"""No floor."""', FLOORS, "strongroom.attic", id="room-without-floor"),
        pytest.param("attic.py", '"""No floor."""', FLOORS, "strongroom.attic", id="module-without-room"),
        pytest.param(
            "tlog/breach.py",
            "from strongroom.audit import receipt",
            FLOORS,
            "strongroom.tlog.breach -> strongroom.audit.receipt",
            id="upward",
        ),
        pytest.param(
            "authz/breach.py",
            "from strongroom.fhir import parse",
            FLOORS,
            "strongroom.authz.breach -> strongroom.fhir.parse",
            id="sibling",
        ),
        pytest.param(
            "api/breach.py",
            "from strongroom.keeper.door import Door",
            DOORS,
            "strongroom.api.breach -> strongroom.keeper.door",
            id="door-inside-keeper",
        ),
        pytest.param(
            "cli/breach.py",
            "from strongroom.keeper import breach",
            DOORS,
            "strongroom.cli.breach -> strongroom.keeper",
            id="door-keeper-itself",
        ),
        pytest.param("fhir/breach.py", "import sqlite3", LANGUAGES, "strongroom.fhir.breach -> sqlite3", id="sqlite3"),
        pytest.param(
            "tlog/breach.py",
            "def later():\n    from asyncio import sleep\n    return sleep",
            LANGUAGES,
            "strongroom.tlog.breach -> asyncio",
            id="hidden-in-a-function",
        ),
        pytest.param(
            "keeper/breach.py",
            "from starlette.requests import Request",
            CORE,
            "strongroom.keeper.breach -> starlette",
            id="web-in-keeper",
        ),
    ],
)
def test_a_breach_is_caught_and_named(
    copy: Path, tmp_path: Path, file: str, line: str, contract: str, named: str
) -> None:
    """Each deliberate breach breaks the contract it should, and the report names the importer and the imported."""
    breach = copy / "strongroom" / file
    breach.parent.mkdir(exist_ok=True)
    breach.write_text(line + "\n", encoding="utf-8")
    result = lint(copy, tmp_path)
    breach.unlink()
    if file.endswith("__init__.py"):
        breach.parent.rmdir()
    assert result.returncode == 1
    assert f"{contract} BROKEN" in result.stdout
    assert named in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    "module", ["asyncio", "httpx2", "obstore", "os", "socket", "sqlite3", "ssl", "starlette", "subprocess"]
)
def test_every_medium_is_forbidden_to_languages(copy: Path, tmp_path: Path, module: str) -> None:
    """No language may import any of them."""
    breach = copy / "strongroom" / "envelope" / "breach.py"
    breach.write_text(f"import {module}\n", encoding="utf-8")
    result = lint(copy, tmp_path)
    breach.unlink()
    assert f"strongroom.envelope.breach -> {module}" in result.stdout


def test_the_trees_top_is_as_the_architecture_says() -> None:
    """`docs/architecture.md` names every room, so that its page and the contracts cannot part."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawing = page.partition("## Rooms")[2].partition("Where does this line go?")[0]
    rooms = {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    modules = {path.stem for path in SOURCE.glob("*.py")} - {"__init__"}
    assert [name for name in sorted(rooms | modules) if name not in drawing] == []
