"""Detections on one machine, step by step."""

import pytest

from strongroom.detect import walk, wide
from strongroom.detect.detection import Detection
from strongroom.detect.duckdb import Engine, Error
from strongroom.detect.parts import By, Here, Known, Parts, Step
from strongroom.detect.stage import Stage
from tests.detect.conftest import Scene, read

STEPS = (
    Known("much", "SELECT count(*) AS n FROM event", "SELECT sum(n) AS n FROM much_share"),
    Here("few", "FROM event"),
)
"""Of a detection that says nothing of interest."""


def parted(*steps: Step, hits: str) -> Detection:
    """A detection of these steps."""
    parts = Parts(steps, hits)
    return Detection(walk.HEAD, parts.sql, parts=parts)


def tables(engine: Engine) -> set[str]:
    """What there is besides the events."""
    sql = """
    SELECT table_name FROM duckdb_tables() WHERE temporary
    UNION ALL SELECT view_name FROM duckdb_views() WHERE temporary AND NOT internal
    """
    return {name for (name,) in engine.rows(sql)}


def test_step_by_step_is_the_same_as_at_once(scene: Scene) -> None:
    """Every hit of it, and nothing is left behind."""
    scene.add(*(read(at, at * 20, principal=f"p{at % 3}") for at in range(300)))
    every = (walk.detection(), *wide.detections())
    with Stage(scene.engine) as stage:
        for detection in every:
            stage.run(detection)
    told = []
    for detection in every:
        found = scene.engine.rows(f"SELECT about, fired, event FROM hit WHERE detection = '{detection.head.id}'")  # noqa: S608  # an id
        assert sorted(found) == sorted(scene.engine.rows(detection.hits))
        told += [detection.head.level] if found else []
    assert told == ["high", "low", "low"]  # nobody has a past here
    assert tables(scene.engine) == set()


def test_what_two_begin_with_is_made_once(scene: Scene) -> None:
    """And goes when another begins differently."""
    scene.add(read(1, 1))
    with Stage(scene.engine) as stage:
        stage.run(parted(*STEPS, hits="SELECT 'one' AS about, n AS fired, 0 AS event FROM much"))
        assert tables(scene.engine) == {"much", "few"}
        scene.add(read(2, 2))
        stage.run(parted(STEPS[0], hits="SELECT 'two' AS about, n AS fired, 0 AS event FROM much"))
        assert tables(scene.engine) == {"much"}
        stage.run(parted(STEPS[1], STEPS[0], hits="SELECT 'three' AS about, n AS fired, 0 AS event FROM much"))
    assert scene.engine.rows("SELECT about, fired FROM hit ORDER BY fired, about DESC") == [
        ("two", 1),
        ("one", 1),
        ("three", 2),
    ]


def test_what_need_not_be_kept_is_a_question(scene: Scene) -> None:
    """It is asked when it is named, and goes like a table."""
    scene.add(read(1, 1))
    asked = By("asked", "SELECT * FROM event", "principal", kept=False)
    with Stage(scene.engine) as stage:
        stage.run(parted(asked, hits="SELECT 'one' AS about, count(*) AS fired, 0 AS event FROM asked"))
        assert tables(scene.engine) == {"asked"}
        scene.add(read(2, 2))
        stage.run(parted(asked, hits="SELECT 'two' AS about, count(*) AS fired, 0 AS event FROM asked"))
    assert scene.engine.rows("SELECT about, fired FROM hit ORDER BY fired") == [("one", 1), ("two", 2)]
    assert tables(scene.engine) == set()


def test_a_step_that_the_engine_refuses_leaves_nothing(scene: Scene) -> None:
    """The next detection begins as if it had not been."""
    scene.add(read(1, 1))
    with Stage(scene.engine) as stage:
        with pytest.raises(Error):
            stage.run(parted(*STEPS, Here("no", "FROM nowhere"), hits="FROM no"))
        stage.run(parted(*STEPS, hits="SELECT 'one' AS about, n AS fired, 0 AS event FROM much"))
    assert scene.engine.rows("SELECT count(*) FROM hit") == [(1,)]
    assert tables(scene.engine) == set()
