"""The Core Rule Set's own regression tests, and the payload sets of others, over HTTP through the gateway.

The tests are those of the release whose rules are loaded: from `STRONGROOM_CRS_TESTS` (a folder or the archive of a release); or,
where that is not set, from Debian's source package (`apt-get source modsecurity-crs`, by a list of sources of the bench's own). The
rules run as their authors run them in these tests: at paranoia level 4, telling and not blocking, with narrow limits. The gateway
learns, so that what no route describes passes on to the WAF; what could be read in two ways it refuses all the same, and a request
that is refused holds unless something harmless was expected of it.

Other sets, where they are supplied: `STRONGROOM_GOTESTWAF` (its `testcases`), `STRONGROOM_NEMESIDA` (its `payload`). At paranoia
level 1, blocking: how many attacks are blocked, and how many harmless requests pass.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench import Scale
from bench.crs import sets
from bench.crs.suite import Case, Heard, judged, read
from bench.proxied import Served, gateway
from bench.report import Figure, Goal
from strongroom.errors import ConfigError
from strongroom.gateway import crs, rules
from strongroom.gateway.modsecurity import Engine
from strongroom.gateway.waf import Waf

NAMED = "STRONGROOM_CRS_TESTS"
"""Environment variable: a folder with the release's `tests`, or its archive."""
RULES = "STRONGROOM_CRS_RULES"
"""Environment variable: the folder of the rules, where they are not Debian's."""
GOALS = {3: 98.2, 4: 98.9}
"""Per cent, by major version of the rules."""

SETTINGS = b"""
[gateway]
routes = "learn"
max_headers = 200
max_cookies = 200

[guard]
mode = "off"

[waf]
mode = "detect"
"""
LIMITS = """
SecAction "id:900300,phase:1,nolog,pass,t:none,setvar:tx.arg_name_length=100,setvar:tx.arg_length=400"
SecAction "id:900310,phase:1,nolog,pass,t:none,setvar:tx.total_arg_length=6400,setvar:tx.max_num_args=255"
SecAction "id:900320,phase:1,nolog,pass,t:none,setvar:tx.max_file_size=64100,setvar:tx.combined_file_sizes=65535"
SecAction "id:900330,phase:1,nolog,pass,t:none,setvar:tx.crs_validate_utf8_encoding=1"
SecAction "id:900340,phase:1,nolog,pass,t:none,ctl:ruleEngine=DetectionOnly"
SecAction "id:900350,phase:1,nolog,pass,t:none,setvar:!tx.allowed_methods,setvar:!tx.allowed_request_content_type"
"""
"""As the tests expect them; methods and types of bodies as the rules have them where nobody says anything."""
BLOCKS = 949_110
"""The rule that blocks where the others' score is reached."""
SECONDS = 2.0
"""Before a client that waits in vain says that it has said all: some tests announce more than they send."""


def run(scale: Scale) -> Iterable[Figure]:
    """Both scales run all tests: they are what they are."""
    del scale
    folder = Path(os.environ.get(RULES, crs.FOLDER))
    with tests() as place:
        cases = list(read(place))
    if not cases:
        raise ConfigError(
            f"There are no tests of the Core Rule Set in {place}.", advice=f"Set {NAMED} to a release's archive."
        )
    engine = Engine()
    found = rules.load(engine, folder, level=4, more=LIMITS)
    with portal() as port, gateway(SETTINGS, port, Waf(engine, block=False)) as served:
        failures, refused = ran(cases, served)
    for name, why in failures:
        print(f"{name}: {why}", file=sys.stderr)
    version = ".".join(map(str, found.version))
    passed = 100 * (len(cases) - len(failures)) / len(cases)
    yield Figure(f"tests of the Core Rule Set {version}", len(cases), "")
    yield Figure("tests that hold through the gateway", passed, "%", None, Goal("value", ">=", GOALS[found.version[0]]))
    yield Figure("of them, requests that the gateway refuses before the rules", refused, "")
    if any(os.environ.get(variable) for variable in (sets.GOTESTWAF, sets.NEMESIDA)):
        plain = Engine()
        rules.load(plain, folder)
        with portal() as port, gateway(SETTINGS, port, Waf(plain, block=True)) as served:
            yield from sets.run(served)


def ran(cases: Iterable[Case], served: Served) -> tuple[list[tuple[str, str]], int]:
    """What failed, and why; and how many requests were refused before the rules."""
    failures, refused = [], 0
    for case in cases:
        for stage in case.stages:
            heard = asked(served, stage.raw)
            refused += heard.hits is None
            why = judged(stage, heard)
            if why:
                failures.append((case.name, why))
                break
    return failures, refused


def asked(served: Served, raw: bytes) -> Heard:
    """What comes of these bytes."""
    answer = served.asks(raw, SECONDS)
    status = re.match(rb"HTTP/1\.[01] ([0-9]{3})", answer)
    request = re.search(rb"\r\nx-request-id: ([a-z0-9]+)\r\n", answer)
    if request is None:
        return Heard(None, int(status[1]) if status else 0)
    event = served.event(request[1].decode())
    if event.refused and not event.seen:
        return Heard(None, event.status, event.rule)
    found = frozenset(hit.rule for hit in event.hits)
    return Heard(found, event.status, event.rule, blocked=BLOCKS in found)


@contextlib.contextmanager
def tests() -> Iterator[Path]:
    """Where the tests are. Raises ConfigError."""
    named = os.environ.get(NAMED)
    if named:
        yield Path(named)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield from_debian(Path(folder))


def from_debian(folder: Path) -> Path:
    """The archive of Debian's source package, fetched with a list of sources of our own. Raises ConfigError."""
    advice = f"Or set {NAMED} to the archive of the release whose rules are installed."
    if shutil.which("apt-get") is None:
        raise ConfigError(
            "The tests of the Core Rule Set come from Debian's source package, and there is no apt-get.", advice=advice
        )
    for name in ("parts", "lists/partial", "source"):
        (folder / name).mkdir(parents=True)
    for path in Path("/etc/apt").glob("sources.list.d/*.sources"):
        text = path.read_text(encoding="utf-8")
        if "debian" in text:
            (folder / "parts" / path.name).write_text(
                re.sub(r"(?m)^Types:.*$", "Types: deb-src", text), encoding="utf-8"
            )
    lines = Path("/etc/apt/sources.list").read_text(encoding="utf-8") if Path("/etc/apt/sources.list").exists() else ""
    sources = [
        re.sub(r"^deb ", "deb-src ", line) for line in lines.splitlines() if re.match(r"deb(-src)? .*debian", line)
    ]
    (folder / "sources.list").write_text("\n".join([*dict.fromkeys(sources), ""]), encoding="utf-8")
    options = [
        "-q", "-o", f"Dir::Etc::SourceList={folder}/sources.list", "-o", f"Dir::Etc::SourceParts={folder}/parts",
        "-o", f"Dir::State::Lists={folder}/lists", "-o", "APT::Sandbox::User=root",
    ]  # fmt: skip
    version = _installed()
    for command in (
        ["update"],
        ["source", "--download-only", f"modsecurity-crs={version}" if version else "modsecurity-crs"],
    ):
        done = subprocess.run(
            ["apt-get", *options, *command], cwd=folder / "source", capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ConfigError(f"apt-get {command[0]} failed: {done.stderr.strip()[-300:]}", advice=advice)
    return next((folder / "source").glob("*.orig.tar.*"))


def _installed() -> str:
    command = ["dpkg-query", "--show", "--showformat=${Version}", "modsecurity-crs"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


class _Portal(BaseHTTPRequestHandler):
    """Says OK to everything."""

    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        """One request, whatever its method is called."""
        self.raw_requestline = self.rfile.readline(65_537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", "2")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextlib.contextmanager
def portal() -> Iterator[int]:
    """A portal that says OK to everything; its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Portal) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
