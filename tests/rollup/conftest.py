"""A site with a frozen month, head office with its key pair and its folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.bootstrap import leaf_readers
from desktop.clock import FixedClock
from desktop.months.freeze import freeze_month
from desktop.people.tables import Person
from desktop.punches.terminal_book import add_terminal
from desktop.rollup.export import ExportedRollup, export_rollup
from desktop.rollup.intake import ImportedRollup, import_rollup
from desktop.rollup.shelf import Shelf
from desktop.storage.book import Book, open_book
from desktop.storage.envelope import (
    CompanyPrivate,
    new_company_keys,
    private_key,
)
from tests.attendance.crew import MONTH, gates, hire, whole_days
from tests.conftest import CHEAP, NOW, PASSPHRASE, Copy

COMPANY_PASSPHRASE = "公司口令 sample company"
PHONE = "19900001234"
ADDRESS = "某省某市某村1号"


@dataclass
class Company:
    """Head office: its key, its folder, a clock of its own."""

    folder: Path
    private: CompanyPrivate
    files: tuple[bytes, bytes]
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))

    @property
    def shelf(self) -> Shelf:
        return Shelf(self.folder)

    def take(self, file: Path) -> ImportedRollup:
        return import_rollup(file, self.shelf, self.private, leaf_readers, self.clock)


@pytest.fixture(scope="session")
def company_files() -> tuple[bytes, bytes]:
    return new_company_keys(COMPANY_PASSPHRASE, name="样例建设集团", cost=CHEAP)


@pytest.fixture
def company(tmp_path: Path, company_files: tuple[bytes, bytes]) -> Company:
    private, _ = company_files
    return Company(
        tmp_path / "总部", private_key(private, COMPANY_PASSPHRASE), company_files
    )


@pytest.fixture(scope="session")
def reported_template(
    tmp_path_factory: pytest.TempPathFactory, site_template: Path, copy_for_good: Copy
) -> Path:
    """A closed book with two gates, three people, a full November, frozen; only copied."""
    folder = copy_for_good(site_template, tmp_path_factory.mktemp("template") / "reported")
    clock = FixedClock(datetime(2026, 12, 2, 0, 0, tzinfo=UTC))
    with open_book(folder, clock, passphrase=PASSPHRASE) as book:
        desk = Desk(book, 1, Actor("管理员", Role.ADMINISTRATOR))
        places = gates(desk)
        for number, team in ((1001, "钢筋班"), (1002, "钢筋班"), (1003, "木工班")):
            member = hire(desk, number, team)
            whole_days(desk, places, member, *range(1, 31))
        with book.write() as session:
            seal = book.sealer
            for person in session.query(Person):
                person.phone_sealed = seal.seal(PHONE)
                person.phone_index = seal.index("phone", PHONE)
                person.address_sealed = seal.seal(ADDRESS)
                person.nation, person.emergency_contact = "汉", "家属甲"
        add_terminal(
            desk, "后门", driver="zk", address="127.0.0.1:4370", direction="both", password="8842"
        )
        freeze_month(desk, MONTH, accept_open="样例")
    return folder


@pytest.fixture
def site(open_copy: Callable[[Path], Book], reported_template: Path, clock: FixedClock) -> Desk:
    """The officer's desk in a copy of that book."""
    clock.instant = datetime(2026, 12, 3, 1, 0, tzinfo=UTC)
    return Desk(open_copy(reported_template), 1, Actor("柳专管", Role.LABOUR_OFFICER))


@pytest.fixture
def report(company: Company, tmp_path: Path) -> Callable[..., ExportedRollup]:
    """Exports a book for this company into a fresh file."""

    def made(desk: Desk, name: str = "r", **options: object) -> ExportedRollup:
        path = tmp_path / "优盘" / f"{name}.sitemuster-rollup"
        return export_rollup(
            desk, path, company.private.public, leaf_readers, **options  # type: ignore[arg-type]
        )

    return made
