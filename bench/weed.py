"""A real S3 server (SeaweedFS) with a bucket `docs`, access key `key`, secret key `secret`: started, ended, started again."""

import contextlib
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

from strongroom.errors import ConfigError

WEED = Path(sys.executable).with_name("weed")
ATTEMPTS = 3
"""A port may be taken between choosing it and listening on it."""


class Weed:
    """One server and its folder."""

    def __init__(self, folder: Path) -> None:
        """Starts it. Raises ConfigError where it is not installed, or does not start."""
        if not WEED.exists():
            msg = "The S3 server `weed` is not there."
            raise ConfigError(msg, advice="./up check installs it.")
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        identity = {
            "name": "a",
            "credentials": [{"accessKey": "key", "secretKey": "secret"}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        self.process: subprocess.Popen[bytes] | None = None
        for _ in range(ATTEMPTS):
            self._ports = [_low_port() for _ in range(4)]
            if self.start():
                return
            self.kill()
        msg = f"The S3 server did not start in {ATTEMPTS} attempts."
        raise ConfigError(msg, advice="Is the machine very busy?")

    @property
    def port(self) -> int:
        """Of its S3 side."""
        return self._ports[3]

    def start(self) -> bool:
        """Start it upon what is in its folder; whether it has the bucket and listens."""
        master, volume, filer, s3 = self._ports
        data = self._folder / f"data-{s3}"
        data.mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [
                *(
                    str(WEED),
                    "server",
                    f"-dir={data}",
                    "-ip=127.0.0.1",
                    "-ip.bind=127.0.0.1",
                    "-master.telemetry=false",
                ),
                *(f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}", f"-s3.port={s3}"),
                *("-volume.preStopSeconds=0", "-filer", "-s3", "-s3.port.iceberg=0"),
                "-s3.port.lance=0",  # else a second server on the machine ends itself: the port is fixed
                *(f"-s3.config={self._folder}/s3.json", "-volume.max=20", "-master.volumeSizeLimitMB=64"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=data,
        )
        return _has_bucket(master, filer) and _listens(s3)

    def kill(self) -> None:
        """SIGKILL: it takes its time with SIGTERM."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def _has_bucket(master: int, filer: int) -> bool:
    shell = [str(WEED), "shell", f"-master=127.0.0.1:{master}", f"-filer=127.0.0.1:{filer}"]
    commands = "s3.bucket.create -name docs\ns3.bucket.list\n"
    for _ in range(30):
        with contextlib.suppress(subprocess.TimeoutExpired):
            done = subprocess.run(shell, input=commands, capture_output=True, text=True, timeout=10, check=False)
            if "docs" in done.stdout:
                return True
        time.sleep(0.5)
    return False


def _listens(port: int) -> bool:
    for _ in range(60):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return True
        time.sleep(0.25)
    return False


def _low_port() -> int:
    """A port that is free together with the one 10,000 above it, which SeaweedFS takes for gRPC."""
    while True:
        with contextlib.suppress(OSError), socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            found = int(one.getsockname()[1])
            if found < 55_000:
                other.bind(("127.0.0.1", found + 10_000))
                return found
