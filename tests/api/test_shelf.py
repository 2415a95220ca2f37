"""What was kept is what is read, whole or in part, and nothing opens in another's place."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.api import shelf as module
from strongroom.api.body import alone
from strongroom.api.shelf import Kept, Shelf
from strongroom.api.view import minimal
from strongroom.documents.local import local_blobs
from strongroom.envelope.sealed import CHUNK
from strongroom.errors import Conflict, StrongroomError, Tampered, Unavailable
from strongroom.keeper.protocol import Opened, Released, Row
from tests.api.standins import Blobs, MemoryCatalogue

OPENED = Opened(ticket="t", document="d", version=1, patient="p", key=b"k" * 32, metadata_key=b"m" * 32)


class Room:
    """A shelf with one document on it."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.blobs, self.catalogue = Blobs(), MemoryCatalogue()
        self.shelf = Shelf(self.blobs, self.catalogue)
        self.kept: Kept = asyncio.run(self._keep())

    async def _keep(self) -> Kept:
        kept = await self.shelf.keep(OPENED, "a/b", alone(self.content))
        await self.shelf.enter(OPENED, kept, minimal("p", "a/b", 0))
        return kept

    def read(self, start: int, length: int, **changed: Any) -> bytes:
        """A part, as released."""
        said: dict[str, Any] = {
            "receipt": 0, "document": "d", "version": 1, "patient": "p", "content_type": "a/b", "updated": 0,
            "size": len(self.content), "sealed_size": self.kept.sealed_size, "key": OPENED.key, **changed,
        }  # fmt: skip

        async def go() -> bytes:
            return b"".join([chunk async for chunk in self.shelf.read(Released(**said), start, length)])

        return asyncio.run(go())


CONTENT = bytes(range(256)) * 300
ROOM = Room(CONTENT)


@settings(max_examples=60)
@given(st.integers(0, len(CONTENT) - 1), st.integers(1, len(CONTENT)))
def test_any_part_is_that_part(start: int, length: int) -> None:
    """Law: reading a part is cutting it out of the whole."""
    length = min(length, len(CONTENT) - start)
    assert ROOM.read(start, length) == CONTENT[start : start + length]


def test_long_parts_come_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pieces, and wherever they begin."""
    monkeypatch.setattr(module, "PIECE", 2 * CHUNK)
    for start in (0, 1, CHUNK - 1, CHUNK, 3 * CHUNK + 5):
        assert ROOM.read(start, len(CONTENT) - start - 1) == CONTENT[start:-1]


@pytest.mark.parametrize(
    "changed",
    [{"patient": "q"}, {"content_type": "text/html"}, {"key": b"x" * 32}, {"sealed_size": ROOM.kept.sealed_size + 1},
     {"document": "e"}, {"version": 2}],
)  # fmt: skip
def test_nothing_opens_in_anothers_place(changed: dict[str, Any]) -> None:
    """Another patient, type, key, length, document or version: whole or in part, an error."""
    for start, length in ((0, len(CONTENT)), (len(CONTENT) - 10, 10)):
        with pytest.raises(Tampered):
            ROOM.read(start, length, **changed)


def test_metadata_are_bound_too() -> None:
    """Another patient's row, another key: not opened."""
    row = Row(document="d", version=1, patient="p", category="", state="", content_type="a/b", size=0, updated=0,
              metadata_key=OPENED.metadata_key)  # fmt: skip
    assert asyncio.run(ROOM.shelf.metadata(row)) == minimal("p", "a/b", 0)
    for name, value in (("patient", "q"), ("metadata_key", b"x" * 32), ("version", 2)):
        other = {field: getattr(row, field) for field in Row.__struct_fields__}
        with pytest.raises(StrongroomError):
            asyncio.run(ROOM.shelf.metadata(Row(**{**other, name: value})))


def test_empty_documents_are_whole() -> None:
    """The envelope's smallest case; the API itself refuses it earlier."""
    room = Room(b"")
    assert room.read(0, 0) == b""


def test_a_store_that_gives_more_than_was_asked_for_fills_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever owns the bucket may answer a range without end; what is beyond the range is not waited for."""
    room = Room(b"x" * 100)
    given: list[int] = []

    async def endless(*_: Any) -> Any:
        while len(given) < 1_000:
            given.append(1)
            yield bytes(65_536)

    monkeypatch.setattr(room.blobs, "get", endless)
    with pytest.raises(Tampered):
        room.read(1, 5)
    assert len(given) == 1


def test_an_upload_that_meets_itself_is_tried_again_and_not_told_as_somebody_elses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A store may take an object, lose the answer, and refuse the same request sent once more."""

    async def taken(*_: Any) -> int:
        raise Conflict("An object of this name exists already.")

    blobs = Blobs()
    monkeypatch.setattr(blobs, "put", taken)
    with pytest.raises(Unavailable):
        asyncio.run(Shelf(blobs, MemoryCatalogue()).keep(OPENED, "a/b", alone(b"x")))


@pytest.mark.parametrize("small", [0, module.SMALL])
def test_a_document_in_a_folder_opens_in_one_step_or_in_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: int
) -> None:
    """The same bytes; whatever is wrong with its file is found either way, and one document's bytes are not another's."""
    monkeypatch.setattr(module, "SMALL", small)

    async def run() -> None:
        catalogue = MemoryCatalogue()
        shelf = Shelf(local_blobs(tmp_path), catalogue)
        for name, content in (("d", CONTENT), ("e", CONTENT[:100])):
            opened = msgspec.structs.replace(OPENED, document=name)
            kept = await shelf.keep(opened, "a/b", alone(content))
            await shelf.enter(opened, kept, minimal("p", "a/b", 0))
            said = Released(
                receipt=0, document=name, version=1, patient="p", content_type="a/b", updated=0, size=len(content),
                sealed_size=kept.sealed_size, key=OPENED.key,
            )  # fmt: skip

            async def read(said: Released = said) -> bytes:
                return b"".join([chunk async for chunk in shelf.read(said, 0, said.size)])

            assert await read() == content
            file = tmp_path / kept.blob[:2] / kept.blob
            good = file.read_bytes()
            for wrong in (good[:-1], good + b"x", good[:90] + bytes([good[90] ^ 1]) + good[91:], good + good, b""):
                file.write_bytes(wrong)
                with pytest.raises(Tampered):
                    await read()
            file.write_bytes(good)

    asyncio.run(run())
