"""Drivers by name. A new family adds one line here; nothing is found by position or by guessing."""

from __future__ import annotations

from devices.errors import NotSupported
from devices.terminals.driver import Connection, Driver, Surroundings
from devices.terminals.zk.driver import ZkDriver

DRIVERS: dict[str, type[Driver]] = {
    ZkDriver.name: ZkDriver,
}


def driver_names() -> list[str]:
    """Every name ``terminal add --driver`` may take, sorted."""
    return sorted(DRIVERS)


def driver_class(name: str) -> type[Driver]:
    """The class of a name; ``NotSupported("driver")`` for an unknown one."""
    try:
        return DRIVERS[name]
    except KeyError:
        raise NotSupported("driver") from None


def open_driver(
    name: str, connection: Connection, surroundings: Surroundings | None = None
) -> Driver:
    """A driver for one terminal. Opens nothing: a terminal need not answer to be added."""
    return driver_class(name)(connection, surroundings or Surroundings())
