"""The rehearsal through the gateway, quick form, for real: what thieves gain, and that nobody honest is refused."""

import json

import pytest
from click.testing import CliRunner

from strongroom.cli.rehearse import command
from strongroom.rehearse.portal import EACH
from strongroom.rehearse.robbers import robberies
from strongroom.rehearse.through import rob
from strongroom.wiring.front import open_fronts


@pytest.fixture(scope="module")
def runs() -> dict[str, list[dict[str, object]]]:
    """The runs by playbook, as JSON says them: P1 to P9 but for P2, whose first is long."""
    done = CliRunner().invoke(command, ["P1", "P3", "P4", "P9", "--through", "gateway", "--quick", "--json"])
    assert done.exception is None, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert {one["schema"] for one in said} == {"strongroom/rehearse-gateway/v1"}
    return {one["playbook"]: one["runs"] for one in said}


def test_documents_lost(runs: dict[str, list[dict[str, object]]]) -> None:
    """Ten with what was shown, twenty-five with counts alone, fifteen in a month of patience, what twenty of many logins have,
    nothing by a forgotten route.
    """
    lost = {(name, one["condition"]): one["documents_lost"] for name, found in runs.items() for one in found}
    assert 0 < int(str(lost["P1", "shown before fetched"])) <= 10
    assert 0 < int(str(lost["P1", "only counted"])) <= 25
    assert 0 < int(str(lost["P3", "30 days"])) <= 15
    assert 0 < int(str(lost["P4", "one tool"])) <= 20 * EACH
    assert lost["P9", "a forgotten route"] == 0
    assert {one["bound"] for one in runs["P1"]} == {10, 25}
    for one in (*runs["P1"], *runs["P3"], *runs["P9"]):
        assert int(str(one["documents_without"])) > 100
        assert one["clock"] == "simulated"


def test_nobody_honest_is_refused(runs: dict[str, list[dict[str, object]]]) -> None:
    """Nine look-alikes beside every run, whether listings are described or not."""
    every = [one for found in runs.values() for one in found]
    assert [one["listings"] for one in every] == [True, False, True, True, True]
    assert [one["refused"] for one in every] == [{}] * 5
    assert min(int(str(one["honest_requests"])) for one in every) > 500
    assert [one["newcomers"] for one in every if one["weeks"]] == [8]


def test_addresses_that_name_the_patient_lose_twelve() -> None:
    """P2, where a list shows other people's: twelve people a day are read, and the next list is the last."""
    [robbery] = [one for one in robberies("P2", quick=True) if "patient" in one.condition]
    with open_fronts() as open_front, open_front(robbery.patients, True) as front:
        loss = rob(front, robbery, seed=1, crowd=0)
    assert (loss.people_lost, loss.documents_lost, loss.bound) == (12, 84, 84)
    assert loss.people_listed == 1
    assert loss.holds


def test_before_a_store_only_p1_is_rehearsed() -> None:
    """The others are said where they are."""
    done = CliRunner().invoke(command, ["P1", "P9"])
    assert "--through gateway" in str(done.exception)
