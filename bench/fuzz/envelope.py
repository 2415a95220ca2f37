"""Sealed things and the log's forms: ciphertexts, entries, notes, checkpoints, tiles, proofs.

What opens is exactly what was sealed; one bit elsewhere and nothing opens. What parses is written again byte by byte as it
was. What a key did not sign is never taken for signed.
"""

import hashlib
import re
from contextlib import suppress

from bench.fuzz.target import Target, must
from bench.fuzz.token import key_of
from strongroom.audit import stranger
from strongroom.envelope import small
from strongroom.envelope.binding import bind, content_context
from strongroom.envelope.sealed import CHUNK, HEADER, Opener, Ranges, Sealer, sealed_size
from strongroom.errors import CheckFailed, Malformed, Tampered, Untrusted
from strongroom.secret import Secret
from strongroom.tlog import entry, note
from strongroom.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from strongroom.tlog.cosign import Cosigner, Submission, check_quorum, cosign
from strongroom.tlog.proof import Proof
from strongroom.tlog.tile import Tile, parse_bundle, parse_hashes, render_bundle, render_hashes
from strongroom.tlog.tree import (
    Frontier,
    Nodes,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)

KEY = Secret(hashlib.sha256(b"document").digest())
OTHER_KEY = Secret(hashlib.sha256(b"another").digest())
CONTEXT = content_context("p" * 26, "d" * 26, 1, "text/plain")
_BOUND = bind("metadata", "d", "p", "1")
ORIGIN = "log.example/unit"


def _place(data: bytes, size: int) -> int:
    return int.from_bytes(hashlib.sha256(data).digest()[:8], "big") % size


def spoiled(raw: bytes, data: bytes) -> bytes:
    """`raw` with one bit turned, at a place that `data` chooses."""
    at, bit = divmod(_place(data, len(raw) * 8), 8)
    return raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :]


def _opened(cipher: bytes, size: int, key: Secret = KEY, context: bytes = CONTEXT) -> bytes | None:
    """The plaintext, fed in pieces of `size`; None when it does not open."""
    opener = Opener(key, context)
    try:
        plain = b"".join([opener.update(cipher[at : at + size]) for at in range(0, len(cipher), size)])
        return plain + opener.finish()
    except Tampered:
        return None


_SEALED = (b"", b"a document")
"""What seeds hold; nobody without the key makes anything else open."""


def sealed_cipher(data: bytes) -> None:
    """Any ciphertext: what opens is what was sealed, whole, byte by byte, and in parts."""
    for size in (len(data) or 1, 1):
        must(_opened(data, size) in (None, *_SEALED), "what was not sealed does not open")
    try:
        ranges = Ranges(KEY, CONTEXT, data[:HEADER], len(data))
        plain = ranges.open(0, ranges.size, data[HEADER:]) if ranges.size else b""
    except Tampered:
        return
    must(plain in _SEALED, "nor in parts")


def sealed_plain(data: bytes) -> None:
    """Any plaintext, of a length around the borders of chunks: sealed and opened whole, in pieces and in ranges, all alike."""
    plain = _stretched(data)
    cipher = sealed(plain, max(1, len(data)))
    must(len(cipher) == sealed_size(len(plain)), "a ciphertext has the length that was told")
    for size in (len(cipher), 1_000, CHUNK):
        must(_opened(cipher, size) == plain, "what opens is what was sealed")
    ranges = Ranges(KEY, CONTEXT, cipher[:HEADER], len(cipher))
    must(ranges.size == len(plain), "its length is told by the ciphertext's")
    if plain:
        start = _place(data, len(plain))
        length = 1 + _place(data[::-1], len(plain) - start)
        span = ranges.span(start, length)
        part = cipher[span.start : span.end]
        must(ranges.open(start, length, part) == plain[start : start + length], "a range is that part")
        try:
            ranges.open(start, length, spoiled(part, data))
        except Tampered:
            pass
        else:
            raise AssertionError("an altered range opens")
    must(_opened(spoiled(cipher, data), 1_000) is None, "altered, it does not open")
    must(_opened(cipher[: _place(data, len(cipher))], 1_000) is None, "cut, it does not open")
    must(_opened(cipher + data[:1], 1_000) is None or not data, "with a tail, it does not open")
    must(_opened(cipher, 1_000, key=OTHER_KEY) is None, "nor under another key")
    must(_opened(cipher, 1_000, context=content_context("p" * 26, "d" * 26, 2, "text/plain")) is None, "nor elsewhere")


def _stretched(data: bytes) -> bytes:
    """The first byte says how often the rest stands there: up to a few chunks."""
    return (data[1:] * data[0])[: 3 * CHUNK] if data else b""


def sealed(plain: bytes, size: int) -> bytes:
    """`plain` as a document's ciphertext, sealed in pieces of `size`."""
    sealer = Sealer(KEY, CONTEXT)
    return b"".join([*(sealer.update(plain[at : at + size]) for at in range(0, len(plain), size)), sealer.finish()])


def sealed_small(data: bytes) -> None:
    """Any bytes as a small sealed thing, and any sealed: opens where it belongs, and altered nowhere."""
    must(not _small_opens(data), "what was not sealed does not open")
    sealed = small.seal(KEY, data, _BOUND)
    must(small.open_sealed(KEY, sealed, _BOUND) == data, "what opens is what was sealed")
    must(len(sealed) == len(data) + small.OVERHEAD, "of the length that was told")
    must(not _small_opens(spoiled(sealed, data)), "altered, it does not open")
    must(not _small_opens(sealed[:-1]) and not _small_opens(sealed + b"\0"), "nor cut, nor with a tail")
    must(not _small_opens(sealed, key=OTHER_KEY) and not _small_opens(sealed, bound=bind("other")), "nor elsewhere")


def _small_opens(sealed: bytes, key: Secret = KEY, bound: bytes = _BOUND) -> bool:
    try:
        small.open_sealed(key, sealed, bound)
    except Untrusted:
        return False
    return True


def sealed_binding(data: bytes) -> None:
    """Any parts: other parts, other bytes."""
    text = data.decode("utf-8", "replace")
    parts, others = text.split("\0"), text.split("\n")
    must((bind(*parts) == bind(*others)) is (parts == others), "a binding says its parts, and where each ends")
    must(bind(*parts) != bind(*parts, ""), "one more part is another binding")


def log_entry(data: bytes) -> None:
    """Any bytes as an entry: what is read is written again as it was."""
    try:
        found = entry.decode(data)
    except Malformed:
        try:
            found = entry.parse(data)
        except Malformed:
            return
        data = entry.encode(found)
    must(entry.encode(entry.decode(data)) == data and entry.parse(data) == found, "an entry has one spelling")


LOG = note.Signer(note.Verifier(ORIGIN, key_of("log").public_bytes), key_of("log").sign)
WITNESS = note.Signer(note.Verifier("witness.example", key_of("witness").public_bytes), key_of("witness").sign)
COSIGNER = Cosigner(WITNESS.verifier.name, WITNESS.verifier.public)
SIGNED = tuple(Checkpoint(ORIGIN, size, hashlib.sha256(b"root").digest()).render() for size in (1, 300))


def cosigned(text: str) -> bytes:
    """A note of the log's that the witness cosigned."""
    parsed = note.parse(note.sign(text, (LOG,)))
    return note.Note(text, (*parsed.signatures, cosign(text, WITNESS, 1_767_225_600))).render()


def log_note(data: bytes) -> None:
    """Any bytes as a signed note: written again as they were; and nobody's word but whose key signed."""
    try:
        found = note.parse(data)
    except Malformed:
        return
    must(found.render() == data, "a note has one spelling")
    try:
        text, _ = note.open_note(data, (LOG.verifier,))
    except Tampered:
        pass
    else:
        must(text in SIGNED, "a note that nobody signed is not believed")
    try:
        check_quorum(data, (COSIGNER,), 1)
    except (CheckFailed, Tampered):
        pass
    else:
        must(found.text in SIGNED, "nor one that nobody cosigned")


def log_key(data: bytes) -> None:
    """Any text as the public key of a log or a witness: one spelling."""
    text = data.decode("utf-8", "replace")
    for kind in (note.Verifier, Cosigner):
        try:
            found = kind.parse(text)
        except Malformed:
            continue
        must(found.vkey() == text, "a key has one spelling")


def log_checkpoint(data: bytes) -> None:
    """Any text as a checkpoint: written again as it was; signed by the log it opens, altered it does not."""
    text = data.decode("utf-8", "replace")
    try:
        found = Checkpoint.parse(text)
    except Malformed:
        return
    must(found.render() == text, "a checkpoint has one spelling")
    try:
        signed = sign_checkpoint(found, (LOG,))
    except Malformed:
        return  # a text that no note can carry
    try:
        opened = open_checkpoint(signed, LOG.verifier)
    except Tampered:
        must(found.origin != ORIGIN, "a log's own checkpoint opens")
    else:
        must(opened == found and found.origin == ORIGIN, "what opens is what was signed, of this log")
        try:
            open_checkpoint(spoiled(signed, data), LOG.verifier)
        except Untrusted:
            return
        raise AssertionError("an altered checkpoint opens")


def log_tile(data: bytes) -> None:
    """Any path and any bytes of a tile: one spelling of each."""
    text = data.decode("utf-8", "replace")
    with suppress(Malformed):
        must(Tile.parse_path(text).path() == text, "a path has one spelling")
    for width in (1, 3, 256):
        with suppress(Malformed):
            must(render_hashes(parse_hashes(data, width)) == data, "a tile has one spelling")
        with suppress(Malformed):
            must(render_bundle(parse_bundle(data, width)) == data, "a bundle has one spelling")


LEAVES = tuple(leaf_hash(b"entry %d" % at) for at in range(21))


def _grown() -> tuple[Nodes, dict[int, bytes]]:
    """The nodes of a small log, and the root it had at each size."""
    nodes: dict[tuple[int, int], bytes] = {}
    frontier, roots = Frontier(), {}
    for at, leaf in enumerate(LEAVES):
        frontier, completed = frontier.append(leaf)
        nodes |= {(level, at >> level): value for level, value in enumerate(completed)}
        roots[at + 1] = frontier.root()
    return (lambda level, index: nodes[level, index]), roots


NODES, ROOTS = _grown()
CHECKPOINTS = {size: sign_checkpoint(Checkpoint(ORIGIN, size, root), (LOG,)) for size, root in ROOTS.items()}


def log_proof(data: bytes) -> None:
    """Any bytes as a proof's file, and as a request to cosign: written again as they were, proving nothing but what is so."""
    try:
        found = Proof.parse(data)
    except Malformed:
        pass
    else:
        must(found.render() == data, "a proof has one spelling")
        for at, leaf in enumerate(LEAVES):
            try:
                checkpoint = found.verify(leaf, LOG.verifier)
            except Untrusted:
                continue
            must(
                found.index == at and checkpoint.root == ROOTS[checkpoint.size],
                "an entry is where it is, and nowhere else",
            )
    try:
        request = Submission.parse(data)
    except Malformed:
        return
    must(request.render() == data, "a request has one spelling")


def log_path(data: bytes) -> None:
    """Any sizes and hashes: inclusion and consistency hold for the log's own proofs, and for nothing made of other bytes."""
    if len(data) < 3:
        return
    index, old, new = (byte % 23 for byte in data[:3])
    hashes = tuple(data[at : at + 32] for at in range(3, len(data), 32))
    root, old_root = ROOTS.get(new, b"\1" * 32), ROOTS.get(old, b"\2" * 32)
    try:
        verify_inclusion(index, new, LEAVES[index % 21], hashes, root)
    except Untrusted:
        pass
    else:
        must(hashes == tuple(inclusion_proof(index, new, NODES)), "an inclusion has one proof")
    try:
        verify_consistency(old, new, old_root, root, hashes)
    except Untrusted:
        pass
    else:
        must(old == 0 or hashes == tuple(consistency_proof(old, new, NODES)), "a consistency has one proof")


_STRANGERS_KEYS = stranger.Keys.parse(LOG.verifier.vkey())


def log_stranger(data: bytes) -> None:
    """Any bytes to the program that strangers run: its own refusal and no other; and no second opinion on what holds."""
    text = data.decode("utf-8", "replace")
    signed = data
    with suppress(Malformed):
        signed = note.sign(text, (LOG,))
    for raw in {data, signed}:
        theirs = _strangers(raw)
        with suppress(Untrusted):
            ours = open_checkpoint(raw, LOG.verifier)
            must(theirs == (ours.size, ours.root), "what holds for us holds for a stranger")
    must(_strangers(data) is None or note.parse(data).text in SIGNED, "what nobody signed holds for nobody")
    with suppress(stranger.Wrong, OSError):  # the latter for a text that would be too long a file's name
        stranger.Keys.parse(text)
    with suppress(stranger.Wrong):
        told = stranger.verify_proof(data, "x", _STRANGERS_KEYS, (), 0)
        must(
            re.fullmatch(r"x: entry ([0-9]+) is in the log of [0-9]+ entries:\nentry \1", told),
            "an entry is where it is",
        )
    with suppress(Untrusted):
        proof = Proof.parse(data)
        proof.verify(leaf_hash(proof.extra), LOG.verifier)
        if proof.extra:
            stranger.verify_proof(data, "x", _STRANGERS_KEYS, (), 0)


def _strangers(raw: bytes) -> tuple[int, bytes] | None:
    """Size and root, as a stranger reads a checkpoint."""
    try:
        found = stranger.open_checkpoint(raw, "x", _STRANGERS_KEYS)
    except stranger.Wrong:
        return None
    return found.size, found.root


_NOTE_WORDS = ("\n\n— ", f"{ORIGIN}\n", "witness.example ", "=\n", "\n0\n", "\n\n")

TARGETS = (
    Target("sealed-cipher", sealed_cipher, limit=20_000),
    Target("sealed-plain", sealed_plain, limit=1_024),
    Target("sealed-small", sealed_small),
    Target("sealed-binding", sealed_binding),
    Target("log-entry", log_entry, "json", ("v", "t", "op", "released", "documents", "actor", "patient", "complete")),
    Target("log-note", log_note, words=_NOTE_WORDS),
    Target("log-key", log_key, words=("+", "witness.example+", f"{ORIGIN}+"), limit=512),
    Target("log-checkpoint", log_checkpoint, words=_NOTE_WORDS),
    Target("log-tile", log_tile, words=("tile/", "entries/", "/x001", ".p/", "tile/0/"), limit=9_000),
    Target("log-proof", log_proof, words=("c2sp.org/tlog-proof@v1\n", "index ", "extra ", "old ", *_NOTE_WORDS)),
    Target("log-path", log_path, limit=512),
    Target("log-stranger", log_stranger, words=("c2sp.org/tlog-proof@v1\n", "index ", "extra ", *_NOTE_WORDS)),
)
