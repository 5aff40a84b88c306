"""The terminal book as this PC last saw it: terminals can be read with no server at all.

A sealed copy beside the waiting batches, refreshed whenever the book was reached. It holds
terminals and their communication passwords, no people; nothing is ever decided by it once the
server answers again.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.errors import Refused
from desktop.paths import disk_fault, write_atomically
from desktop.punches import spool
from desktop.punches.originals import Place
from desktop.punches.reach import Reach
from desktop.punches.tables import Terminal
from desktop.storage import sealed_file
from desktop.storage.reseal import SealedFiles
from desktop.storage.sealed_file import FRAME, Damaged, Kind
from devices.terminals.driver import Connection

if TYPE_CHECKING:
    from desktop.storage.book import Book

FILE = "terminals.sealed"

_KIND = Kind(b"SMTB1", b"sitemuster known terminals v1")

SEALED = SealedFiles(spool.FOLDER, spool.FOLDER, _KIND)
"""What a change of the data key seals anew."""

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class KnownTerminal:
    """A terminal in use as the book last had it; ``cursor`` and ``epoch`` of that moment."""

    id: int
    name: str
    driver: str
    address: str
    transport: str
    direction: str
    password: str
    encoding: str
    serial: str
    epoch: int
    cursor: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """All of them, with the project they belong to."""

    project_id: int
    terminals: tuple[KnownTerminal, ...]

    def named(self, name: str) -> KnownTerminal:
        """The terminal of that name, or :class:`Refused` naming those there are."""
        wanted = name.strip()
        for one in self.terminals:
            if one.name == wanted:
                return one
        names = "、".join(one.name for one in self.terminals) or "无"
        raise Refused(
            "unknown_terminal",
            f"服务器连不上，本机不认识名为「{wanted[:40]}」的考勤机，没有采集。本机认识的有：{names}。"
            "请核对名称，或等连上服务器后再试。",
            terminal=wanted[:40],
        )


def remember(book: Book, project_id: int, session: Session) -> None:
    """Refresh this PC's copy from the book, where a book can be away at all."""
    if book.dialect == "sqlite":
        return
    rows = session.scalars(
        select(Terminal)
        .where(Terminal.project_id == project_id, Terminal.retired_on.is_(None))
        .order_by(Terminal.id)
    )
    opened = book.sealer.open
    terminals = [
        KnownTerminal(
            one.id, one.name, one.driver, one.address, one.transport, one.direction,
            "" if one.password_sealed is None else opened(one.password_sealed),
            one.encoding, one.serial, one.epoch, dict(one.cursor or {}),
        )
        for one in rows
    ]
    _write(book, Known(project_id, tuple(terminals)))


def recall(place: Place) -> Known | None:
    """What was last remembered; None when nothing usable is there."""
    try:
        with (place.path / spool.FOLDER / FILE).open("rb") as source:
            text = b"".join(sealed_file.read(source, _KIND, place.subkey(spool.FOLDER)))
        body = json.loads(text)
        terminals = tuple(KnownTerminal(**one) for one in body["terminals"])
        return Known(int(body["project_id"]), terminals)
    except (Damaged, OSError, ValueError, KeyError, TypeError):
        return None


def reaches(place: Place, known: Known, names: Sequence[str] | None) -> list[Reach | Refused]:
    """How to reach the named terminals, or all with an address; each goes on where what waits
    here ends."""
    wanted: list[Reach | Refused] = []
    if not names:
        return [_reach(place, one) for one in known.terminals if one.address]
    for name in dict.fromkeys(name.strip() for name in names):
        try:
            one = known.named(name)
            if not one.address:
                raise Refused(
                    "no_address", f"「{one.name}」没有登记网络地址，不能联网读取。请用U盘导出。",
                    terminal=one.name,
                )
            wanted.append(_reach(place, one))
        except Refused as refusal:
            wanted.append(refusal)
    return wanted


def _reach(place: Place, one: KnownTerminal) -> Reach:
    return Reach(
        one.id, one.name, one.driver,
        Connection(one.address, one.transport, one.password, one.encoding),
        spool.cursor_after(place, one.id) or dict(one.cursor), one.epoch, one.serial,
    )


def _write(place: Place, known: Known) -> None:
    folder = place.path / spool.FOLDER
    body = {
        "format": _FORMAT, "project_id": known.project_id,
        "terminals": [asdict(one) for one in known.terminals],
    }
    text = json.dumps(body).encode()
    sealed = io.BytesIO()
    blocks = [text[at : at + FRAME] for at in range(0, len(text), FRAME)]
    sealed_file.write(sealed, _KIND, place.subkey(spool.FOLDER), blocks)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise disk_fault(error, folder) from error
    write_atomically(folder / FILE, sealed.getvalue(), private=True)
