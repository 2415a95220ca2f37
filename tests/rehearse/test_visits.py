"""How people and thieves ask: sessions are begun once, from whatever address, and what is refused is told by its rule."""

import threading
from collections.abc import Iterator

import pytest

from strongroom.rehearse.portal import Portal, listening
from strongroom.rehearse.visits import Street, Visit, shown

LONG = 60.0


@pytest.fixture
def street() -> Iterator[Street]:
    """Before the vulnerable portal."""
    server = listening(Portal())
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    one = Street(("127.0.0.1", server.server_port))
    yield one
    one.close()
    server.shutdown()
    server.server_close()
    thread.join(LONG)


def test_a_session_is_begun_once_and_goes_along(street: Street) -> None:
    """From two addresses one login; another session is another login; strangers have none."""
    assert street.make(Visit(0, "7", "127.0.0.1", "/letters")).status == 200
    assert street.make(Visit(0, "7", "127.0.0.2", "/letters/80")).status == 200
    assert street.requests == 3
    assert street.make(Visit(0, "7", "127.0.0.2", "/letters/80", session=1)).status == 200
    assert street.requests == 5
    assert street.make(Visit(0, "", "127.0.0.1", "/letters")).status == 401
    assert street.make(Visit(0, "nobody", "127.0.0.1", "/letters")).status == 401


def test_a_line_that_was_closed_is_opened_again(street: Street) -> None:
    """And where nobody answers, no answer is status 0."""
    assert street.make(Visit(0, "", "127.0.0.1", "/export/70")).status == 200
    street.close()
    assert street.make(Visit(0, "", "127.0.0.1", "/export/70")).status == 200
    gone = Street(("127.0.0.1", 1))
    assert gone.make(Visit(0, "", "127.0.0.1", "/")).status == 0


def test_lists_and_refusals_are_read() -> None:
    """Ids of a list; nothing of a document; the rule of a refusal."""
    assert list(shown(b'{"items": [{"id": 70}], "next": null}')) == ["70"]
    assert list(shown(b'{"scans": [{"number": 7}]}')) == ["7"]
    assert list(shown(b"%PDF-1.4")) == []
