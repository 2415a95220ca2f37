"""Every way into the API, as one table: method, address, and the access paths that a test of access must walk for it.

The application is built from this table and from nothing else; whoever wants to walk it takes it from here (the matrix
of roles and relations does, and fails when a route of the application is not in it).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from strongroom.api.audit_event import AuditEvents
from strongroom.api.binary import Binaries
from strongroom.api.document_reference import DocumentReferences
from strongroom.api.metadata import Metadata
from strongroom.api.operations import Operations
from strongroom.api.parts import Parts

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Way:
    """One route. `access`: how a document or a record can be reached through it; empty where nothing can."""

    method: str
    path: str
    name: str
    access: tuple[str, ...] = ()


_READ = ("read", "conditional", "head")
_BYTES = ("read", "range", "conditional", "head", "fhir-form")

WAYS = (
    Way("GET", "/healthz", "metadata.alive"),
    Way("GET", "/readyz", "metadata.ready"),
    Way("GET", "/.well-known/strongroom-probe", "metadata.confirmation"),
    Way("GET", "/fhir/metadata", "metadata.capabilities"),
    Way("GET", "/fhir/DocumentReference", "documents.search", ("search", "search-id")),
    Way("POST", "/fhir/DocumentReference", "documents.create", ("create",)),
    Way("POST", "/fhir/DocumentReference/_search", "documents.search", ("post-search",)),
    Way("GET", "/fhir/DocumentReference/$docref", "documents.docref", ("docref",)),
    Way("POST", "/fhir/DocumentReference/$docref", "documents.docref", ("post-docref",)),
    Way("GET", "/fhir/DocumentReference/{id}", "documents.read", _READ),
    Way("PUT", "/fhir/DocumentReference/{id}", "documents.update", ("update",)),
    Way("DELETE", "/fhir/DocumentReference/{id}", "documents.delete", ("delete",)),
    Way("GET", "/fhir/DocumentReference/{id}/_history/{version}", "documents.vread", _READ),
    Way("POST", "/fhir/DocumentReference/{id}/$relabel", "operations.relabel", ("relabel",)),
    Way("POST", "/fhir/Binary", "binaries.create", ("create", "supersede")),
    Way("GET", "/fhir/Binary/{id}", "binaries.read", _BYTES),
    Way("GET", "/fhir/Binary/{id}/_history/{version}", "binaries.vread", _BYTES),
    Way("GET", "/fhir/AuditEvent", "audit.search", ("history",)),
    Way("POST", "/fhir/AuditEvent/_search", "audit.search", ("post-history",)),
    Way("POST", "/fhir/Patient/{id}/$share", "operations.share", ("share",)),
    Way("POST", "/fhir/Patient/{id}/$delegate", "operations.delegate", ("delegate",)),
    Way("POST", "/fhir/Patient/{id}/$withhold", "operations.withhold", ("withhold",)),
    Way("POST", "/fhir/Patient/{id}/$break-glass", "operations.break_glass", ("break-glass",)),
    Way("POST", "/fhir/$step-up", "operations.step_up"),
    Way("POST", "/fhir/$logout", "operations.logout"),
)
"""GET includes HEAD. A method that is not here is 405, an address that is not here 404, for everybody alike."""


def handlers(parts: Parts) -> dict[str, Handler]:
    """The handler of each name in the table."""
    documents, binaries = DocumentReferences(parts), Binaries(parts)
    operations, metadata = Operations(parts), Metadata(parts)
    return {
        "audit.search": AuditEvents(parts).search,
        "binaries.create": binaries.create,
        "binaries.read": binaries.read,
        "binaries.vread": binaries.vread,
        "documents.create": documents.create,
        "documents.delete": documents.delete,
        "documents.docref": documents.docref,
        "documents.read": documents.read,
        "documents.search": documents.search,
        "documents.update": documents.update,
        "documents.vread": documents.vread,
        "metadata.alive": metadata.alive,
        "metadata.capabilities": metadata.capabilities,
        "metadata.confirmation": metadata.confirmation,
        "metadata.ready": metadata.ready,
        "operations.break_glass": operations.break_glass,
        "operations.delegate": operations.delegate,
        "operations.logout": operations.logout,
        "operations.relabel": operations.relabel,
        "operations.share": operations.share,
        "operations.step_up": operations.step_up,
        "operations.withhold": operations.withhold,
    }
