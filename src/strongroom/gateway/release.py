"""A release of the Core Rule Set: is it the one that its authors made, and what of its archive may be unpacked.

1. The whole file is read once, within a bound; what is checked is what is unpacked.
2. Its SHA-256 is the one that the operator was told; or its signature is by the key of the Core Rule Set (gpgv, and the fingerprint
   that the project publishes).
3. It unpacks to no more than `MAX_PLAIN` bytes.
4. No name in it leaves its folder, none comes twice; below `rules` there are only files.
5. Only `rules/*.conf` and `rules/*.data` are written: no program, no test, no documentation.

Whether the rules work is tried by whoever installs them (`wiring.release`).
"""

import hashlib
import hmac
import io
import re
import tarfile
import zlib
from pathlib import Path
from typing import Final

from strongroom.errors import Malformed, Tampered

MAX_FILE: Final = 16_777_216
"""Bytes of an archive. 4.28.0 has 0.6 MB with its tests."""
MAX_PLAIN: Final = 67_108_864
"""Bytes of what it unpacks to. 4.28.0: 8 MB."""
MAX_RULES: Final = 500
"""Files below `rules`. 4.28.0 has 60."""
KEY: Final = "36006F0E0BA167832158821138EEACA1AB8A6E72"
"""Fingerprint of the key that signs releases, as coreruleset.org publishes it."""

_RULES: Final = re.compile(r"[A-Za-z0-9._-]{1,100}/rules/([A-Za-z0-9_-][A-Za-z0-9._-]{0,100}\.(?:conf|data))")
_GZIP: Final = 31
"""zlib's number for the form of gzip, with its header and checksum."""


def read(path: Path) -> bytes:
    """1. Raises Malformed, OSError."""
    with path.open("rb") as file:
        raw = file.read(MAX_FILE + 1)
    if len(raw) > MAX_FILE:
        raise Malformed(f"The archive is larger than {MAX_FILE} bytes.")
    return raw


def check_digest(raw: bytes, told: str) -> None:
    """2. Raises Tampered."""
    if not hmac.compare_digest(hashlib.sha256(raw).hexdigest(), told.strip().lower()):
        raise Tampered("The archive is not the one of that SHA-256.")


def check_signed(status: str) -> None:
    """2. `status`: what gpgv tells programs. Raises Tampered unless a valid signature is by `KEY`, or by a subkey of it."""
    valid = [line.split() for line in status.splitlines() if line.startswith("[GNUPG:] VALIDSIG ")]
    if not any(words[-1] == KEY for words in valid):
        raise Tampered(f"The archive is not signed by the key {KEY}.")


def unpack(raw: bytes, folder: Path) -> int:
    """3 to 5: write the rules into `folder`, which is there and empty; gives how many files. Raises Malformed."""
    unzip = zlib.decompressobj(_GZIP)
    try:
        plain = unzip.decompress(raw, MAX_PLAIN + 1)
        if len(plain) > MAX_PLAIN or not unzip.eof:
            raise Malformed("The archive unpacks to too much, or is not whole.")
        found = _rules(plain)
    except (zlib.error, tarfile.TarError, ValueError, OverflowError) as error:
        raise Malformed("The archive is no .tar.gz that can be read.") from error
    if not found:
        raise Malformed(
            "The archive has no rules.", advice="Take coreruleset-VERSION-minimal.tar.gz from the project's releases."
        )
    for name, content in found.items():
        (folder / name).write_bytes(content)
    return len(found)


def _rules(plain: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    seen: set[str] = set()
    with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as archive:
        for member in archive:
            parts = member.name.split("/")
            if member.name.startswith("/") or ".." in parts or "\\" in member.name or member.name in seen:
                raise Malformed("The archive has a name that leaves its folder, or comes twice.")
            seen.add(member.name)
            rule = _RULES.fullmatch(member.name)
            if rule is None:
                continue
            file = archive.extractfile(member) if member.isreg() and not member.issparse() else None
            if file is None or len(found) >= MAX_RULES or rule[1] in found:
                raise Malformed("The archive has something among its rules that is no file, or too many of them.")
            found[rule[1]] = file.read()
    return found
