"""`strongroom witness`: watch over a log of somebody else, on a machine of one's own. Needs no store."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.common import emit, json_option
from strongroom.errors import CheckFailed, ConfigError

if TYPE_CHECKING:
    from strongroom.audit.witness import Witness
    from strongroom.tlog.logkeys import LogKeys
    from strongroom.tlog.note import Signer

KEY, NAME = "witness.key", "witness.vkey"
FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group("witness")
def command() -> None:
    """Remember what a log has shown, and cosign only what extends it. For somebody who is not the log's operator.

    \b
    Example:
      strongroom witness init DIR --name witness.example.org/w1
      strongroom witness serve DIR --log "strongroom.local/northland+0123abcd+AX…="
    """


@command.command("init")
@click.argument("folder", type=FOLDER)
@click.option(
    "--name", required=True, help="The witness's name: an address without scheme, for example a host and a path."
)
@json_option
def init(*, folder: Path, name: str, as_json: bool) -> None:
    """Make a witness in FOLDER, which must be new, and print its public key for those who verify.

    \b
    Example:
      strongroom witness init DIR --name witness.example.org/w1
    """
    from strongroom.identity import keyfile
    from strongroom.tlog.cosign import Cosigner
    from strongroom.tlog.note import check_name

    check_name(name)
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    key = keyfile.create(folder / KEY)
    vkey = Cosigner(name, key.public_bytes).vkey()
    (folder / NAME).write_text(f"{vkey}\n")
    emit("witness-init", {"vkey": vkey}, as_json=as_json, text=vkey)


def _log_option(function: click.decorators.FC) -> click.decorators.FC:
    return click.option(
        "--log",
        "logs",
        multiple=True,
        required=True,
        help="Public key of a log, or a file that holds it. May be given again.",
    )(function)


@command.command("serve")
@click.argument("folder", type=FOLDER)
@_log_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65_535), default=8450, show_default=True, help="Port to listen on.")
def serve(*, folder: Path, logs: tuple[str, ...], host: str, port: int) -> None:
    """Answer requests to cosign (c2sp.org/tlog-witness), until Ctrl-C. TLS is a reverse proxy's; nothing here is secret.

    \b
    Example:
      strongroom witness serve DIR --log log.vkey --port 8450
    """
    import uvicorn

    from strongroom.courier.witness import witness_app

    app = witness_app(_witness(folder, logs))
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False, server_header=False, lifespan="off")


@command.command("sign")
@click.argument("folder", type=FOLDER)
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@_log_option
@json_option
def sign(*, folder: Path, directory: Path, logs: tuple[str, ...], as_json: bool) -> None:
    """Cosign the checkpoint of a copy of a log in DIRECTORY, once every byte of it was verified. Without any network.

    The cosignature is put into the copy's checkpoint, and printed.

    \b
    Example:
      strongroom witness sign DIR copy/log --log copy/log.vkey
    """
    from strongroom.audit import verify as published
    from strongroom.audit.files import CHECKPOINT, Directory
    from strongroom.errors import Tampered, UsageError
    from strongroom.tlog import note
    from strongroom.tlog.checkpoint import Checkpoint
    from strongroom.tlog.cosign import Submission
    from strongroom.tlog.tile import tile_nodes
    from strongroom.tlog.tree import consistency_proof

    witness, copy = _witness(folder, logs), Directory(directory)
    raw = published.fetched(copy.read, CHECKPOINT)
    origin = Checkpoint.parse(note.parse(raw).text).origin
    key = next((one for one in _logs(logs) if one.name == origin), None)
    if key is None:
        msg = f"This is a copy of {origin}, which is none of the logs that were named."
        raise UsageError(msg)
    now, seen = published.verify(copy.read, key), witness.seen(origin)
    if seen.size > now.size:
        msg = f"This witness has seen {seen.size} entries; the copy has {now.size}: it is older, or was set back."
        raise Tampered(msg)
    nodes = tile_nodes(now.size, lambda tile: published.parsed_tile(copy.read, tile))
    answer = witness.add_checkpoint(Submission(seen.size, consistency_proof(seen.size, now.size, nodes), raw).render())
    if answer.status != 200:  # noqa: PLR2004  # OK
        msg = f"Not cosigned: the copy does not extend the {seen.size} entries that this witness has seen."
        raise CheckFailed(msg, advice="Keep the copy, and what the witness has seen; together they prove it.")
    copy.write(CHECKPOINT, raw + answer.body)
    shape = {"origin": origin, "size": now.size, "cosignature": answer.body.decode()}
    emit("witness-sign", shape, as_json=as_json, text=answer.body.decode().rstrip("\n"))


def _witness(folder: Path, logs: tuple[str, ...]) -> "Witness":
    from strongroom.audit.witness import Witness
    from strongroom.clock import SystemClock

    return Witness(folder, _signer(folder), {one.name: one for one in _logs(logs)}, SystemClock())


def _signer(folder: Path) -> "Signer":
    from strongroom.identity import keyfile
    from strongroom.tlog.cosign import Cosigner
    from strongroom.tlog.note import Signer, Verifier

    key = keyfile.read(folder / KEY)
    try:
        cosigner = Cosigner.parse((folder / NAME).read_text().strip())
    except OSError as error:
        msg = f"There is no witness in {folder}: {error.strerror}."
        raise ConfigError(msg, advice="Make one: strongroom witness init.") from error
    if cosigner.public != key.public_bytes:
        msg = f"{KEY} and {NAME} in {folder} are not of one witness."
        raise ConfigError(msg)
    return Signer(Verifier(cosigner.name, cosigner.public), key.sign)


def _logs(logs: tuple[str, ...]) -> "tuple[LogKeys, ...]":
    from strongroom.tlog.logkeys import LogKeys

    return tuple(LogKeys.parse(Path(one).read_text() if Path(one).is_file() else one) for one in logs)
