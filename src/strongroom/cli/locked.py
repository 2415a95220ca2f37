"""Environments of their own, for what few need: locked by hash, and installed only when that is asked for."""

import hashlib
import os
import shutil
import subprocess
import sysconfig
import venv
from pathlib import Path
from typing import Final

from strongroom.detect import rules
from strongroom.errors import OperationError

_HERE: Final = Path(__file__).resolve()


def lock(name: str) -> Path:
    """The checkout's lock of this name, or its copy in the installed package."""
    places = (_HERE.parents[3] / "requirements" / f"{name}.txt", rules.OURS / f"{name}.txt")
    return next((place for place in places if place.is_file()), places[-1])


def folder(name: str, of: Path) -> Path:
    """Where an environment is, by the lock that made it: another lock is another environment."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "strongroom" / f"{name}-{hashlib.sha256(of.read_bytes()).hexdigest()[:16]}"


def installed(place: Path) -> bool:
    """Whether it is there, whole."""
    return (place / "complete").exists()


def library(place: Path) -> Path:
    """Where its packages are."""
    return Path(sysconfig.get_path("purelib", "venv", vars={"base": str(place), "platbase": str(place)}))


def install(place: Path, of: Path, what: str) -> Path:
    """Make it, with the packages of the lock, hash by hash. Raises OperationError. Does nothing where it is there."""
    if installed(place):
        return place
    shutil.rmtree(place, ignore_errors=True)
    quick = shutil.which("uv")
    try:
        venv.create(place, with_pip=quick is None)
        python = str(place / "bin" / "python")
        command = [quick, "pip", "install", "--python", python] if quick else [python, "-m", "pip", "install"]
        locked = ["-q", "--require-hashes", "-r", str(of)]
        done = subprocess.run([*command, *locked], check=False, capture_output=True, text=True)  # noqa: S603  # our lock
    except (OSError, subprocess.SubprocessError) as error:
        raise OperationError(f"The environment for {what} cannot be made.", advice=str(error)[:200]) from error
    if done.returncode:
        raise OperationError(
            f"The packages for {what} cannot be installed.",
            advice=(done.stderr.strip().splitlines() or [""])[-1][:300],
        )
    (place / "complete").touch()
    return place
