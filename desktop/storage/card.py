"""``book.json``: what a folder says about itself before it is opened."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop.errors import EnvironmentFault, Refused
from desktop.paths import disk_fault, write_atomically
from desktop.storage.server_address import SCHEME, ServerAddress

CARD_FILE = "book.json"
DATABASE_FILE = "book.db"
DEMO_PASSPHRASE_FILE = "demo-passphrase.txt"
BACKUPS = "backups"
_FORMAT = 1
SQLCIPHER_FILE = f"sqlcipher:{DATABASE_FILE}"
_PLAIN_HEADER = b"SQLite format 3\x00"


@dataclass(frozen=True, slots=True)
class BookCard:
    """Identity of a book. ``database`` names where the tables are; a server comes by URL.

    ``moved_to`` is set in a folder whose book went on elsewhere (:mod:`desktop.storage.move`): it
    is kept and no longer opened. ``arriving`` names where a move that has not ended comes from.
    """

    book_id: str
    demo: bool = False
    database: str = SQLCIPHER_FILE
    moved_to: str | None = None
    arriving: str | None = None

    @property
    def server(self) -> ServerAddress | None:
        """Where the tables are, None for those in the folder's own file."""
        if self.database == SQLCIPHER_FILE:
            return None
        return ServerAddress.parse(self.database)[0]

    def write(self, folder: Path) -> None:
        """Write ``book.json``."""
        body: dict[str, Any] = {
            "format": _FORMAT,
            "book_id": self.book_id,
            "demo": self.demo,
            "database": self.database,
        }
        for name in ("moved_to", "arriving"):
            if getattr(self, name) is not None:
                body[name] = getattr(self, name)
        text = json.dumps(body, indent=2, ensure_ascii=False) + "\n"
        write_atomically(folder / CARD_FILE, text.encode("utf-8"))

    @classmethod
    def read(cls, folder: Path, *, unfinished: bool = False) -> BookCard:
        """The card of a folder that can be opened; only looks. ``unfinished``: also one that is
        *arriving*, for whoever brings that to its end.

        Raises :class:`Refused` for a folder that is no book, is of a newer format, went on
        elsewhere, or holds a plain SQLite file; :class:`EnvironmentFault` for a book with parts
        missing.
        """
        card = cls.peek(folder)
        if card.moved_to is not None:
            raise moved(card.moved_to)
        if card.arriving is not None and not unfinished:
            raise arriving()
        if card.server is None:
            _check_database(folder)
        return card

    @classmethod
    def peek(cls, folder: Path) -> BookCard:
        """The card as it stands, also of a folder that is not to be opened."""
        try:
            text = (folder / CARD_FILE).read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise _no_book(folder) from error
        except OSError as error:
            raise disk_fault(error, folder) from error
        try:
            body = json.loads(text)
            database = str(body["database"])
            newer = int(body["format"]) > _FORMAT
            newer = newer or not (database == SQLCIPHER_FILE or database.startswith(SCHEME))
            card = cls(
                str(body["book_id"]), bool(body["demo"]), database,
                body.get("moved_to"), body.get("arriving"),
            )
        except (ValueError, KeyError, TypeError, Refused) as error:
            raise EnvironmentFault(
                "book_card_damaged",
                f"账本的说明文件 {CARD_FILE} 已损坏，未做任何改动。请从备份里把这个文件复制回来。",
            ) from error
        if newer:
            raise Refused(
                "book_newer",
                f"这个账本的格式（{body['format']}，{card.database}）比本程序认识的（{_FORMAT}，"
                f"{SQLCIPHER_FILE}）新，未做任何改动。请先升级程序再打开。",
                book=body["format"],
                program=_FORMAT,
            )
        return card


def arriving() -> Refused:
    """A move to this folder was cut off before the server was given up."""
    return Refused(
        "book_arriving",
        "账本搬到这里的过程中断了，还没有完成，未做任何改动；服务器上的账本仍然有效。"
        "请对服务器上的账本再运行一次同样的 book move。",
    )


def moved(target: str) -> Refused:
    """The book went on in ``target``, a folder or a server's URL."""
    return Refused(
        "book_moved",
        f"这个账本已搬到{place_of(target)}，这里留下的是搬走前的旧本，只作留存，不再打开，未做任何改动。"
        "请打开搬去的账本；确需找回旧本时，用搬走前自动做的备份恢复。",
        moved_to=target,
    )


def restoring_beside(folder: Path) -> Path:
    """The hidden folder beside a book in which another one is made ready to take its place."""
    return folder.parent / f".{folder.name}.restoring"


def place_of(database: str) -> str:
    """How sentences name where a book is: a server without its login, or a file."""
    if database.startswith(SCHEME):
        address = ServerAddress.parse(database)[0]
        return f"服务器 {address.place} 的数据库 {address.database}"
    return f"文件夹「{database}」"


def _no_book(folder: Path) -> Refused:
    return Refused(
        "no_book",
        f"「{folder.name}」里没有账本，未做任何改动。请选择正确的账本文件夹，或用 init 新建一个。",
    )


def _check_database(folder: Path) -> None:
    """The database must be there and must not be a plain SQLite file."""
    try:
        with (folder / DATABASE_FILE).open("rb") as file:
            header = file.read(len(_PLAIN_HEADER))
    except FileNotFoundError as error:
        raise EnvironmentFault(
            "database_missing",
            f"账本里缺少数据库文件 {DATABASE_FILE}，未做任何改动，也没有新建。请从 backups 里的备份恢复。",
        ) from error
    except OSError as error:
        raise disk_fault(error, folder) from error
    if header == _PLAIN_HEADER:
        raise Refused(
            "plain_database",
            f"账本里的 {DATABASE_FILE} 是没有加密的 SQLite 文件，不是本程序的账本，已拒绝打开，未做任何改动。"
            "请换回原来的文件，或从 backups 里的备份恢复。",
        )
    if not header:
        raise EnvironmentFault(
            "book_damaged",
            f"账本的数据库文件 {DATABASE_FILE} 是空的，未做任何改动。请从 backups 里的备份恢复。",
            pages=[],
        )
