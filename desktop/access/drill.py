"""The drill: a backup becomes a book in a temporary folder, is proven and counted, and goes again."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from desktop.access.actor import Act
from desktop.access.backup_check import LedgerPart, ledger_of
from desktop.access.desk import Desk
from desktop.clock import Clock
from desktop.jobs import CancelToken, Progress, silent
from desktop.paths import disk_fault
from desktop.storage import bundle_open, opening, restore
from desktop.storage.bundle import digest_of
from desktop.storage.bundle_open import LeafReaders, Opened, Secret, open_bundle
from desktop.storage.lock import FolderLock
from desktop.storage.migrations import VERSIONS

if TYPE_CHECKING:
    from desktop.storage.company_keys import CompanyPrivate


@dataclass(frozen=True, slots=True)
class DrillReport:
    """A rehearsal: ``ok`` when the bundle became a complete book whose ledger holds.

    ``times`` in seconds: ``unlock``, ``copy``, ``open``, ``ledger``, ``total``. ``differing`` are
    tables whose rows are not those of the manifest. ``audited``: the living book knows of it.
    """

    name: str
    ok: bool
    ledger: LedgerPart
    differing: tuple[str, ...]
    missing: tuple[str, ...]
    rows: int
    times: dict[str, float]
    audited: bool = False

    def as_json(self) -> dict[str, Any]:
        """The result of ``backup drill``."""
        return {
            "name": self.name, "ok": self.ok, "ledger": self.ledger,
            "differing": list(self.differing), "missing": list(self.missing), "rows": self.rows,
            "times": {name: round(spent, 2) for name, spent in self.times.items()},
            "audited": self.audited,
        }


def drill(
    bundle: Path,
    *,
    readers: LeafReaders,
    clock: Clock,
    recovery_code: str | None = None,
    passphrase: str | None = None,
    company: CompanyPrivate | None = None,
    work: Path | None = None,
    desk: Desk | None = None,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> DrillReport:
    """Restore into a temporary folder (inside ``work``), open, recompute, count, remove it again.

    With a ``desk`` the living book gets an act of it. Raises what opening a bundle raises.
    """
    if desk is not None:
        desk.permit(Act.RESTORE_DRILLED)
    watch = _Watch()
    opened = open_bundle(bundle, Secret(passphrase, recovery_code, company))
    watch.lap("unlock")
    place = Path(tempfile.gettempdir()) if work is None else work
    try:
        report = _rehearse(opened, place, readers, clock, watch, progress, cancel)
    except OSError as error:
        raise disk_fault(error, place) from error
    if desk is None:
        return report
    with desk.book.write() as session:
        desk.audit(
            session, Act.RESTORE_DRILLED, f"backup:{bundle.name}", digest=digest_of(bundle),
            ok=report.ok, seconds=round(report.times["total"]),
        )
    return replace(report, audited=True)


def _rehearse(
    opened: Opened,
    place: Path,
    readers: LeafReaders,
    clock: Clock,
    watch: _Watch,
    progress: Progress,
    cancel: CancelToken | None,
) -> DrillReport:
    said = opened.manifest.contents
    restore.refuse_without_room(opened, place)
    with ExitStack() as ends:
        folder = Path(
            ends.enter_context(
                tempfile.TemporaryDirectory(prefix="sitemuster-drill-", dir=place)
            )
        )
        missing = bundle_open.unpack(opened, folder, progress, cancel)
        watch.lap("copy")
        lock = FolderLock(folder)
        ends.callback(lock.release)
        book = opening.open_unlocked(folder, opened.card, opened.key, clock, lock)
        ends.callback(book.close)
        watch.lap("open")
        ledger = ledger_of(book, said.heads, readers, progress, cancel)
        watch.lap("ledger")
        with book.read() as session:
            # Of an earlier revision the rows were counted while it was unpacked.
            differing = [
                name for name, rows in said.counts.items()
                if said.schema == VERSIONS[-1] and _rows(session, name) != rows
            ]
    watch.lap("total", since_start=True)
    return DrillReport(
        opened.bundle.name, ledger.ok and not differing and not missing, ledger,
        tuple(differing), tuple(one.path for one in missing), sum(said.counts.values()),
        watch.laps,
    )


def _rows(session: Session, table: str) -> int:
    counted = session.connection().exec_driver_sql(f'SELECT count(*) FROM "{table}"')
    return int(counted.scalar_one())


class _Watch:
    """Seconds between laps."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._began = self._last = time.monotonic()

    def lap(self, name: str, *, since_start: bool = False) -> None:
        now = time.monotonic()
        self.laps[name] = now - (self._began if since_start else self._last)
        self._last = now
