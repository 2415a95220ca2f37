"""Of a release only rules are unpacked, from an archive that is the one it is said to be, within bounds."""

import gzip
import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from strongroom.errors import Malformed, Tampered
from strongroom.gateway import release

NAME = "coreruleset-4.28.0/rules/REQUEST-911.conf"


def archive(*members: tuple[str, bytes | str]) -> bytes:
    """A .tar.gz of files; where the content is text, of a link to it."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w:") as file:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                file.addfile(member)
            else:
                member.size = len(content)
                file.addfile(member, io.BytesIO(content))
    return gzip.compress(plain.getvalue())


def test_only_rules_are_unpacked(tmp_path: Path) -> None:
    """No program, no test, no example, no hidden file."""
    others = [
        ("coreruleset-4.28.0/" + name, b"x")
        for name in ("util/run.py", "rules/a.conf.example", "rules/b/c.conf", "rules/.d.conf", "crs.conf")
    ]
    assert (
        release.unpack(archive((NAME, b"SecRule"), ("coreruleset-4.28.0/rules/a.data", b"word"), *others), tmp_path)
        == 2
    )
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "REQUEST-911.conf": b"SecRule",
        "a.data": b"word",
    }


@pytest.mark.parametrize(
    "raw",
    [
        archive(("../rules/a.conf", b"x")),
        archive((NAME, b"x"), ("a/../../b", b"x")),
        archive((NAME, b"x"), ("/etc/passwd", b"x")),
        archive((NAME, b"x"), ("a\\b", b"x")),
        archive((NAME, b"x"), (NAME, b"y")),
        archive((NAME, b"x"), ("other/rules/REQUEST-911.conf", b"y")),
        archive((NAME, "/etc/passwd")),
        archive(*((f"a/rules/{number}.conf", b"") for number in range(release.MAX_RULES + 1))),
        archive(("a/README", b"x")),
        archive((NAME, b"x"))[:-20],
        gzip.compress(b"no tar" * 200),
        b"no gzip",
        b"",
        gzip.compress(bytes(release.MAX_PLAIN + 1)),
    ],
    ids=lambda raw: str(len(raw)),  # gzip notes the time: names of tests must not
)
def test_what_is_not_unpacked(raw: bytes, tmp_path: Path) -> None:
    """Names that leave their folder or come twice, links, too many, too much, no rules, half of it, none: nothing is written."""
    with pytest.raises(Malformed):
        release.unpack(raw, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_archive_is_the_one_that_was_meant(tmp_path: Path) -> None:
    """By its digest; and no larger than any release."""
    release.check_digest(b"raw", f" {hashlib.sha256(b'raw').hexdigest().upper()}\n")
    for told in (hashlib.sha256(b"other").hexdigest(), "", "raw"):
        with pytest.raises(Tampered):
            release.check_digest(b"raw", told)
    (tmp_path / "large").write_bytes(bytes(release.MAX_FILE + 1))
    with pytest.raises(Malformed):
        release.read(tmp_path / "large")


@pytest.mark.parametrize(
    ("status", "holds"),
    [
        (f"[GNUPG:] GOODSIG 1 a\n[GNUPG:] VALIDSIG {release.KEY} 2026-07-01 1 0 4 0 1 10 00 {release.KEY}\n", True),
        (f"[GNUPG:] VALIDSIG {'A' * 40} 2026-07-01 1 0 4 0 1 10 00 {release.KEY}\n", True),
        (f"[GNUPG:] VALIDSIG {release.KEY} 2026-07-01 1 0 4 0 1 10 00 {'A' * 40}\n", False),
        (f"[GNUPG:] GOODSIG 1 {release.KEY}\n", False),
        (f"[GNUPG:] BADSIG 1 [GNUPG:] VALIDSIG {release.KEY}\n", False),
        ("", False),
    ],
)
def test_a_signature_is_by_the_key_that_is_published(status: str, *, holds: bool) -> None:
    """Or by a subkey of it. Another good signature is none."""
    if holds:
        release.check_signed(status)
        return
    with pytest.raises(Tampered):
        release.check_signed(status)
