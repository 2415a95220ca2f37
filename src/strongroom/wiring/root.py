"""Which root keys the configuration means. The first has the configured name; a later one has its number behind it."""

import ctypes
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from strongroom.config import Config, Layout
from strongroom.errors import ConfigError, Conflict
from strongroom.keys.file import FileRootKey
from strongroom.keys.ring import ring
from strongroom.keys.root import RootKey
from strongroom.secret import Secret

if TYPE_CHECKING:
    from strongroom.keys.pkcs11 import Pkcs11RootKey

Reseal = Callable[[RootKey], None]


def open_root(config: Config, layout: Layout) -> RootKey:
    """The store's root key; several as one while it is rotated. Raises ConfigError, Unavailable."""
    return ring([_open(config, layout, number) for number in reversed(_numbers(config, layout) or [1])])


def create_root(config: Config, layout: Layout) -> RootKey:
    """A store's first root key, where the configuration says. Raises Conflict when there is one."""
    if numbers := _numbers(config, layout):
        msg = f"There is a root key {_named(config, layout, numbers[-1])} already."
        raise Conflict(msg, advice="It is left as it is. Without it no document could be read again.")
    return _create(config, layout, 1)


def preload_root(config: Config) -> None:
    """Load the HSM's binding and driver while we may still read them. A driver that is missing is told when it is opened."""
    if config.keeper.root == "file":
        return
    _binding()
    with suppress(OSError):
        ctypes.CDLL(_where(config)[0])


class StoreRoots:
    """See `keys.ring.Roots`."""

    def __init__(self, config: Config, layout: Layout, reseal: Reseal) -> None:
        """`reseal` wraps the keeper's secrets anew, under the key it is given."""
        self._config = config
        self._layout = layout
        self._reseal = reseal
        self._turning: bool | None = None  # an HSM is not asked each second

    def turning(self) -> bool:
        """See `Roots.turning`."""
        if self._turning is None:
            self._turning = len(_numbers(self._config, self._layout)) > 1
        return self._turning

    def begin(self) -> RootKey:
        """See `Roots.begin`."""
        numbers = _numbers(self._config, self._layout)
        _create(self._config, self._layout, numbers[-1] + 1)
        self._turning = True
        return open_root(self._config, self._layout)

    def finish(self) -> RootKey:
        """See `Roots.finish`."""
        *older, newest = _numbers(self._config, self._layout)
        self._reseal(open_root(self._config, self._layout))
        for number in older:
            _destroy(self._config, self._layout, number)
        self._turning = False
        return _open(self._config, self._layout, newest)


def _numbers(config: Config, layout: Layout) -> list[int]:
    """The numbers of the root keys there are, ascending."""
    if config.keeper.root == "file":
        first = layout.root_key.name
        names: Sequence[str] = [path.name for path in layout.root_key.parent.glob(f"{first}*")]
    else:
        binding, where = _binding(), _where(config)
        first = where[2]
        names = binding.labels(where[0], where[1], _pin_of(config, layout))
    form = re.compile(re.escape(first) + r"(?:\.([1-9][0-9]{0,5}))?")
    return sorted(int(found[1] or 1) for name in names if (found := form.fullmatch(name)))


def _open(config: Config, layout: Layout, number: int) -> RootKey:
    if config.keeper.root == "file":
        return FileRootKey.read(Path(_named(config, layout, number)))
    module, token, _ = _where(config)
    return _binding()(module, token, _named(config, layout, number), _pin_of(config, layout))


def _create(config: Config, layout: Layout, number: int) -> RootKey:
    if config.keeper.root == "file":
        return FileRootKey.create(Path(_named(config, layout, number)))
    module, token, _ = _where(config)
    return _binding().create(module, token, _named(config, layout, number), _pin_of(config, layout))


def _destroy(config: Config, layout: Layout, number: int) -> None:
    if config.keeper.root == "file":
        FileRootKey.destroy(Path(_named(config, layout, number)))
        return
    module, token, _ = _where(config)
    _binding().destroy(module, token, _named(config, layout, number), _pin_of(config, layout))


def _named(config: Config, layout: Layout, number: int) -> str:
    first = str(layout.root_key) if config.keeper.root == "file" else _where(config)[2]
    return first if number == 1 else f"{first}.{number}"


def _binding() -> "type[Pkcs11RootKey]":
    try:
        from strongroom.keys.pkcs11 import Pkcs11RootKey  # noqa: PLC0415  # an extra that a file root key does not need
    except ImportError as error:
        msg = "The root key is in an HSM, but the PKCS#11 binding is not installed."
        raise ConfigError(msg, advice="Install strongroom[hsm].") from error
    return Pkcs11RootKey


def _where(config: Config) -> tuple[str, str, str]:
    """Module, token, label."""
    where = config.keeper.pkcs11
    if where is None:  # the configuration's own check refuses this; a second look costs nothing
        msg = "There is no [keeper.pkcs11] section."
        raise ConfigError(msg)
    return where.module, where.token, where.label


def _pin_of(config: Config, layout: Layout) -> Secret:
    return _pin(layout.root / (config.keeper.pkcs11.pin_file if config.keeper.pkcs11 else ""))


def _pin(path: Path) -> Secret:
    try:
        if path.stat().st_mode & 0o077:
            msg = f"The HSM's PIN file {path} can be read by others."
            raise ConfigError(msg, advice=f"Run: chmod 600 {path}")
        return Secret(path.read_bytes().strip())
    except OSError as error:
        msg = f"The HSM's PIN file {path} cannot be read: {error.strerror}."
        raise ConfigError(msg, advice="Set pin_file in [keeper.pkcs11].") from error
