"""Usage logs of Google Cloud Storage, by "Usage logs & storage logs" of its documentation: CSV with a first line of names."""

from collections.abc import Callable
from typing import Final

from strongroom.logs import objects
from strongroom.logs.cells import MARK, below, cells
from strongroom.logs.network import whole
from strongroom.logs.record import BEYOND_64_BITS, NO_TIME, Act, Kind, Log, Read

FIELDS = objects.FIELDS
_NEEDED: Final = frozenset({"time_micros", "c_ip", "cs_method", "sc_status", "cs_bucket", "cs_object"})
_ACTS: Final = {"GET": Act.READ, "PUT": Act.WRITE, "POST": Act.WRITE, "DELETE": Act.DELETE}
_MICROS: Final = 253_402_300_800_000_000  # the year 10000


def heading(first: bytes) -> Callable[[bytes], Read] | None:
    """How to read the lines below this first one; None when it is not the heading of such a log."""
    names = cells(first.removeprefix(MARK))
    return below(first, names, _row) if names and set(names) >= _NEEDED else None


def _row(said: dict[str, str]) -> Read:
    micros, status, size = (whole(said.get(name) or "0") for name in ("time_micros", "sc_status", "sc_bytes"))
    if not micros or micros >= _MICROS:
        return NO_TIME
    if status is None or size is None:
        return BEYOND_64_BITS
    key, address, method = said["cs_object"], said["c_ip"], said["cs_method"]
    listing = method == "GET" and not key
    return objects.row(
        log=Log.GCP, time=micros // 1000, uid=said.get("s_request_id", ""), failed=status >= 400,  # noqa: PLR2004  # HTTP's
        act=Act.LIST if listing else _ACTS.get(method, Act.OTHER), who=address or "nobody", kind=Kind.ADDRESS, address=address,
        agent=said.get("cs_user_agent", ""), referrer=said.get("cs_referer", ""), status=status, size=size,
        operation=said.get("cs_operation") or method, service="storage.googleapis.com", store=said["cs_bucket"], key=key,
    )  # fmt: skip
