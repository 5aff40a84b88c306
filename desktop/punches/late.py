"""The way into the book for what waited on this PC while the server was away.

Each batch is stored in the name of who collected it, by the rules of its own kind, and removed
here only after the book holds it. Nobody is asked for a permission: it was given when the records
were read, and an inspector who opens the book first must not keep them out.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop.access.actor import Act, Actor, Role
from desktop.access.desk import Desk
from desktop.errors import EnvironmentFault, Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.punches import received, spool
from desktop.punches.keeping import AlreadyStored, Keeping
from desktop.punches.spool import Waiting
from desktop.punches.tables import Terminal

if TYPE_CHECKING:
    from desktop.storage.book import Book

_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class Arrived:
    """A batch that is in the book now; ``new`` of its ``records`` were not there before."""

    terminal: str
    records: int
    new: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Left:
    """A batch that the book does not take as it is; ``reason`` is a sentence."""

    batch: Waiting
    reason: str


@dataclass(frozen=True, slots=True)
class LateReport:
    """What :func:`store_waiting` did."""

    arrived: tuple[Arrived, ...] = ()
    left: tuple[Left, ...] = ()

    def sentences(self) -> list[str]:
        """For the message bar; empty when nothing waited."""
        said = []
        if self.arrived:
            records, new = (
                sum(getattr(one, name) for one in self.arrived) for name in ("records", "new")
            )
            names = "、".join(dict.fromkeys(f"「{one.terminal}」" for one in self.arrived))
            said.append(
                f"服务器断开期间存在本机的{records}条记录已全部入账（{names}），其中新增{new}条。"
            )
        said += [warning for one in self.arrived for warning in one.warnings]
        return said + [one.reason for one in self.left]


def store_waiting(
    book: Book, project_id: int, *, progress: Progress = silent, cancel: CancelToken | None = None
) -> LateReport:
    """Store everything that waits for a project; call it whenever the server is back.

    A book that was brought back into a file takes what waited then, too.

    Raises ``server_away`` when it is gone again (what is stored till then is no longer waiting)
    and :class:`desktop.errors.Cancelled` between batches.
    """
    if not (book.path / spool.FOLDER).is_dir():
        return LateReport()
    arrived: list[Arrived] = []
    left: list[Left] = []
    with _one_at_a_time:
        for batch in spool.waiting(book).batches:
            if cancel is not None:
                cancel.raise_if_set()
            if batch.project_id != project_id:
                continue
            try:
                arrived.append(_store(book, batch, progress))
            except Refused as refusal:
                left.append(Left(batch, refusal.message))
            except EnvironmentFault as fault:
                if fault.code != "waiting_damaged":
                    raise
                left.append(Left(batch, fault.message))
            else:
                spool.remove(batch)
    return LateReport(tuple(arrived), tuple(left))


def drop(desk: Desk, batch_id: str, why: str) -> Waiting:
    """Give up a batch the book does not take; ``batch_id`` may be its beginning. Audited.

    Raises :class:`Refused` without a reason, for no such batch, or while it could still be stored.
    """
    desk.permit(Act.WAITING_DROPPED)
    if not why.strip():
        raise Refused("reason_needed", "放弃等待入账的记录须写明原因。未做任何改动。")
    left = {one.batch.id: one.batch for one in store_waiting(desk.book, desk.project_id).left}
    found = [batch for ident, batch in left.items() if batch_id and ident.startswith(batch_id)]
    if len(found) != 1:
        raise Refused(
            "no_such_batch",
            f"没有编号为「{batch_id[:40]}」的一批不能入账的记录，未做任何改动。请用 punches waiting 查看。",
        )
    (batch,) = found
    with desk.book.write() as session:
        desk.audit(
            session, Act.WAITING_DROPPED, f"terminal:{batch.terminal_id}", why=why.strip(),
            records=batch.records, received_at=batch.received_at.isoformat(), kind=batch.kind,
        )
    spool.remove(batch)
    return batch


def _store(book: Book, batch: Waiting, progress: Progress) -> Arrived:
    """One batch at the desk of who collected it; :class:`Refused` when the book does not take it."""
    with book.read() as session:
        terminal = session.get(Terminal, batch.terminal_id)
    if terminal is None or terminal.project_id != batch.project_id:
        raise Refused(
            "unknown_terminal",
            f"等待入账的记录属于考勤机「{batch.terminal}」，账本里没有它，没有入账，文件保留未动。"
            "账本恢复过旧备份时，请重新登记并采集这台考勤机。",
        )
    try:
        role = Role(batch.role)
    except ValueError:  # of a newer program
        role = Role.TECHNICIAN
    theirs = Desk(book, batch.project_id, Actor(batch.operator, role))
    try:
        if batch.kind == "usb":
            from desktop.punches.stick_intake import store_waited

            counts = store_waited(theirs, batch, progress)
            return Arrived(batch.terminal, batch.records, counts.new)
        reach, got = received.of_waiting(book, batch)
        result = Keeping(theirs, reach, got).store(progress, None)
        return Arrived(batch.terminal, batch.records, result.new, result.warnings)
    except AlreadyStored:
        return Arrived(batch.terminal, batch.records, 0)
    except (KeyError, TypeError, ValueError) as error:
        raise EnvironmentFault(
            "waiting_damaged",
            f"「{batch.terminal}」的一批等待记录由别的版本的程序写成，读不懂，没有入账，文件保留未动。请升级程序。",
        ) from error
