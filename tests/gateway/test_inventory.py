"""What portals tell of themselves, and where old ways are left behind."""

import json

from strongroom.gateway.inventory import MAX_TOLD, guesses, told
from strongroom.gateway.variants import Address


def test_pages_tell_of_addresses() -> None:
    """robots.txt, a sitemap, an OpenAPI document; what is none of these tells nothing."""
    assert told("/robots.txt", b"User-agent: *\nDisallow: /export/*\nallow: /a # x\nSitemap: https://p/x\n") == [
        "/export/",
        "/a",
    ]
    assert told("/sitemap.xml", b"<url><loc>https://portal.example/old/list</loc></url>") == ["/old/list"]
    assert told("/openapi.json", json.dumps({"paths": {"/v1/letters/{id}": {}, "x": {}}}).encode()) == [
        "/v1/letters/{id}"
    ]
    for nothing in (b"\xff", b"[]", b'{"paths": 7}', b"null", b"[" * 100_000):
        assert told("/openapi.json", nothing) == []
    assert len(told("/robots.txt", b"".join(b"Disallow: /%d\n" % number for number in range(1_000)))) == MAX_TOLD


def test_an_id_is_put_where_it_belongs() -> None:
    """Into a hole of what was told, behind what was told, and behind what is often forgotten."""
    found = list(
        guesses(Address("/letters/70", "70", "document"), ["/v1/letters/{id}", "/old/:document/pdf", "/export/"])
    )
    for expected in (
        "/v1/letters/70",
        "/old/70/pdf",
        "/export/70",
        "/download/70",
        "/letters/70.pdf",
        "/download?id=70",
    ):
        assert expected in found
