"""Faults that are not kills: torn logs, full and read-only disks, a second program, lost keys,
newer and damaged files, a clock that jumps. Each case runs real processes on a book of its own and
returns what was seen, in one line for the table of docs/security.md.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from desktop.clock import SystemClock
from desktop.storage.book import open_book
from tests.acceptance.outside_program import SECRET, Answer, Program, make_people, write_roster
from tests.faults.deeds import freeze_command
from tests.faults.killing import SENTENCE, copied
from tests.faults.site import PEOPLE, site_with_a_month
from tests.storage.rig import database_key, foreign_hand


@dataclass(frozen=True)
class Case:
    """One fault. ``run(room, short)`` gets an empty folder, does less when ``short``, and raises
    AssertionError at the first flaw."""

    group: str
    name: str
    run: Callable[[Path, bool], str]
    short: bool = True
    """Whether the short form runs with the tests; else other tests do the very same there."""


def refused(program: Program, *command: str, code: str) -> Answer:
    """Run what must be refused with ``code`` and a sentence that ends as one."""
    answer = program.run(*command)
    assert answer.code == 1 and answer.document, (command[:2], answer)
    error = answer.document.get("error", {})
    assert error.get("code") == code, (command[:2], error, answer.stderr)
    assert SENTENCE.search(answer.stderr), answer.stderr
    return answer


def whole(program: Program, *, kept: str = "") -> str:
    """The ledger holds (and contains ``kept``); its checkpoint."""
    verdict = program("ledger", "verify", *(("--checkpoint", kept) if kept else ()))
    assert verdict["ok"] is True, verdict
    checkpoint: str = verdict["checkpoint"]
    return checkpoint


# ── the write-ahead log ─────────────────────────────────────────────────────────────────────────

WRITER = """
import sys, time
from pathlib import Path
from desktop.access.actor import Act, Actor, Role
from desktop.access.desk import Desk
from desktop.clock import SystemClock
from desktop.storage.book import open_book
book = open_book(Path(sys.argv[1]), SystemClock(), passphrase=sys.argv[2])
desk = Desk(book, 1, Actor("管理员", Role.ADMINISTRATOR))
for number in range(40):
    with book.write() as session:
        desk.audit(session, Act.PROJECT_CHANGED, f"row:{number}")
print("written", flush=True)
time.sleep(600)
"""


def torn_log(garble: bool) -> Callable[[Path, bool], str]:
    """A copy taken while the book is open, its log cut or overwritten at random places."""

    def run(room: Path, short: bool) -> str:
        program, times = site_with_a_month(room / "site"), 1 if short else 30
        kept = whole(program)
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(program.book), SECRET], stdout=subprocess.PIPE,
            text=True, env=program.environment,
        )
        try:
            assert writer.stdout is not None and writer.stdout.readline() == "written\n"
            taken = Path(shutil.copytree(program.book, room / "taken"))
        finally:
            writer.kill()
            writer.wait()
            if writer.stdout is not None:
                writer.stdout.close()
        chance, segments = random.Random(7), []
        for _ in range(times):
            copy = copied(program, room / "copy")
            shutil.rmtree(copy.book)
            shutil.copytree(taken, copy.book)
            log = copy.book / "book.db-wal"
            place = chance.randrange(64, log.stat().st_size)
            with log.open("r+b") as file:
                if garble:
                    file.seek(place)
                    file.write(chance.randbytes(700))
                else:
                    file.truncate(place)
            verdict = copy("ledger", "verify", "--checkpoint", kept)
            assert verdict["ok"], verdict
            segments.append(verdict["segments"])
            shutil.rmtree(copy.folder)
        return (
            f"{times} logs: every book opens, whole transactions only ({min(segments)} to "
            f"{max(segments)} segments), chain holds; what was cut off shows against a kept head"
        )

    return run


# ── the disk ────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    """A disk of its own; to mount one needs root, which tests and CI have."""
    place.mkdir(parents=True)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)], check=True
    )
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
        place.rmdir()


def full_disk(room: Path, short: bool) -> str:
    """Each act on a disk with no room left; then room is made and the act done again."""
    template = site_with_a_month(room / "template")
    out = []
    acts: list[tuple[str, Callable[[Program], tuple[str, ...]]]] = [
        ("stick import", lambda p: ("punches", "import", str(_more(p)), "--terminal", "大门")),
        ("freeze", freeze_command),
        ("roster import", lambda p: ("roster", "import", str(_many(p)))),
    ]
    for name, command in acts[:1] if short else acts:
        with small_disk(room / "disk", 48) as disk:
            program = copied(template, disk / "site")
            line = command(program)
            kept = whole(program)
            ballast = disk / "ballast"
            _fill(ballast)
            refused(program, *line, code="disk_full")
            ballast.unlink()
            assert whole(program, kept=kept) == kept, "nothing of it was kept"
            assert program.run(*line).code == 0
            whole(program, kept=kept)
            assert not list(program.book.glob(".*")) and not list(program.book.glob("*.new"))
        out.append(name)
    return f"{', '.join(out)}: a sentence, rolled back, nothing half-done; with room again it completes"


def _fill(ballast: Path) -> None:
    """Take all but a few kilobytes."""
    with ballast.open("wb") as file:
        try:
            while True:
                file.write(bytes(1 << 16))
                file.flush()
        except OSError:
            pass
        size = file.tell()
    os.truncate(ballast, max(0, size - (96 << 10)))


def _more(program: Program) -> Path:
    stick = program.folder / "more_attlog.dat"
    start = datetime(2026, 9, 1, 6)
    stick.write_text("".join(
        f"{7001 + n % PEOPLE:>9}\t{start + timedelta(seconds=29 * n):%Y-%m-%d %H:%M:%S}\t1\t0\t15\t0\r\n"
        for n in range(30_000)
    ), newline="")
    return stick


def _many(program: Program) -> Path:
    return write_roster(program.folder / "many.xlsx", make_people(900))


def read_only(room: Path, _: bool) -> str:
    """The medium is remounted read-only: reading is refused with a sentence or works, writing is refused."""
    with small_disk(room / "disk", 48) as disk:
        program = copied(site_with_a_month(room / "template"), disk / "site")
        kept = whole(program)
        before = (program.book / "book.db").read_bytes()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        answer = refused(program, *freeze_command(program), code="read_only")
        assert "未做任何改动" in answer.stderr or "没有完成" in answer.stderr
        assert (program.book / "book.db").read_bytes() == before
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        assert whole(program, kept=kept) == kept
        assert program.run(*freeze_command(program)).code == 0
    return "a sentence, not one byte changed; writable again it goes on"


# ── other programs, other versions, lost parts ──────────────────────────────────────────────────

HOLDER = """
import sys, time
from pathlib import Path
from desktop.clock import SystemClock
from desktop.storage.book import open_book
book = open_book(Path(sys.argv[1]), SystemClock(), passphrase=sys.argv[2])
print("open", flush=True)
time.sleep(600)
"""


def second_process(room: Path, _: bool) -> str:
    """A book that is open elsewhere; the other program is killed, and its lock with it."""
    program = site_with_a_month(room / "site")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(program.book), SECRET], stdout=subprocess.PIPE,
        text=True, env=program.environment,
    )
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "open\n"
        refused(program, "ledger", "verify", code="book_in_use")
    finally:
        holder.kill()
        holder.wait()
        if holder.stdout is not None:
            holder.stdout.close()
    whole(program)
    return "refused while the other has it; killed, it leaves no lock behind"


def newer_schema(room: Path, _: bool) -> str:
    """A book that a later program has saved."""
    program = site_with_a_month(room / "site")
    with open_book(program.book, SystemClock(), passphrase=SECRET) as book:
        key = database_key(book)
    with foreign_hand(program.book / "book.db", key) as hand:
        hand.execute("UPDATE alembic_version SET version_num = '9999'")
    before = (program.book / "book.db").read_bytes()
    answer = refused(program, "ledger", "verify", code="book_newer")
    assert "升级程序" in answer.stderr and (program.book / "book.db").read_bytes() == before
    return "refused, both versions named, not one byte changed"


def lost_parts(room: Path, short: bool) -> str:
    """Key slots, card, database: deleted, emptied, cut; put back it opens again."""
    template = site_with_a_month(room / "site")
    kept = whole(template)
    tried = 0
    for place, name in enumerate(("keyslots.json", "book.json", "book.db")):
        ways = ("deleted", "emptied", "cut", "garbled")
        for deed in ways[place : place + 1] if short else ways:
            program = copied(template, room / f"{name}-{deed}")
            file = program.book / name
            content = file.read_bytes()
            changed = {
                "deleted": None, "emptied": b"", "cut": content[: len(content) // 2],
                "garbled": content[:40] + b"\xff\x00garbled" + content[49:],
            }[deed]
            if changed is None:
                file.unlink()
            else:
                file.write_bytes(changed)
            answer = program.run("ledger", "verify")
            assert answer.code == 1 and SENTENCE.search(answer.stderr), (name, deed, answer)
            said = answer.document.get("error", {}).get("code", "")
            assert said != "internal", (name, deed, answer)
            assert file.exists() is (changed is not None), "nothing was made anew"
            if changed is not None:
                assert file.read_bytes() == changed, (name, deed, "was touched")
            file.write_bytes(content)
            assert whole(program, kept=kept) == kept
            shutil.rmtree(program.folder)
            tried += 1
    return f"{tried} losses: a sentence each, nothing made anew or overwritten; put back it opens"


def damaged_backup(room: Path, short: bool) -> str:
    """A bundle with a byte changed, cut, without a part, or an older one under its name."""
    template = site_with_a_month(room / "site")
    older = template("backup", "create")
    template("terminal", "add", "后门", "--driver", "zk", "--address", "")
    newer = template("backup", "create")
    kept, tried = whole(template), 0
    for one in (older, newer):  # a backup is a head kept elsewhere
        bundle = template.book / "backups" / one["name"]
        assert template("ledger", "verify", "--against", str(bundle))["ok"] is True
    ways: dict[str, Callable[[Path], None]] = {
        "a byte": lambda bundle: _flip(bundle / "book.db"),
        "cut": lambda bundle: os.truncate(bundle / "book.db", 40960),
        "no slots": lambda bundle: (bundle / "keyslots.json").unlink(),
        "its manifest": lambda bundle: _flip(bundle / "manifest.json"),
        "an older one in its place": lambda bundle: _exchange(bundle, bundle.with_name(older["name"])),
    }
    for way in list(ways)[::4] if short else ways:
        program = copied(template, room / "copy")
        bundle = program.book / "backups" / newer["name"]
        ways[way](bundle)
        for act in ("verify", "restore"):
            answer = program.run("backup", act, newer["name"])
            if act == "verify" and way.startswith("an older"):  # whole in itself, and known as older
                assert answer.document["relation"] == "older", answer
                assert any("被换过" in note for note in answer.document["notes"]), answer
                continue
            assert answer.code == 1 and SENTENCE.search(answer.stderr.strip()), (way, act, answer)
            said = (answer.document or {}).get("error", {}).get("code", "")
            assert said != "internal", (way, act, answer)
        whole(program, kept=kept)
        assert program("backup", "verify", older["name"])["ok"] or way.startswith("an older")
        shutil.rmtree(program.folder)
        tried += 1
    return f"{tried} ways: found by verify, refused by restore, each with a sentence; the living book untouched"


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x10
    file.write_bytes(content)


def _exchange(bundle: Path, older: Path) -> None:
    shutil.rmtree(bundle)
    shutil.copytree(older, bundle)


# ── the clock ───────────────────────────────────────────────────────────────────────────────────


class Off(Program):
    """The program on a computer whose clock is wrong by ``days``."""

    days = 0

    def line(self, *command: str) -> list[str]:
        line = super().line(*command)
        at = line.index("desktop")
        return [*line[:at], "tests.faults.at_another_time", str(self.days), *line[at + 1 :]]


def clock_jumps(room: Path, short: bool) -> str:
    """A year forward, then a year back, then right again: acts, a stick and a freeze in between."""
    program = Off(site_with_a_month(room / "site").folder)
    kept = whole(program)
    stick = room / "later_attlog.dat"
    day = date.today() - timedelta(days=2)
    stick.write_text("".join(
        f"{7001 + n:>9}\t{day} 07:{n:02d}:00\t1\t0\t15\t0\r\n" for n in range(30)
    ), newline="")
    for days in (-365,) if short else (365, -365, 0):
        program.days = days
        kept = whole(program, kept=kept)
        taken = program("punches", "import", str(stick), "--terminal", "大门")
        assert taken["new"] + taken["duplicate"] + taken["quarantined"] == 30, taken
        frozen = program.run(*freeze_command(program))
        if days < 0:  # that month is still to come
            assert frozen.code == 1 and SENTENCE.search(frozen.stderr), frozen
        else:
            assert frozen.code == 0, frozen
        kept = whole(program, kept=kept)
    program.days = 0
    program("punches", "import", str(stick), "--terminal", "大门")
    assert program("punches", "import", str(stick), "--terminal", "大门")["new"] == 0
    verdict = program("ledger", "verify", "--checkpoint", kept)
    assert verdict["punches"] == 62 * PEOPLE + 30, verdict
    return "±1 year: every act goes on, the chain holds, no punch lost or doubled"


# ── the key store ───────────────────────────────────────────────────────────────────────────────


def key_store(room: Path, _: bool) -> str:
    """A real keyring in a session of its own: what tests/storage/test_keyring.py compares."""
    from tests.storage.test_keyring import session

    told: list[str] = []
    killed: list[str] = []
    for words in ((), ("locked",), ("changes",), ("killed",)):
        place = room / "-".join(("session", *words))
        place.mkdir()
        said = session(place, *words)
        told, killed = (told, said) if words == ("killed",) else (told + said, killed)
    assert told.count("overwritten keyring_entry_missing") == 3, told
    assert "deleted keyring_entry_missing" in told and "untouched True" in told, told
    assert "keyring_unusable" in told and "locked keyring_unusable" in told, told
    assert len(killed) >= 8 and all(line.endswith(" done") for line in killed), killed
    return (
        "entry deleted, overwritten, keyring locked: the recovery screen each time, nothing made "
        f"anew; a binding killed at every one of its {len(killed)} steps always leaves a way in"
    )


CASES = (
    Case("write-ahead log", "tail cut off", torn_log(garble=False)),
    Case("write-ahead log", "tail garbled", torn_log(garble=True)),
    Case("disk", "full (tmpfs of its own)", full_disk),
    Case("disk", "read-only medium", read_only),
    Case("book", "second process", second_process),
    Case("book", "newer schema", newer_schema),
    Case("book", "slots, card or database lost or damaged", lost_parts),
    Case("book", "damaged or exchanged backup", damaged_backup),
    Case("key store", "deleted, overwritten, locked", key_store, short=False),
    Case("clock", "jumps of a year", clock_jumps),
)

