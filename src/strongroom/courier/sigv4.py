"""Signed requests to S3 (AWS Signature Version 4), as little of it as the copy of the log needs. Pure.

Source: docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html. The object store's client that documents go
through (obstore) sets no object-lock headers and reads no configuration of a bucket; here both are the point.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from strongroom.clock import Millis, iso
from strongroom.secret import Secret

_SAFE = "-_.~"


@dataclass(frozen=True, slots=True)
class Request:
    """One request: `path` begins with a slash and is not encoded yet; `headers` in lower case, `host` among them."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def target(self) -> str:
        """Path and query as they are sent, and as they are signed."""
        pairs = sorted((quote(name, safe=_SAFE), quote(value, safe=_SAFE)) for name, value in self.query.items())
        query = "&".join(f"{name}={value}" for name, value in pairs)
        return quote(self.path, safe="/" + _SAFE) + (f"?{query}" if query else "")


def signed(request: Request, access: str, secret: Secret, region: str, now: Millis) -> dict[str, str]:
    """The headers of `request`, with date, digest of the body and Authorization. Good for a quarter of an hour."""
    moment = iso(now)[:19].replace("-", "").replace(":", "") + "Z"
    day, digest = moment[:8], hashlib.sha256(request.body).hexdigest()
    headers = {**request.headers, "x-amz-date": moment, "x-amz-content-sha256": digest}
    names = ";".join(sorted(headers))
    path, _, query = request.target.partition("?")
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    canonical = f"{request.method}\n{path}\n{query}\n{lines}\n{names}\n{digest}"
    scope = f"{day}/{region}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"AWS4" + secret.reveal()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    value = hmac.digest(key, text.encode(), "sha256").hex()
    return {
        **headers,
        "authorization": f"AWS4-HMAC-SHA256 Credential={access}/{scope},SignedHeaders={names},Signature={value}",
    }
