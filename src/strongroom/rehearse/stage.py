"""What a rehearsal attacks: a running store made for it, with everything known that an attacker could know, and the truth.

A protocol: rehearsals construct nothing. The command line hands in a factory, which `wiring.stage` implements.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class StageOptions:
    """How the store is to be made."""

    patients: int = 120
    decoys: int = 40
    authorization_broken: bool = False
    probe_limit: int | None = None
    patience: float = 0.7
    """Seconds that the store waits for each of its parts before it refuses."""


class Stage(Protocol):
    """One running store."""

    @property
    def base(self) -> str:
        """Address of the FHIR server."""

    @property
    def border(self) -> str:
        """`uid` when the processes run under users of their own, else `none`."""

    @property
    def documents(self) -> Sequence[tuple[str, str]]:
        """(document, patient) of every document there is."""

    @property
    def hidden(self) -> frozenset[str]:
        """Documents that not everybody who may read the patient may read."""

    @property
    def own(self) -> Mapping[str, str]:
        """Subject to the patient whose own login it is."""

    @property
    def readable(self) -> Mapping[str, frozenset[str]]:
        """Subject to every patient whose documents the login may truly read."""

    @property
    def clinicians(self) -> Sequence[str]:
        """Subjects of clinicians."""

    def token(self, subject: str) -> str:
        """An access token as the sign-in would issue it now, second factor just shown."""

    def program_token(self, subject: str) -> tuple[str, Callable[[str, str], str]]:
        """A program's bound token, and what makes its proof of possession for a method and an address."""

    def session(self, token: str) -> str:
        """The SessionId that the log shows for this token's session."""

    def advance(self, milliseconds: int) -> None:
        """Move the store's clock on. Simulated time."""

    def who_read(self, **selectors: str | int) -> dict[str, Any]:
        """The keeper's own list: {"people": n, "rows": [...], "gaps": [...]}, as `strongroom who-read --json`."""

    def app_files(self) -> Mapping[str, Path]:
        """What an owner of the app's user has: `socket`, `context_key`, `catalogue`, `objects`."""

    def copies(self, folder: Path) -> Mapping[str, Path]:
        """Copies, as a thief of disks would have them: `objects`, `catalogue`, `keeper_db`. Without the root key."""

    def run_as_app(self, script: str, *arguments: str) -> CompletedProcess[str]:
        """Run Python code as the app's user, with everything of Strongroom importable."""


StageFactory = Callable[[StageOptions], AbstractContextManager[Stage]]
