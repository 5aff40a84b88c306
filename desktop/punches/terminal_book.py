"""The terminal book (设备台账): which terminals stand on the site, how to reach and read them.

A terminal has a permanent id; its serial is bound at first contact, and another serial at the same
entry is refused until the office says that the unit was replaced. Nothing here talks to a terminal:
one can be entered before it has power.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.access import editing
from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.errors import Refused
from desktop.punches.tables import Terminal
from desktop.punches.terminal_list import TerminalView, list_terminals

__all__ = [
    "DIRECTIONS", "LONGEST_NAME", "TRANSPORTS", "Edit", "TerminalChange", "TerminalView",
    "add_terminal", "bind_serial", "declare_biometric_only", "driver_names", "edit_terminal",
    "find_terminal", "list_terminals", "other_unit", "rebind_terminal", "retire_terminal",
    "terminal_named", "unknown_terminal",
]

DIRECTIONS = {"in": "进", "out": "出", "both": "进出"}
TRANSPORTS = ("tcp", "udp")
LONGEST_NAME = 40

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+)(:(\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class TerminalChange:
    """What an act on the terminal book did; ``warnings`` are sentences."""

    terminal_id: int
    name: str
    warnings: tuple[str, ...] = ()


def add_terminal(
    desk: Desk,
    name: str,
    *,
    driver: str,
    address: str,
    direction: str,
    transport: str = "tcp",
    password: str | None = None,
    in_use_from: date | None = None,
) -> TerminalChange:
    """Enter a terminal; it need not answer. ``address`` ``HOST[:PORT]``, empty = stick only.

    ``in_use_from``: earlier days are not asked for; None = since the project began. Raises
    :class:`Refused` for a taken name or a value that cannot be.
    """
    desk.permit(Act.TERMINAL_CHANGED)
    name = _name(name)
    address = _address(address)
    _check(driver, transport, direction)
    with desk.book.write() as session:
        _refuse_taken(session, desk.project_id, name)
        terminal = Terminal(
            project_id=desk.project_id,
            name=name,
            driver=driver,
            address=address,
            transport=transport,
            direction=direction,
            serial="",
            password_sealed=desk.book.sealer.seal(password) if password else None,
            encoding="",
            biometric_only_from=None,
            biometric_only_evidence="",
            in_use_from=in_use_from,
            retired_on=None,
            epoch=0,
            cursor={},
            complete_until=None,
            last_contact_at=None,
        )
        session.add(terminal)
        session.flush()
        warnings = _shared_address(session, terminal)
        desk.audit(
            session, Act.TERMINAL_CHANGED, f"terminal:{terminal.id}", did="added", driver=driver,
            direction=direction,
        )
        return TerminalChange(terminal.id, name, warnings)


@dataclass(frozen=True, slots=True)
class Edit:
    """New values; None leaves a value as it is. ``password`` "" removes the stored one."""

    name: str | None = None
    address: str | None = None
    transport: str | None = None
    direction: str | None = None
    password: str | None = None
    in_use_from: date | None = None


def edit_terminal(
    desk: Desk, name: str, edit: Edit, *, why: str = "", seen: int | None = None
) -> TerminalChange:
    """Change an entry. A new direction changes what past punches mean, so it needs ``why``.

    ``seen``: the version the editor saw; raises :class:`desktop.errors.Conflict` when somebody
    changed one of the same values since.
    """
    desk.permit(Act.TERMINAL_CHANGED)
    with desk.book.write() as session:
        terminal = terminal_named(session, desk.project_id, name)
        _check(
            terminal.driver, edit.transport or terminal.transport,
            edit.direction or terminal.direction,
        )
        new = _new_values(desk, terminal, edit)
        _check_seen(desk, session, terminal, seen, *new)
        if "name" in new:
            _refuse_taken(session, desk.project_id, new["name"])
        if "direction" in new and not why.strip():
            raise Refused(
                "reason_needed", "改变进出方向会影响已有打卡的判定，请写明原因。未做任何改动。"
            )
        for field, value in new.items():
            setattr(terminal, "password_sealed" if field == "password" else field, value)
        session.flush()
        if new:
            editing.touch(desk, session, f"terminal:{terminal.id}", *new)
            desk.audit(
                session, Act.TERMINAL_CHANGED, f"terminal:{terminal.id}", why=why, did="edited",
                fields=list(new),
            )
        return TerminalChange(terminal.id, terminal.name, _shared_address(session, terminal))


def _new_values(desk: Desk, terminal: Terminal, edit: Edit) -> dict[str, Any]:
    """The values that are not what they were; a stated password always counts as new."""
    stated: dict[str, Any] = {
        "name": None if edit.name is None else _name(edit.name),
        "direction": edit.direction,
        "address": None if edit.address is None else _address(edit.address),
        "transport": edit.transport,
        "in_use_from": edit.in_use_from,
    }
    new: dict[str, Any] = {
        field: value for field, value in stated.items()
        if value is not None and value != getattr(terminal, field)
    }
    if edit.password is not None:
        new["password"] = desk.book.sealer.seal(edit.password) if edit.password else None
    return new


def _check_seen(
    desk: Desk, session: Session, terminal: Terminal, seen: int | None, *fields: str
) -> None:
    """Raise when one of ``fields`` was changed by somebody else since ``seen``."""
    day = terminal.in_use_from
    retired = terminal.retired_on
    now: dict[str, editing.Now] = {
        "name": ("名称", terminal.name),
        "direction": ("方向", DIRECTIONS.get(terminal.direction, terminal.direction)),
        "address": ("地址", terminal.address),
        "transport": ("通讯方式", terminal.transport),
        "in_use_from": ("启用日期", "" if day is None else day.isoformat()),
        "password": ("通讯密码", None),
        "retired_on": ("停用日期", "" if retired is None else retired.isoformat()),
        "biometric_only": ("仅生物识别声明", None),
        "serial": ("设备绑定", None),
    }
    editing.check(
        desk, session, f"terminal:{terminal.id}", seen, f"「{terminal.name}」",
        {field: now[field] for field in fields},
    )


def retire_terminal(
    desk: Desk, name: str, on: date, *, seen: int | None = None
) -> TerminalChange:
    """The terminal leaves the site; ``on`` is the last day it is expected to record."""
    desk.permit(Act.TERMINAL_CHANGED)
    with desk.book.write() as session:
        terminal = terminal_named(session, desk.project_id, name)
        _check_seen(desk, session, terminal, seen, "retired_on")
        terminal.retired_on = on
        editing.touch(desk, session, f"terminal:{terminal.id}", "retired_on")
        desk.audit(
            session, Act.TERMINAL_CHANGED, f"terminal:{terminal.id}", did="retired",
            on=on.isoformat(),
        )
        return TerminalChange(terminal.id, terminal.name)


def declare_biometric_only(
    desk: Desk, name: str, from_day: date, evidence: str, *, seen: int | None = None
) -> TerminalChange:
    """仅生物识别: from that day unknown methods of this terminal count, as the evidence shows."""
    desk.permit(Act.TERMINAL_CHANGED)
    if not evidence.strip():
        raise Refused(
            "evidence_needed",
            "声明仅生物识别须写明依据（例如设备照片、验证方式设置截图及日期）。未做任何改动。",
        )
    with desk.book.write() as session:
        terminal = terminal_named(session, desk.project_id, name)
        _check_seen(desk, session, terminal, seen, "biometric_only")
        terminal.biometric_only_from = from_day
        terminal.biometric_only_evidence = evidence.strip()
        editing.touch(desk, session, f"terminal:{terminal.id}", "biometric_only")
        desk.audit(
            session, Act.TERMINAL_CHANGED, f"terminal:{terminal.id}", why=evidence.strip(),
            did="biometric_only", since=from_day.isoformat(),
        )
        return TerminalChange(terminal.id, terminal.name)


def rebind_terminal(
    desk: Desk, name: str, reason: str, *, seen: int | None = None
) -> TerminalChange:
    """The unit was replaced: the next contact binds the new serial, its log starts anew."""
    desk.permit(Act.TERMINAL_CHANGED)
    if not reason.strip():
        raise Refused("reason_needed", "更换设备须写明原因。未做任何改动。")
    with desk.book.write() as session:
        terminal = terminal_named(session, desk.project_id, name)
        _check_seen(desk, session, terminal, seen, "serial")
        editing.touch(desk, session, f"terminal:{terminal.id}", "serial")
        desk.audit(
            session, Act.TERMINAL_CHANGED, f"terminal:{terminal.id}", why=reason.strip(),
            did="rebound", serial=terminal.serial, epoch=terminal.epoch + 1,
        )
        terminal.serial = ""
        terminal.epoch += 1
        terminal.cursor = {}
        return TerminalChange(terminal.id, terminal.name)


# ── for those who read terminals ────────────────────────────────────────────────────────────────


def terminal_named(session: Session, project_id: int, name: str) -> Terminal:
    """The terminal of that name, or :class:`Refused` naming those there are."""
    found = find_terminal(session, project_id, name)
    if found is None:
        raise unknown_terminal(session, project_id, name)
    return found


def find_terminal(session: Session, project_id: int, name: str) -> Terminal | None:
    """The terminal of that name, None when nobody entered it."""
    return session.scalar(
        select(Terminal).where(Terminal.project_id == project_id, Terminal.name == name.strip())
    )


def unknown_terminal(
    session: Session, project_id: int, name: str, left: str = "未做任何改动"
) -> Refused:
    """The refusal for a name nobody entered; ``left`` says what was not done."""
    names = session.scalars(
        select(Terminal.name).where(Terminal.project_id == project_id).order_by(Terminal.id)
    ).all()
    known = f"已登记的有：{'、'.join(names)}" if names else "还没有登记任何考勤机"
    return Refused(
        "unknown_terminal",
        f"没有名为「{name}」的考勤机，{left}。{known}。请核对名称，或先用 terminal add 登记。",
        terminal=name,
    )


def other_unit(name: str, bound: str, answered: str) -> Refused:
    """The refusal of records of a unit that is not the one of this entry."""
    return Refused(
        "serial_changed",
        f"「{name}」登记的序列号是{bound}，现在应答的是{answered}：不是同一台机器。"
        "没有保存它的任何记录。若确已换机，请先用 terminal rebind 写明原因；否则请核对地址。",
        terminal=name, bound=bound, answered=answered,
    )


def bind_serial(session: Session, terminal: Terminal, serial: str) -> tuple[str, ...]:
    """Bind at first contact; refuse a unit that is another one than before. Returns warnings.

    An empty serial (a unit that will not say it) proves and binds nothing. The same serial at two
    entries is only warned of: cheap units are sold with equal ones.
    """
    if not serial:
        return ()
    if terminal.serial and serial != terminal.serial:
        raise other_unit(terminal.name, terminal.serial, serial)
    terminal.serial = serial
    others = session.scalars(
        select(Terminal.name).where(
            Terminal.project_id == terminal.project_id,
            Terminal.serial == serial,
            Terminal.id != terminal.id,
        )
    ).all()
    return tuple(
        f"「{terminal.name}」与「{other}」的序列号相同（{serial}），可能是同一台机器登记了两次，请核对地址。"
        for other in others
    )


# ── checks ──────────────────────────────────────────────────────────────────────────────────────


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Refused(
            "terminal_name",
            f"考勤机名称应为1到{LONGEST_NAME}个字，例如「东门进」。未做任何改动。",
        )
    return name


def _address(address: str) -> str:
    address = address.strip()
    if not address:
        return ""
    match = _ADDRESS.fullmatch(address)
    if match is None or (match[3] is not None and not 0 < int(match[3]) < 65536):
        raise Refused(
            "terminal_address",
            f"地址「{address}」读不懂，应为 IP:端口，例如 192.168.1.201:4370。未做任何改动。",
            address=address,
        )
    return address


def driver_names() -> list[str]:
    """Drivers a terminal may have; forms offer them. Lists of terminals load no driver."""
    from devices.terminals import registry

    return registry.driver_names()


def _check(driver: str, transport: str, direction: str) -> None:
    known = driver_names()
    if driver not in known:
        raise Refused(
            "unknown_driver",
            f"没有名为「{driver}」的考勤机驱动，可用的有：{'、'.join(known)}。未做任何改动。",
            driver=driver, known=known,
        )
    if transport not in TRANSPORTS:
        raise Refused(
            "transport", f"通讯方式只能是 tcp 或 udp，不能是「{transport}」。未做任何改动。"
        )
    if direction not in DIRECTIONS:
        raise Refused(
            "direction",
            f"方向只能是 in（进）、out（出）或 both（进出），不能是「{direction}」。未做任何改动。",
        )


def _refuse_taken(session: Session, project_id: int, name: str) -> None:
    taken = session.scalar(
        select(Terminal.id).where(Terminal.project_id == project_id, Terminal.name == name)
    )
    if taken is not None:
        raise Refused(
            "terminal_exists",
            f"已有名为「{name}」的考勤机，未做任何改动。请换一个名称。",
            terminal=name,
        )


def _shared_address(session: Session, terminal: Terminal) -> tuple[str, ...]:
    """Two entries at one address are likely a slip, but a moved terminal is no error."""
    if not terminal.address:
        return ()
    others = session.scalars(
        select(Terminal.name).where(
            Terminal.project_id == terminal.project_id,
            Terminal.address == terminal.address,
            Terminal.id != terminal.id,
            Terminal.retired_on.is_(None),
        )
    ).all()
    return tuple(f"「{other}」登记了同一个地址{terminal.address}，请核对。" for other in others)
