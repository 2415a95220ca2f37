"""Every part as a task of Apache Spark: it moves the pieces, keeps them on disk, and does again what a lost machine had done.

Pieces are opaque to Spark, so that of Spark itself nothing but that is used. Where pyspark is not importable it is looked for where
`strongroom hunt --install-spark` puts it.
"""

import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Self

from strongroom.cluster.local import turned
from strongroom.cluster.piece import ONE, Piece, Read, Work
from strongroom.errors import ConfigError, OperationError

PARTS: Final = 4
"""Parts for each task that can run at once, at least: a large one does not make all others wait."""
SIZE: Final = 256 * 1024 * 1024
"""Bytes of files, packed as they are, for a part, at most: its rows fit into memory or are spilled."""
_SETTINGS: Final = {
    "spark.app.name": "strongroom hunt",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.task.maxFailures": "2",
    "spark.python.worker.reuse": "true",
}
"""What we want unless the operator's spark-defaults.conf says otherwise."""


class Spark:
    """A `Cluster`. A context manager: the session ends with it."""

    def __init__(self, master: str, library: Path, size: int = 0) -> None:
        """`library`: where pyspark is, if it cannot be imported. `size`: bytes that are to be read.

        Raises ConfigError without pyspark, Java, or the cluster.
        """
        if importlib.util.find_spec("pyspark") is None:
            if not library.is_dir():
                msg = "Hunting with Spark needs pyspark, which is not installed."
                raise ConfigError(
                    msg,
                    advice="`strongroom hunt --install-spark` downloads it (480 MB), locked by hash. It needs Java 17.",
                )
            sys.path.append(str(library))
            os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(library))))
        import pyspark  # noqa: PLC0415  # not a dependency of ours

        self._kept = pyspark.StorageLevel.DISK_ONLY
        self._context = _context(pyspark, master)
        self.parts = max(self._context.defaultParallelism * PARTS, size // SIZE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._context.stop()

    def read(self, many: int, work: Read) -> Any:
        """See `Cluster`."""
        return self._context.parallelize(range(many), many).flatMap(_Reading(work)).persist(self._kept)

    def meet(self, data: Any) -> Any:
        """See `Cluster`."""
        return data.filter(_is_for_a_part).partitionBy(self.parts, int)

    def turn(self, data: Any, work: Work) -> Any:
        """See `Cluster`."""
        return data.mapPartitions(_Turning(work)).persist(self._kept)

    def gather(self, data: Any) -> Iterable[Piece]:
        """See `Cluster`."""
        from py4j.protocol import Py4JError  # noqa: PLC0415  # comes with pyspark

        data = data.filter(_is_for_one)
        try:
            for part, (name, body) in data.collect():
                yield Piece(part, name, body)
        except Py4JError as error:
            raise OperationError("The hunt failed on the cluster.", advice=_last_line(error)) from error


def _context(pyspark: Any, master: str) -> Any:
    settings = pyspark.SparkConf().setMaster(master)
    for name, value in _SETTINGS.items():
        settings.setIfMissing(name, value)
    if master.startswith("local"):  # nobody else is to reach it
        settings.set("spark.driver.host", "127.0.0.1").set("spark.driver.bindAddress", "127.0.0.1")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ["SPARK_LOCAL_IP"] = os.environ.get("SPARK_LOCAL_IP", "127.0.0.1" if master.startswith("local") else "")
    try:
        return pyspark.SparkContext(conf=settings)
    except Exception as error:
        msg = f"Spark does not start with {master[:100]}."
        raise ConfigError(
            msg, advice=f"It needs Java 17 or newer, and the cluster it names. {_last_line(error)}"
        ) from error


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if "Error" in line or "Exception" in line]
    return (lines or [type(error).__name__])[-1][:300]


def _is_for_one(pair: tuple[int, tuple[str, bytes]]) -> bool:
    return pair[0] == ONE


def _is_for_a_part(pair: tuple[int, tuple[str, bytes]]) -> bool:
    return pair[0] != ONE


class _Reading:
    """Work in the form that Spark wants: pairs of a key and a value."""

    def __init__(self, work: Read) -> None:
        self._work = work

    def __call__(self, at: int) -> Iterator[tuple[int, tuple[str, bytes]]]:
        return ((piece.part, (piece.name, piece.body)) for piece in self._work(at))


class _Turning:
    """The same for pieces. Those of a part stand behind each other: a partition has one part, or pieces of one reading."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def __call__(self, pairs: Iterator[tuple[int, tuple[str, bytes]]]) -> Iterator[tuple[int, tuple[str, bytes]]]:
        pieces = (Piece(part, name, body) for part, (name, body) in pairs)
        return ((piece.part, (piece.name, piece.body)) for piece in turned(pieces, self._work))
