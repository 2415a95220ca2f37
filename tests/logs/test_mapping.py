"""What only the operator knows."""

from pathlib import Path

import pytest

from strongroom.detect.duckdb import Engine
from strongroom.errors import ConfigError
from strongroom.logs import mapping
from strongroom.logs.batch import table
from tests.detect.conftest import Scene, read

FIELDS = ("time", "http_request.url.path", "route", "document", "number", "patient")


def written(folder: Path, text: str, **tables: str) -> Path:
    """A mapping file with its tables beside it."""
    for name, rows in tables.items():
        (folder / f"{name}.csv").write_text(rows, encoding="utf-8")
    (folder / "m.toml").write_text(text, encoding="utf-8")
    return folder / "m.toml"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/d/4711/content", ("/d/{document}/content", "4711", 4711, None)),
        ("/p/77/d/ab", ("/p/{patient}/d/{document}", "77/ab", 77, "77")),
        ("/p/77", ("/p/{patient}", "/p/77", 77, "77")),
        ("/d/4711/content/more", None),
        ("/d//content", None),
        ("/other/99", None),
    ],
)
def test_routes_say_what_is_a_document(tmp_path: Path, path: str, expected: tuple[object, ...] | None) -> None:
    """Whole segments, whole paths; what no route matches is a page, but the ids that the reader saw in it stay."""
    text = 'routes = ["/d/{document}/content", "/p/{patient}/d/{document}", "/p/{patient}"]'
    found = mapping.load(written(tmp_path, text))
    assert found.target(path) == expected
    events = table(FIELDS, [(1, path, "x", "y", 2, "z"), (2, None, "x", "y", 2, "z")])
    first, second = (tuple(row.values()) for row in found.changed(events).to_pylist())
    assert first == (1, path, *(expected or ("x", None, 2, None)))
    assert second == (2, None, "x", None, 2, None)
    assert [tuple(row.values()) for row in found.changed(events.slice(1)).to_pylist()] == [second]


def test_routes_look_at_what_is_asked_too(tmp_path: Path) -> None:
    """The query of a request is in a column of its own."""
    found = mapping.load(written(tmp_path, 'routes = ["/get?id={document}"]'))
    query = "http_request.url.query_string"
    events = table((*FIELDS, query), [(1, "/get", "x", "y", 2, "z", one) for one in ("v=1&id=77", "v=1", None)])
    assert found.changed(events)["document"].to_pylist() == ["77", None, None]
    assert found.changed(events)["number"].to_pylist() == [77, 2, 2]


def test_rows_of_other_logs_are_left_alone(tmp_path: Path) -> None:
    """Without routes, and for formats without these columns, nothing changes."""
    events, others = table(FIELDS, [(1, "/4711", "x", "y", 2, "z")]), table(("time",), [(1,)])
    assert mapping.load(written(tmp_path, "")).changed(events) is events
    assert mapping.load(written(tmp_path, 'routes = ["/{document}"]')).changed(others) is others


def test_tables_are_read(tmp_path: Path) -> None:
    """Owners and relations, by the names of their columns, in any order."""
    found = mapping.load(
        written(
            tmp_path, 'documents = "o.csv"\nrelations = "r.csv"', o="patient,x,document\np1,,d1\n", r="account,patient\nann,p1\n"
        )
    )  # fmt: skip
    assert (found.documents, found.relations) == ((("d1", "p1"),), (("ann", "p1"),))


def test_accounts_tell_roles_and_groups(tmp_path: Path) -> None:
    """Each of three columns has to be there."""
    table = "account,role,group\nann,nurse,north\n"
    found = mapping.load(written(tmp_path, 'accounts = "a.csv"', a=table))
    assert found.accounts == (("ann", "nurse", "north"),)
    with pytest.raises(ConfigError, match="account and role and group"):
        mapping.load(written(tmp_path, 'accounts = "a.csv"', a="account,role\nann,nurse\n"))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("routes = 7", "m.toml"),
        ("rotues = []", "rotues"),
        ("routes = [", "m.toml"),
        ('routes = ["d/{document}"]', "does not fit"),
        ('routes = ["/d"]', "does not fit"),
        ('routes = ["/{documnet}"]', "does not fit"),
        ('routes = ["/{document}/{document}"]', "does not fit"),
        ('routes = ["/d?{document}=1"]', "does not fit"),
        ('routes = ["/d?id={document}&x"]', "does not fit"),
        ('documents = "gone.csv"', "gone.csv"),
        ('documents = "r.csv"', "document and patient"),
        ('relations = "r.csv"', "has no patient"),
        ("#" + "x" * 70_000, "larger"),
        ('[columns]\ntime = "t"', "columns"),
        ('[columns]\ntime = "t"\nprincipal = "p"\ndocument = "d"\nshoe = "s"', "columns"),
        ("[columns]\ntime = 7", "m.toml"),
    ],
)
def test_a_mapping_that_does_not_fit_says_where(tmp_path: Path, text: str, named: str) -> None:
    """With the file, and with what does not fit."""
    with pytest.raises(ConfigError, match=named):
        mapping.load(written(tmp_path, text, r="account,patient\nann,\n"))


def test_a_table_is_read_where_its_columns_are(tmp_path: Path) -> None:
    """Two columns may be one time; a file without the columns is another's."""
    text = '[columns]\ntime = ["day", "clock"]\nprincipal = "who"\ndocument = "what"'
    found = mapping.load(written(tmp_path, text))
    assert found.columns == {"time": ("day", "clock"), "principal": ("who",), "document": ("what",)}
    format_ = found.format_of(b"day,clock,who,what,more\n")
    assert format_ is not None
    assert format_.name == "table"
    assert found.format_of(b"day,who,what\n") is None
    assert mapping.load(written(tmp_path, "")).format_of(b"day,clock,who,what\n") is None


def test_a_mapping_that_is_not_there() -> None:
    """Is a configuration error too."""
    with pytest.raises(ConfigError, match="cannot be read"):
        mapping.load(Path("nowhere.toml"))


OWN = (
    """log_format = '$remote_addr $http_x_user [$time_local] "$request" $status $body_bytes_sent'\n"""
    '[fields]\nprincipal = "$http_x_user"\n'
)


def test_a_format_of_ones_own_is_for_files_that_fit(tmp_path: Path) -> None:
    """Other files are recognised as ever."""
    found = mapping.load(written(tmp_path, OWN))
    line = b'203.0.113.9 ann [29/Dec/2025:22:00:00 +1300] "GET /a HTTP/1.1" 200 5\n'
    format_ = found.format_of(line * 3)
    assert format_ is not None
    assert format_.name == "log-format"
    assert found.format_of(b"203.0.113.9 - ann [29/Dec/2025\n" * 3) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (OWN.replace("principal =", "who ="), "fields of .* do not fit"),
        ('[fields]\nprincipal = "$x"\n', "fields of .* do not fit"),
        ("log_format = '$uri'\n", "log_format of .* does not fit: .*does not tell a time"),
    ],
)
def test_a_format_that_does_not_fit_is_refused(tmp_path: Path, text: str, says: str) -> None:
    """With the file and the reason."""
    with pytest.raises(ConfigError, match=says):
        mapping.load(written(tmp_path, text))


def test_one_log_tells_whose_the_documents_of_another_are() -> None:
    """Where all that tell say the same; what two logs contradict each other about stays unknown."""
    with Engine() as engine:
        scene = Scene(engine)
        scene.add(
            read(1, 1, patient="ann"), read(1, 2), read(2, 3, patient="ann"), read(2, 4, patient="bob"), read(2, 5), read(3, 6),
        )  # fmt: skip
        mapping.Mapping((), (), ()).fill(engine)
        assert engine.rows("SELECT patient FROM event ORDER BY time") == [
            ("ann",),
            ("ann",),
            ("ann",),
            ("bob",),
            (None,),
            (None,),
        ]


def test_accounts_tell_a_login_its_role() -> None:
    """And nobody else."""
    with Engine() as engine:
        Scene(engine).add(read(1, 1, principal="ann"), read(2, 2, principal="bob"))
        mapping.Mapping((), (), (), accounts=(("ann", "nurse", "north"),)).fill(engine)
        assert engine.rows('SELECT principal, "actor.user.type" FROM event ORDER BY time') == [
            ("ann", "nurse"),
            ("bob", None),
        ]
