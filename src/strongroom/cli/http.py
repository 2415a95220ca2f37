"""How user commands reach a store: FHIR over HTTP with a token, refusals as sentences. Nothing here has rights of its own."""

import base64
import hashlib
import mimetypes
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import click
import httpx2

from strongroom.cli.common import environment_token, find_store, load, store_option
from strongroom.errors import CheckFailed, ConfigError, OperationError, Unavailable, UsageError
from strongroom.fhir.attachment import SHA256_URL

F = TypeVar("F", bound=Callable[..., Any])

INLINE = 7 * 1_048_576
"""Bytes up to which a document travels inside its JSON; larger ones are streamed."""
PIECE = 262_144
SECONDS = 60.0
CATEGORIES = ("normal", "sensitive", "clinician-only")
LOINC = "http://loinc.org"
FHIR_JSON = "application/fhir+json"
_LABELS = {
    "normal": ("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "N"),
    "sensitive": ("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "R"),
    "clinician-only": ("http://terminology.hl7.org/CodeSystem/v3-ActCode", "TBOO"),
}
_PLAIN = "application/octet-stream"
_GONE = frozenset({404, 410})


def reach_options(function: F) -> F:
    """`--base`, `--token` and `--store`: which store, and as whom."""
    based = click.option(
        "--base",
        envvar="STRONGROOM_BASE",
        help="Address of the FHIR server. Default: that of the store on this machine.",
    )(function)
    token = click.option("--token", help="Access token. Default: the environment variable STRONGROOM_TOKEN.")(based)
    return store_option(token)


@dataclass(frozen=True, slots=True)
class Order:
    """A document to put in. `kind`: LOINC code; `date`: FHIR date or instant; None: not said."""

    path: Path
    patient: str
    title: str = ""
    kind: str | None = None
    category: str = "normal"
    date: str | None = None
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store says it keeps, held against the file."""

    document: str
    version: int
    patient: str
    size: int
    sha256: str


class Api:
    """One store, as one user."""

    def __init__(self, base: str, token: str, transport: httpx2.BaseTransport | None = None) -> None:
        self.base = base.rstrip("/")
        self._http = httpx2.Client(
            transport=transport, timeout=SECONDS, headers={"Authorization": f"Bearer {token}", "Accept": FHIR_JSON}
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def send(self, method: str, path: str, **more: Any) -> httpx2.Response:
        """One request below the base address. Raises OperationError with the store's own sentence."""
        address = path if path.startswith(("http://", "https://")) else f"{self.base}/{path}"
        try:
            answer = self._http.request(method, address, **more)
        except httpx2.HTTPError as error:
            msg = f"The store at {self.base} does not answer ({type(error).__name__})."
            raise Unavailable(
                msg, advice="Is it served? `strongroom serve`; `strongroom doctor` looks further."
            ) from error
        if answer.is_error:
            raise refusal(answer)
        return answer

    def own_patient(self) -> str:
        """The patient whose own login this is, told by a document of theirs. Raises UsageError when there is none."""
        entries = self.send("GET", "DocumentReference", params={"_count": 1}).json().get("entry", [])
        for entry in entries:
            reference = entry["resource"].get("subject", {}).get("reference", "")
            if reference.startswith("Patient/"):
                return str(reference.removeprefix("Patient/"))
        msg = "There is no document yet that tells whose login this is."
        raise UsageError(msg, advice="Name the patient: --patient ID.")

    def listed(self, patient: str | None) -> Iterator[dict[str, Any]]:
        """Every DocumentReference of a patient, page by page."""
        params: dict[str, Any] | None = {"_count": 100, **({"patient": f"Patient/{patient}"} if patient else {})}
        address = "DocumentReference"
        while address:
            bundle = self.send("GET", address, params=params).json()
            for entry in bundle.get("entry", []):
                if entry["resource"].get("resourceType") == "DocumentReference":
                    yield entry["resource"]
            address = next((one["url"] for one in bundle.get("link", []) if one["relation"] == "next"), "")
            params = None
            if address and not address.startswith(f"{self.base}/"):
                msg = "The store's next page is at another address than the store."
                raise OperationError(msg, advice="Nothing was sent there. Look at [api] base in strongroom.toml.")

    def put(self, order: Order) -> Kept:
        """Put a document in and compare what is kept with the file. Raises CheckFailed; then it was taken out again."""
        size, sha256 = measured(order.path)
        if size == 0:
            msg = "The file is empty."
            raise UsageError(msg)
        resource = self._inline(order) if size <= INLINE else self._streamed(order)
        attachment = resource["content"][0]["attachment"]
        kept = Kept(
            resource["id"], int(resource["meta"]["versionId"]), order.patient, int(attachment.get("size", -1)),
            _sha256(attachment),
        )  # fmt: skip
        if (kept.size, kept.sha256) != (size, sha256):
            self._undo(kept.document)
            msg = "The store kept other bytes than were sent; the document was taken out again."
            raise CheckFailed(msg, advice="Try again; if it happens twice, look at `strongroom doctor`.")
        return kept

    def fetch(self, document: str, version: int | None, write: Callable[[bytes], object]) -> tuple[int, str]:
        """Hand the bytes of a document to `write`. Gives their number and content type."""
        path = f"Binary/{document}" + (f"/_history/{version}" if version else "")
        size = 0
        try:
            with self._http.stream("GET", f"{self.base}/{path}", headers={"Accept": "*/*"}) as answer:
                if answer.is_error:
                    answer.read()
                    raise refusal(answer)
                for chunk in answer.iter_bytes(PIECE):
                    size += len(chunk)
                    write(chunk)
                return size, answer.headers.get("content-type", _PLAIN)
        except httpx2.HTTPError as error:
            msg = f"The document did not arrive whole ({type(error).__name__})."
            raise Unavailable(
                msg, advice="Ask again; reading again within five minutes is not counted twice."
            ) from error

    def _inline(self, order: Order) -> dict[str, Any]:
        resource = described({"resourceType": "DocumentReference", "status": "current"}, order)
        attachment = resource["content"][0]["attachment"]
        attachment["data"] = base64.b64encode(order.path.read_bytes()).decode()
        headers = {"Content-Type": FHIR_JSON, "Prefer": "return=representation"}
        return dict(self.send("POST", "DocumentReference", json=resource, headers=headers).json())

    def _streamed(self, order: Order) -> dict[str, Any]:
        if order.category != "normal":
            msg = "A document of more than 7 MiB is put in as normal; it would be seen before it is relabelled."
            raise UsageError(msg, advice="Put a short first version in with its category, then supersede it.")
        headers = {
            "Content-Type": content_type(order),
            "Content-Length": str(order.path.stat().st_size),
            "X-Security-Context": f"Patient/{order.patient}",
        }
        made = self.send("POST", "Binary", content=_pieces(order.path), headers=headers)
        document = made.headers["location"].split("/Binary/")[1].split("/")[0]
        try:
            found = self.send("GET", f"DocumentReference/{document}")
            headers = {"Content-Type": FHIR_JSON, "If-Match": found.headers["etag"], "Prefer": "return=representation"}
            changed = described(found.json(), order)
            return dict(self.send("PUT", f"DocumentReference/{document}", json=changed, headers=headers).json())
        except BaseException:
            self._undo(document)
            raise

    def _undo(self, document: str) -> None:
        self.send("DELETE", f"DocumentReference/{document}")


def open_api(base: str | None, token: str | None, store: Path | None) -> Api:
    """The store that the options mean. Raises ConfigError when there is no address or no token."""
    if base is None:
        try:
            base = load(find_store(store)).base
        except ConfigError as error:
            raise ConfigError(error.message, advice="Name the server: --base URL, or --store DIR.") from error
    return Api(base, environment_token(token))


def described(resource: dict[str, Any], order: Order) -> dict[str, Any]:
    """A DocumentReference that says what `order` says."""
    attachment = {**resource.get("content", [{}])[0].get("attachment", {}), "contentType": content_type(order)}
    system, code = _LABELS[order.category]
    told: dict[str, Any] = {
        **resource,
        "subject": {"reference": f"Patient/{order.patient}"},
        "securityLabel": [{"coding": [{"system": system, "code": code}]}],
        "content": [{"attachment": {**attachment, "title": order.title or order.path.name}}],
    }
    if order.kind:
        told["type"] = {"coding": [{"system": LOINC, "code": order.kind}]}
    if order.date:
        told["date"] = order.date if "T" in order.date else f"{order.date}T00:00:00Z"
    return told


def content_type(order: Order) -> str:
    """What the file is: as said, else by its name's ending."""
    return order.content_type or mimetypes.guess_type(order.path.name)[0] or _PLAIN


def measured(path: Path) -> tuple[int, str]:
    """Size and SHA-256 (hex) of a file. Raises UsageError when it cannot be read."""
    digest, size = hashlib.sha256(), 0
    try:
        for piece in _pieces(path):
            digest.update(piece)
            size += len(piece)
    except OSError as error:
        msg = f"The file cannot be read: {error.strerror}."
        raise UsageError(msg) from error
    return size, digest.hexdigest()


def _sha256(attachment: dict[str, Any]) -> str:
    """The SHA-256 that the store took of the bytes as they passed."""
    said = [one.get("valueString", "") for one in attachment.get("extension", []) if one.get("url") == SHA256_URL]
    return str(said[0]) if said else ""


def refusal(answer: httpx2.Response) -> OperationError:
    """The store's refusal as an error: the sentences of its OperationOutcome, and what to do."""
    try:
        issues = [
            str(one.get("diagnostics") or one.get("details", {}).get("text") or "") for one in answer.json()["issue"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        issues = []
    said = " ".join(issue for issue in issues if issue) or f"The store answered with status {answer.status_code}."
    if answer.status_code == 401:  # noqa: PLR2004  # RFC 9110, 15.5.2
        return OperationError(said, advice="Get a new token: tokens live ten minutes.")
    if answer.status_code in _GONE:
        return OperationError(said, advice="It is not there, or it is not yours: the store does not say which.")
    return OperationError(said)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
        while piece := file.read(PIECE):
            yield piece
