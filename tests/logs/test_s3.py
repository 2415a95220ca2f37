"""Logs in a bucket of a real S3 server."""

import gzip
import os
from collections.abc import Mapping
from pathlib import Path

import obstore
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from obstore.store import S3Store

from strongroom.errors import OperationError, UsageError
from strongroom.logs import files, nfdump, s3
from strongroom.logs.seal import Seal

OBJECTS = {
    "logs/2025/a.log": b"one\ntwo\n", "logs/2025/b.log.gz": gzip.compress(b"three\n" * 50_000), "logs/2026/c.log": b"four\n",
    "logs/empty": b"", "logs-more/d.log": b"five\n", "logs/2025/deep/e.log": b"six\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def store(s3_port: int) -> S3Store:
    """The bucket, with what is in it."""
    found = S3Store(
        "docs", endpoint=f"http://127.0.0.1:{s3_port}", access_key_id="key", secret_access_key="secret", region="us-east-1",
        client_options={"allow_http": True},
    )  # fmt: skip
    for name, content in OBJECTS.items():
        obstore.put(found, f"hunted/{name}", content)
    return found


@pytest.fixture
def environment(s3_port: int, store: S3Store, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """What an analyst sets."""
    told = {
        "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL": f"http://127.0.0.1:{s3_port}",
        "AWS_REGION": "us-east-1",
    }  # fmt: skip
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    return told


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("s3://docs/hunted/logs", ["logs/2025/a.log", "logs/2025/b.log.gz", "logs/2025/deep/e.log", "logs/2026/c.log"]),
        ("s3://docs/hunted/logs/2025/", ["logs/2025/a.log", "logs/2025/b.log.gz", "logs/2025/deep/e.log"]),
        ("s3://docs/hunted/logs/2025/a.log", ["logs/2025/a.log"]),
        ("s3://docs/hunted/logs/*/?.log", ["logs/2025/a.log", "logs/2026/c.log"]),
        (
            "s3://docs/hunted/**/*.log",
            ["logs-more/d.log", "logs/2025/a.log", "logs/2025/deep/e.log", "logs/2026/c.log"],
        ),
        ("s3://docs/hunted/logs/2025/**", ["logs/2025/a.log", "logs/2025/b.log.gz", "logs/2025/deep/e.log"]),
    ],
)
def test_what_an_address_means(environment: Mapping[str, str], address: str, names: list[str]) -> None:
    """A prefix, an object, or a pattern; a prefix ends at a slash, and what is empty is none."""
    found = files.expand((address,))
    assert [source.name for source in found] == [f"s3://docs/hunted/{name}" for name in names]
    assert [source.size for source in found] == [len(OBJECTS[name]) for name in names]


def test_the_same_object_twice_is_one(environment: Mapping[str, str]) -> None:
    """By two addresses."""
    assert len(files.expand(("s3://docs/hunted/logs/2026", "s3://docs/hunted/logs/2026/c.log"))) == 1


def test_bytes_and_back(environment: Mapping[str, str]) -> None:
    """Objects are read like files, packed or plain; evidence is opened again, and is what was read."""
    plain, packed, *_ = files.expand(("s3://docs/hunted/logs/2025",))
    for source, data, places in (
        (plain, b"one\ntwo\n", [(4, 3)]),
        (packed, b"three\n" * 50_000, [(6, 5), (299_994, 5)]),
    ):
        seal = Seal()
        blocks = list(files.blocks(source, 70_000))
        for block in blocks:
            seal.add(block)
        assert b"".join(blocks) == data
        assert files.reopen(source, places, seal) == [(data[at : at + length], True) for at, length in places]


def test_parquet_in_a_bucket(environment: Mapping[str, str], store: S3Store) -> None:
    """Its end is read before its beginning."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist([{"a": number} for number in range(9_000)]), sink)
    obstore.put(store, "parquet/a.parquet", sink.getvalue().to_pybytes())
    (source,) = files.expand(("s3://docs/parquet/a.parquet",))
    assert b"".join(files.blocks(source)).splitlines()[8_999] == b'{"a":8999}'


def test_an_object_that_changed_is_seen(environment: Mapping[str, str], store: S3Store) -> None:
    """Its evidence is no longer what was read; and one that went is said to be gone."""
    obstore.put(store, "changing/a.log", b"before\n")
    (source,) = files.expand(("s3://docs/changing",))
    seal = Seal()
    for block in files.blocks(source):
        seal.add(block)
    obstore.put(store, "changing/a.log", b"behind\n")
    assert files.reopen(source, [(0, 6)], seal) == [(b"behind", False)]
    obstore.delete(store, "changing/a.log")
    with pytest.raises(OperationError, match=r"s3://docs/changing/a\.log cannot be read"):
        files.reopen(source, [(0, 6)], seal)


@pytest.mark.parametrize(
    ("address", "change", "error", "says"),
    [
        ("s3://docs/hunted", {"AWS_ACCESS_KEY_ID": ""}, UsageError, "AWS_ACCESS_KEY_ID"),
        ("s3://docs/hunted", {"AWS_SECRET_ACCESS_KEY": "other"}, OperationError, "cannot be read"),
        ("s3://docs/hunted", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, OperationError, "cannot be read"),
        ("s3://not-there/hunted", {}, OperationError, "cannot be read"),
        ("s3://docs/nothing/here", {}, UsageError, "There is no file at"),
        ("s3:///hunted", {}, UsageError, "names no bucket"),
        ("s3://a b/c", {}, UsageError, "names no bucket"),
    ],
)
def test_what_cannot_be_read_is_said(
    environment: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    change: dict[str, str],
    error: type[Exception],
    says: str,
) -> None:  # fmt: skip
    """No credentials, wrong ones, nobody there, no such bucket, nothing there; never with a secret in it."""
    for name, value in change.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(error, match=says) as refused:
        files.expand((address,))
    assert "secret" not in str(refused.value)
    assert "other" not in str(refused.value)


def test_nothing_else_in_the_environment_is_asked() -> None:
    """A region and an endpoint of their own come first."""
    told = {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_ENDPOINT_URL": "http://a",
        "AWS_ENDPOINT_URL_S3": "https://b",
    }
    config = s3._store("bucket", told).config
    assert (config.get("endpoint"), config.get("region")) == ("https://b", "us-east-1")


def test_nfcapds_flows_in_a_bucket(
    environment: Mapping[str, str], store: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nfdump wants a file: it gets a copy, which goes again."""
    program = tmp_path / "nfdump"
    program.write_text('#!/bin/sh\nwc -c < "$2"; echo "$2"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    obstore.put(store, "flows/nfcapd.1", nfdump.MAGIC + bytes(1_000))
    (source,) = files.expand(("s3://docs/flows",))
    size, copy = b"".join(files.blocks(source)).decode().split()
    assert (size, Path(copy).exists()) == ("1002", False)
