"""Addresses that may be documents although no id is seen in them."""

from typing import Any

from strongroom.detect import unnamed
from strongroom.detect.unnamed import Unnamed, names
from tests.detect.conftest import Scene, read

PATH = "http_request.url.path"


def page(path: str, **more: Any) -> dict[str, Any]:
    """A page that was given."""
    return {**read(1, 1), "document": None, "number": None, "route": path, PATH: path, **more}


def test_many_names_at_one_place_are_told(scene: Scene) -> None:
    """People's letters, and notes that have nothing below their names; the most first."""
    scene.add(*(page(f"/p/person-{'x' * n}/{kind}.pdf") for n in range(60) for kind in ("letter", "scan")))
    scene.add(*(page(f"/notes/{'n' * n}") for n in range(1, 71)), page("/p/person-x/letter.pdf"))
    assert names(scene.engine) == [
        Unnamed("/p/*/…", 120, "/p/{patient}/{document}"),
        Unnamed("/notes/*", 70, "/notes/{document}"),
    ]


def test_what_is_known_or_was_not_given_is_not(scene: Scene) -> None:
    """Documents, refusals, parts of pages, a menu's few pages, and logs that are not of a web server."""
    scene.add(*(page(f"/d/{'n' * n}", document=f"d{n}") for n in range(60)))
    scene.add(*(page(f"/e/{'n' * n}", **{"status_id": 2, "http_response.code": 404}) for n in range(60)))
    scene.add(*(page(f"/f/{'n' * n}.css") for n in range(60)), *(page(f"/g/{'n' * n}") for n in range(49)))
    scene.add(*(page(f"/h/{'n' * n}", **{"metadata.log_name": "waf"}) for n in range(60)))
    assert names(scene.engine) == []


def test_it_is_bounded(scene: Scene) -> None:
    """Deep addresses are cut, and no more than three places are told."""
    scene.add(*(page(f"/{place}/{'n' * n}{'/x' * 40}") for place in "abcd" for n in range(1, 61)))
    assert [one.addresses for one in names(scene.engine)] == [60, 60, 60]
    assert unnamed.SAMPLE >= 10_000
