"""A move in a process of its own, killed by the system at one chosen instant.

Arguments: the book's folder, its passphrase, ``to-server URL`` or ``to-file FOLDER``, the instant.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.clock import FixedClock
from desktop.storage import move, move_back, server_admin, server_login
from desktop.storage.book import Book, open_book
from desktop.storage.card import BookCard
from tests.conftest import NOW
from tests.punches.rig import proven


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def after(function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*arguments: Any, **options: Any) -> None:
        function(*arguments, **options)
        die()

    return wrapped


def write_card(dies: Callable[[BookCard], bool]) -> Callable[[BookCard, Path], None]:
    """``BookCard.write`` that dies before writing a card for which ``dies`` is true."""
    written = BookCard.write

    def write(card: BookCard, folder: Path) -> None:
        if dies(card):
            die()
        written(card, folder)

    return write


TRAPS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "in the copy": (server_admin.Administrator, "build", die),
    "copied": (server_admin.Administrator, "add_member", die),
    "proven": (server_login, "write", die),
    "before the card": (BookCard, "write", die),
    "after the card": (BookCard, "write", after(BookCard.write)),
    "before the file is put aside": (move, "retire_file", die),
    "copied back": (move_back, "put_in_place", die),
    "put in place": (move_back, "put_in_place", after(move_back.put_in_place)),
    "given up": (BookCard, "write", write_card(lambda card: card.arriving is None)),
    "final": (BookCard, "write", write_card(lambda card: card.moved_to is not None)),
}
"""Where the death is put: in place of a function, or right after it."""


def main(folder: Path, passphrase: str, way: str, target: str, instant: str) -> None:
    book = open_book(folder, FixedClock(NOW), passphrase=passphrase)

    def prove(copy: Book) -> None:
        proven(Desk(copy, 1, Actor("管理员", Role.ADMINISTRATOR)))

    place, name, trap = TRAPS[instant]
    setattr(place, name, trap)
    if way == "to-server":
        move.to_server(book, target, None, prove)
    else:
        move_back.to_file(book, Path(target), prove)
    book.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:6])
