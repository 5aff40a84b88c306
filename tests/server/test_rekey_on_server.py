"""A new data key of a book on a server: the fields, this computer's files, and the other ones."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from desktop.access import key_desk
from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.bootstrap import leaf_readers, sealings
from desktop.clock import FixedClock
from desktop.demo.people import invent_people
from desktop.errors import EnvironmentFault, Refused
from desktop.people.queries import person_by_id_number
from desktop.people.roster_import import import_roster
from desktop.people.tables import Person
from desktop.punches.verification import verify_ledger
from desktop.storage.book import Book, create_book, open_book
from desktop.storage.rekey import NewWays
from desktop.storage.sealed import generation_of
from desktop.storage.server_creation import NewServerBook
from tests.conftest import CHEAP, NOW, PASSPHRASE
from tests.people.sheets import HEADS, row_of, write_xlsx
from tests.sample_site import insert_project
from tests.server.rig import Server
from tests.storage.killing import CODE, NEW_PASSPHRASE, prove

ROOT = Path(__file__).parents[2]
CLOCK = FixedClock(NOW)
PEOPLE = invent_people(4)
ADMINISTRATOR = Actor("管理员", Role.ADMINISTRATOR)
WAYS = NewWays(CODE, NEW_PASSPHRASE, keyring=False)
KILLED = """
import sys
from pathlib import Path
from tests.storage.killing import carry_out
carry_out("rekey", Path(sys.argv[1]), sys.argv[2])
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Path:
    """A closed book on the server with some people."""
    folder = tmp_path_factory.mktemp("rekeyed") / "book"
    where = NewServerBook(server.url(database="rekeyed"))
    book, _ = create_book(folder, CLOCK, passphrase=PASSPHRASE, cost=CHEAP, server=where)
    with book:
        with book.write() as session:
            insert_project(session, CLOCK, folder.parent)
        sheet = write_xlsx(folder.parent / "roster.xlsx", [row_of(one, 0) for one in PEOPLE], HEADS)
        assert import_roster(Desk(book, 1, ADMINISTRATOR), sheet).created == len(PEOPLE)
    return folder


def whole(book: Book, generation: int) -> None:
    assert book.ring.generation == generation
    with book.read() as session:
        sealed = session.scalars(select(Person.id_sealed)).all()
        assert {generation_of(one) for one in sealed} == {generation}
        for one in PEOPLE:
            assert person_by_id_number(session, book.sealer, one.id_number) is not None
    assert verify_ledger(book, 1, leaf_readers(book)).ok


def test_the_fields_are_sealed_anew_and_other_computers_are_told(
    site: Path, copy_book: Callable[[Path, Path], Path], tmp_path: Path
) -> None:
    folder = copy_book(site, tmp_path / "one")
    other = Path(shutil.copytree(folder, tmp_path / "other"))
    with open_book(folder, CLOCK, passphrase=PASSPHRASE) as book:
        desk = Desk(book, 1, ADMINISTRATOR)
        report = key_desk.rekey_book(desk, WAYS, sealings(book), prove, cost=CHEAP)
        assert report.generation == 2 and report.values >= 4 * len(PEOPLE)
        whole(book, 2)
    for way in ({"passphrase": NEW_PASSPHRASE}, {"recovery_code": CODE}):
        with open_book(folder, CLOCK, **way) as book:
            assert book.notices == []
            whole(book, 2)
    with pytest.raises(Refused):
        open_book(folder, CLOCK, passphrase=PASSPHRASE)
    with pytest.raises(Refused) as caught:
        open_book(other, CLOCK, passphrase=PASSPHRASE)
    assert caught.value.code == "key_renewed_elsewhere" and "邀请" in caught.value.message


def test_two_computers_do_not_change_the_key_twice(
    site: Path, copy_book: Callable[[Path, Path], Path], tmp_path: Path
) -> None:
    folder = copy_book(site, tmp_path / "one")
    other = Path(shutil.copytree(folder, tmp_path / "other"))
    with (
        open_book(folder, CLOCK, passphrase=PASSPHRASE) as book,
        open_book(other, CLOCK, passphrase=PASSPHRASE) as late,
    ):
        key_desk.rekey_book(Desk(book, 1, ADMINISTRATOR), WAYS, sealings(book), prove, cost=CHEAP)
        with pytest.raises(Refused) as caught, late.write():
            pass
        assert caught.value.code == "key_renewed_elsewhere"
        with pytest.raises(EnvironmentFault) as fault, late.read() as session:
            late.sealer.open(session.scalars(select(Person.id_sealed)).first() or b"")
        assert fault.value.code == "sealed_newer"
        with pytest.raises(Refused) as caught:
            key_desk.rekey_book(
                Desk(late, 1, ADMINISTRATOR), WAYS, sealings(late), prove, cost=CHEAP
            )
        assert caught.value.code == "key_renewed_elsewhere"
        assert not list(other.glob(".rekey*"))
        whole(book, 2)


@pytest.mark.parametrize(
    ("step", "generation"),
    [
        ("write .rekey.new/.server.sealed.new", 1),
        ("progress 用新钥匙重新密封人员资料", 1),
        ("os.rename .rekey/server.sealed", 2),
        ("os.rename .rekey/keyslots.json", 2),
        ("os.rmdir .rekey", 2),
    ],
)
def test_killed_on_either_side_of_the_transaction(
    site: Path, copy_book: Callable[[Path, Path], Path], tmp_path: Path, step: str, generation: int
) -> None:
    folder = copy_book(site, tmp_path / "one")
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), step],
        cwd=ROOT, timeout=60, capture_output=True, text=True, check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    secret, other = (PASSPHRASE, NEW_PASSPHRASE)[:: 1 if generation == 1 else -1]
    with pytest.raises(Refused):
        open_book(folder, CLOCK, passphrase=other)
    with open_book(folder, CLOCK, passphrase=secret) as book:
        assert ("补做完成" if generation == 2 else "仍用原来的钥匙") in "".join(book.notices)
        whole(book, generation)
        assert not list(folder.glob(".rekey*"))
