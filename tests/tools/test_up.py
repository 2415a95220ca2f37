"""`./up`, played through on a machine of small stand-ins: what it installs, when, and what it says when it cannot."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("cat", "chmod", "cksum", "cp", "dirname", "mkdir", "rm", "sh", "tr")

PYTHON = """#!/bin/sh
echo "python $*" >>"$CALLS"
case "$*" in
    --version) echo "Python $VERSION" ;;
    *version_info*) [ "$VERSION" != 3.9.2 ] ;;
    *ensurepip*) [ -z "${NO_VENV:-}" ] ;;
    "-m venv"*) mkdir -p "$4/bin" && for name in pip python strongroom; do cp "$PROGRAM" "$4/bin/$name"; done ;;
esac
"""
UV = """#!/bin/sh
echo "uv $1 $2" >>"$CALLS"
[ -z "${UV_FAILS:-}" ] || exit 2
[ "$1" != venv ] || { mkdir -p .venv/bin && cp "$PROGRAM" .venv/bin/python && cp "$PROGRAM" .venv/bin/strongroom; }
"""
PROGRAM = """#!/bin/sh
echo "${0##*/} $*" >>"$CALLS"
"""


class Machine:
    """A checkout, a PATH with nothing on it but what `up` needs, and a list of every stand-in that was called."""

    def __init__(self, root: Path) -> None:
        self.path = root / "bin"
        self.calls = root / "calls"
        self.checkout = root / "checkout"
        self.set: dict[str, str] = {"VERSION": "3.11.2"}
        self.path.mkdir()
        for name in NEEDED:
            (self.path / name).symlink_to(shutil.which(name) or "")
        for name, text in (("python3", PYTHON), ("program", PROGRAM), ("id", "#!/bin/sh\necho ${USER_ID:-1000}\n")):
            self.provide(name, text)
        for name in (
            "up",
            "pyproject.toml",
            "packaging/debian.txt",
            "requirements/runtime.txt",
            "requirements/dev.txt",
        ):
            (self.checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.checkout / name)

    def provide(self, name: str, text: str = PROGRAM) -> None:
        """Put a stand-in on the PATH."""
        (self.path / name).write_text(text, encoding="utf-8")
        (self.path / name).chmod(0o755)

    def up(self, *arguments: str) -> tuple[int, list[str], str]:
        """Run it: exit code, what was called in the meantime (but questions to python3), what it said."""
        self.calls.write_text("", encoding="utf-8")
        environment = {
            "PATH": str(self.path),
            "CALLS": str(self.calls),
            "PROGRAM": str(self.path / "program"),
            **self.set,
        }
        done = subprocess.run(
            [self.checkout / "up", *arguments], env=environment, capture_output=True, text=True, check=False
        )
        calls = self.calls.read_text(encoding="utf-8").splitlines()
        return done.returncode, [call for call in calls if not call.startswith(("python -c", "python --"))], done.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with Python 3.11 and its venv module, without uv; nobody is root."""
    return Machine(tmp_path)


def test_pip_installs_by_hash_and_nothing_else(machine: Machine) -> None:
    """Without uv: a new environment, the lock with its hashes, this checkout without asking for anything more."""
    code, calls, _ = machine.up("ls")
    assert code == 0
    assert [call.split(" --")[0] for call in calls] == [
        "python -m venv",
        "pip install -q",
        "pip install -q",
        "strongroom ls",
    ]
    assert "--require-hashes -r requirements/runtime.txt" in calls[1]
    assert "--no-deps --no-build-isolation -e ." in calls[2]


def test_uv_is_used_where_it_is(machine: Machine) -> None:
    """With uv: no pip; and no venv module is needed."""
    machine.provide("uv", UV)
    machine.set["NO_VENV"] = "1"
    assert machine.up("ls")[:2] == (0, ["uv venv -q", "uv pip sync", "uv pip install", "strongroom ls"])


def test_pip_takes_over_where_uv_cannot(machine: Machine) -> None:
    """A uv that fails, for want of its own settings for an index, leaves it to pip."""
    machine.provide("uv", UV)
    machine.set["UV_FAILS"] = "1"
    code, calls, _ = machine.up("ls")
    assert (code, calls[0], calls[-1]) == (0, "uv venv -q", "strongroom ls")
    assert sum(call.startswith("pip") for call in calls) == 2


def test_the_second_start_installs_nothing(machine: Machine) -> None:
    """A start with an unchanged lock runs the command and nothing else; without one it is the demonstration."""
    machine.up("ls")
    assert machine.up("put", "a file.pdf")[:2] == (0, ["strongroom put a file.pdf"])
    assert machine.up()[:2] == (0, ["strongroom demo"])


@pytest.mark.parametrize("changed", ["requirements/runtime.txt", "pyproject.toml", ".venv/bin/python", "moved"])
def test_what_was_changed_is_installed_again(machine: Machine, changed: str) -> None:
    """Another lock, other metadata, a lost interpreter or a moved checkout: the old environment is not trusted."""
    machine.up("ls")
    if changed == "moved":
        machine.checkout = machine.checkout.rename(machine.checkout.with_name("elsewhere"))
    elif changed.startswith(".venv"):
        (machine.checkout / changed).unlink()
    else:
        with (machine.checkout / changed).open("a", encoding="utf-8") as file:
            file.write("# changed\n")
    assert len(machine.up("ls")[1]) == 4


def test_a_lock_that_comes_back_is_installed_again(machine: Machine) -> None:
    """Going back to an older lock does not find the stamp of its first installation."""
    lock = machine.checkout / "requirements" / "runtime.txt"
    first = lock.read_text(encoding="utf-8")
    for text in (first, first + "# newer\n", first):
        lock.write_text(text, encoding="utf-8")
        assert len(machine.up("ls")[1]) == 4


def test_gates_and_benches_get_the_tools_of_development(machine: Machine) -> None:
    """`check` and `bench` install dev.txt, which then serves every other command too."""
    machine.provide("softhsm2-util")
    machine.provide("strace")
    calls = machine.up("check", "lint")[1]
    assert "-r requirements/dev.txt" in calls[1]
    assert calls[-1] == "python tools/check.py lint"
    assert machine.up("bench", "idor", "--json")[1] == ["python -m bench idor --json"]
    assert machine.up("ls")[1] == ["strongroom ls"]


@pytest.mark.parametrize(("version", "said"), [("3.9.2", "is Python 3.9.2"), ("none", "is not there")])
def test_an_unfit_python_is_named(machine: Machine, version: str, said: str) -> None:
    """Too old an interpreter, or none, ends with 78 and says which one was tried; nothing is installed."""
    machine.set["VERSION"] = version
    if version == "none":
        (machine.path / "python3").unlink()
    code, calls, words = machine.up()
    assert (code, calls) == (78, [])
    assert said in words


@pytest.mark.parametrize("user", ["0", "1000"])
def test_a_missing_venv_module_is_explained(machine: Machine, user: str) -> None:
    """Stock Debian has none: 78 and the line to type. Nobody's machine is changed by looking at a demonstration."""
    machine.provide("apt-get")
    machine.set |= {"NO_VENV": "1", "USER_ID": user}
    code, calls, words = machine.up()
    assert (code, calls) == (78, [])
    assert "apt-get install -y --no-install-recommends python3-venv\n" in words


def test_check_says_what_it_lacks(machine: Machine) -> None:
    """Who is not root gets one line with every package, and 78."""
    machine.provide("apt-get")
    machine.set["NO_VENV"] = "1"
    code, calls, words = machine.up("check")
    assert (code, calls) == (78, [])
    assert "apt-get install -y --no-install-recommends python3-venv softhsm2 strace\n" in words


def test_check_installs_what_it_lacks_for_root(machine: Machine) -> None:
    """For root the line is typed: the list of packages is renewed first, and only what is missing is asked for."""
    machine.provide("apt-get")
    machine.set["USER_ID"] = "0"
    calls = machine.up("check")[1]
    assert calls[:2] == ["apt-get update -q", "apt-get install -y --no-install-recommends softhsm2 strace"]
    assert calls[-1] == "python tools/check.py"


def test_a_failed_installation_starts_nothing(machine: Machine) -> None:
    """No stamp, no start: exit code 3, and the next try begins again."""
    machine.provide("program", PROGRAM + '[ "${0##*/}" != pip ] || exit 1\n')
    code, calls, words = machine.up("ls")
    assert (code, calls[-1].split()[0]) == (3, "pip")
    assert "nothing was started" in words
    machine.provide("program")
    assert machine.up("ls")[1][-1] == "strongroom ls"
