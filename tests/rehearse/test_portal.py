"""The portal that rehearsals attack: each hole is one, and can be closed without the others."""

from collections.abc import Callable

import pytest

from strongroom.rehearse.portal import CONFIRMATION, HOLES, Asked, Portal, Reply, opaque


def asks(portal: Portal, path: str, session: str = "", method: str = "GET", wire: str = "", **query: str) -> Reply:
    """One request."""
    return portal.answer(Asked(method, wire or method, path, query, {}, 0, session))


def session(portal: Portal, user: str) -> str:
    """Sign in."""
    reply = portal.answer(Asked("POST", "POST", "/login", {}, {"user": user, "password": f"p{user}"}, 0, ""))
    assert reply.status == 303
    return reply.headers["Set-Cookie"].partition("=")[2].partition(";")[0]


TRICKS: dict[str, Callable[[Portal, str], bool]] = {
    "number": lambda portal, seven: asks(portal, "/letters/80", seven).status == 200,
    "parameter": lambda portal, seven: (
        b"80" in asks(portal, "/letters", seven, patient="8").body
        and asks(portal, "/file", seven, patient="8", document="80").status == 200
    ),
    "override": lambda portal, seven: asks(portal, "/scans/80.png", seven, wire="POST").status == 200,
    "forgotten": lambda portal, seven: asks(portal, "/export/80").status == 200,
    "list": lambda portal, seven: (
        opaque(80).encode() in asks(portal, "/notes", seven).body
        and asks(portal, f"/notes/{opaque(80)}", seven).status == 200
    ),
}


@pytest.mark.parametrize("hole", sorted(HOLES))
def test_each_hole_is_one_and_can_be_closed(hole: str) -> None:
    """Open alone, its trick works and no other does; with the others open and it closed, it does not."""
    assert set(TRICKS) == HOLES
    alone, others = Portal(frozenset({hole})), Portal(HOLES - {hole})
    assert [name for name, trick in TRICKS.items() if trick(alone, session(alone, "7"))] == [hole]
    assert not TRICKS[hole](others, session(others, "7"))


def test_people_read_what_is_theirs() -> None:
    """Without holes: one's own in every way, a family six, a practice fifty, and nothing for strangers or with a wrong password."""
    portal = Portal(frozenset(), patients=60, confirm="said")
    one, family, practice = (session(portal, user) for user in ("7", "family-7", "practice-1"))
    for path in ("/letters/70", "/scans/70.png", f"/notes/{opaque(70)}", "/inbox", "/search"):
        assert asks(portal, path, one).status == 200
        assert asks(portal, path).status == 401
    assert asks(portal, "/file", one, patient="7", document="70").status == 200
    assert [asks(portal, f"/letters/{10 * patient}", family).status for patient in (6, 7, 12, 13)] == [
        404,
        200,
        200,
        404,
    ]
    assert [asks(portal, f"/letters/{10 * patient}", practice).status for patient in (50, 51, 60)] == [404, 200, 200]
    assert asks(portal, "/letters/1000000", practice).status == 200
    assert asks(portal, "/letters", one, patient="8").body == b'{"items": []}'
    assert portal.answer(Asked("POST", "POST", "/login", {}, {"user": "7", "password": "p8"}, 0, "")).status == 403
    assert asks(portal, CONFIRMATION).body == b"said\n"
    assert asks(Portal(), CONFIRMATION).status == 401
    assert asks(portal, "/letters/70", one, method="DELETE").status == 405
