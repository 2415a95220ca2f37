"""Installing a release of the Core Rule Set: checked, unpacked beside its place, loaded and tried, and then put there at once."""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from strongroom.errors import ConfigError, UsageError
from strongroom.gateway import release, rules
from strongroom.gateway.modsecurity import LIBRARY, Engine

INTO: Final = Path("/var/lib/strongroom/crs")


@dataclass(frozen=True, slots=True)
class Installed:
    """Where the rules are, and how many of them the engine loaded."""

    version: str
    folder: Path
    rules: int
    steady: bool


def install(
    path: Path, into: Path, *, digest: str = "", signature: Path | None = None, keyring: Path | None = None
) -> Installed:
    """Install the release in the archive `path` below `into`. By its SHA-256, or by a signature with a keyring.

    Raises UsageError (nothing to check it by, or it is there), Tampered, Malformed, and ConfigError where its rules do not load or
    do not block. Then nothing is left behind.
    """
    if not digest and (signature is None or keyring is None):
        advice = "Say --sha256, as the project's page of releases tells it; or --signature and --keyring."
        raise UsageError("Nothing to check the release by.", advice=advice)
    try:
        raw = release.read(path)
        into.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".installing-", dir=into) as name:
            return _installed(raw, Path(name), into, digest, signature, keyring)
    except OSError as error:
        msg = f"{error.filename or path}: {error.strerror}."
        raise ConfigError(msg, advice="Name another folder with --into.") from error


def _installed(
    raw: bytes, beside: Path, into: Path, digest: str, signature: Path | None, keyring: Path | None
) -> Installed:
    if digest:
        release.check_digest(raw, digest)
    if signature is not None and keyring is not None:
        release.check_signed(_verified(raw, beside, signature, keyring))
    folder = beside / "release" / "rules"
    folder.mkdir(parents=True)
    release.unpack(raw, folder)
    engine = Engine(LIBRARY)
    found = rules.load(engine, folder)
    version = ".".join(map(str, found.version))
    place = into / version
    if place.exists():
        raise UsageError(
            f"{version} is installed in {place} already.", advice="Remove it first, if it is to be installed anew."
        )
    (beside / "release").rename(place)  # at once: whoever looks sees all of it or nothing
    return Installed(version, place / "rules", engine.loaded, found.steady)


def _verified(raw: bytes, beside: Path, signature: Path, keyring: Path) -> str:
    """What gpgv says to programs of a copy that nobody else can change."""
    gpgv = shutil.which("gpgv")
    if gpgv is None:
        raise ConfigError("Signatures are checked by gpgv.", advice="apt-get install -y --no-install-recommends gpgv")
    copy = beside / "archive"
    copy.write_bytes(raw)
    command = [gpgv, "--status-fd", "1", "--keyring", str(keyring.absolute()), str(signature.absolute()), str(copy)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603  # no shell, full paths
