"""A draft describes what honest people asked for, generalises to what they will ask for, and asks what it cannot know."""

import random
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from strongroom.gateway.contract import Contract, Match, Request
from strongroom.gateway.draft import ASK, draft
from strongroom.gateway.learned import METHODS, Asked, Drafted, Learner, query_kind
from strongroom.gateway.settings import Checked, Route, parse
from strongroom.wiring.learn import learn_logs
from tests.gateway.portals import PORTALS, SCANS, Portal, lines


def enforced(text: str) -> Checked:
    """The draft as it would be enforced."""
    return parse(text.replace('routes = "learn"', 'routes = "enforce"').encode())


def passes(contract: Contract, method: str, target: str) -> bool:
    """Whether a request of this kind is described; of bodies only that they may be there."""
    headers = [(b"host", b"x"), (b"content-length", b"0")]
    return isinstance(contract.check(Request(method, target.encode(), headers)), Match)


@pytest.mark.parametrize("portal", PORTALS, ids=lambda one: one.name)
def test_a_portal_is_learned_from_its_log(portal: Portal, tmp_path: Path) -> None:
    """Documents, lists and the rest stand in the draft; later requests with other ids pass it, a scanner's do not."""
    log = tmp_path / "access.log"
    log.write_text("\n".join(lines(portal, 3_000, seed=1)) + "\n")
    learned = learn_logs((str(log),), 3)
    contract = Contract(enforced(learned.text))
    by_path = {one.path: one for one in learned.routes}
    assert set(by_path) == {*portal.documents, *portal.lists, *portal.others}
    assert {path: one.document for path, one in by_path.items() if one.document} == portal.documents
    assert {path for path, one in by_path.items() if one.links} == portal.lists
    chance = random.Random(2)
    later = [portal.ask(chance) for _ in range(500)]
    assert [one for one in later if not passes(contract, *one)] == []
    assert [target for target in SCANS if passes(contract, "GET", target)] == []
    assert any("error" in why for why in learned.left_out)
    assert any("fewer than 3" in why for why in learned.left_out)


def test_no_id_stands_in_a_draft(tmp_path: Path) -> None:
    """What people asked for is theirs: of values only kinds are told."""
    for portal in PORTALS:
        log = tmp_path / f"{portal.name}.log"
        text = "\n".join(lines(portal, 1_000, seed=3))
        log.write_text(text + "\n")
        told = learn_logs((str(log),), 3).text
        ids = {
            part
            for row in text.splitlines()
            for part in row.split('"')[1].replace("?", "/").replace("=", "/").split("/")
        }
        values = {one for one in ids if len(one) > 3 and any(sign.isdigit() for sign in one)} - {"1.1"}
        assert [one for one in values if one in told] == []


def test_what_only_the_operator_knows_is_asked() -> None:
    """A guess is not silent: other ids, types of bodies, whose login, where a list's JSON has ids."""
    learner = Learner(1)
    for target in ("/letters", "/letters/5", "/appointments/7", "/patients/7/letters/1"):
        learner.add(Asked("GET", target.encode(), 200, "a"))
    for posted in (b"/login", b"/api/letter/open"):
        learner.add(Asked("POST", posted, 200, "a"))
    text = draft(learner.routes(), (), {}, "x")
    asked = [line for line in text.splitlines() if line.startswith(ASK)]
    assert len(asked) == 8
    for words in (
        "who is signed in",
        "appointment names something",
        "ids of documents stand",
        "Which of these types",
        "body = {",
        "login = {",
        'within = "patient"',
    ):
        assert any(words in line for line in asked), words


def test_a_name_that_few_asked_for_is_not_written_down() -> None:
    """Words come into the draft when enough people asked for them; many words beside each other are names of things."""
    learner = Learner(3)
    for number in range(5):
        learner.add(Asked("GET", b"/news", 200, f"a{number}"))
        learner.add(Asked("GET", b"/people/jane-doe", 200, "jane"))
    for number in range(40):
        for who in "abc":
            learner.add(Asked("GET", f"/staff/name-{chr(97 + number % 26)}x{number}/letters".encode(), 200, who))
    assert [one.path for one in learner.routes()] == ["/news", "/staff/{staff:token}/letters"]
    assert learner.left_out == {"asked for by fewer than 3": 5}


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("page", ["1", "22"], "int"), ("nr", ["007"], "digits"), ("q", ["1", "knee"], "text"), ("docId", ["a1", "b-2"], "token"),
        ("from", ["2024-01-02"], "date"), ("ref", ["Binary/5"], "reference"), ("inline", ["true", "0"], "bool"),
        ("file", ["a?"], "text"),
    ],
)  # fmt: skip
def test_query_parameters_have_the_narrowest_kind_that_fits(name: str, values: list[str], kind: str) -> None:
    """An id stays an id; what people write is text, however it looked so far."""
    assert query_kind(name, values) == kind


WORDS = st.sampled_from(
    ["letters", "api", "v1", "5", "77", "0a" * 16, "a.js", "näh", "x y", "2024-01-02", "", "b'c", "{id:int}", "*"]
)


NAMES = st.sampled_from(["id", "q", "letter", 'a"b', "ü", "id[]"])


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*METHODS, "TRACE"]), st.lists(WORDS, min_size=1, max_size=4),
            st.dictionaries(NAMES, st.sampled_from(["1", "x", "ä"]), max_size=2),
        ),
        max_size=40,
    )
)  # fmt: skip
@example([("GET", ["letters"], {}), ("GET", ["5"], {"id": "1"}), ("GET", ["0a" * 16], {})])
def test_whatever_was_asked_the_draft_can_be_read_and_describes_it(
    asked: list[tuple[str, list[str], dict[str, str]]],
) -> None:
    """Each request is described by the draft or counted as left out; the draft is always a gateway.toml."""
    learner = Learner(1)
    taken = []
    for method, parts, query in asked:
        quoted = [
            part.replace("ä", "%C3%A4").replace(" ", "%20").replace("{", "%7B").replace("}", "%7D") for part in parts
        ]
        pairs = "&".join(
            f"{name.replace('ü', '%C3%BC')}={value.replace('ä', '%C3%A4')}" for name, value in query.items()
        )
        target = f"/{'/'.join(quoted)}" + (f"?{pairs}" if pairs else "")
        taken.append((method, target.encode()))
        learner.add(Asked(method, target.encode(), 200, "a"))
    routes = learner.routes()
    left = sum(learner.left_out.values())
    assert sum(one.asked for one in routes) + left == len(taken)
    if routes:
        contract = Contract(enforced(draft(routes, (), learner.left_out, "x")))
        missed = [one for one in taken if not passes(contract, one[0], one[1].decode())]
        assert len(missed) <= left


def test_a_route_that_was_drafted_says_all_that_it_means() -> None:
    """Every field of a drafted route comes back from the file as it was meant, odd characters included."""
    one = Drafted(
        "/a b/{letter:int}.pdf", ("GET", "POST"), {'q"\\': "text", "ü😀": "int"}, ("ü😀",), "letter", "", ("application/json",), 7,
    )  # fmt: skip
    shown = Drafted("/list", ("GET", "HEAD"), ids=("items[].id",), family="letter", links=True)
    read = parse(draft([one, shown, Drafted("/list", ("POST",))], (), {"x": 3}, "x").encode())
    assert read.settings.route[0] == Route(
        name="a-b-letter", path=one.path, methods=("GET", "POST"), query=one.query, repeat=one.repeat, document="letter",
        content_types=("application/json",), max_body=7,
    )  # fmt: skip
    assert [route.name for route in read.settings.route[1:]] == ["list", "list-2"]
    shows = read.settings.route[1].shows
    assert shows is not None
    assert (shows.ids, shows.family, shows.links) == (("items[].id",), "letter", False)
