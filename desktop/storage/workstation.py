"""Which PC this is, among those that share a book on a server.

``workstation.json`` in the book's folder holds a random mark and a shown name. A folder that was
copied to another computer, or to another place of this one, is another PC: the mark is renewed.
"""

from __future__ import annotations

import hashlib
import json
import platform
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.errors import Refused
from desktop.paths import write_atomically
from desktop.storage.tables import Workstation

if TYPE_CHECKING:
    from desktop.storage.opened import Book

FILE = "workstation.json"
LONGEST_NAME = 30


@dataclass(frozen=True, slots=True)
class Here:
    """This PC: its mark, and how others see it."""

    mark: str
    name: str


def here(folder: Path) -> Here:
    """This PC's mark and name; made at the first call in a folder."""
    machine = _machine(folder)
    try:
        body = json.loads((folder / FILE).read_bytes())
        if body["machine"] == machine:
            return Here(str(body["mark"]), str(body["name"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass  # a lost mark costs nothing: this PC is then a new one
    made = Here(secrets.token_hex(16), (platform.node() or "电脑")[:LONGEST_NAME])
    _write(folder, made, machine)
    return made


def rename(folder: Path, name: str) -> None:
    """How the other PCs call this one from its next opening on."""
    shown = " ".join(name.split())
    if not shown or len(shown) > LONGEST_NAME or not shown.isprintable():
        raise Refused(
            "workstation_name", f"电脑名称应为1到{LONGEST_NAME}个字，例如「门卫室」。未做任何改动。"
        )
    _write(folder, Here(here(folder).mark, shown), _machine(folder))


def register(book: Book, session: Session) -> int:
    """The row of this PC in the book, made or brought up to date; ``session`` writes."""
    me, now = here(book.path), book.clock.now()
    row = session.scalar(select(Workstation).where(Workstation.mark == me.mark))
    if row is None:
        row = Workstation(mark=me.mark, name=me.name, first_seen_at=now, last_seen_at=now)
        session.add(row)
    row.name, row.last_seen_at = me.name, now
    session.flush()
    return row.id


def _machine(folder: Path) -> str:
    """Tells this computer and folder from another; says nothing about either."""
    ident = ""
    for file in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        try:
            ident = Path(file).read_text(encoding="ascii").strip()
            break
        except (OSError, UnicodeDecodeError):
            continue
    text = f"{platform.node()}\n{ident}\n{folder.resolve()}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _write(folder: Path, me: Here, machine: str) -> None:
    body = {"format": 1, "mark": me.mark, "name": me.name, "machine": machine}
    text = json.dumps(body, ensure_ascii=False, indent=2) + "\n"
    write_atomically(folder / FILE, text.encode("utf-8"))
