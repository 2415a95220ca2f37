"""Where documents may be that gateway.toml does not describe: what portals say of themselves, what is often forgotten. Pure."""

import json
import re
from collections.abc import Iterator
from typing import Final

from strongroom.gateway.variants import Address

SAYS: Final = ("/robots.txt", "/sitemap.xml", "/openapi.json", "/swagger.json", "/v3/api-docs", "/api-docs")
"""Addresses at which portals tell of others."""
MAX_TOLD: Final = 60
"""Addresses that are believed of one such page."""
FORGOTTEN: Final = tuple(
    "export download print pdf view open file files document documents attachment attachments api/documents api/v1/documents"
    " v1/documents v2/documents old backup internal admin/documents mobile test".split()
)
"""Beginnings under which old ways to documents are left behind."""
DOCUMENTS: Final = frozenset(
    {"application/pdf", "application/dicom", "application/msword", "application/rtf", "application/zip"}
)
"""Types of which an address that nobody described may serve none."""
_LINE: Final = re.compile(r"(?im)^\s*(?:dis)?allow:\s*(/[^\s#?]{1,200})")
_PLACE: Final = re.compile(r"<loc>\s*https?://[^/<\s]+(/[^<\s]{1,200})\s*</loc>")
_HOLE: Final = re.compile(r"\{[^{}/]{1,80}\}|:[A-Za-z_]\w{0,40}")


def told(page: str, body: bytes) -> list[str]:
    """The addresses that such a page tells of; `{…}` stands where an id belongs."""
    text = body.decode("utf-8", "replace")
    if page.endswith(".txt"):
        found = [path.rstrip("*$") for path in _LINE.findall(text)]
    elif page.endswith(".xml"):
        found = _PLACE.findall(text)
    else:
        try:
            paths = json.loads(text).get("paths")
        except (ValueError, RecursionError, AttributeError):
            return []
        found = [path for path in paths if path.startswith("/")] if isinstance(paths, dict) else []
    return list(dict.fromkeys(found))[:MAX_TOLD]


def guesses(one: Address, told_paths: list[str]) -> Iterator[str]:
    """Addresses at which this document may be served too."""
    for path in told_paths:
        if _HOLE.search(path):
            yield _HOLE.sub(one.document, path)
        else:
            yield path.rstrip("/") + f"/{one.document}"
    for word in FORGOTTEN:
        yield f"/{word}/{one.document}"
    for ending in (".pdf", "/pdf", "/download", "/print", "/content"):
        yield f"{one.path}{ending}"
    yield f"/api{one.path}"
    yield f"/download?id={one.document}"
