"""What is wrong with gateway.toml is said with its line."""

import pytest

from strongroom.errors import ConfigError
from strongroom.gateway import lines
from strongroom.gateway.settings import parse

FILE = b"""\
# a portal
[gateway]
port = 8440

[[person]]
by = "cookie"
name = "sid"

[[person]]  # the app
by = "jwt"
name = "sub"

[[route]]
name = "one"
path = "/one"

[route.shows]
ids = ["items[].id"]

[[ route ]]
name = "two"
methods = ["GET"]
path = "/two"
"""


@pytest.mark.parametrize(
    ("place", "found"),
    [
        (("gateway",), 2),
        (("gateway", 0, "port"), 3),
        (("person", 1), 9),
        (("person", 1, "by"), 10),
        (("person", 1, "path"), 9),
        (("route", 0, "path"), 15),
        (("route", 1), 20),
        (("route", 1, "path"), 23),
        (("route", 2), 0),
        (("waf", 0, "mode"), 0),
    ],
)
def test_a_table_and_a_field_have_a_line(place: tuple[str], found: int) -> None:
    """The field's, where it stands there; else that of the head."""
    assert lines.line(FILE, *place) == found


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (FILE.replace(b"8440", b"0"), "gateway.toml, line 3: "),
        (FILE.replace(b'"jwt"', b'"basic"'), "gateway.toml, line 10: "),
        (FILE.replace(b'by = "jwt"', b'by = "cookie"').replace(b'"sub"', b'"SID"'), "gateway.toml, line 9: "),
        (FILE.replace(b'"/two"', b'"two"'), "gateway.toml, line 20: Route two: "),
        (FILE.replace(b'["GET"]', b'["TRACE"]'), "gateway.toml, line 22: "),
        (FILE + FILE[FILE.index(b"[[ route") :], "gateway.toml, line 24: Route two: "),
        (b'route = [{name = "a", path = "b"}]\n', "gateway.toml: Route a: "),
        (b"x = 1\n", "gateway.toml: "),
        (b"[guard\n", "line 1"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(wrong: bytes, says: str) -> None:
    """Where a line is to be told."""
    with pytest.raises(ConfigError) as caught:
        parse(wrong)
    assert says in caught.value.message
