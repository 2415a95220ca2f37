"""A refusal is explained in plain words, with what to write to exempt exactly that; and no word of what stood there."""

import pytest

from strongroom.gateway import rules
from strongroom.gateway.counts import Counts
from strongroom.gateway.explain import explained, looks_for, part, snippet
from strongroom.gateway.modsecurity import Engine, Subject
from strongroom.gateway.orders import EXPLAINED, Match, Refused
from strongroom.gateway.sections import Waf

HEAD = ((b"host", b"portal.example"), (b"user-agent", b"Mozilla/5.0"), (b"accept", b"*/*"))
JSON = ((b"content-type", b"application/json"),)


def refused(rule: str, *matches: Match, person: str = "p") -> Refused:
    """One request."""
    return Refused("r", 1, "GET", "search", 403, rule, True, "192.0.2.1/32", person, "s", matches)


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        (Subject("GET", b"/s?q=1%27%20UNION%20SELECT%20Ngaire%20FROM%20users--", HEAD, "192.0.2.1"), "the parameter or field `q`"),
        (Subject("GET", b"/s?note=x%27%20or%20%27Ngaire%27=%27Ngaire", HEAD, "192.0.2.1"), "the parameter or field `note`"),
        (Subject("GET", b"/", (*HEAD, (b"x-own", b"${jndi:ldap://Ngaire/a}")), "192.0.2.1"), "the header `x-own`"),
        (Subject("POST", b"/l", (*HEAD, *JSON), "192.0.2.1", b'{"a":{"b":"<script>Ngaire</script>"}}'), "`json.a.b`"),
        (Subject("GET", b"/a", (*HEAD, (b"cookie", b"theme=<script>Ngaire</script>")), "192.0.2.1"), "the cookie `theme`"),
    ],
)  # fmt: skip
def test_what_is_said_exempts_exactly_that(subject: Subject, words: str) -> None:
    """The part is named, the patient is not; an engine with what was said to write lets it pass, and another part not."""
    engine = Engine()
    rules.load(engine)
    found = engine.inspect(subject)
    assert found.status == 403
    why = explained(
        refused(f"waf-{found.hits[0].rule}", *(Match(hit.rule, hit.part, hit.severity) for hit in found.hits))
    )
    assert any(words in line for line in why.said)
    assert not any("Ngaire" in line for line in (*why.said, *why.exempt))
    exempt = Waf(exempt=why.exempt).exempt
    mild = Engine()
    rules.load(mild, exempt=exempt)
    assert mild.inspect(subject).status == 0
    other = Subject(subject.method, b"/x?other=1%27%20UNION%20SELECT%20a%20FROM%20users--", HEAD, "192.0.2.1")
    assert mild.inspect(other).status == 403


def test_a_part_without_a_plain_name_is_not_exempt() -> None:
    """Its name may be anybody's text: it is not repeated, and no exemption is offered that would be another one."""
    engine = Engine()
    rules.load(engine)
    found = engine.inspect(Subject("GET", b"/s?Ngaire%20Smith=%3Cscript%3Ealert(1)%3C/script%3E", HEAD, "192.0.2.1"))
    why = explained(refused("waf-941100", *(Match(hit.rule, hit.part, hit.severity) for hit in found.hits)))
    assert why.exempt == ()
    assert any("No part can be exempt" in line for line in why.said)
    assert not any("Ngaire" in line for line in why.said)


def test_what_does_not_block_by_itself_stays() -> None:
    """A warning that any request brings (here: an address for a host) is told, and looked at further on; two of them block."""
    attack, host, odd = Match(942100, "ARGS:q"), Match(920350, "REQUEST_HEADERS:Host", 4), Match(920230, "ARGS:q", 4)
    why = explained(refused("waf-920350", host, attack))
    assert why.exempt == ("942100 ARGS:q",)
    assert "920350" in why.said[0]
    assert explained(refused("waf-920350", host, odd)).exempt == ("920230 ARGS:q",)


def test_the_guard_and_the_contract_are_explained_too() -> None:
    """With the rule's reason, and what allows it."""
    why = explained(refused("guard-person-unshown-24h"))
    assert "Links in mails" in why.said[0]
    assert why.allow == ("person:p", "--rule", "person-unshown-24h")
    assert explained(refused("guard-network-unshown-1h", person="")).allow[0] == "network:192.0.2.1/32"
    assert explained(refused("guard-by-hand")).allow == ()
    assert "docs/gateway.md" in explained(refused("route-undescribed")).said[0]


def test_words_and_snippet() -> None:
    """Families of rules, parts of requests; what is exempt already stays."""
    assert looks_for(942100) == "commands to a database"
    assert looks_for(9400101) == "what our own rules look for"
    assert looks_for(1) == "something unwanted"
    names = ("REQUEST_URI", "XML", "", "XML:x")
    words = ["the address", "`XML`", "a part whose name is not told", "XML `x`"]
    assert list(map(part, names)) == words
    assert snippet(("1 A", "2 B"), ("2 B", "3 C")) == '[waf]\nexempt = [\n    "1 A",\n    "2 B",\n    "3 C",\n]\n'
    assert "any request" in explained(refused("waf-930110", Match(930110, "REQUEST_URI"))).said[-1]


def test_what_was_refused_is_kept_and_bounded() -> None:
    """By its number, once; the oldest go."""
    counts = Counts()
    one = refused("waf-942100", Match(942100, "ARGS:q"))
    counts.remember(one)
    counts.remember(one)
    assert counts.refused("r") == one
    assert counts.refused("other") is None
    counts.do("INSERT INTO refused VALUES (?, 'later', x'00')", EXPLAINED + 1)
    counts.sweep(0)
    assert counts.refused("r") is None
