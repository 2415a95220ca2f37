"""Documentation is executed: its Python runs, and every command, option and setting stands in it."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

from strongroom.cli.main import cli
from strongroom.config import Config

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
COMMANDS = ROOT / "docs" / "cli.md"
FRAGMENTS = ROOT / "changelog.d"
FRAGMENT = re.compile(
    r"(?:[1-9][0-9]*|[a-z0-9]+(?:-[a-z0-9]+)*)\.(?:added|changed|deprecated|removed|fixed|security)\.md"
)


# ---- Python in pages ------------------------------------------------------------------------------------------------


def run_page(text: str, name: str) -> int:
    """Run the ```python blocks of a page, in order, in one namespace; return how many there were.

    Line numbers of errors are those of the page.
    """
    namespace: dict[str, object] = {"__name__": name}
    blocks = list(python_blocks(text))
    for line, code in blocks:
        exec(compile("\n" * line + code, name, "exec"), namespace)  # noqa: S102  # our own pages
    return len(blocks)


def python_blocks(text: str) -> Iterator[tuple[int, str]]:
    """Each block with the number of lines before it. A block that nothing closes ends with the page."""
    lines = text.splitlines()
    for start, line in enumerate(lines):
        indent = line[: len(line) - len(line.lstrip())]
        if line.strip() == "```python":
            body = lines[start + 1 :]
            end = next((number for number, inner in enumerate(body) if inner.rstrip() == f"{indent}```"), len(body))
            yield start + 1, textwrap.dedent("\n".join(body[:end])) + "\n"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_python_block_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page tells a reader to type works, from an empty directory."""
    monkeypatch.chdir(tmp_path)
    run_page(page.read_text(encoding="utf-8"), page.name)


def test_the_runner_runs_and_points_at_the_line() -> None:
    """Blocks share names, indented blocks count, other languages do not, and an error names the page's own line."""
    page = "A\n\n```python\nx = 1\n```\n\n* list:\n\n    ```python\n    assert x == 1\n    ```\n\n```sh\nexit 1\n```\n"
    assert run_page(page, "good.md") == 2
    with pytest.raises(AssertionError) as caught:
        run_page(page.replace("== 1", "== 2"), "bad.md")
    where = caught.traceback[-1]
    assert (str(where.path), where.lineno + 1) == ("bad.md", 10)


# ---- commands -------------------------------------------------------------------------------------------------------


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command that `--help` shows, below every group, as it is typed: `people import`."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, f"{name} is listed and does not exist"
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        elif not command.hidden:
            yield " ".join((*path, name)), command


def test_every_command_is_documented() -> None:
    """The reader of docs/cli.md or of the README finds each command as it is typed."""
    text = COMMANDS.read_text(encoding="utf-8") + (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [name for name, _ in commands(cli) if f"strongroom {name}" not in text]
    assert not missing


def test_every_option_is_documented() -> None:
    """Each option of each command stands in docs/cli.md."""
    text = COMMANDS.read_text(encoding="utf-8")
    options = {
        (name, max(parameter.opts, key=len))
        for name, command in commands(cli)
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
    }
    assert len(options) > 1
    assert sorted(f"{name} {option}" for name, option in options if not re.search(rf"{option}\b", text)) == []


def test_no_command_is_documented_that_is_not_there() -> None:
    """A heading of docs/cli.md that names a command names one that exists."""
    names = {name for name, _ in commands(cli)}
    groups = {name.split(" ", maxsplit=1)[0] for name in names}
    headings = re.findall(r"(?m)^#+ `?strongroom ([a-z][a-z -]*[a-z])", COMMANDS.read_text(encoding="utf-8"))
    assert headings
    assert [heading for heading in headings if heading not in names | groups] == []


# ---- settings -------------------------------------------------------------------------------------------------------


def settings(kind: object) -> Iterator[str]:
    """The names of all fields below a type of the configuration, sections and tables included."""
    if isinstance(kind, msgspec.inspect.StructType):
        for field in kind.fields:
            yield field.name
            yield from settings(field.type)
    elif isinstance(kind, msgspec.inspect.UnionType):
        for member in kind.types:
            yield from settings(member)
    elif isinstance(kind, msgspec.inspect.VarTupleType):
        yield from settings(kind.item_type)


def test_every_setting_is_documented() -> None:
    """Each section and field of strongroom.toml stands in docs/configuration.md."""
    words = set(re.findall(r"[a-z0-9_]+", (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")))
    names = set(settings(msgspec.inspect.type_info(Config)))
    assert {"store", "issuer", "jwks_uri", "pin_file"} <= names
    assert names - words == set()


# ---- changelog ------------------------------------------------------------------------------------------------------


def test_changelog_fragments_are_named_by_their_kind() -> None:
    """Every file in changelog.d but its README is `<number-or-slug>.<type>.md`, and is not empty."""
    fragments = [path for path in FRAGMENTS.iterdir() if path.name != "README.md"]
    assert [path.name for path in fragments if not FRAGMENT.fullmatch(path.name)] == []
    assert [path.name for path in fragments if not path.read_text(encoding="utf-8").strip()] == []


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("2.added.md", True),
        ("guarded-store.security.md", True),
        ("02.added.md", True),
        ("2.new.md", False),
        ("Two.added.md", False),
        ("2.added.txt", False),
        ("2.added.md\n", False),
        ("added.md", False),
    ],
)
def test_fragment_names(name: str, good: bool) -> None:
    """A number or a slug, one of six types, `.md`, and nothing more."""
    assert bool(FRAGMENT.fullmatch(name)) == good


# ---- decisions ------------------------------------------------------------------------------------------------------


def test_every_decision_states_its_price() -> None:
    """Each page in docs/adr has the four headings of the form, and stands in the list of its README."""
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    pages = [path for path in (ROOT / "docs" / "adr").glob("*.md") if path.name != "README.md"]
    assert pages
    for page in pages:
        text = page.read_text(encoding="utf-8")
        headings = re.findall(r"(?m)^## (.+)$", text)
        assert headings == ["Question", "Decision", "Figures", "Price paid"], page.name
        assert f"({page.name})" in index, page.name
