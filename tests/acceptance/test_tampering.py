"""Whatever is changed behind the program's back is found by ``ledger verify`` and named.

The premise is somebody who holds the key of the file: only for getting that key, and for nothing
else, this file asks the product's own storage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from desktop.clock import SystemClock
from desktop.storage.book import open_book
from tests.acceptance.outside_packets import Punch, packed_at
from tests.acceptance.outside_program import (
    SECRET,
    Program,
    fresh_program,
    make_people,
    write_roster,
)
from tests.acceptance.outside_terminal import OutsideTerminal
from tests.storage.rig import database_key, foreign_hand, forge

PAGE = 4096


@dataclass(frozen=True)
class Sealed:
    """A closed book with a stick, a pull, a quarantined record and a frozen month, and its key."""

    program: Program
    key: bytes
    size: int


@pytest.fixture(scope="module")
def sealed(once: Callable[..., Sealed]) -> Sealed:
    return once("sealed", make_sealed)


def make_sealed(folder: Path) -> Sealed:
    """Everything by the command line, then the key."""
    program, people = fresh_program(folder), make_people(10)
    program("roster", "import", str(write_roster(folder / "r.xlsx", people)))
    moments = [
        datetime(2026, 10, 1, hour, 5) + timedelta(days=day) for day in range(31) for hour in (7, 17)
    ]
    log = [
        Punch(str(one.number), packed_at(when + timedelta(seconds=7 * place)), index=place)
        for when in moments for place, one in enumerate(people, 1)
    ]
    stick = folder / "1_attlog.dat"
    stick.write_text("".join(
        f"{one.number:>9}\t{when + timedelta(seconds=7 * place):%Y-%m-%d %H:%M:%S}\t1\t0\t15\t0\r\n"
        for when in moments[:30] for place, one in enumerate(people, 1)
    ), newline="")
    with OutsideTerminal("CKJG201569003", [*log, Punch("7001", 0)], key=0) as terminal:
        program("terminal", "add", "大门", "--driver", "zk", "--address", terminal.address)
        assert program("punches", "import", str(stick), "--terminal", "大门")["new"] == 300
        assert program("terminal", "pull")[0]["new"] == 320
    program("month", "freeze", "2026-10", "--accept-open", "外部核对")
    verdict = program("ledger", "verify")
    assert verdict["ok"] and (verdict["punches"], verdict["quarantined"]) == (620, 1)
    with open_book(program.book, SystemClock(), passphrase=SECRET) as book:
        key = database_key(book)
    return Sealed(program, key, (program.book / "book.db").stat().st_size)


def found(program: Program) -> str:
    """The sentence of a verification that must not hold."""
    verdict = program("ledger", "verify", code=1)
    assert verdict["ok"] is False
    sentence: str = verdict["first_bad"]
    assert sentence and sentence.endswith("。")
    return sentence


def test_one_flipped_byte_anywhere_in_the_file(sealed: Sealed, tmp_path: Path) -> None:
    places = (3, PAGE + 16, sealed.size // 2 + 11, sealed.size - 1)
    for n, place in enumerate(places):
        program = sealed.program.copy(tmp_path / str(n))
        with (program.book / "book.db").open("r+b") as file:
            file.seek(place)
            byte = file.read(1)[0]
            file.seek(place)
            file.write(bytes([byte ^ 0x20]))
        sentence = found(program)
        assert "损坏" in sentence and "备份" in sentence, (place, sentence)
        assert f"第{place // PAGE + 1}页" in sentence or place < PAGE, (place, sentence)


def sequence_of(sealed: Sealed, query: str) -> int:
    """Which segment of the chain a row belongs to."""
    with foreign_hand(sealed.program.book / "book.db", sealed.key) as hand:
        (sequence,) = hand.execute(
            f"SELECT sequence FROM segment WHERE id = ({query})"
        ).fetchone()
        return int(sequence)


PUNCH = "SELECT segment_id FROM punch WHERE id = 100"
FORGERIES = {
    "a changed time": (PUNCH, "打卡记录", "UPDATE punch SET t_local = t_local - 3600 WHERE id = 100"),
    "a punch made biometric": (
        PUNCH, "打卡记录", "UPDATE punch SET method_class = 1 - method_class WHERE id = 100"),
    "a removed punch": (PUNCH, "打卡记录", "DELETE FROM punch WHERE id = 100"),
    "an added punch": (
        PUNCH, "打卡记录",
        "INSERT INTO punch (segment_id, terminal_id, epoch, seq, number, t_local, day, method_raw,"
        " state_raw, method_class, accepted, source_format, received_at, raw) SELECT segment_id,"
        " terminal_id, epoch, seq, number, t_local + 60, day, method_raw, state_raw, method_class,"
        " accepted, source_format, received_at, raw FROM punch WHERE id = 100"),
    "a changed quarantine": (
        "SELECT segment_id FROM punch_quarantine", "打卡记录",
        "UPDATE punch_quarantine SET number = '7002'"),
    "a dropped segment": (PUNCH, "整段删除", f"DELETE FROM segment WHERE id = ({PUNCH})"),
    "a segment dropped with its punches": (
        "SELECT max(segment_id) FROM punch", "整段删除",
        "DELETE FROM segment WHERE id = (SELECT max(segment_id) FROM punch);"
        "DELETE FROM punch_sighting; DELETE FROM punch_quarantine;"
        "DELETE FROM punch WHERE segment_id NOT IN (SELECT id FROM segment)"),
    "a changed audit row": (
        "SELECT segment_id FROM audit_act WHERE id = 2", "操作记录",
        "UPDATE audit_act SET actor = '别人' WHERE id = 2"),
    "a changed frozen row": (
        "SELECT segment_id FROM month_version", "月度冻结",
        "UPDATE month_row SET facts = replace(facts, '√', '○') WHERE id = 3"),
}


def test_rows_changed_removed_added_and_segments_dropped(sealed: Sealed, tmp_path: Path) -> None:
    elsewhere = sealed.program.copy(tmp_path / "另一处")  # a copy that nobody touched
    assert elsewhere("ledger", "verify")["ok"] is True
    for n, (name, (query, word, statements)) in enumerate(FORGERIES.items()):
        sequence = sequence_of(sealed, query)
        program = sealed.program.copy(tmp_path / str(n))
        file = program.book / "book.db"
        forge(file, sealed.key, "PRAGMA foreign_keys=OFF", *statements.split(";"))
        sentence = found(program)
        assert f"第{sequence}段" in sentence and word in sentence, (name, sequence, sentence)
