"""Another signing key for the log: verified at every moment, by whoever has which key; after a crash it goes on."""

import subprocess
import sys
from collections.abc import Awaitable, Callable

import pytest

from strongroom.audit import stranger
from strongroom.audit.files import CHECKPOINT
from strongroom.audit.verify import check_proof, verify
from strongroom.clock import DAY
from strongroom.errors import Tampered
from strongroom.keeper import logkey
from strongroom.keeper import protocol as p
from strongroom.keeper.acts import ActDone, ActRefused
from strongroom.tlog.checkpoint import open_checkpoint
from strongroom.tlog.entry import decode
from strongroom.tlog.logkeys import LogKeys
from strongroom.tlog.note import Verifier, parse
from strongroom.wiring.pens import PROOF, StorePens
from strongroom.wiring.place import VKEY, log_keys
from tests.keeper.conftest import House

OWNER = "person-8"
TWO = ("privacy", "security")


def release(h: House) -> p.Release:
    """Somebody reads a document of their own."""
    return p.Release(asking=h.asking(OWNER), document=h.documents(h.demo.own[OWNER])[0])


def judged(h: House, key: str) -> int:
    """The exit code of the program that strangers verify with."""
    program = [sys.executable, stranger.__file__, str(h.layout.log), "--key", key]
    return subprocess.run(program, capture_output=True, check=False, timeout=120).returncode


def seeds(h: House) -> list[str]:
    """The log's private keys that are there."""
    return sorted(path.name for path in h.layout.secrets.glob("log*"))


def test_whoever_verifies_always_has_a_key_that_holds(house: House) -> None:
    """Before, beside each other, and after; a kept checkpoint holds for ever, and the old key signs nothing new."""
    old = log_keys(house.layout).newest
    kept: dict[str, bytes] = {}

    def published(h: House) -> bytes:
        h.parts.log.publish()
        kept["now"] = (h.layout.log / CHECKPOINT).read_bytes()
        return kept["now"]

    async def work(h: House) -> None:
        assert isinstance(await h.ask(release(h)), p.Released)
        kept["before"] = published(h)
        told = await h.done("rotate-log", {"overlap_days": 7}, *TWO)
        assert isinstance(await h.ask(release(h)), p.Released)
        new = Verifier.parse(told["vkey"])
        both = published(h)
        assert len(parse(both).signatures) == 2
        for one in (old, new, log_keys(h.layout)):
            verify(h.parts.log.published, one)
        assert [judged(h, key) for key in (old.vkey(), new.vkey(), str(h.layout.trust / VKEY))] == [0, 0, 0]
        await logkey.turn(h.parts)
        proof = h.layout.trust / PROOF.format(new.key_id.hex())
        _, body, _ = check_proof(proof.read_bytes(), old)
        assert decode(body).target == f"key:{new.vkey()}"
        assert (await h.done("rotate-status", {}, "privacy"))["log"] == {"keys": 2, "until": told["until"]}
        await logkey.turn(h.parts)
        assert len(h.parts.log.keys.active()) == 2
        h.clock.advance(7 * DAY)
        await logkey.turn(h.parts)
        await logkey.turn(h.parts)
        assert isinstance(await h.ask(release(h)), p.Released)
        after, keys = published(h), log_keys(h.layout)
        assert len(parse(after).signatures) == 1
        assert keys.verifiers == (new, old)
        assert keys.retired[1] is not None
        assert (await h.done("rotate-status", {}, "privacy"))["log"] == {"keys": 2, "until": None}
        assert [judged(h, key) for key in (old.vkey(), new.vkey(), str(h.layout.trust / VKEY))] == [1, 0, 0]
        assert LogKeys.parse((h.layout.log / VKEY).read_text()) == keys
        with pytest.raises(Tampered):
            open_checkpoint(after, old)
        for raw in kept.values():
            open_checkpoint(raw, keys)

    assert seeds(house) == ["log.recovery", "log.root"]
    house.run(work)
    assert seeds(house) == ["log.2.recovery", "log.2.root"]


def test_a_stolen_key_signs_no_more_at_once(house: House) -> None:
    """Twice, without an overlap, across starts; the copy of the public keys beside the log comes back where it was lost."""

    async def work(h: House) -> None:
        assert isinstance(await h.ask(release(h)), p.Released)
        assert isinstance(await h.act("rotate-log", {"overlap_days": 0}, *TWO), ActDone)
        await logkey.turn(h.parts)
        h.parts.log.publish()
        assert len(log_keys(h.layout).active()) == 1
        assert (h.layout.log / VKEY).read_text() == log_keys(h.layout).render()
        assert judged(h, str(h.layout.trust / VKEY)) == 0

    house.run(work)
    (house.layout.log / VKEY).unlink()
    house.run(work)
    assert seeds(house) == ["log.3.recovery", "log.3.root"]
    assert len(log_keys(house.layout).verifiers) == 3


def test_two_officers_one_rotation_at_a_time_and_no_end_of_an_overlap(house: House) -> None:
    """One officer is not enough; a second rotation waits for the first; two keys sign beside each other for 90 days at most."""

    async def work(h: House) -> None:
        assert isinstance(await h.act("rotate-log", {"overlap_days": 7}, "privacy"), ActRefused)
        assert isinstance(await h.act("rotate-log", {"overlap_days": 91}, *TWO), ActRefused)
        assert len(log_keys(h.layout).verifiers) == 1
        assert isinstance(await h.act("rotate-log", {"overlap_days": 90}, *TWO), ActDone)
        assert isinstance(await h.act("rotate-log", {"overlap_days": 7}, *TWO), ActRefused)
        assert len(log_keys(h.layout).verifiers) == 2

    house.run(work)


class Died(BaseException):
    """The process is gone."""


def _dies(*_: object, **__: object) -> None:
    raise Died


async def _begin(h: House) -> None:
    await h.done("rotate-log", {"overlap_days": 0}, *TWO)


async def _turn(h: House) -> None:
    await _begin(h)
    await logkey.turn(h.parts)


@pytest.mark.parametrize(
    ("place", "work"),
    [
        ("strongroom.wiring.pens.pin_keys", _begin),
        ("strongroom.keeper.logkey._announce", _begin),
        ("strongroom.keeper.effects.keep_state", _begin),
        ("strongroom.audit.log.Log.sign_with", _begin),
        ("strongroom.keeper.logkey._prove", _turn),
        ("strongroom.wiring.pens.StorePens.keep", _turn),
        ("strongroom.wiring.pens.StorePens.finish", _turn),
        ("strongroom.wiring.pens.StorePens.tidy", _turn),
        ("strongroom.wiring.pens.destroy_seed", _turn),
    ],
)
def test_killed_anywhere_it_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch, place: str, work: Callable[[House], Awaitable[None]]
) -> None:
    """The next start opens, reads are answered, and it ends with one key, its announcement and its proof."""
    old = log_keys(house.layout).newest

    async def killed(h: House) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(place, _dies)
            with pytest.raises(Died):
                await work(h)

    async def on(h: House) -> None:
        assert isinstance(await h.ask(release(h)), p.Released)
        for _ in range(3):
            await logkey.turn(h.parts)
        if len(log_keys(h.layout).verifiers) == 1:  # nothing was pinned: nothing began
            await _turn(h)
        h.parts.log.publish()
        keys = log_keys(h.layout)
        assert len(keys.active()) == 1
        assert keys.newest != old
        verify(h.parts.log.published, keys)
        bodies = [row[0] for row in h.parts.catalog.rows("select body from log_entry where op = 'key'")]
        assert [body for body in bodies if keys.newest.vkey().encode() in body]
        proof = h.layout.trust / PROOF.format(keys.newest.key_id.hex())
        check_proof(proof.read_bytes(), old)

    house.run(killed)
    house.run(on)
    house.run(on)
    assert seeds(house) == ["log.2.recovery", "log.2.root"]


def test_keys_that_do_not_belong_together_do_not_start(house: House) -> None:
    """A pinned key without its private half is a configuration error, told; nothing is signed."""
    pens = StorePens(house.config, house.layout)
    pens.begin()
    assert pens.begin().keys == log_keys(house.layout)  # repeatable
    (house.layout.secrets / "log.root").unlink()
    with pytest.raises(Exception, match=r"keeper/trust/log\.vkey"):
        house.open()
    for path in house.layout.secrets.glob("log*.root"):
        path.unlink()
    with pytest.raises(Exception, match="signing key is missing"):
        house.open()
