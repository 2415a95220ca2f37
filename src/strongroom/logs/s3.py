"""Logs in a bucket: s3:// addresses, read and never written. Credentials come from the environment, as of every program for S3.

    s3://bucket/AWSLogs                  everything below
    s3://bucket/2025/*/access.log.gz     * within a name, ** over several
    s3://bucket/one.log                  one object

AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set (AWS_SESSION_TOKEN may be); AWS_REGION, and AWS_ENDPOINT_URL for a server
that is not AWS. Nothing else is looked for: no profile, no metadata service.
"""

import contextlib
import io
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, BinaryIO, Final, cast

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from strongroom.errors import OperationError, UsageError

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config

SCHEME: Final = "s3://"
BUFFER: Final = 4 * 1024 * 1024
"""Bytes that are asked for at once."""
TIMEOUT: Final = timedelta(seconds=60)
"""For one request, and for all its retries."""


@dataclass(frozen=True, slots=True)
class Object:
    """One object. `size` in bytes, as it was listed."""

    bucket: str
    key: str
    size: int
    store: S3Store = field(compare=False, repr=False)

    @property
    def name(self) -> str:
        """Its address."""
        return f"{SCHEME}{self.bucket}/{self.key}"

    def opened(self) -> BinaryIO:
        """Its bytes; seekable. Raises OperationError here and as it is read."""
        return cast("BinaryIO", io.BufferedReader(_Raw(self), BUFFER))


def objects(address: str, environment: Mapping[str, str] = os.environ) -> Iterator[tuple[Object, bool]]:
    """The objects that an address means, and whether it names this very one. Empty ones are none.

    Raises UsageError without credentials or a bucket, OperationError when the server refuses or does not answer.
    """
    bucket, _, wanted = address.removeprefix(SCHEME).partition("/")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket):
        raise UsageError(f"{address} names no bucket.", advice="Write s3://bucket/prefix.")
    store = _store(bucket, environment)
    fixed = re.split(r"[*?]", wanted)[0]
    pattern = None if fixed == wanted else _pattern(wanted)
    under = fixed.rpartition("/")[0] if pattern else wanted.rstrip("/")
    try:
        if pattern is None and wanted and not wanted.endswith("/"):
            with contextlib.suppress(FileNotFoundError):  # it may be a prefix
                found = obstore.head(store, wanted)
                yield Object(bucket, found["path"], found["size"], store), True
        for page in obstore.list(store, under or None):
            for one in page:
                if one["size"] and (pattern is None or pattern.fullmatch(one["path"])):
                    yield Object(bucket, one["path"], one["size"], store), pattern is not None
    except BaseError as error:
        raise _failed(address, error) from error


def known(bucket: str, key: str, size: int, environment: Mapping[str, str] = os.environ) -> Object:
    """An object that was listed elsewhere. Raises UsageError without credentials."""
    return Object(bucket, key, size, _store(bucket, environment))


def _store(bucket: str, environment: Mapping[str, str]) -> S3Store:
    access, secret = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    if not access or not secret:
        msg = "s3:// needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment."
        raise UsageError(msg, advice="A key that may list and read this bucket, and nothing else, is enough.")
    endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL") or None
    config: S3Config = {
        "region": environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1",
        "access_key_id": access, "secret_access_key": secret, "virtual_hosted_style_request": endpoint is None,
    }  # fmt: skip
    if endpoint:
        config["endpoint"] = endpoint
    if token := environment.get("AWS_SESSION_TOKEN"):
        config["session_token"] = token
    options: ClientConfig = {"allow_http": (endpoint or "").startswith("http://"), "timeout": TIMEOUT}
    return S3Store(
        bucket, config=config, client_options=options, retry_config={"max_retries": 3, "retry_timeout": TIMEOUT}
    )


def _pattern(wanted: str) -> re.Pattern[str]:
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", wanted)
    return re.compile("".join(words.get(part, re.escape(part)) for part in parts), re.DOTALL)


def _failed(name: str, error: Exception) -> OperationError:
    """What a server says may hold anything: the kind of error is told, and whose fault it likely is."""
    kind = type(error).__name__.removesuffix("Error")
    advice = "Look at the address, AWS_ENDPOINT_URL and AWS_REGION, and at what the key may do: it must list and read."
    return OperationError(f"{name} cannot be read ({kind}).", advice=advice)


class _Raw(io.RawIOBase):
    def __init__(self, of: Object) -> None:
        super().__init__()
        self._of = of
        try:
            self._reader = obstore.open_reader(of.store, of.key, buffer_size=BUFFER)
        except (BaseError, FileNotFoundError) as error:
            raise _failed(of.name, error) from error

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._reader.seek(offset, whence)

    def tell(self) -> int:
        return self._reader.tell()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed names a type that only stubs have
        try:
            found = bytes(self._reader.read(len(buffer)))
        except (BaseError, OSError) as error:
            raise _failed(self._of.name, error) from error
        buffer[: len(found)] = found
        return len(found)
