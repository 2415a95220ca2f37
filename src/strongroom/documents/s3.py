"""Blobs in an S3 bucket. The bucket is asked at start what it can do (`probe.py`)."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from obstore.store import S3Store

from strongroom.documents.objects import Objects
from strongroom.errors import ConfigError
from strongroom.secret import Secret


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the bucket is. `endpoint` empty: AWS itself."""

    name: str
    endpoint: str
    region: str
    allow_http: bool = False
    timeout: float = 5.0
    """Seconds for one request."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key of S3."""

    access: str
    secret: Secret


def read_credentials(path: Path) -> Credentials:
    """From a file of two lines, access key and secret key, that only its owner can read. Raises ConfigError."""
    try:
        if path.stat().st_mode & 0o077:
            msg = f"{path} can be read by others."
            raise ConfigError(msg, advice=f"Run: chmod 600 {path}")
        access, secret = path.read_text().split()
    except OSError as error:
        msg = f"The bucket's access key {path} cannot be read: {error.strerror}."
        raise ConfigError(msg) from error
    except ValueError as error:
        msg = f"{path} does not hold two words: access key and secret key."
        raise ConfigError(msg) from error
    return Credentials(access, Secret(secret.encode()))


def s3_blobs(bucket: Bucket, credentials: Credentials, *, answer: float | None = None) -> Objects:
    """Blobs in `bucket`. Nothing is asked of it yet. `answer` as `Objects` has it."""
    if not bucket.name:
        msg = "No bucket is named in [objects]."
        raise ConfigError(msg, advice="Set objects.bucket.")
    second = timedelta(seconds=bucket.timeout)
    store = S3Store(
        bucket.name,
        endpoint=bucket.endpoint or None,
        region=bucket.region,
        access_key_id=credentials.access,
        secret_access_key=credentials.secret.reveal().decode(),
        virtual_hosted_style_request=not bucket.endpoint,
        client_options={"allow_http": bucket.allow_http, "connect_timeout": timedelta(seconds=1), "timeout": second},
        # Retrying is the caller's to decide; once more for a connection that was dead already.
        retry_config={"max_retries": 1, "retry_timeout": second},
    )
    return Objects(store, bucket.timeout * 2, answer=answer)
