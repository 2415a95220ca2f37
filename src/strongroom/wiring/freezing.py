"""An alert makes a watch ask the gateway to refuse documents to an account for a while, by the detections that the operator names.

Logs are written by whoever sends requests, and nobody need have checked the user's name in them: whoever can write lines into a log
can have alerts raised about others. So this fails towards doing nothing: single accounts alone, never an address, a route or
everybody; for some hours; so many in an hour and at once, counted where the gateway keeps them; not for alerts that are old or low;
and what somebody allowed or took back holds. What is done, and what is not and why, is said.
"""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from strongroom.clock import HOUR, MINUTE, Clock
from strongroom.errors import ConfigError, StrongroomError
from strongroom.gateway import acts
from strongroom.gateway.person import People
from strongroom.wiring.gateway import looked_after

FRESH: Final = HOUR
"""Age beyond which an alert freezes nobody: history that is read says who was a thief, and not who is one."""
AHEAD: Final = 5 * MINUTE
"""By which an alert may be ahead of the clock."""
_MOST: Final = 64 * 1024
_LOGIN: Final = "login "
_QUIET: Final = frozenset({"informational", "low"})


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    gateway: str
    detections: Annotated[list[str], msgspec.Meta(min_length=1)]
    names: Literal["login", "gateway"] = "login"
    hours: Annotated[int, msgspec.Meta(ge=1, le=24)] = 4
    an_hour: Annotated[int, msgspec.Meta(ge=1, le=20)] = 3
    at_once: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20
    never: list[str] = []


class Freezer:
    """A way of telling alerts (`detect.messenger`): the gateway is asked, and the operator is told what became of it."""

    def __init__(
        self, path: Path, known: Collection[tuple[str, str]], clock: Clock, said: Callable[[str], None]
    ) -> None:
        """`known`: ids and titles of the detections that there are. Raises ConfigError for what cannot be as the file says."""
        self._file, self._clock, self._said = _read(path), clock, said
        self._gateway = path.parent / self._file.gateway
        names = {name for one in known for name in one}
        strange = [one for one in self._file.detections if one not in names]
        if strange:
            advice = "`strongroom rules list` names those of rules; an alert names its own, by title and `detection`."
            raise ConfigError(f"{path}: the watch has no detection {strange[0][:80]!r}.", advice=advice)
        looked_after(self._gateway)[1].close()

    def tell(self, body: dict[str, Any]) -> None:
        """Ask for one alert, where that is configured. Raises OSError when the gateway cannot be asked now."""
        if not {body["detection"], body["title"]} & set(self._file.detections):
            return
        name = body["about"].removeprefix(_LOGIN)
        if name == body["about"] or not name or body["level"] in _QUIET:
            return
        try:
            answer = self._asked(name, body)
        except StrongroomError as error:
            raise OSError(str(error)) from error
        what = "Refused documents for some hours" if answer.done else "NOT refused"
        self._said(f"{what}: {body['about']} ({answer.because}; alert {body['id']}: {body['title']}).")

    def _asked(self, name: str, body: dict[str, Any]) -> acts.Answer:
        file, now = self._file, int(self._clock.now())
        if name in file.never:
            return acts.Answer(done=False, because="is never to be")
        if not now - FRESH <= body["fired"] <= now + AHEAD:
            return acts.Answer(done=False, because="the alert is not of this hour")
        checked, counts = looked_after(self._gateway)
        try:
            person = name if file.names == "gateway" else People(checked.settings.people, counts).name(name)
            why = f"{body['title']}, by a watch (alert {body['id']})"
            bounds = acts.Bounds(file.an_hour, file.at_once, file.hours * HOUR)
            return acts.ask(counts, person, why, now, bounds)
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
