"""``book.json``: what a folder says about itself before it is opened."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from desktop.errors import EnvironmentFault, Refused
from desktop.paths import disk_fault, write_atomically

CARD_FILE = "book.json"
DATABASE_FILE = "book.db"
DEMO_PASSPHRASE_FILE = "demo-passphrase.txt"
BACKUPS = "backups"
_FORMAT = 1
_SQLCIPHER_FILE = f"sqlcipher:{DATABASE_FILE}"
_PLAIN_HEADER = b"SQLite format 3\x00"


@dataclass(frozen=True, slots=True)
class BookCard:
    """Identity of a book. ``database`` names where the tables are; a server comes by URL."""

    book_id: str
    demo: bool = False
    database: str = _SQLCIPHER_FILE

    def write(self, folder: Path) -> None:
        """Write ``book.json``."""
        body = {
            "format": _FORMAT,
            "book_id": self.book_id,
            "demo": self.demo,
            "database": self.database,
        }
        text = json.dumps(body, indent=2, ensure_ascii=False) + "\n"
        write_atomically(folder / CARD_FILE, text.encode("utf-8"))

    @classmethod
    def read(cls, folder: Path) -> BookCard:
        """The card of a folder that can be opened; only looks.

        Raises :class:`Refused` for a folder that is no book, is of a newer format, or holds a
        plain SQLite file; :class:`EnvironmentFault` for a book with parts missing.
        """
        try:
            text = (folder / CARD_FILE).read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise _no_book(folder) from error
        except OSError as error:
            raise disk_fault(error, folder) from error
        try:
            body = json.loads(text)
            newer = int(body["format"]) > _FORMAT or body["database"] != _SQLCIPHER_FILE
            card = cls(str(body["book_id"]), bool(body["demo"]), str(body["database"]))
        except (ValueError, KeyError, TypeError) as error:
            raise EnvironmentFault(
                "book_card_damaged",
                f"账本的说明文件 {CARD_FILE} 已损坏，未做任何改动。请从备份里把这个文件复制回来。",
            ) from error
        if newer:
            raise Refused(
                "book_newer",
                f"这个账本的格式（{body['format']}，{card.database}）比本程序认识的（{_FORMAT}，"
                f"{_SQLCIPHER_FILE}）新，未做任何改动。请先升级程序再打开。",
                book=body["format"],
                program=_FORMAT,
            )
        _check_database(folder)
        return card


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
