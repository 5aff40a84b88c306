"""A small site with all a data key protects, for the tests of changing it."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from desktop import bootstrap
from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.attendance.answers import add_outage
from desktop.bootstrap import leaf_readers
from desktop.clock import FixedClock
from desktop.demo.people import invent_people
from desktop.months.freeze import freeze_month
from desktop.months.frozen import load_frozen
from desktop.months.outlook import month_outlook
from desktop.months.queries import latest_version
from desktop.people.queries import person_by_id_number
from desktop.people.roster_import import import_roster
from desktop.punches import originals
from desktop.punches.verification import verify_ledger
from desktop.storage import slot_change
from desktop.storage.book import Book, open_book
from desktop.storage.integrity import check_pages
from tests.attendance.crew import MONTH, gates, hire, whole_days
from tests.conftest import CHEAP, PASSPHRASE
from tests.people.sheets import HEADS, row_of, write_xlsx

PEOPLE = invent_people(6)
AFTER_MONTH = datetime(2026, 12, 2, 0, 0, tzinfo=UTC)
ADMINISTRATOR = Actor("管理员", Role.ADMINISTRATOR)
DOWNLOAD = b"a download as it came\r\n" * 50_000

Template = tuple[Path, str, bytes]
"""A closed book opened by the sample passphrase, its recovery code, the digest of its download."""


def build(folder: Path, site_template: Path) -> Template:
    """People, a frozen month and a kept download at the sample site."""
    shutil.copytree(site_template, folder)
    with open_book(folder, FixedClock(AFTER_MONTH), passphrase=PASSPHRASE) as book:
        desk = Desk(book, 1, ADMINISTRATOR)
        sheet = write_xlsx(folder.parent / "roster.xlsx", [row_of(one, 0) for one in PEOPLE], HEADS)
        assert import_roster(desk, sheet).created == len(PEOPLE)
        places = gates(desk)
        for worker_no, team in ((1001, "钢筋班"), (1002, "木工班")):
            whole_days(desk, places, hire(desk, worker_no, team), *range(1, 31))
        for terminal_id in places.values():
            add_outage(
                desk, terminal_id, datetime(2026, 11, 30), datetime(2026, 12, 1, 23),
                reason="断电", document="1",
            )
        freeze_month(desk, MONTH, accept_open="样例")
        kept = originals.copy(book, io.BytesIO(DOWNLOAD))
        kept.keep()
        code = slot_change.renew_recovery_code(book, cost=CHEAP)
    return folder, code, kept.sha256


def whole(book: Book, sha256: bytes) -> None:
    """The ledgers hold, people are found and readable, the frozen month and the download too."""
    assert check_pages(book) == []
    verdict = verify_ledger(book, 1, leaf_readers(book))
    assert verdict.ok, verdict.first_bad
    desk = Desk(book, 1, ADMINISTRATOR)
    for one in PEOPLE:
        with book.read() as session:
            person = person_by_id_number(session, book.sealer, one.id_number)
        assert person is not None
    with book.read() as session:
        version = latest_version(session, 1, MONTH)
        assert version is not None
        assert load_frozen(session, version, book.sealer).digest == version.digest
    assert month_outlook(desk, MONTH).changed == []
    assert b"".join(originals.read(book, sha256)) == DOWNLOAD


@contextmanager
def open_office(folder: Path, **how: object) -> Iterator[Book]:
    """As the program opens a book, files of an interrupted change included."""
    office = bootstrap.open_office(folder, **how)  # type: ignore[arg-type]
    try:
        yield office.book
    finally:
        office.close()
