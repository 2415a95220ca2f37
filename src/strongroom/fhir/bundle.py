"""A searchset Bundle. Source: https://hl7.org/fhir/R4/bundle.html#searchset."""

from collections.abc import Iterable, Mapping

import msgspec


def searchset(
    total: int | None, links: Mapping[str, str], entries: Iterable[tuple[str, bytes]], warning: bytes | None = None
) -> bytes:
    """A page of an answer, as JSON. `links` is relation to address; an entry is its full address and its JSON;
    `warning` is an OperationOutcome about the search itself; `total` is left out where counting would mean reading
    everything.
    """
    bundle: dict[str, object] = {"resourceType": "Bundle", "type": "searchset"}
    if total is not None:
        bundle["total"] = total
    if links:
        bundle["link"] = [{"relation": relation, "url": url} for relation, url in links.items()]
    found: list[dict[str, object]] = [
        {"fullUrl": url, "resource": msgspec.Raw(raw), "search": {"mode": "match"}} for url, raw in entries
    ]
    if warning is not None:
        found.append({"resource": msgspec.Raw(warning), "search": {"mode": "outcome"}})
    if found:  # FHIR has no empty lists
        bundle["entry"] = found
    return msgspec.json.encode(bundle)
