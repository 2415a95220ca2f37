"""The laws can be broken: each planted defect of the product is noticed by a target, on the seeds that tests replay."""

import json
import re
import resource
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bench.fuzz import SEEDS, envelope, fhir, sockets, token, web
from bench.fuzz.target import Hang, Hoard, Target, Watch, must
from strongroom.envelope import mime
from strongroom.envelope.sealed import Opener, Ranges
from strongroom.errors import Malformed
from strongroom.fhir import people
from strongroom.identity import strict
from strongroom.identity import token as tokens
from strongroom.identity.context import ContextKey
from strongroom.identity.jwk import PublicKey
from strongroom.identity.replay import Replay
from strongroom.keeper import frame
from strongroom.tlog import note

Plant = Callable[[pytest.MonkeyPatch], None]


def _replay(target: str) -> None:
    found = {one.name: one for family in (token, sockets, fhir, envelope) for one in family.TARGETS}
    watch = Watch(limit=0.2)
    with watch.on():
        for file in sorted((SEEDS / target).iterdir()):
            watch.attempt(found[target], file.read_bytes())


def _any_signature_holds(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PublicKey, "holds", lambda *_: True)


def _tokens_never_expire(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tokens, "_times", lambda *_: None)


def _any_audience(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tokens, "_audience", lambda *_: None)


def _any_type_and_algorithm(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tokens, "_signer", lambda *_: token.ISSUERS_KEY.public)


def _proofs_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Replay, "first_use", lambda *_, **__: True)


def _every_tag_is_one(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ContextKey, "tag", lambda *_: "A" * 43)


def _halves_are_read(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(strict, "_no_halves", lambda _: None)


def _a_part_is_lost(patch: pytest.MonkeyPatch) -> None:
    whole = frame.Frames.cut

    def cut(self: Any, data: bytes) -> Iterator[Any]:
        if len(data) > 1:
            return whole(self, data)
        self._buffer.clear()
        return iter(())

    patch.setattr(frame.Frames, "cut", cut)


def _one_bad_request_ends_all(patch: pytest.MonkeyPatch) -> None:
    def decode(self: Any, raw: bytes) -> tuple[int, Any]:
        try:
            number, body = self._number.decode(raw)
            return number, self._body.decode(body)
        except Exception as error:
            raise Malformed("no") from error

    patch.setattr(frame.Frames, "_decode", decode)


def _an_error_of_python(patch: pytest.MonkeyPatch) -> None:
    def loads(*_: object, **__: object) -> object:
        raise KeyError

    patch.setattr("strongroom.fhir.grammar.json.loads", loads)


def _a_line_is_dropped(patch: pytest.MonkeyPatch) -> None:
    whole = people.read_feed
    patch.setattr(fhir, "read_feed", lambda lines: iter(list(whole(lines))[1:]))


def _a_narrative_is_not_read(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(web, "narrative_fault", lambda *_: iter(()))


def _pages_are_not_known(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(mime, "_PAGE", re.compile(rb"(?!)"))


def _anything_opens(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Opener, "update", lambda _self, cipher: cipher)
    patch.setattr(Opener, "finish", lambda _self: b"")


def _ranges_are_off_by_one(patch: pytest.MonkeyPatch) -> None:
    whole = Ranges.open
    patch.setattr(Ranges, "open", lambda self, start, length, cipher: whole(self, start, length, cipher)[1:])


def _any_note_holds(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(note.Verifier, "verify", lambda *_: None)


def _any_root(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(envelope, "verify_inclusion", lambda *_: None)


@pytest.mark.parametrize(
    ("target", "plant"),
    [
        ("token-text", _any_type_and_algorithm),
        ("token-claims", _any_signature_holds),
        ("token-claims", _tokens_never_expire),
        ("token-claims", _any_audience),
        ("token-header", _any_type_and_algorithm),
        ("token-proof", _proofs_are_forgotten),
        ("token-keys", _any_signature_holds),
        ("token-context", _every_tag_is_one),
        ("token-claims", _halves_are_read),
        ("token-text", _halves_are_read),
        ("token-act", _halves_are_read),
        ("token-act", _proofs_are_forgotten),
        ("socket-stream", _a_part_is_lost),
        ("socket-message", _one_bad_request_ends_all),
        ("fhir-document", _an_error_of_python),
        ("fhir-parameters", _an_error_of_python),
        ("fhir-people", _a_line_is_dropped),
        ("fhir-narrative", _a_narrative_is_not_read),
        ("fhir-mime", _pages_are_not_known),
        ("sealed-cipher", _anything_opens),
        ("sealed-plain", _anything_opens),
        ("sealed-plain", _ranges_are_off_by_one),
        ("log-checkpoint", _any_note_holds),
        ("log-path", _any_root),
    ],
)
def test_a_planted_defect_is_noticed(target: str, plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """By some law, or because what comes out is not declared."""
    plant(monkeypatch)
    with pytest.raises((AssertionError, KeyError, UnicodeError)):
        _replay(target)
    monkeypatch.undo()
    _replay(target)


def test_an_input_that_does_not_end_is_noticed() -> None:
    """Even where the product catches every Exception on the way."""

    def run(_data: bytes) -> None:
        while True:
            try:
                while True:
                    json.dumps("x")
            except Exception:  # noqa: BLE001, S110  # what a target must not be able to hide behind
                pass

    watch = Watch(limit=0.05)
    with watch.on(), pytest.raises(Hang):
        watch.attempt(Target("endless", run), b"")


def test_an_input_that_takes_too_long_is_noticed() -> None:
    """It ended, and too late; measured in CPU time, so that a loaded machine accuses nobody."""

    def run(_data: bytes) -> None:
        end = time.process_time() + 0.06
        while time.process_time() < end:
            pass

    watch = Watch(limit=0.05)
    with watch.on(), pytest.raises(Hang):
        watch.attempt(Target("slow", run), b"")


def test_an_input_that_holds_much_is_noticed() -> None:
    """A hundred megabytes more than the process ever held, for an input of no length."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024 + 100 * 1_048_576
    with pytest.raises(Hoard):
        Watch().attempt(Target("greedy", lambda _: must(b"x" * size, "it is there")), b"")
