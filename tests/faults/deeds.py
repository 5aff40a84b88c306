"""The deeds that are killed, each with the book it needs."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

from desktop.access.desk import Desk
from desktop.clock import FixedClock, SystemClock
from desktop.demo.people import invent_people
from desktop.errors import Refused
from desktop.retention.purge import approve_purge, propose_purge
from desktop.retention.rules import RecordClass
from desktop.storage import chain, slot_change, unlock
from desktop.storage.book import create_book, open_book
from desktop.storage.card import BookCard
from desktop.storage.keys import KeySlots, Slot, SlotName, passphrase_secret
from tests import old_books
from tests.acceptance.outside_program import (
    SECRET,
    Answer,
    Program,
    traces,
)
from tests.conftest import PASSPHRASE
from tests.faults.killing import Deed, Verdict
from tests.faults.moving import TO_FILE, TO_SERVER
from tests.faults.site import CHEAP, site_with_a_month
from tests.retention import site_over
from tests.sample_site import insert_project

MONTH = "2026-10"


class DemoProgram(Program):
    """A book that carries its own passphrase."""

    def line(self, *command: str) -> list[str]:
        line = super().line(*command)
        at = line.index("--passphrase-file")
        return line[:at] + line[at + 2 :]


def freeze_command(_: Program) -> tuple[str, ...]:
    return ("month", "freeze", MONTH, "--accept-open", "核对")


def _frozen_once(program: Program, _: Verdict) -> None:
    """Frozen, and every version whole: doing it again after it was done changes nothing."""
    status = program("month", "status", MONTH)
    assert status["version"] == 1, status


FREEZE = Deed("month freeze", site_with_a_month, freeze_command, _frozen_once)


def old_book(folder: Path) -> DemoProgram:
    """The demo book of the first release."""
    folder.mkdir(parents=True)
    program = DemoProgram(folder)
    old_books.unpack("0.1.0", program.book)
    # Opening it would migrate it: only its slots are made cheap to open.
    slots, card = KeySlots.read(program.book), BookCard.read(program.book)
    key = unlock.data_key(program.book, card, passphrase=None, recovery_code=None)
    secret = (program.book / "demo-passphrase.txt").read_text(encoding="utf-8").strip()
    slot = Slot.seal(SlotName.PASSPHRASE, slots.book_id, key, passphrase_secret(secret), CHEAP)
    slots.having(slot).write(program.book)
    return program


def _migrated(program: Program, verdict: Verdict) -> None:
    expected = json.loads((old_books.FOLDER / "0.1.0.json").read_text(encoding="utf-8"))
    assert verdict["punches"] == expected["punches"], verdict
    assert list((program.book / "backups").glob("*-migration-*")), "no backup before it"


MIGRATION = Deed(
    "migration of an old book", old_book, lambda _: ("ledger", "verify"), _migrated, migrates=True,
)


def rewound(program: Program, name: str) -> Path:
    """A file beside the book that a deed makes."""
    return program.folder / "out" / name


def _site_with_company(folder: Path) -> Program:
    from desktop.storage.envelope import new_company_keys

    program = site_with_a_month(folder)
    private, public = new_company_keys(SECRET * 2, name="公司", cost=CHEAP)
    (folder / "c.sitemuster-key").write_bytes(private)
    (folder / "c.sitemuster-pub").write_bytes(public)
    (folder / "company.txt").write_text(SECRET * 2, encoding="utf-8")
    (folder / "out").mkdir()
    return program


def _export(program: Program) -> tuple[str, ...]:
    return (
        "rollup", "export", "--to", str(rewound(program, "r")), "--company",
        str(program.folder / "c.sitemuster-pub"),
    )


def _export_again(program: Program) -> Answer:
    # Killed between the move of the file and its audit row: the file is whole, made again it is
    # refused, because an existing file is never replaced.
    rewound(program, "r").unlink(missing_ok=True)
    return program.run(*_export(program))


def _exported(program: Program, _: Verdict) -> None:
    assert rewound(program, "r").stat().st_size > 100_000
    assert [path.name for path in (program.folder / "out").iterdir()] == ["r"]


def _outside(program: Program) -> list[Path]:
    return [program.book, program.folder / "out"]


ROLLUP_EXPORT = Deed(
    "roll-up export", _site_with_company, _export, _exported,
    again=_export_again, places=_outside,
)


def _exported_site(folder: Path) -> Program:
    program = _site_with_company(folder)
    program(*_export(program))
    return program


def _import(program: Program) -> tuple[str, ...]:
    return (
        "rollup", "import", str(rewound(program, "r")), "--into", str(program.folder / "head"),
        "--company-key", str(program.folder / "c.sitemuster-key"),
        "--company-passphrase-file", str(program.folder / "company.txt"),
    )


def _imported(program: Program, _: Verdict) -> None:
    (site,) = program("rollup", "list", "--in", str(program.folder / "head"))
    assert site["current"] is not None and site["conflicts"] == 0, site
    (place,) = (path for path in (program.folder / "head").iterdir() if path.is_dir())
    assert sorted(path.name for path in place.iterdir()) == ["0001", "site.json"]


ROLLUP_IMPORT = Deed(
    "roll-up import", _exported_site, _import, _imported,
    places=lambda program: [program.folder / "head"],
)


def _rekey(program: Program) -> tuple[str, ...]:
    return ("key", "rekey", "--recovery-out", str(rewound(program, "code.txt")))


def _rekey_again(program: Program) -> Answer:
    """The paper of the attempt that was cut off is still there; a new attempt gets a new one."""
    first = rewound(program, "code.txt")
    if first.exists():
        first.rename(rewound(program, "code-1.txt"))
    return program.run(*_rekey(program))


def _rekeyed(program: Program, _: Verdict) -> None:
    """The book opens by the newest paper and by no earlier one; the backup by the old one."""
    codes = [
        path.read_text(encoding="utf-8").splitlines()[0]
        for name in ("code.txt", "code-1.txt", "r.txt")
        if (path := rewound(program, name)).exists() and path.stat().st_size
    ]
    opens = [_opens(program, code) for code in codes]
    assert opens[0] and not any(opens[1:]), (len(codes), opens)
    assert list((program.book / "backups").glob("*rekey*")), "no backup before it"


def _opens(program: Program, code: str) -> bool:
    try:
        open_book(program.book, SystemClock(), recovery_code=code).close()
    except Refused:
        return False
    return True


def _site_with_paper(folder: Path) -> Program:
    program = site_with_a_month(folder)
    (folder / "out").mkdir()
    with open_book(program.book, SystemClock(), passphrase=SECRET) as book:
        code = slot_change.renew_recovery_code(book, cost=CHEAP)
    rewound(program, "r.txt").write_text(code, encoding="utf-8")
    return program


REKEY = Deed(
    "rekey", _site_with_paper, _rekey, _rekeyed, again=_rekey_again, places=_outside,
)

def _backed_up(program: Program, _: Verdict) -> None:
    """The newest backup opens by its own slots and its ledger holds."""
    newest = sorted(program("backup", "list"), key=lambda one: str(one["at"]))[-1]
    assert program("backup", "verify", newest["name"])["ok"] is True, newest


BACKUP = Deed(
    "backup create", site_with_a_month, lambda _: ("backup", "create"), _backed_up,
)


def _site_with_backup(folder: Path) -> Program:
    """A backup on a stick, and acts since: the book must not be gone before the backup is in."""
    program = site_with_a_month(folder)
    made = program("backup", "create")
    program("backup", "export", made["name"], "--to", str(folder / "stick"))
    program("terminal", "add", "后门", "--driver", "zk", "--address", "")
    return program


def _on_stick(program: Program) -> Path:
    (bundle,) = (path for path in (program.folder / "stick").iterdir() if "T" in path.name)
    return bundle


def _restore(program: Program) -> tuple[str, ...]:
    return ("backup", "restore", str(_on_stick(program)), "--accept-older")


def _restored(program: Program, _: Verdict) -> None:
    """The terminal of after the backup is gone, and the replaced book stands aside with it."""
    assert [one["terminal"] for one in program("terminal", "list")] == ["大门"]
    aside = [path for path in _books(program) if path != program.book]
    assert aside, "the replaced book is kept"


def _books(program: Program) -> list[Path]:
    return [path for path in program.folder.iterdir() if "book" in path.name]


def _head_of_backup(program: Program, _: Verdict) -> str:
    (head,) = json.loads((_on_stick(program) / "manifest.json").read_text())["heads"]
    return f"{head['sequence']}:{head['hash']}"


RESTORE = Deed(
    "restore", _site_with_backup, _restore, _restored, places=_books, head=_head_of_backup,
)

class Finished(Program):
    """A site whose terms are over: years later by the computer's clock, an administrator acts."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.secret.write_text(PASSPHRASE, encoding="utf-8")
        self.password = folder / "password.txt"
        self.password.write_text(site_over.PASSWORD, encoding="utf-8")

    def line(self, *command: str) -> list[str]:
        line = super().line(*command)
        at = line.index("desktop")
        days = (PURGED_ON - date.today()).days
        who = ("--user", site_over.ADMINISTRATOR.name, "--password-file", str(self.password))
        return [*line[:at], "tests.faults.at_another_time", str(days), *who, *line[at + 1 :]]


PURGED_ON = date(2030, 9, 1)


@cache
def _finished() -> Path:
    """The finished site of the retention tests; a purge of one person is approved and waits."""
    folder = Path(tempfile.mkdtemp(prefix="fault-finished-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    clock = FixedClock(datetime(2026, 11, 24, 8, tzinfo=UTC))
    book, _ = create_book(folder / "book", clock, passphrase=PASSPHRASE, cost=CHEAP)
    with book:
        with book.write() as session:
            insert_project(session, clock, folder)
        site_over.build(Desk(book, 1, site_over.ADMINISTRATOR), clock, folder)
        site = site_over.built(Desk(book, 1, site_over.ADMINISTRATOR), clock)
        site_over.over(site)
        site_over.purged(site, RecordClass.ATTENDANCE)
        number = propose_purge(
            site_over.at(site.desk, site_over.OFFICER), RecordClass.LEDGER, "保存期满", workers=[1001]
        )
        approve_purge(site_over.at(site.desk, site_over.MANAGER), number)
        with book.read() as session:
            head = chain.head(session, 1)
            assert head is not None
        (folder / "head.txt").write_text(f"{head.sequence}:{head.hash.hex()}", encoding="utf-8")
    return folder


def finished_site(folder: Path) -> Finished:
    """A copy of it."""
    shutil.copytree(_finished(), folder)
    return Finished(folder)


def _purge_states(program: Program) -> dict[int, str]:
    return {one["purge"]: one["state"] for one in program("retention", "list")["purges"]}


def _purge_run(_: Program) -> tuple[str, ...]:
    return ("retention", "run", "2")


def _purge_again(program: Program) -> Answer:
    """A run that came to its end needs no other; one that was cut off is finished."""
    if _purge_states(program)[2] == "finished":
        return program.run("retention", "list")
    return program.run(*_purge_run(program))


def _purged(program: Program, verdict: Verdict) -> None:
    """All of it is gone, in the file and in what was beside it, and the ledger is whole."""
    assert verdict["erased"] > 0, verdict
    assert _purge_states(program)[2] == "finished"
    who, _ = invent_people(2, seed=18)
    assert not traces([program.book], [who.name, who.id_number, who.phone])


PURGE = Deed(
    "purge", finished_site, _purge_run, _purged, again=_purge_again,
    # Every command logs somebody in, which is an act: what is kept is the head from before.
    head=lambda program, _: (program.folder / "head.txt").read_text(encoding="utf-8"),
)

DEEDS = (
    FREEZE, MIGRATION, BACKUP, RESTORE, REKEY, TO_SERVER, TO_FILE, ROLLUP_EXPORT, ROLLUP_IMPORT, PURGE,
)


def two_offices(_: Path) -> str:
    """Two programs at one project on a server that is restarted, crashed and cut off."""
    from tests.server.two_offices import run_campaign

    tally = run_campaign(TOGETHER_S)
    disturbed = sum(tally.disturbances.values())
    acts = sum(tally.findings.acts.values())
    figures = ", ".join(f"{name} {count}" for name, count in tally.findings.figures.items())
    return (
        f"{tally.seconds:.0f} s, {acts} acts of two programs, {disturbed} restarts, crashes, cuts and "
        f"kills: nothing acknowledged lost, nothing doubled, chain holds ({figures})"
    )


TOGETHER_S = 600
TOGETHER: dict[str, Callable[[Path], str]] = {"two offices on one server": two_offices}
"""Long runs of several programs at once; each returns what was seen."""
