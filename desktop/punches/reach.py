"""How to reach a terminal: taken out of the book before anything talks to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.errors import Refused
from desktop.punches.tables import Terminal
from devices.terminals.driver import Connection, Driver, Surroundings

Opener = Callable[[str, Connection, Surroundings], Driver]
"""Makes a driver from its name; ``registry.open_driver`` outside of tests."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Plain values that may pass into a lane. ``cursor`` and ``epoch`` as the book holds them."""

    terminal_id: int
    name: str
    driver: str
    connection: Connection
    cursor: dict[str, Any]
    epoch: int = 0
    serial: str = ""


def reach_of(desk: Desk, terminal: Terminal) -> Reach:
    """How to reach a terminal, or :class:`Refused` for one without an address.

    Its password is taken out for those only who may read it.
    """
    desk.permit(Act.PUNCHES_COLLECTED)
    if not terminal.address:
        raise Refused(
            "no_address",
            f"「{terminal.name}」没有登记网络地址，不能联网读取。请用 punches import 导入U盘文件，或补登地址。",
            terminal=terminal.name,
        )
    sealed = terminal.password_sealed
    connection = Connection(
        address=terminal.address,
        transport=terminal.transport,
        password="" if sealed is None else desk.book.sealer.open(sealed),
        encoding=terminal.encoding,
    )
    return Reach(
        terminal.id, terminal.name, terminal.driver, connection, dict(terminal.cursor or {}),
        terminal.epoch, terminal.serial,
    )
