"""Which root key the configuration means."""

from pathlib import Path

from strongroom.config import Config, Layout
from strongroom.errors import ConfigError
from strongroom.keys.file import FileRootKey
from strongroom.keys.root import RootKey
from strongroom.secret import Secret


def open_root(config: Config, layout: Layout) -> RootKey:
    """The store's root key. Raises ConfigError, Unavailable."""
    if config.keeper.root == "file":
        return FileRootKey.read(layout.root_key)
    return _pkcs11(config, layout, create=False)


def create_root(config: Config, layout: Layout) -> RootKey:
    """A new root key where the configuration says. Raises Conflict when there is one."""
    if config.keeper.root == "file":
        return FileRootKey.create(layout.root_key)
    return _pkcs11(config, layout, create=True)


def _pkcs11(config: Config, layout: Layout, *, create: bool) -> RootKey:
    try:
        from strongroom.keys.pkcs11 import Pkcs11RootKey  # noqa: PLC0415  # an extra that a file root key does not need
    except ImportError as error:
        msg = "The root key is in an HSM, but the PKCS#11 binding is not installed."
        raise ConfigError(msg, advice="Install strongroom[hsm].") from error
    where = config.keeper.pkcs11
    if where is None:  # the configuration's own check refuses this; a second look costs nothing
        msg = "There is no [keeper.pkcs11] section."
        raise ConfigError(msg)
    pin = _pin(layout.root / where.pin_file)
    if create:
        return Pkcs11RootKey.create(where.module, where.token, where.label, pin)
    return Pkcs11RootKey(where.module, where.token, where.label, pin)


def _pin(path: Path) -> Secret:
    try:
        if path.stat().st_mode & 0o077:
            msg = f"The HSM's PIN file {path} can be read by others."
            raise ConfigError(msg, advice=f"Run: chmod 600 {path}")
        return Secret(path.read_bytes().strip())
    except OSError as error:
        msg = f"The HSM's PIN file {path} cannot be read: {error.strerror}."
        raise ConfigError(msg, advice="Set pin_file in [keeper.pkcs11].") from error
