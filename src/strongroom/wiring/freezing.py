"""An alert makes a watch ask the gateway, the keeper or both to refuse documents to an account for a while, by the detections that
the operator names.

Logs are written by whoever sends requests, and nobody need have checked the user's name in them: whoever can write lines into a log
can have alerts raised about others. So this fails towards doing nothing: single accounts alone, never an address, a route or
everybody; for some hours; so many in an hour and at once, counted where the gateway keeps them; not for alerts that are old or low;
and what somebody allowed or took back holds. What is done, and what is not and why, is said.
"""

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from strongroom.clock import HOUR, MINUTE, Clock
from strongroom.errors import ConfigError, StrongroomError
from strongroom.gateway import acts
from strongroom.gateway.person import People
from strongroom.wiring.freezing_keeper import KeeperDesk, KeeperFile
from strongroom.wiring.gateway import looked_after

FRESH: Final = HOUR
"""Age beyond which an alert freezes nobody: history that is read says who was a thief, and not who is one."""
AHEAD: Final = 5 * MINUTE
"""By which an alert may be ahead of the clock."""
_MOST: Final = 64 * 1024
_WHY: Final = 1_000
"""Characters of a reason."""
_LOGIN: Final = "login "
_QUIET: Final = frozenset({"informational", "low"})


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    detections: Annotated[list[str], msgspec.Meta(min_length=1)]
    gateway: str = ""
    keeper: KeeperFile | None = None
    names: Literal["login", "gateway"] = "login"
    hours: Annotated[int, msgspec.Meta(ge=1, le=24)] = 4
    an_hour: Annotated[int, msgspec.Meta(ge=1, le=20)] = 3
    at_once: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20
    never: list[str] = []


class Freezer:
    """A way of telling alerts (`detect.messenger`): gateway and keeper are asked, and the operator is told what became of it."""

    def __init__(
        self, path: Path, known: Collection[tuple[str, str]], clock: Clock, said: Callable[[str], None]
    ) -> None:
        """`known`: ids and titles of the detections that there are. Raises ConfigError for what cannot be as the file says."""
        self._file, self._clock, self._said = _read(path), clock, said
        self._ways: dict[str, Callable[[str, str], acts.Answer]] = {}
        self._asked: set[tuple[str, str]] = set()  # (alert, way) that is done, while another way of it is not
        names = {name for one in known for name in one}
        strange = [one for one in self._file.detections if one not in names]
        if strange:
            advice = "`strongroom rules list` names those of rules; an alert names its own, by title and `detection`."
            raise ConfigError(f"{path}: the watch has no detection {strange[0][:80]!r}.", advice=advice)
        if self._file.gateway:
            gateway = path.parent / self._file.gateway
            looked_after(gateway)[1].close()
            self._ways["gateway"] = partial(self._at_gateway, gateway)
        if self._file.keeper is not None:
            self._ways["keeper"] = KeeperDesk(self._file.keeper, path.parent, clock).ask
        if not self._ways:
            raise ConfigError(f"{path} names neither a gateway nor a keeper.", advice="docs/watch.md shows both.")

    def tell(self, body: dict[str, Any]) -> None:
        """Ask for one alert, where that is configured. Raises OSError when one of them cannot be asked now; the other is, once."""
        if not {body["detection"], body["title"]} & set(self._file.detections):
            return
        name = body["about"].removeprefix(_LOGIN)
        if name == body["about"] or not name or body["level"] in _QUIET:
            return
        unfit = self._unfit(name, body)
        if unfit:
            self._say(body, acts.Answer(done=False, because=unfit))
            return
        why = f"{body['title']}, by a watch (alert {body['id']})"[:_WHY]
        failed: list[StrongroomError] = []
        for whose, ask in self._ways.items():
            if (body["id"], whose) in self._asked:
                continue
            try:
                self._say(body, ask(name, why), f"by the {whose}: ")
                self._asked.add((body["id"], whose))
            except StrongroomError as error:
                failed.append(error)
        if failed:
            raise OSError(" ".join(map(str, failed)))
        self._asked.clear()  # alerts come one at a time, each until it is told

    def _unfit(self, name: str, body: dict[str, Any]) -> str:
        """Why nobody is asked; nothing where they are."""
        now = int(self._clock.now())
        if name in self._file.never:
            return "is never to be"
        return "" if now - FRESH <= body["fired"] <= now + AHEAD else "the alert is not of this hour"

    def _say(self, body: dict[str, Any], answer: acts.Answer, whose: str = "") -> None:
        what = "Refused documents for some hours" if answer.done else "NOT refused"
        self._said(f"{what}: {body['about']} ({whose}{answer.because}; alert {body['id']}: {body['title']}).")

    def _at_gateway(self, gateway: Path, name: str, why: str) -> acts.Answer:
        file = self._file
        checked, counts = looked_after(gateway)
        try:
            person = name if file.names == "gateway" else People(checked.settings.people, counts).name(name)
            bounds = acts.Bounds(file.an_hour, file.at_once, file.hours * HOUR)
            return acts.ask(counts, person, why, int(self._clock.now()), bounds)
        finally:
            counts.close()


def _read(path: Path) -> _File:
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST + 1)
        if len(raw) > _MOST:
            raise ConfigError(f"{path} is larger than {_MOST} bytes.")
        return msgspec.toml.decode(raw, type=_File)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} does not fit: {error}.", advice="docs/watch.md shows one.") from error
