"""The `gateway.toml` of three upstreams: our own store, a portal with cookie sessions, a static file server."""

from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).resolve()
_COPY: Final = _HERE.parents[1] / "gateway" / "described"
DESCRIBED: Final = next(
    (place for place in (_HERE.parents[3] / "packaging" / "gateway", _COPY) if place.is_dir()), _COPY
)
"""`packaging/gateway/` of the checkout, or its copy in the installed package: `store.toml`, `portal.toml`, `files.toml`."""
