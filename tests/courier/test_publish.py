"""The publisher gathers cosignatures, waits for nobody, and tells loudly when a witness has seen something else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from strongroom.audit.files import CHECKPOINT
from strongroom.audit.witness import Witness
from strongroom.clock import ManualClock
from strongroom.courier.publish import Asked, Post, Publisher, Standing, post, read_standing
from strongroom.courier.witness import witness_app
from strongroom.errors import CheckFailed
from strongroom.tlog.checkpoint import open_checkpoint
from strongroom.tlog.cosign import MAX_REQUEST, Cosigner, check_quorum
from strongroom.tlog.note import Signer
from tests.audit.conftest import make_signer
from tests.audit.test_stranger import OTHER
from tests.audit.test_verify import SIGNER, Files, entries, published

ONE, TWO = make_signer("witness.example/1"), make_signer("witness.example/2")


def key(signer: Signer) -> Cosigner:
    """The public half of a witness."""
    return Cosigner(signer.verifier.name, signer.verifier.public)


KEYS = (key(ONE), key(TWO))


class World:
    """A log, two witnesses behind their web application, and a publisher whose requests reach them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files: Files = published(entries(10))
        self.away: set[str] = set()
        self.clients = {}
        for signer, url in ((ONE, "https://one"), (TWO, "https://two")):
            folder = root / url[8:]
            folder.mkdir()
            witness = Witness(folder, signer, {"example.org/log": SIGNER.verifier}, ManualClock())
            self.clients[url] = TestClient(witness_app(witness), base_url=url)
        (root / "published").mkdir()

    def post(self, url: str, body: bytes) -> tuple[int, bytes]:
        """To the application; ConnectionError where it is away."""
        base = url.removesuffix("/add-checkpoint")
        if base in self.away:
            raise ConnectionRefusedError
        answer = self.clients[base].post("/add-checkpoint", content=body)
        return answer.status_code, answer.content

    def read(self, path: str) -> bytes | None:
        """Of the log as it is now."""
        return self.files.get(path)

    def publisher(self, post: Post | None = None) -> Publisher:
        """A new one over the same folder."""
        asked = (Asked(key(ONE), "https://one/"), Asked(key(TWO), "https://two"))
        return Publisher(
            self.read,
            lambda: SIGNER.verifier,
            self.root / "published",
            asked,
            ManualClock(),
            post or self.post,
        )

    def cosigned(self) -> bytes:
        """What is kept."""
        return (self.root / "published" / CHECKPOINT).read_bytes()


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A new world."""
    return World(tmp_path)


def states(standing: tuple[Standing, ...]) -> list[tuple[str, int]]:
    """State and size by witness."""
    return [(one.state, one.size) for one in standing]


def test_every_round_is_cosigned(world: World) -> None:
    """By both, while the log grows; the kept checkpoint still is the log's own."""
    publisher = world.publisher()
    for size in (10, 20, 20, 700):
        world.files = published(entries(size))
        assert states(publisher.round()) == [("cosigned", size)] * 2
        assert open_checkpoint(world.cosigned(), SIGNER.verifier).size == size
        assert len(check_quorum(world.cosigned(), KEYS, 2)) == 2


def test_an_empty_log_is_not_shown(world: World) -> None:
    """There is nothing to cosign yet."""
    world.files = published([])
    assert world.publisher().round() == ()
    world.files = {}
    with pytest.raises(CheckFailed):
        world.publisher().round()


def test_a_witness_that_is_away(world: World) -> None:
    """The other one cosigns all the same; when it is back, it catches up."""
    publisher = world.publisher()
    publisher.round()
    world.away, world.files = {"https://one"}, published(entries(20))
    first, second = publisher.round()
    assert (first.state, first.size, second.state, second.size) == ("away", 10, "cosigned", 20)
    assert "ConnectionRefusedError" in first.said
    assert check_quorum(world.cosigned(), KEYS, 1) == ("witness.example/2",)
    world.away, world.files = {"https://one", "https://two"}, published(entries(25))
    assert states(publisher.round()) == [("away", 10), ("away", 20)]
    assert open_checkpoint(world.cosigned(), SIGNER.verifier).size == 20
    world.away = set()
    assert states(publisher.round()) == [("cosigned", 25)] * 2


@pytest.mark.parametrize("forget", [False, True])
def test_a_publisher_that_begins_anew(world: World, forget: bool) -> None:
    """It goes on from what it kept, or asks the witnesses what they saw last."""
    world.publisher().round()
    world.files = published(entries(300))
    if forget:
        (world.root / "published" / "witnesses.json").write_bytes(b"damaged")
    assert states(world.publisher().round()) == [("cosigned", 300)] * 2
    assert [one.size for one in read_standing(world.root / "published")] == [300, 300]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (published(entries(9)), "it has seen 10 entries, and we are shown 9: the log was set back"),
        (published([b"{}"] * 10), "it has seen another log of 10 entries"),
        (OTHER, "our 582 entries do not extend what it has seen"),
    ],
)
def test_a_log_that_was_changed(world: World, files: Files, words: str) -> None:
    """Set back, rewritten or forked, and signed anew with the log's own key: every witness refuses, and it is told."""
    publisher = world.publisher()
    publisher.round()
    before, world.files = world.cosigned(), files
    for one in (*publisher.round(), *world.publisher().round()):
        assert (one.state, words in one.said) == ("refused", True)
    assert world.cosigned() == before


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (lambda: (200, b"nonsense"), "refused", "note"),
        (lambda: (200, "— someone.example AAAAAAAA\n".encode()), "refused", "no cosignature of the key we know"),
        (lambda: (404, b"This log is not witnessed here.\n"), "refused", "it answers 404: This log"),
        (lambda: (409, b"what"), "refused", "another log"),
        (lambda: (503, b"\xff"), "refused", "it answers 503"),
    ],
)
def test_odd_answers(world: World, answer: Callable[[], tuple[int, bytes]], state: str, words: str) -> None:
    """Nothing of them is believed or kept."""
    for one in world.publisher(lambda *_: answer()).round():
        assert (one.state, words in one.said) == (state, True), one.said
    assert not (world.root / "published" / CHECKPOINT).exists()


def test_a_witness_that_others_ask_too(world: World) -> None:
    """Three attempts, then the next round."""
    sizes = iter(range(1, 100))
    standing = world.publisher(lambda *_: (409, b"%d\n" % next(sizes))).round()
    assert [one.state for one in standing] == ["away", "away"]


def test_the_application(world: World, tmp_path: Path) -> None:
    """A body without end is cut off, a folder that is gone is 503, and there is nothing else there."""
    client = world.clients["https://one"]
    assert client.post("/add-checkpoint", content=bytes(MAX_REQUEST + 1)).status_code == 413
    assert client.get("/add-checkpoint").status_code == 405
    (tmp_path / "one").rmdir()
    assert world.publisher().round()[0].said.startswith("it answers 503: The witness's folder cannot be used")


def test_nobody_listens() -> None:
    """The real client turns it into what the publisher expects."""
    with pytest.raises(ConnectionError, match="ConnectError"):
        post("http://127.0.0.1:1/add-checkpoint", b"")
