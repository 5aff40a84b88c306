"""Moving a book to a server and back, killed: the server is private to this process."""

from __future__ import annotations

import atexit
import itertools
import shutil
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from desktop.storage.card import BookCard
from tests.acceptance.outside_program import Answer, Program
from tests.faults.killing import Deed, Verdict
from tests.faults.site import site_with_a_month
from tests.server.rig import ADMIN, Server

_numbers = itertools.count(1)


@cache
def server() -> Server:
    """One for this process; gone with it. It keeps what it was told, as a server must."""
    running = Server(durable=True)
    atexit.register(running.close)
    return running


def _to(program: Program, database: str) -> tuple[str, ...]:
    """The way in of an administrator, his password in a file."""
    whole = urlsplit(server().url(database=database))
    secret = program.folder / "server.txt"
    secret.write_text(str(whole.password), encoding="utf-8")
    return (
        "book", "move", "--to", f"postgresql://{ADMIN}@{whole.hostname}:{whole.port}/{database}",
        "--database-password-file", str(secret),
    )


# ── to a server ─────────────────────────────────────────────────────────────────────────────────


def _fresh_database(program: Program) -> None:
    """A name nobody has used; what earlier rounds left is dropped."""
    for left in _made:
        server().drop(left)
    _made[:] = [f"round_{next(_numbers)}"]
    (program.folder / "database.txt").write_text(_made[0], encoding="utf-8")


_made: list[str] = []


def _move(program: Program) -> tuple[str, ...]:
    return _to(program, (program.folder / "database.txt").read_text(encoding="utf-8"))


def _moved_already(program: Program, answer: Answer) -> bool:
    """Killed after the instant at which the server became the book."""
    error = (answer.document or {}).get("error", {})
    return answer.code == 1 and error.get("code") == "already_on_server"


def _move_again(program: Program) -> Answer:
    answer = program.run(*_move(program))
    return program.run("terminal", "list") if _moved_already(program, answer) else answer


def _on_server(program: Program, _: Verdict) -> None:
    """The server is the book, and the file lies aside, marked: it opens no more."""
    assert BookCard.peek(program.book).server is not None
    assert not (program.book / "book.db").exists()
    (retired,) = (program.book / "retired").iterdir()
    assert BookCard.peek(retired).moved_to is not None


TO_SERVER = Deed(
    "move to a server", site_with_a_month, _move, _on_server, again=_move_again,
    reset=_fresh_database,
)


# ── and back ────────────────────────────────────────────────────────────────────────────────────


@cache
def _on_a_server() -> Path:
    """The same site after it was moved; its database is only copied."""
    folder = Path(tempfile.mkdtemp(prefix="fault-served-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    program = site_with_a_month(folder / "site")
    program(*_to(program, "served"))
    return program.folder


def _served_site(folder: Path) -> Program:
    shutil.copytree(_on_a_server(), folder)
    return Program(folder)


def _fresh_copy(program: Program) -> None:
    """A database of its own for this round."""
    _fresh_database(program)
    server().clone("served", _made[0])
    card = BookCard.read(program.book)
    assert card.server is not None
    replace(card, database=str(replace(card.server, database=_made[0]))).write(program.book)


def _place(program: Program) -> Path:
    return program.folder / "back"


def _move_back(program: Program) -> tuple[str, ...]:
    return ("book", "move", "--to-file", str(_place(program)))


def _go_there(program: Program, answer: Answer) -> None:
    """The folder says that the book has moved, and where to."""
    assert answer.document["error"]["code"] == "book_moved", answer
    program.book = _place(program)


def _back_again(program: Program) -> Answer:
    if program.book == _place(program):
        return program.run("terminal", "list")
    return program.run(*_move_back(program))


def _arrived(program: Program) -> None:
    program.book = _place(program)


def _in_a_file(program: Program, _: Verdict) -> None:
    """The file is the book; the folder it came from refuses and says so."""
    assert BookCard.peek(program.book).server is None
    there = Program(program.folder)
    answer = there.run("ledger", "verify")
    assert answer.code == 1 and answer.document["error"]["code"] == "book_moved", answer


TO_FILE = Deed(
    "move back to a file", _served_site, _move_back, _in_a_file, again=_back_again, done=_arrived,
    next_step=_go_there, reset=_fresh_copy,
    places=lambda program: [
        path for path in program.folder.iterdir()
        if path.is_dir() and path.name not in ("home", "tmp")
    ],
)
