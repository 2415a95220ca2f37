"""`network`: rules on the standard output, in a directory, or in JSON; and what is wrong in words."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.border.test_rules import BOOK, GOLDEN

Type = Callable
GIVEN = tuple(part for name, found in BOOK.items() for one in found for part in ("--address", f"{name}={one}"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory that holds a configuration and nothing else: no more is needed to print rules."""
    (tmp_path / "strongroom.toml").write_bytes((GOLDEN / "strongroom.toml").read_bytes())
    return tmp_path


def test_rules_are_printed_and_nothing_else_is(strongroom: Type, place: Path) -> None:
    """Standard output is the file as it is loaded; with several files each has its name before it."""
    assert (
        strongroom("network", "--store", place, "--format", "nftables", *GIVEN).out
        == (GOLDEN / "strongroom.nft").read_text()
    )
    units = strongroom("network", "--store", place, "--format", "systemd", *GIVEN).out
    assert "# ==== strongroom-keeper.service\n" in units
    assert "strongroom-signin.service" in units


def test_files_are_written_where_they_are_wanted(strongroom: Type, place: Path) -> None:
    """Each with its name; and told."""
    told = strongroom("network", "--store", place, "--format", "k8s", "--to", place / "out", *GIVEN)
    assert told.out == f"{place}/out/strongroom-network.yaml\n"
    assert (place / "out" / "strongroom-network.yaml").read_text() == (GOLDEN / "strongroom-network.yaml").read_text()
    (place / "file").touch()
    assert strongroom("network", "--store", place, "--format", "k8s", "--to", place / "file" / "x", *GIVEN).code == 3


def test_json_holds_the_table_and_the_files(strongroom: Type, place: Path) -> None:
    """Whoever makes other rules of it reads the same rows."""
    told = strongroom("network", "--store", place, "--format", "terraform", "--json", *GIVEN).json
    assert (told["schema"], told["store"], told["format"]) == ("strongroom/network/v1", "northland", "terraform")
    assert list(told["files"]) == ["strongroom-network.tf.json"]
    app = next(one for one in told["processes"] if one["name"] == "app")
    assert app["connects"][0] == {
        "place": "objects",
        "host": "objects.example.org",
        "port": 8333,
        "addresses": ["203.0.113.8"],
    }
    assert app["opens"] == [f"{place}/run/keeper.sock"]
    assert "files" not in strongroom("network", "--store", place, "--json").json


def test_the_table_is_for_people(strongroom: Type, place: Path) -> None:
    """Without a format no name is looked up, and each process's row is told in words."""
    told = strongroom("network", "--store", place)
    assert (told.code, told.err) == (0, "")
    assert "keeper (user 61000)" in told.out
    assert "connects  10.0.4.9:1792 (hsm)" in told.out


def test_what_somebody_may_miss_is_said(strongroom: Type, served: Path) -> None:
    """Nobody locks themself out unwarned."""
    told = strongroom("network", "--store", served, "--format", "terraform")
    assert "No [reach] admin" in told.err


@pytest.mark.parametrize("given", ["objects.example.org", "objects.example.org=", "x=10.0.0.0/8"])
def test_an_address_is_checked(strongroom: Type, place: Path, given: str) -> None:
    """Exit code 2 and how it is written."""
    told = strongroom("network", "--store", place, "--format", "nftables", "--address", given)
    assert (told.code, told.out) == (2, "")
    assert "NAME=ADDRESS" in told.err


def test_the_example_of_the_help_is_a_command(strongroom: Type) -> None:
    """`--help` says what it prints and how it is used."""
    told = strongroom("network", "--help")
    assert told.code == 0
    assert "strongroom network --format nftables" in told.out
