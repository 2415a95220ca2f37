"""The place that the table gives a program: its user for good, nothing of the others', and no network where it needs none."""

import logging

from strongroom.border import kernel
from strongroom.border.table import Borders, Row, declare
from strongroom.config import Config, Layout
from strongroom.wiring.user import become

log = logging.getLogger("strongroom.seat")


def take_seat(name: str, config: Config, layout: Layout) -> None:
    """Be this program's user from now on, in namespaces in which there is nothing that is not in its row.

    Where the machine allows no such namespaces, users alone keep programs apart, and it is said. Raises ConfigError.
    """
    borders = declare(config, layout)
    row = borders.row(name)
    if borders.separate:
        _shut_in(borders, row)
    become(row.uid, row.groups)


def _shut_in(borders: Borders, row: Row) -> None:
    try:
        if not row.listens and not row.connects:
            kernel.no_network()
            log.info("%s has no network: nothing is listed that it connects to.", row.name)
        kernel.own_mounts()
        for path in borders.hidden(row):
            if path.exists():
                kernel.hide(path)
    except OSError as error:  # a container without the right to; a systemd unit, which has done it already
        log.warning("No namespaces of its own for %s: %s.", row.name, error.strerror)
