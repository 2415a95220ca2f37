"""gateway.toml says what is wrong with it, and by which route."""

import pytest

from strongroom.errors import ConfigError
from strongroom.gateway.settings import MAX_SETTINGS, parse

PERSON = '[person]\nby = "cookie"\nname = "sid"\n'
PEOPLE = '[[person]]\nby = "cookie"\nname = "sid"\n'


def route(**fields: str) -> str:
    """One route, name and path given."""
    both = {"name": '"letter"', "path": '"/letters/{document:int}"', **fields}
    return "[[route]]\n" + "".join(f"{name} = {value}\n" for name, value in both.items())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "describes no route"),
        ("x = 1", "unknown field"),
        ("[gateway]\nport = 0", "gateway.port"),
        ('[gateway]\nproxies = ["0.0.0.0/4"]\nroutes = "learn"', "wider than /8"),
        ("\xff", "gateway.toml"),
        ("x = " + "[" * 5_000, "gateway.toml"),
        (route(), "does not say how to find who is signed in"),
        (PERSON + route(path='"letters"'), "does not begin with a slash"),
        (PERSON + route(path='"/a//b"'), "number 2"),
        (PERSON + route(path='"/a/../b"'), "number 2"),
        (PERSON + route(path='"/{document}"'), "number 1"),
        (PERSON + route(path='"/{document:int}{patient:int}"'), "number 1"),
        (PERSON + route(path='"/{document:number}"'), "of no kind"),
        (PERSON + route(path='"/{a:path}/b"'), "of no kind"),
        (PERSON + route(path='"/{a:int}/{a:int}"'), "names a parameter twice"),
        (PERSON + route(path='"' + "/a" * 33 + '"'), "more than 32"),
        (PERSON + route(query='{ page = "number" }'), "of no kind"),
        (PERSON + route(query='{ document = "int" }'), "in two of path, query and body"),
        (PERSON + route(document='"letter"'), "no parameter letter"),
        (PERSON + route(repeat='["q"]'), "no parameter q"),
        (PERSON + route(query='{ patient = "int" }', repeat='["patient"]'), "may not come twice"),
        (PERSON + route(methods='["TRACE"]'), "route[0].methods[0]"),
        (PERSON + route(content_types='["APPLICATION/JSON"]'), "content_types"),
        (PERSON + route() + route(), "two of this name"),
        (PERSON + route() + route(name='"other"', path='"/letters/{document:int}"'), "has the path and a method of letter"),
        (PERSON + route() + '[route.shows]\nids = ["a[1]"]\n', "a place in JSON"),
        (PERSON + route() + "[route.login]\n", "exactly one of"),
        (PERSON + route() + '[route.login]\nform = "a"\njson = "b"\n', "exactly one of"),
        (PERSON + route() + '[route.login]\nanswer = "a b"\n', "a place in JSON"),
        (PERSON + route(content_types='["multipart/related"]'), "nobody looks into multipart/related"),
        (PERSON + route() + '[waf]\nexempt = ["942100"]\n', "waf.exempt"),
        (PERSON + route() + '[gateway]\nkey = "x"\n', "belong together"),
        (PERSON + route() + "[guard]\nlimits = { none = 1 }\n", "no rule none"),
        (PEOPLE * 5 + route(), "$.person"),
        (PEOPLE + '[[person]]\nby = "cookie"\nname = "SID"\n' + route(), "stands where another one does"),
        (PEOPLE + '[[person]]\nby = "jwt"\nname = "sub"\n' * 2 + route(), "stands where another one does"),
        (PEOPLE + '[[person]]\nby = "header"\nname = "Cookie"\n' + route(), "stands where another one does"),
        (PEOPLE + '[[person]]\nby = "header"\nname = "Authorization"\n' + route(), "stands where another one does"),
        (PEOPLE + '[[person]]\nby = "basic"\nname = "x"\n' + route(), "person[1].by"),
        ("person = []\n" + route(), "$.person"),
        (PERSON + route(upstream='"idp"'), "line 4: Route letter: there is no [upstreams.idp]"),
        (PERSON + route() + '[upstreams.idp]\nurl = "http://idp"\n', "line 7: Upstream idp: no route"),
        (PERSON + route(upstream='"a b"') + '[upstreams."a b"]\nurl = "http://idp"\n', "Expected `str` matching"),
        (PERSON + route(upstream='"idp"') + "[upstreams.idp]\nconnections = 9\n", "required field `url`"),
        (PERSON + route(upstream='"idp"') + '[upstreams.idp]\nurl = "http://idp"\nconnections = 0\n', "connections"),
        *(
            (PERSON + route(upstream='"idp"') + f'[upstreams.idp]\nurl = "{url}"\n', "line 8: Upstream idp: its url")
            for url in ("idp:80", "ftp://idp", "http://a@idp", "http://idp/x", "http://idp?x", "http://idp:70000", "http://")
        ),
        (PERSON + route() + '[route.login]\ntoken = "token"\n', "no [person] is by token"),
        (PERSON.replace("cookie", "token") + route() + '[route.login]\ntoken = "a b"\n', "a place in JSON"),
        (PEOPLE + '[[person]]\nby = "token"\nname = "Cookie"\n' + route(), "stands where another one does"),
        (PERSON + 'known = "yes"\n' + route(), "line 4: Expected `bool`"),
        ("#" * (MAX_SETTINGS + 1), "longer than"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(text: str, says: str) -> None:
    """One sentence that a portal engineer can act upon."""
    with pytest.raises(ConfigError) as caught:
        parse(text.encode("latin-1"))
    assert says in caught.value.message
    assert caught.value.exit_code == 78


def test_what_is_right_is_read() -> None:
    """Which parameter is the document, and which the patient, by name or by saying so."""
    text = PERSON + route(path='"/p/{patient:int}/{document:uuid}.pdf"') + route(
        name='"old"', path='"/get"', query='{ nr = "int", p = "int" }', document='"nr"', patient='"p"'
    ) + "[route.shows]\nids = ['items[].id']\n"  # fmt: skip
    first, second = parse(text.encode()).routes
    assert (first.document, first.patient, first.pattern.kind_of("document")) == ("document", "patient", "uuid")
    assert (second.document, second.patient, second.shown) == ("nr", "p", (("items", "[]", "id"),))


def test_learning_needs_no_routes() -> None:
    """Learning may begin with nothing described; enforcing may not."""
    assert parse(b'[gateway]\nroutes = "learn"\n').routes == ()


def test_one_path_of_two_kinds_is_two_routes() -> None:
    """Old numbers and new ids may share an address."""
    text = PERSON + route() + route(name='"new"', path='"/letters/{document:uuid}"')
    assert [one.route.name for one in parse(text.encode()).routes] == ["letter", "new"]
