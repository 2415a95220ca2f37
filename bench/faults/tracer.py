"""A disk that fails: answers of the kernel to one running process's file operations, changed by strace while it is attached.

The process, its libraries and its files are the real ones, and other processes see nothing. Needs the right to trace: root,
or a kernel that lets one trace one's own (the programs under test allow it, see `program.py`).
"""

import contextlib
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from strongroom.errors import ConfigError

PATIENCE = 30.0


@contextlib.contextmanager
def injected(pid: int, rules: Sequence[str], paths: Sequence[Path] = ()) -> Iterator[None]:
    """While within, `rules` hold: such as `fsync:error=EIO` or `pwrite64:delay_enter=3000000` (strace(1), Tampering).

    `paths`: only operations upon these files.
    """
    calls = ",".join(rule.partition(":")[0] for rule in rules)
    command = ["strace", "-f", "-q", "-o", "/dev/null", "-p", str(pid), "-e", f"trace={calls}"]
    command += [word for path in paths for word in ("-P", str(path))]
    command += [word for rule in rules for word in ("-e", f"inject={rule}")]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        _attached(tracer, pid)
        yield
    finally:
        tracer.terminate()
        tracer.communicate()


def _attached(tracer: "subprocess.Popen[str]", pid: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if tracer.poll() is not None:
            msg = f"strace cannot attach to a process: {tracer.communicate()[1].strip()[-200:]}"
            raise ConfigError(msg, advice="Run as root, where ptrace is allowed.")
        if all(_tracer(task) for task in Path(f"/proc/{pid}/task").iterdir()):
            return
        time.sleep(0.02)
    raise TimeoutError(pid)


def _tracer(task: Path) -> bool:
    try:
        lines = (task / "status").read_text().splitlines()
    except OSError:
        return True  # the thread is over
    return any(line.startswith("TracerPid:") and not line.endswith("\t0") for line in lines)
