"""A bucket with object lock, on a real S3 server: what was put first stays, whatever is tried."""

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from strongroom.clock import SystemClock
from strongroom.courier import s3 as module
from strongroom.courier.s3 import Kept, Lock, LockedBucket, Where
from strongroom.errors import ConfigError, Tampered, Unavailable
from strongroom.ids import new_id
from strongroom.secret import Secret

SECRET = Secret(b"secret")


_OPEN: list[LockedBucket] = []


@pytest.fixture(autouse=True)
def _closing() -> Iterator[None]:
    """What a test opened is closed."""
    yield
    while _OPEN:
        _OPEN.pop().close()


def opened(port: int, name: str, prefix: str = "") -> LockedBucket:
    """A bucket of the test server."""
    where = Where(name, f"http://127.0.0.1:{port}", prefix=prefix)
    _OPEN.append(LockedBucket(where, "key", SECRET, SystemClock()))
    return _OPEN[-1]


def locked(port: int) -> LockedBucket:
    """A place of its own in a bucket with object lock; one for all tests, since each costs the server volumes."""
    bucket = opened(port, "locked", f"{new_id()}/")
    status, body = opened(port, "locked")._ask("PUT", None, headers={"x-amz-bucket-object-lock-enabled": "true"})
    assert status == 200 or b"BucketAlready" in body
    return bucket


def configured(bucket: LockedBucket, mode: str, days: int) -> None:
    """Give it a default retention."""
    rule = f"<Rule><DefaultRetention><Mode>{mode}</Mode><Days>{days}</Days></DefaultRetention></Rule>"
    body = f"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>{rule}</ObjectLockConfiguration>"
    status, answer = bucket._ask("PUT", None, query={"object-lock": ""}, body=body.encode())
    assert status == 200, answer


def unconfigured(bucket: LockedBucket) -> None:
    """Take it away again."""
    body = b"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>"
    status, answer = bucket._ask("PUT", None, query={"object-lock": ""}, body=body)
    assert status == 200, answer


def test_what_is_put_first_stays(s3_port: int) -> None:
    """A taken name is refused; its version cannot be deleted; and what is laid over it does not change what is read."""
    bucket = locked(s3_port)
    assert bucket.lock().enabled
    assert bucket.put("tile/0/000", b"first", 1)
    assert not bucket.put("tile/0/000", b"second", 1)
    assert bucket.put("tile/0/001", b"other", 1)
    [first, other] = sorted(bucket.kept(), key=lambda one: one.name)
    assert (first.name, first.covered, other.name) == ("tile/0/000", False, "tile/0/001")
    status, _ = bucket._ask("DELETE", "tile/0/000", query={"versionId": first.version})
    assert status == 403
    status, _ = bucket._ask("PUT", "tile/0/000", body=b"overwritten")  # a new version, not in the place of the old
    assert status in {200, 403}
    status, _ = bucket._ask("DELETE", "tile/0/000")  # a marker, at most
    assert status in {204, 403}
    [first, _] = sorted(bucket.kept(), key=lambda one: one.name)
    assert first.covered
    assert bucket.get(first.name, first.version) == b"first"
    assert bucket.get("tile/9/999") is None


def test_what_the_bucket_says_of_itself(s3_port: int) -> None:
    """Locked with a default, locked by another mode, not locked, not there, not ours."""
    bucket = locked(s3_port)
    configured(bucket, "COMPLIANCE", 30)
    assert bucket.lock() == Lock(enabled=True, days=30)
    assert bucket.put("a", b"by the default", 0)
    [kept] = bucket.kept()
    assert bucket._ask("DELETE", "a", query={"versionId": kept.version})[0] == 403
    configured(bucket, "GOVERNANCE", 30)
    assert bucket.lock() == Lock(enabled=True, days=0)
    unconfigured(bucket)
    assert bucket.lock() == Lock(enabled=True, days=0)
    plain = opened(s3_port, "docs", f"{new_id()}/")
    assert plain.lock() == Lock(enabled=False)
    assert plain.put("a", b"x", 0)
    assert list(plain.kept()) == [Kept("a", next(iter(plain.kept())).version, covered=False)]
    with pytest.raises(ConfigError):
        opened(s3_port, "no-such-bucket").lock()
    stranger = LockedBucket(Where("docs", f"http://127.0.0.1:{s3_port}"), "key", Secret(b"wrong"), SystemClock())
    with pytest.raises(ConfigError, match="refuses: 403"):
        stranger.put("a", b"x", 0)
    stranger.close()


def test_a_listing_of_many_pages(s3_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name once, those under another prefix not."""
    monkeypatch.setattr(module, "PAGE", 3)
    bucket = locked(s3_port)
    inner = opened(s3_port, "locked", f"{bucket._where.prefix}log/")
    for number in range(10):
        assert inner.put(f"tile/{number}", b"x", 1)
    bucket.put("elsewhere", b"x", 1)
    inner._ask("PUT", "tile/4", body=b"over it")
    found = sorted(inner.kept(), key=lambda one: one.name)
    assert [one.name for one in found] == [f"tile/{number}" for number in range(10)]
    assert [one.name for one in found if one.covered] == ["tile/4"]
    assert inner.get("tile/4", found[4].version) == b"x"


@contextmanager
def answering(status: int, body: bytes) -> Iterator[LockedBucket]:
    """A server that says the same to everything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def _say(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = _say  # noqa: N815  # the library's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    bucket = opened(server.server_port, "b")
    try:
        yield bucket
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "asked", "error"),
    [
        (500, b"", lambda one: one.lock(), Unavailable),
        (503, b"<Code>SlowDown</Code>", lambda one: one.put("a", b"", 0), Unavailable),
        (403, b"<Code>AccessDenied</Code>", lambda one: one.lock(), ConfigError),
        (301, b"", lambda one: one.get("a"), ConfigError),
        (200, b"no xml", lambda one: list(one.kept()), Tampered),
        (200, b"<!DOCTYPE a><a/>", lambda one: one.lock(), Tampered),
        (200, b"x" * 100, lambda one: one.get("a"), Tampered),
    ],
)
def test_answers_that_are_none(
    status: int, body: bytes, asked: Callable[[LockedBucket], object], error: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Each is told as what it is; nothing of what was said is repeated but its code."""
    monkeypatch.setattr(module, "MAX_BODY", 99)
    with answering(status, body) as bucket, pytest.raises(error):
        asked(bucket)


def test_years_and_a_server_that_is_away() -> None:
    """Retention in years is told in days; nobody there is Unavailable; without an endpoint it is AWS."""
    mode = b"<C><ObjectLockEnabled>Enabled</ObjectLockEnabled><Mode>COMPLIANCE</Mode><Years>2</Years></C>"
    with answering(200, mode) as bucket:
        assert bucket.lock() == Lock(enabled=True, days=730)
    with answering(200, b"<C><Mode>COMPLIANCE</Mode></C>") as bucket:
        assert bucket.lock() == Lock(enabled=False)
    with pytest.raises(Unavailable):
        bucket.lock()  # the server is gone by now
    assert Where("b", region="eu-west-1").base == "https://b.s3.eu-west-1.amazonaws.com"
