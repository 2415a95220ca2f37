"""Blobs in whatever obstore reaches. `local.py` and `s3.py` say where; this file says how."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import ObjectStore

from strongroom.documents.blobs import Piece, place
from strongroom.errors import Conflict, Unavailable

if TYPE_CHECKING:
    from obstore import GetOptions

T = TypeVar("T")

WHOLE = 8 * 1_048_576
"""Bytes up to which an object is written in one conditional request; longer ones go in parts."""
PARTS = 2
"""Parts of 5 MiB of one upload that are on their way at once, and so in memory, when the store is slower than the client."""
PIECE = 256 * 1_024
"""Bytes handed on at once when reading."""


class Objects:
    """See `blobs.Blobs`. `settle` is called with the object's path after writing, to make it durable where the store
    does not do that by itself.
    """

    def __init__(
        self,
        store: ObjectStore,
        timeout: float,
        settle: Callable[[str], None] | None = None,
        *,
        answer: float | None = None,
    ) -> None:
        """`timeout`: seconds a single step (a request, the next piece) may take; `answer`: seconds until the store begins to
        answer at all, `timeout` if None.
        """
        self._store = store
        self._timeout = timeout
        self._settle = settle
        self._answer = min(timeout, answer or timeout)

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> int:
        """See `Blobs.put`."""
        path = place(name)
        counted = _Counted(chunks)
        # Also finds a store that is away before the depositor has sent everything, and sooner than a long object may take.
        with translated():
            await self._check_absent(path)
        head = await counted.up_to(WHOLE)
        try:
            with translated():
                if counted.ended:
                    await self._within(obstore.put_async(self._store, path, head, mode="create"))
                else:
                    # No store offers create-if-absent for writing in parts everywhere. Names are 128 random bits chosen a
                    # moment ago, so having looked is enough against mistakes; against malice there is the bucket's object lock.
                    await obstore.put_async(
                        self._store, path, counted.after(head), use_multipart=True, max_concurrency=PARTS
                    )
                if self._settle is not None:
                    await self._soon(asyncio.to_thread(self._settle, path))
        except Unavailable:
            if counted.error is not None:  # a depositor's broken connection is no fault of the store
                raise counted.error from None
            raise
        return counted.size

    async def get(self, name: str, start: int = 0, length: int | None = None) -> AsyncIterator[Piece]:
        """See `Blobs.get`."""
        with translated():
            if length == 0:
                return
            options: GetOptions = {}
            if start or length is not None:  # an empty object has no range
                options = {"range": {"offset": start} if length is None else (start, start + length)}
            found = await self._soon(obstore.get_async(self._store, place(name), options=options))
            stream = aiter(found.stream(min_chunk_size=PIECE))
            while True:
                try:
                    chunk = await self._within(anext(stream))
                except StopAsyncIteration:
                    return
                yield bytes(chunk)

    async def delete(self, name: str) -> None:
        """See `Blobs.delete`."""
        with translated():
            try:
                await self._within(obstore.delete_async(self._store, place(name)))
            except FileNotFoundError:
                return

    async def names(self) -> AsyncIterator[str]:
        """See `Blobs.names`."""
        with translated():
            async for page in obstore.list(self._store):
                for one in page:
                    yield str(one["path"]).rpartition("/")[2]

    async def _check_absent(self, path: str) -> None:
        try:
            await self._soon(obstore.head_async(self._store, path))
        except FileNotFoundError:
            return
        raise AlreadyExistsError

    async def _soon(self, step: Awaitable[T]) -> T:
        async with asyncio.timeout(self._answer):
            return await step

    async def _within(self, step: Awaitable[T]) -> T:
        async with asyncio.timeout(self._timeout):
            return await step


class _Counted:
    """A stream of chunks that counts what went through."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self.size = 0
        self.ended = False
        self.error: Exception | None = None
        """What the chunks themselves raised."""

    async def up_to(self, limit: int) -> bytes:
        """The first chunks, until they are more than `limit` bytes or end."""
        found = bytearray()
        async for chunk in self._chunks:
            found += chunk
            if len(found) > limit:
                break
        else:
            self.ended = True
        self.size = len(found)
        return bytes(found)

    async def after(self, head: bytes) -> AsyncIterator[bytes]:
        """`head`, then the rest."""
        yield head
        try:
            async for chunk in self._chunks:
                self.size += len(chunk)
                yield chunk
        except Exception as error:
            self.error = error
            raise


@contextmanager
def translated() -> Iterator[None]:
    """The store's errors as ours. What the caller's own chunks raise passes through."""
    try:
        yield
    except AlreadyExistsError as error:
        msg = "An object of this name exists already."
        raise Conflict(msg) from error
    except FileNotFoundError as error:
        msg = "The object store lacks an object that the catalogue knows."
        raise Unavailable(msg, advice="Restore it from a backup; `strongroom doctor` lists what is missing.") from error
    except (BaseError, OSError, TimeoutError) as error:
        msg = f"The object store does not work ({type(error).__name__})."
        raise Unavailable(msg, advice="Look at the bucket, its disk and its credentials; it is tried again.") from error
