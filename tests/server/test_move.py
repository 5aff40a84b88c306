"""Moving a book: equal on the other side, or not at all; killed anywhere it is still one book."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.clock import FixedClock
from desktop.errors import Cancelled, EnvironmentFault, Refused
from desktop.jobs import CancelToken
from desktop.people.roster_import import import_roster
from desktop.punches.ledger import Origin
from desktop.storage import move, move_back, server_copy
from desktop.storage.book import Book, open_book
from desktop.storage.chain import head
from tests.conftest import NOW, PASSPHRASE, Copy
from tests.people.sheets import row_of, write_xlsx
from tests.punches.rig import keep, proven, punch, punches, rows, terminal, unusable
from tests.server.rig import Server
from tests.server.two_projects import PEOPLE

ROOT = Path(__file__).parents[2]
DATABASE = "moved_book"
CLOCK = FixedClock(NOW)

pytestmark = pytest.mark.file_only  # a move starts at a book in a file


def desk_of(book: Book) -> Desk:
    return Desk(book, 1, Actor("管理员", Role.ADMINISTRATOR))


def prove(book: Book) -> None:
    proven(desk_of(book))


def opened(folder: Path) -> Book:
    return open_book(folder, CLOCK, passphrase=PASSPHRASE)


@pytest.fixture(scope="module")
def filled(
    site_template: Path, copy_for_good: Copy, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A closed book in a file with people and every kind of punch record."""
    room = tmp_path_factory.mktemp("filled")
    folder = copy_for_good(site_template, room / "book")
    with opened(folder) as book:
        desk = desk_of(book)
        gate = terminal(desk)
        keep(desk, gate, punches(1200), aside=[unusable()])
        keep(desk, gate, [*punches(3), punch(raw=b"odd")], Origin.USB, aside=[unusable(b"more")])
        import_roster(desk, write_xlsx(room / "r.xlsx", [row_of(one) for one in PEOPLE]))
    return folder


@pytest.fixture
def folder(filled: Path, copy_book: Copy, tmp_path: Path, server: Server) -> Iterator[Path]:
    yield copy_book(filled, tmp_path / "book")
    server.forget(DATABASE)


def left_on(server: Server) -> list[str]:
    with server.superuser() as hand:
        found = hand.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE 'moved%'"
            " UNION ALL SELECT rolname FROM pg_roles WHERE rolname LIKE 'moved%'"
        )
        return [name for (name,) in found.fetchall()]


def state(book: Book) -> tuple[object, ...]:
    """What must be the same before and after."""
    desk = desk_of(book)
    with book.read() as session:
        last = head(session, 1)
        assert last is not None
    counted = tuple(
        rows(desk, f"SELECT count(*) FROM {name}")[0][0]
        for name in ("punch", "punch_conflict", "punch_quarantine", "person", "stay", "audit_act")
    )
    return (last.sequence, last.hash, *counted, proven(desk).punches)


def test_there_and_back_everything_is_equal(
    folder: Path, server: Server, tmp_path: Path
) -> None:
    with opened(folder) as book:
        before = state(book)
        names = rows(desk_of(book), "SELECT name FROM person ORDER BY id")
        move.to_server(book, server.url(database=DATABASE), None, prove)
        assert book.dialect == "postgresql" and state(book) == before
        assert rows(desk_of(book), "SELECT name FROM person ORDER BY id") == names
        sealed = rows(desk_of(book), "SELECT id_sealed FROM person ORDER BY id LIMIT 1")[0][0]
        assert book.sealer.open(bytes(sealed)) == PEOPLE[0].id_number
        move_back.to_file(book, tmp_path / "back", prove)
    with opened(tmp_path / "back") as book:
        assert book.dialect == "sqlite" and state(book) == before
        # Life goes on above the ids that were copied, on either side.
        move.to_server(book, server.url(database="twice"), None, prove)
        desk = desk_of(book)
        assert keep(desk, 1, punches(1300)).new == 100
        terminal(desk, "西门")
        assert proven(desk).punches == 1300
    server.forget("twice")


def test_what_fails_leaves_nothing(folder: Path, server: Server) -> None:
    url = server.url(database=DATABASE)

    def refuse(_: Book) -> None:
        raise Refused("ledger_not_ok", "样例。")

    cancel = CancelToken()

    def stop(done: int, _: int, __: str) -> None:
        if done:
            cancel.set()

    with opened(folder) as book:
        before = state(book)
        for attempt, error in (
            (lambda: move.to_server(book, url, None, refuse), Refused),
            (lambda: move.to_server(book, url, None, prove, stop, cancel), Cancelled),
            (lambda: move.to_server(book, url, "falsch", prove), Refused),
            (lambda: move.to_server(book, "postgresql://a:b@127.0.0.1:1/moved", None, prove),
             EnvironmentFault),
        ):
            with pytest.raises(error):
                attempt()
            assert state(book) == before and left_on(server) == []
        assert book.dialect == "sqlite" and not (folder / "server.sealed").exists()


def test_a_copy_that_differs_is_refused(
    folder: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that stores something else than it was given: a trigger of a foreign hand."""
    advance = server_copy._advance_sequences

    def meddle(link: object, shapes: object) -> None:
        link.execute("UPDATE terminal SET name = '西门' WHERE id = 1")  # type: ignore[attr-defined]
        advance(link, shapes)  # type: ignore[arg-type]

    monkeypatch.setattr(server_copy, "_advance_sequences", meddle)
    with opened(folder) as book:
        before = state(book)
        with pytest.raises(EnvironmentFault) as fault:
            move.to_server(book, server.url(database=DATABASE), None, prove)
        assert fault.value.code == "move_failed" and fault.value.facts["tables"] == ["terminal"]
        assert state(book) == before and left_on(server) == []


def test_a_failing_way_back_keeps_the_server(
    folder: Path, server: Server, tmp_path: Path
) -> None:
    with opened(folder) as book:
        move.to_server(book, server.url(database=DATABASE), None, prove)
        before = state(book)
        occupied = tmp_path / "occupied"
        occupied.mkdir()
        (occupied / "x").write_text("x")
        cancel = CancelToken()
        cancel.set()
        for target, error, options in (
            (occupied, Refused, {}), (tmp_path / "b", Cancelled, {"cancel": cancel}),
            (folder, Refused, {}),
        ):
            with pytest.raises(error):
                move_back.to_file(book, target, prove, **options)  # type: ignore[arg-type]
            assert state(book) == before
        assert {path.name for path in tmp_path.iterdir()} == {"book", "occupied"}


def killed(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.server.mover", *arguments], cwd=ROOT, capture_output=True,
        text=True, timeout=120,
    )
    assert done.returncode == -9, done.stderr


@pytest.mark.parametrize(
    ("instant", "moved"),
    [
        ("in the copy", False), ("copied", False), ("proven", False), ("before the card", False),
        ("after the card", True), ("before the file is put aside", True),
    ],
)
def test_killed_on_the_way_there(
    folder: Path, server: Server, instant: str, moved: bool
) -> None:
    url = server.url(database=DATABASE)
    with opened(folder) as book:
        before = state(book)
    killed(str(folder), PASSPHRASE, "to-server", url, instant)
    with opened(folder) as book:
        assert (book.dialect == "postgresql", state(book)) == (moved, before)
        if not moved:
            move.to_server(book, url, None, prove)
        assert book.dialect == "postgresql" and state(book) == before
        keep(desk_of(book), 1, punches(1201))
    assert not (folder / "book.db").exists()
    assert len(list((folder / "retired").iterdir())) == 1


@pytest.mark.parametrize(
    ("instant", "moved"),
    [("copied back", False), ("put in place", False), ("given up", True), ("final", True)],
)
def test_killed_on_the_way_back(
    folder: Path, server: Server, tmp_path: Path, instant: str, moved: bool
) -> None:
    back = tmp_path / "back"
    with opened(folder) as book:
        move.to_server(book, server.url(database=DATABASE), None, prove)
        before = state(book)
    killed(str(folder), PASSPHRASE, "to-file", str(back), instant)
    if moved:
        with pytest.raises(Refused) as refusal:
            opened(folder)
        assert refusal.value.code == "book_moved"
    else:
        if back.exists():
            with pytest.raises(Refused) as refusal:
                opened(back)
            assert refusal.value.code == "book_arriving"
        with opened(folder) as book:
            assert state(book) == before
            move_back.to_file(book, back, prove)
    with opened(back) as book:
        assert book.dialect == "sqlite" and state(book) == before
    assert not (back / "server.sealed").exists()


def test_a_file_that_was_put_aside_does_not_open_by_an_edited_card(
    folder: Path, server: Server
) -> None:
    with opened(folder) as book:
        move.to_server(book, server.url(database=DATABASE), None, prove)
    (retired,) = (folder / "retired").iterdir()
    text = (retired / "book.json").read_text()
    (retired / "book.json").write_text(text.replace("moved_to", "moved_away"))
    with pytest.raises(Refused) as refusal:
        opened(retired)
    assert refusal.value.code == "book_moved"


def test_a_login_of_one_project_cannot_carry_the_book_away(
    folder: Path, server: Server, tmp_path: Path
) -> None:
    """Half a book would be a whole one by its own word."""
    with opened(folder) as book:
        move.to_server(book, server.url(database=DATABASE), None, prove)
        assert book.server is not None
        with server.superuser(DATABASE) as hand:
            hand.execute("DELETE FROM sitemuster.project_member WHERE project_id = 0")
        with pytest.raises(Refused) as refusal:
            move_back.to_file(book, tmp_path / "b", prove)
        assert refusal.value.code == "needs_all_projects" and not (tmp_path / "b").exists()


