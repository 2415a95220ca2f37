"""Addresses that may be documents although no id is seen in them: /patients/smith-john/letter.pdf.

Where many different names stand at one place of otherwise like addresses, they may be people's. No detection looks at these: the
reader takes them for pages, and a hunt that found nothing must not sound as if it had looked. Only an operator knows what they are,
and says so by a mapping.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from strongroom.detect.duckdb import Engine
from strongroom.logs import lists

MANY: Final = 50
"""Names at one place. A menu has fewer pages."""
SAMPLE: Final = 100_000
"""Different addresses that are looked at: a bound on memory and time."""
_DEEP: Final = 12
_MOST: Final = 3

Tree = dict[str, "Tree"]


@dataclass(frozen=True, slots=True)
class Unnamed:
    """Addresses that differ in names at `like`, where * stands for each; a route as a mapping may have it."""

    like: str
    addresses: int
    route: str


def names(engine: Engine) -> list[Unnamed]:
    """Of the engine's events, the most first."""
    return among(path for (path,) in engine.rows(PATHS))


def among(paths: Iterable[str]) -> list[Unnamed]:
    """Of these pages, the most first."""
    tree: Tree = {}
    for path in paths:
        at = tree
        for segment in path.split("/")[1 : _DEEP + 1]:
            at = at.setdefault(segment, {})
    found = sorted(_found(tree, ()), key=lambda one: (-one.addresses, one.like))
    return found[:_MOST]


PATHS: Final = f"""
SELECT DISTINCT "http_request.url.path" FROM event
WHERE "metadata.log_name" = 'web' AND act = 'read' AND "http_response.code" BETWEEN 200 AND 299 AND document IS NULL
    AND "http_request.url.path" LIKE '/%' AND route NOT LIKE '%{lists.PATIENT}%'
    AND NOT regexp_matches("http_request.url.path", '\\.(css|m?js|map|woff2?|ttf|eot|ico|svg|png|gif|jpe?g|webp)$', 'i')
ORDER BY 1 LIMIT {SAMPLE}
"""
"""Pages that were given, without what makes up a page."""


def _found(tree: Tree, before: tuple[str, ...]) -> list[Unnamed]:
    if len(tree) < MANY:
        return [one for name, below in tree.items() for one in _found(below, (*before, name))]
    prefix = "".join(f"/{name}" for name in before)
    addresses = sum(map(_leaves, tree.values()))
    # What stands behind the names is theirs: one level of it says whether they are documents or have some.
    deeper = any(name for below in tree.values() for name in below)
    return [
        Unnamed(f"{prefix}/*/…", addresses, f"{prefix}/{{patient}}/{{document}}")
        if deeper
        else Unnamed(f"{prefix}/*", addresses, f"{prefix}/{{document}}")
    ]


def _leaves(tree: Tree) -> int:
    return sum(map(_leaves, tree.values())) if tree else 1
