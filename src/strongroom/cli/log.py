"""`strongroom log`: verify, prove, export and name the published log. Needs no keeper, no officer and no key but a public one."""

import re
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from strongroom.cli.common import Told, emit, find_store, json_option, load, store_option
from strongroom.config import Layout
from strongroom.errors import ConfigError, Conflict, UsageError

if TYPE_CHECKING:
    from strongroom.audit.verify import ReadFile
    from strongroom.courier.s3 import LockedBucket
    from strongroom.tlog.logkeys import LogKeys

F = TypeVar("F", bound=Callable[..., Any])
SHOWN = 20
"""Faults that are told one by one."""
VKEY = "log.vkey"
PROGRAM = "verify_log.py"
"""How `audit/stranger.py` is called where it is handed out."""


@click.group("log")
def command() -> None:
    """Verify, prove and export the published log: of a store, or of a copy that somebody gave you.

    \b
    Examples:
      strongroom log verify
      strongroom log verify --log copy/ --vkey "strongroom.local/northland+0123abcd+AX…="
    """


def _where_options(function: F) -> F:
    vkey = click.option("--vkey", help="The log's public key, or a file that holds it. Default: the store's.")(function)
    log = click.option(
        "--log",
        "directory",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        help="Directory of the published log. Default: keeper/log of the store.",
    )(vkey)
    return store_option(log)


@command.command("verify")
@click.option(
    "--witness",
    "witnesses",
    multiple=True,
    help="Public key of a witness that must have cosigned, or a file that holds it. May be given again.",
)
@click.option(
    "--quorum", type=click.IntRange(min=1), help="How many of the witnesses must have cosigned. Default: all of them."
)
@click.option(
    "--from", "source", help="Verify the pushed copy instead: s3://BUCKET/PREFIX, or `copy` for that of [copy]."
)
@click.option("--endpoint", default="", help="With --from s3://…: the server's address. Default: AWS.")
@click.option("--region", default="us-east-1", show_default=True, help="With --from s3://…: the bucket's region.")
@click.option(
    "--access-key-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --from: credentials that may list and read versions. Default: those of [copy].",
)
@_where_options
@json_option
def verify(  # one parameter an option
    *,
    source: str | None,
    endpoint: str,
    region: str,
    access_key_file: Path | None,
    witnesses: tuple[str, ...],
    quorum: int | None,
    directory: Path | None,
    vkey: str | None,
    store: Path | None,
    as_json: bool,
) -> None:
    """Recompute every byte that the newest checkpoint covers. Exit code 1 when anything does not hold.

    With witnesses, the newest checkpoint that was cosigned is the one that is verified.

    \b
    Example:
      strongroom log verify
      strongroom log verify --witness regulator.vkey --witness hospital.vkey --quorum 1
      strongroom log verify --from copy
      strongroom log verify --from s3://northland-log --access-key-file auditor.s3 --vkey log.vkey
    """
    from strongroom.audit import verify as published

    if source is not None:
        if witnesses or quorum is not None:
            msg = "--from verifies what was pushed, --witness what was cosigned: one of the two."
            raise UsageError(msg)
        _verify_copy(_bucket(source, endpoint, region, access_key_file, store), directory, vkey, store, as_json=as_json)
        return
    read, verifier = _open(directory, vkey, store)
    names: tuple[str, ...] = ()
    if witnesses:
        read, names = _witnessed(read, None if directory else find_store(store), witnesses, quorum)
    elif quorum is not None:
        msg = "--quorum counts witnesses, and none is given."
        raise UsageError(msg, advice="Name their public keys with --witness.")
    checkpoint = published.verify(read, verifier, _progress)
    shape = {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "witnesses": list(names),
        "holds": True,
    }
    text = f"The log {checkpoint.origin} holds: {checkpoint.size} entries, root {checkpoint.root.hex()}."
    text += f" Cosigned by {', '.join(names)}." if names else ""
    emit("log-verify", shape, as_json=as_json, text=text)


@command.command("prove")
@click.argument("index", type=click.IntRange(min=0))
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="File for the proof. Default: standard output."
)
@_where_options
@json_option
def prove(  # one parameter an option
    *, index: int, out: Path | None, directory: Path | None, vkey: str | None, store: Path | None, as_json: bool
) -> None:
    """Make a proof that entry INDEX is in the log: a file that anybody can check with the log's public key alone.

    \b
    Example:
      strongroom log prove 4711 --out entry-4711.tlog-proof
    """
    from strongroom.audit import verify as published

    read, verifier = _open(directory, vkey, store)
    proof = published.prove(read, verifier, index)
    if out is not None:
        out.write_bytes(proof)
    shape = {"index": index, "proof": proof.decode(), "file": str(out) if out else None}
    emit("log-prove", shape, as_json=as_json, text=f"Wrote {out}." if out else proof.decode().rstrip("\n"))


@command.command("export")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write. Default: standard output.")
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    help="Copy the published files into this new directory instead, with the public key and a program that verifies them.",
)
@_where_options
@json_option
def export(  # one parameter an option
    *,
    out: Path | None,
    to: Path | None,
    directory: Path | None,
    vkey: str | None,
    store: Path | None,
    as_json: bool,
) -> None:
    """Write every entry as a line of JSON, verified while it is written; or copy the log to hand it to a stranger.
    Entries name nobody.

    \b
    Example:
      strongroom log export --out log.jsonl
      strongroom log export --to copy/ && python3 copy/verify_log.py copy/log --key copy/log.vkey
    """
    from strongroom.audit import verify as published

    if to is not None:
        if out is not None:
            msg = "--out writes entries as lines, --to copies files: one of the two."
            raise UsageError(msg)
        read, verifier = _open(directory, vkey, store)
        proofs: tuple[Path, ...] = ()
        if directory is None:
            from strongroom.wiring.publisher import overlaid

            layout = Layout(find_store(store))
            read, proofs = overlaid(read, layout.published), tuple(layout.trust.glob("log-key-*.tlog-proof"))
        _copy(to, read, verifier, proofs, as_json=as_json)
        return
    if as_json and out is None:
        msg = "With --json the entries need a file to go to."
        raise UsageError(msg, advice="Name one with --out FILE.")
    read, verifier = _open(directory, vkey, store)
    count = 0
    file = out.open("wb") if out else sys.stdout.buffer
    try:
        for line in published.export(read, verifier):
            file.write(line)
            count += 1
        file.flush()
    except BaseException:
        if out:
            file.close()
            out.unlink(missing_ok=True)
        raise
    if out:
        file.close()
        emit(
            "log-export", {"entries": count, "file": str(out)}, as_json=as_json, text=f"Wrote {count} entries to {out}."
        )


@command.command("vkey")
@store_option
@json_option
def vkey(*, store: Path | None, as_json: bool) -> None:
    """Print the log's public key, to hand to those who verify; below it those it had before, if it was replaced.

    \b
    Example:
      strongroom log vkey
    """
    keys = _verifier(None, store)
    shape = {"vkey": keys.newest.vkey(), "all": keys.render().splitlines()}
    emit("log-vkey", shape, as_json=as_json, text=keys.render().rstrip("\n"))


def _witnessed(
    read: "ReadFile", store: Path | None, witnesses: tuple[str, ...], quorum: int | None
) -> "tuple[ReadFile, tuple[str, ...]]":
    from strongroom.audit.verify import CHECKPOINT, fetched
    from strongroom.tlog.cosign import Cosigner, check_quorum
    from strongroom.wiring.publisher import overlaid

    texts = (Path(one).read_text() if Path(one).is_file() else one for one in witnesses)
    keys = tuple({Cosigner.parse(text.strip()): None for text in texts})
    read = overlaid(read, Layout(store).published) if store else read
    return read, check_quorum(fetched(read, CHECKPOINT), keys, len(keys) if quorum is None else quorum)


def _bucket(source: str, endpoint: str, region: str, key_file: Path | None, store: Path | None) -> "LockedBucket":
    """The bucket that is meant. Raises UsageError, ConfigError."""
    from strongroom.clock import SystemClock
    from strongroom.courier.s3 import LockedBucket, Where
    from strongroom.documents.s3 import read_credentials

    if source == "copy":
        place = find_store(store)
        copy = load(place).copy
        if copy is None:
            msg = "This store has no [copy] in strongroom.toml."
            raise UsageError(msg, advice="Name the bucket: --from s3://BUCKET/PREFIX.")
        where = Where(copy.bucket, copy.endpoint, copy.region, copy.prefix, copy.timeout_seconds)
        credentials = read_credentials(key_file or place / copy.access_key_file)
    else:
        found = re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]{1,62})(?:/((?:[A-Za-z0-9._-]+/)*[A-Za-z0-9._-]*))?", source)
        if found is None or key_file is None:
            msg = "Write --from s3://BUCKET/PREFIX, with --access-key-file; or --from copy."
            raise UsageError(msg)
        prefix = found[2] or ""
        where = Where(found[1], endpoint, region, f"{prefix.rstrip('/')}/" if prefix else "")
        credentials = read_credentials(key_file)
    return LockedBucket(where, credentials.access, credentials.secret, SystemClock())


def _verify_copy(
    bucket: "LockedBucket", directory: Path | None, vkey: str | None, store: Path | None, *, as_json: bool
) -> None:
    """What was pushed, and the local log against it; without a store or --log the copy alone."""
    from strongroom.audit.files import Directory
    from strongroom.courier.push import Copy
    from strongroom.wiring.copied import verify_copy

    keys = _verifier(vkey, store)
    local = directory
    if local is None:
        with suppress(ConfigError):
            local = Layout(find_store(store)).log
    verdict = verify_copy(Copy(bucket), keys, Directory(local).read if local else None, _progress)
    now = verdict.checkpoint
    shape = {
        "origin": now.origin, "size": now.size, "root": now.root.hex(), "checkpoints": verdict.checkpoints,
        "covered": list(verdict.covered), "local": verdict.local, "faults": list(verdict.faults),
        "holds": not verdict.faults,
    }  # fmt: skip
    text = (
        f"The copy of {now.origin} holds: {now.size} entries, root {now.root.hex()}, {verdict.checkpoints} checkpoints."
    )
    if verdict.local is not None and not verdict.faults:
        text += f"\nThe local log, of {verdict.local} entries, extends it."
    text += "".join(f"\nCOVERED: {name}: somebody put or deleted over it; the first version was read"
                    for name in verdict.covered[:SHOWN])  # fmt: skip
    text += "".join(f"\nDOES NOT HOLD: {one}" for one in verdict.faults[:SHOWN])
    emit("log-verify", shape, as_json=as_json, text=text)
    if verdict.faults:
        msg = "The copy and what it was held against are not of one history."
        raise Told(msg, advice="Keep both, and call the security officer.")


def _copy(to: Path, read: "ReadFile", verifier: "LogKeys", proofs: tuple[Path, ...], *, as_json: bool) -> None:
    from strongroom.audit import stranger
    from strongroom.audit import verify as published
    from strongroom.audit.files import Directory

    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        msg = f"There is something in {to} already."
        raise Conflict(msg, advice="Name a new directory.")
    copy = Directory(to / "log")
    checkpoint = published.opened(read, verifier)
    for path, content in published.files(read, verifier):
        copy.write(path, content)
    (to / VKEY).write_text(verifier.render())
    for proof in proofs:
        (to / proof.name).write_bytes(proof.read_bytes())
    (to / PROGRAM).write_bytes(Path(stranger.__file__).read_bytes())
    shape = {"origin": checkpoint.origin, "entries": checkpoint.size, "directory": str(to)}
    text = (
        f"Copied {checkpoint.size} entries to {to}. Whoever gets them runs:\n"
        f"  python3 {PROGRAM} log --key {VKEY}\n"
        f"with Python 3.11 and the package cryptography; nothing of Strongroom. Tell them the key another way, too:\n"
        f"  {verifier.newest.vkey()}"
    )
    emit("log-export", shape, as_json=as_json, text=text)


def _open(directory: Path | None, vkey: str | None, store: Path | None) -> "tuple[ReadFile, LogKeys]":
    from strongroom.audit.files import Directory

    verifier = _verifier(vkey, store)
    return Directory(directory or Layout(find_store(store)).log).read, verifier


def _verifier(vkey: str | None, store: Path | None) -> "LogKeys":
    from strongroom.tlog.logkeys import LogKeys

    if vkey is not None and not Path(vkey).is_file():
        return LogKeys.parse(vkey)
    path = Path(vkey) if vkey is not None else Layout(find_store(store)).trust / VKEY
    try:
        return LogKeys.parse(path.read_text())
    except OSError as error:
        msg = f"The log's public key cannot be read: {error.strerror}."
        raise ConfigError(msg, advice="Run as root or the keeper's user, or name the key with --vkey.") from error


def _progress(done: int, size: int) -> None:
    if size > 100_000 and done % 65_536 == 0:  # noqa: PLR2004  # below that it takes a moment
        click.echo(f"  {done} of {size}", err=True)
