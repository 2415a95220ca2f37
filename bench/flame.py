"""Where the time goes, as a picture: `python -m bench.flame keeper|download FOLDER` writes FOLDER/NAME-PROGRAM.svg.

The product runs as in the bench of that name; py-spy looks at its stacks 200 times a second from outside. A bar is as wide
as the share of samples in which that function was running or waiting for what it had called; each stands upon its caller.
Drawn here, without scripts, so that it can be shown anywhere.
"""

import importlib.util
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import click

from bench import download, keeper
from bench.store import Store, open_store

WIDTH, BAR, LETTER = 1_200, 17, 6.3
LEAST = 0.003
"""Share of all samples below which a bar is not drawn."""
WAITING = ("_worker (concurrent", "Group._take", "select (selectors")
"""Ends of stacks that wait for work and do none."""
COLOURS = {
    "strongroom/identity": "#9ecae1", "strongroom/keeper": "#fdae6b", "strongroom/budget": "#a1d99b",
    "strongroom/audit": "#fc9272", "strongroom/keys": "#bcbddc", "strongroom/api": "#fdd0a2",
    "strongroom/envelope": "#c7e9c0", "strongroom/documents": "#dadaeb",
}  # fmt: skip
ROUNDS = 4
LOOK = ("-r", "200", "--nonblocking")
"""How often, and without stopping the process: a keeper that is stopped for long refuses."""


@dataclass(slots=True)
class Node:
    """One function upon its callers, and how many samples were in it."""

    samples: int = 0
    above: dict[str, "Node"] = field(default_factory=dict)


def tree(lines: Iterable[str]) -> Node:
    """Folded stacks (`a;b;c 12`) as a tree. What every stack begins with is left out."""
    stacks = []
    for line in lines:
        told, _, count = line.rpartition(" ")
        frames = [
            frame.rpartition(":")[0] if frame.endswith(")") and ":" in frame else frame for frame in told.split(";")
        ]
        if not any(word in frames[-1] for word in WAITING):
            stacks.append((frames[_begin(frames) :], int(count)))
    root = Node()
    for stack, samples in stacks:
        node = root
        node.samples += samples
        for frame in stack:
            node = node.above.setdefault(frame.partition(" (")[0] + _place(frame), Node())
            node.samples += samples
    return root


def _begin(frames: list[str]) -> int:
    """Where a stack stops being the way from the command line to the loop."""
    return max(
        (n + 1 for n, frame in enumerate(frames) if "asyncio/runners.py" in frame or "threading.py" in frame), default=0
    )


def _place(frame: str) -> str:
    return " (" + frame.partition(" (")[2].rstrip(")") + ")"


def draw(root: Node, title: str) -> str:
    """The picture."""
    bars = list(_bars(root, 0.0, 0, root.samples))
    height = (max((level for _, _, level, _ in bars), default=0) + 1) * BAR + 30
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" font-family="monospace"'
        f' font-size="11"><title>{escape(title)}</title><rect width="{WIDTH}" height="{height}" fill="#fff"/>'
        f'<text x="4" y="16" font-size="13">{escape(title)}</text>'
    )
    parts = [head]
    for x, share, level, name in bars:
        y, width = height - (level + 1) * BAR, share * WIDTH
        shown = name[: int(width / LETTER)] if width > 4 * LETTER else ""
        parts.append(
            f'<g><title>{escape(name)}: {share:.1%}</title><rect x="{x * WIDTH:.1f}" y="{y}" width="{width:.1f}"'
            f' height="{BAR - 1}" fill="{_colour(name)}" stroke="#fff"/>'
            f'<text x="{x * WIDTH + 3:.1f}" y="{y + 12}">{escape(shown)}</text></g>'
        )
    return "\n".join([*parts, "</svg>\n"])


def _bars(node: Node, x: float, level: int, total: int) -> Iterator[tuple[float, float, int, str]]:
    for name, above in sorted(node.above.items()):
        share = above.samples / total
        if share >= LEAST:
            yield x, share, level, name
            yield from _bars(above, x, level + 1, total)
        x += share


def _colour(name: str) -> str:
    for room, colour in COLOURS.items():
        if room in name:
            return colour
    return f"#{'e0e5ea'[zlib.crc32(name.encode()) % 3 :][:2] * 3}"


@contextmanager
def watched(pids: dict[str, int], folder: Path, bench: str) -> Iterator[None]:
    """Look at the stacks of these processes meanwhile, and draw them in the end."""
    spy = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")
    assert spy is not None
    with tempfile.TemporaryDirectory() as raw:
        spies = [
            subprocess.Popen(
                [spy, "record", "-p", str(pid), *LOOK, "-f", "raw", "-d", "600", "-o", f"{raw}/{name}"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for name, pid in pids.items()
        ]
        time.sleep(1.0)
        yield
        for name, process in zip(pids, spies, strict=True):
            process.send_signal(signal.SIGINT)
            process.wait()
            lines = Path(raw, name).read_text(encoding="utf-8").splitlines()
            picture = draw(tree(lines), f"{bench}: the {name} process")
            (folder / f"{bench}-{name}.svg").write_text(picture, encoding="utf-8")


def of_keeper(store: Store, folder: Path) -> None:
    """Releases through the socket, 32 in flight."""
    rounds = [keeper.plan(store, 6_000, seed)[0] for seed in range(ROUNDS)]
    with keeper.clients(store.context_key) as workers, watched({"keeper": store.pid("keeper")}, folder, "keeper"):
        for wanted in rounds:
            keeper.measure(workers, store.layout.socket, store.pid("keeper"), wanted, 32, keeper.Measured())


def of_download(store: Store, folder: Path) -> None:
    """Guarded downloads: app and keeper."""
    pids = {name: store.pid(name) for name in ("app", "keeper")}
    addresses = download.deposit(store)
    with download.client() as pipe, watched(pids, folder, "download"):
        for seed in range(ROUNDS):
            asked = download.asked(store, addresses, 1_200, seed)
            server = download.Server(store.config.api.port, tuple(pids.values()), asked)
            download.measure(pipe, server, 1_200, download.Measured())


WAYS: dict[str, tuple[int, Callable[[Store, Path], None]]] = {"download": (80, of_download), "keeper": (200, of_keeper)}


@click.command()
@click.argument("name", type=click.Choice(sorted(WAYS)))
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def main(name: str, folder: Path) -> None:
    """Draw where the time goes."""
    if (
        importlib.util.find_spec("py_spy") is None
        and shutil.which("py-spy", path=str(Path(sys.executable).parent)) is None
    ):
        click.echo(
            "The picture needs py-spy, which looks at stacks: uv pip install --python .venv/bin/python py-spy", err=True
        )
        sys.exit(78)
    patients, way = WAYS[name]
    with open_store(patients) as store:
        way(store, folder)


if __name__ == "__main__":
    main()
