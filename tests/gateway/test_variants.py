"""In how many ways a document is asked for that is not one's own."""

from strongroom.gateway.variants import Address, plain, variants

LETTER = Address("/letters/80", "80", "document")
OWN = Address("/letters/70", "70", "document")
FILE = Address("/file", "80", "document", (("patient", "8"), ("document", "80")))
MINE = Address("/file", "70", "document", (("patient", "7"), ("document", "70")))


def test_the_plain_one_is_its_address() -> None:
    """GET, nothing else."""
    assert (plain(FILE).line, plain(FILE).headers, plain(FILE).form) == ("GET /file?patient=8&document=80", (), None)


def test_each_way_is_one_request_and_none_asks_for_harm() -> None:
    """No two are the same; the methods are GET, HEAD and POST; no form says anything but GET."""
    for one, own in ((LETTER, OWN), (FILE, MINE), (LETTER, None)):
        tries = list(variants(one, own, {"patient": "8"}))
        assert len({(item.method, item.target, item.headers, item.form) for item in tries}) == len(tries) > 15
        assert {item.method for item in tries} == {"GET", "HEAD", "POST"}
        assert {item.form for item in tries if item.method == "POST"} == {b"", b"_method=GET"}
        assert all(item.how for item in tries)


def test_parameters_are_swapped_added_and_doubled() -> None:
    """The reader's own address, with one thing of the other's."""
    targets = [item.target for item in variants(FILE, MINE, {"patient": "8"})]
    for expected in (
        "/file?patient=8&document=70",
        "/file?patient=7&document=80",
        "/file?patient=7&document=70&document=80",
        "/file?document=80&patient=7&document=70",
    ):
        assert expected in targets
    targets = [item.target for item in variants(LETTER, OWN, {"patient": "8"})]
    for expected in (
        "/letters/70?document=80", "/letters/70?id=80", "/letters/70?patient=8", "/letters/70/../80", "/letters/%380",
        "/letters/%25380", "/letters/./80", "/letters//80", "/LETTERS/80", "/letters/80;x=1",
    ):  # fmt: skip
        assert expected in targets
