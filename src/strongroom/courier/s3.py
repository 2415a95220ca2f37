"""A bucket in which nothing that was written can be changed for a while: object lock, retention COMPLIANCE.

Objects are put only under names that are free (If-None-Match) and each with its own retention. Whoever may still put or
delete there can lay something over an object; what was there first stays, as its oldest version, until its time is over.
So reading means the oldest version.

Trust: the bucket's owner can withhold, and nothing else that would not be seen: what is in it is signed.
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import httpx2

from strongroom.clock import DAY, Clock, Millis, iso
from strongroom.courier.sigv4 import Request, signed
from strongroom.errors import ConfigError, Tampered, Unavailable
from strongroom.secret import Secret

MAX_BODY = 34_000_000
"""Bytes of an answer: a bundle of the longest entries, or a page of a listing."""
PAGE = 1_000
"""Names in a page of a listing; S3 gives no more."""
_NAMESPACE = re.compile(r"\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Where:
    """A bucket. `endpoint` empty: AWS itself. `prefix`: before every name, ends with a slash if it is not empty."""

    bucket: str
    endpoint: str = ""
    region: str = "us-east-1"
    prefix: str = ""
    timeout: float = 5.0
    """Seconds for one request."""

    @property
    def base(self) -> str:
        """Address of the bucket."""
        if self.endpoint:
            return f"{self.endpoint.rstrip('/')}/{self.bucket}"
        return f"https://{self.bucket}.s3.{self.region}.amazonaws.com"


@dataclass(frozen=True, slots=True)
class Kept:
    """One name: the id of its oldest version, and whether something was laid over it, a deletion or another content."""

    name: str
    version: str
    covered: bool


@dataclass(frozen=True, slots=True)
class Lock:
    """What the bucket says of itself. `days`: of its default retention in mode COMPLIANCE; 0: it has none."""

    enabled: bool
    days: int = 0


class LockedBucket:
    """Requests upon one bucket; blocking."""

    def __init__(self, where: Where, access: str, secret: Secret, clock: Clock) -> None:
        self._where = where
        self._access = access
        self._secret = secret
        self._clock = clock
        url = httpx2.URL(where.base)
        self._host = url.netloc.decode()
        self._path = url.path.rstrip("/")
        self._http = httpx2.Client(
            base_url=f"{url.scheme}://{self._host}", timeout=where.timeout, trust_env=False, follow_redirects=False
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def put(self, name: str, content: bytes, days: int) -> bool:
        """Put an object under a free name, locked for so many days (0: as the bucket does by itself). Gives whether it
        was put: False when the name is taken. Durable when it returns. Raises Unavailable, ConfigError.
        """
        headers = {
            "if-none-match": "*",
            "x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(content).digest()).decode(),
        }
        if days:
            until = iso(Millis(self._clock.now() + days * DAY))[:19] + "Z"
            headers |= {"x-amz-object-lock-mode": "COMPLIANCE", "x-amz-object-lock-retain-until-date": until}
        status, body = self._ask("PUT", name, headers=headers, body=content)
        if status in {httpx2.codes.PRECONDITION_FAILED, httpx2.codes.CONFLICT}:
            return False
        self._expect(status, body)
        return True

    def get(self, name: str, version: str = "") -> bytes | None:
        """An object, or one version of it; None when there is none. Raises Unavailable, ConfigError."""
        query = {"versionId": version} if version and version != "null" else {}
        status, body = self._ask("GET", name, query=query)
        if status == httpx2.codes.NOT_FOUND:
            return None
        self._expect(status, body)
        return body

    def lock(self) -> Lock:
        """Whether the bucket locks objects. Raises Unavailable; ConfigError when these credentials may not know."""
        status, body = self._ask("GET", None, query={"object-lock": ""})
        if status == httpx2.codes.NOT_FOUND:  # there is the bucket, and no such configuration; or no bucket at all
            if b"NoSuchBucket" in body:
                self._expect(status, body)
            return Lock(enabled=False)
        self._expect(status, body)
        root = _parsed(body)
        enabled = _text(root, "ObjectLockEnabled") == "Enabled"
        if _text(root, "Mode") != "COMPLIANCE":
            return Lock(enabled)
        days, years = _text(root, "Days"), _text(root, "Years")
        return Lock(enabled, int(days) if days.isdecimal() else int(years) * 365 if years.isdecimal() else 0)

    def kept(self, under: str = "") -> Iterator[Kept]:
        """Everything whose name begins with `under`. Raises Unavailable, ConfigError, Tampered for an answer that is none."""
        found: dict[str, list[tuple[str, bool]]] = {}
        query = {
            "versions": "", "prefix": self._where.prefix + under, "max-keys": str(PAGE), "encoding-type": "url"
        }  # fmt: skip
        while True:
            status, body = self._ask("GET", None, query=query)
            self._expect(status, body)
            root = _parsed(body)
            for one in root:
                kind = _NAMESPACE.sub("", one.tag)
                if kind in {"Version", "DeleteMarker"}:
                    name = unquote(_text(one, "Key")).removeprefix(self._where.prefix)
                    found.setdefault(name, []).append((_text(one, "VersionId"), kind == "DeleteMarker"))
            if _text(root, "IsTruncated") != "true":
                break
            query["key-marker"] = unquote(_text(root, "NextKeyMarker"))
            query["version-id-marker"] = _text(root, "NextVersionIdMarker")
            if not query["version-id-marker"]:
                del query["version-id-marker"]
        for name, versions in found.items():  # of one name the newest is told first
            contents = [version for version, deleted in versions if not deleted]
            if contents:
                yield Kept(name, contents[-1], covered=len(versions) > 1)

    def _ask(
        self,
        method: str,
        name: str | None,
        *,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
    ) -> tuple[int, bytes]:
        path = f"{self._path}/{'' if name is None else self._where.prefix + name}"
        request = Request(method, path, query or {}, {"host": self._host, **(headers or {})}, body)
        sent = signed(request, self._access, self._secret, self._where.region, self._clock.now())
        try:
            with self._http.stream(method, request.target, headers=sent, content=body) as answer:
                found = b""
                for chunk in answer.iter_bytes():
                    found += chunk
                    if len(found) > MAX_BODY:
                        msg = "The bucket of the log's copy gives more than was asked for."
                        raise Tampered(msg)
                return answer.status_code, found
        except httpx2.HTTPError as error:
            msg = f"The bucket of the log's copy does not answer ({type(error).__name__})."
            raise Unavailable(msg, advice="It is tried again.") from error

    def _expect(self, status: int, body: bytes) -> None:
        """Raises unless all is well. What the answer says is told by its code alone."""
        if status < httpx2.codes.MULTIPLE_CHOICES:
            return
        found = re.search(rb"<Code>([A-Za-z]{1,60})</Code>", body)
        code = found[1].decode() if found else "no code"
        if status >= httpx2.codes.INTERNAL_SERVER_ERROR or status == httpx2.codes.TOO_MANY_REQUESTS:
            msg = f"The bucket of the log's copy answers {status} ({code})."
            raise Unavailable(msg, advice="It is tried again.")
        msg = f"The bucket of the log's copy refuses: {status} ({code})."
        raise ConfigError(msg, advice="Look at [copy]: bucket, endpoint, region, and what its access key may do.")


def _parsed(body: bytes) -> ET.Element:
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise _no_answer()
    try:
        return ET.fromstring(body)  # noqa: S314  # bounded, and without a document type nothing expands
    except ET.ParseError as error:
        raise _no_answer() from error


def _text(element: ET.Element, name: str) -> str:
    """Text of the first element of this name below; empty when there is none."""
    for one in element.iter():
        if _NAMESPACE.sub("", one.tag) == name:
            return one.text or ""
    return ""


def _no_answer() -> Tampered:
    return Tampered("The bucket of the log's copy gives an answer that does not parse.")
