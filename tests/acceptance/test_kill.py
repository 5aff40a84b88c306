"""Killed without warning, the book loses nothing and doubles nothing."""

from __future__ import annotations

import struct
import time
from pathlib import Path

from tests.acceptance.kill_campaign import PUNCHES, Site, run_campaign, size_of
from tests.acceptance.outside_program import Program
from tests.acceptance.outside_terminal import OutsideTerminal

PAGE = 4096


def test_kill_at_random_instants(tmp_path: Path) -> None:
    """Four kills of roster imports, pulls and stick imports; the long campaign is run by hand."""
    tally = run_campaign(4, tmp_path, seed=8)
    assert tally.kills == 4


def committed_pages(wal: Path) -> dict[int, bytes]:
    """The newest committed content of every page of a write-ahead log (SQLite's file format)."""
    content = wal.read_bytes() if wal.exists() else b""
    frames, pages, place = [], {}, 32
    while place + 24 + PAGE <= len(content) and content[place + 8 : place + 16] == content[16:24]:
        number, committed = struct.unpack_from(">II", content, place)
        frames.append((number, content[place + 24 : place + 24 + PAGE]))
        if committed:
            pages.update(frames)
        place += 24 + PAGE
    return pages


def killed_after_a_commit(program: Program) -> tuple[bytes, dict[int, bytes]]:
    """Kill a pull after its first commit: the main file before it, and what the log holds."""
    main, wal = program.book / "book.db", program.book / "book.db-wal"
    before = main.read_bytes()
    process = program.start("terminal", "pull", "大门")
    while process.poll() is None and size_of(wal) < 6_000_000:
        time.sleep(0.001)
    time.sleep(0.05)
    process.kill()
    process.wait()
    return before, committed_pages(wal)


def test_killed_while_the_log_moves_into_the_file(tmp_path: Path) -> None:
    """A checkpoint cut off after its first pages: only file and log together are the book."""
    site = Site(tmp_path)
    with OutsideTerminal("CKJG201569002", site.log, key=0, payload=65472) as terminal:
        template = site.book(tmp_path / "first", terminal.address)
        for attempt in range(5):
            program = template.copy(tmp_path / f"killed{attempt}")
            before, pages = killed_after_a_commit(program)
            if len(pages) > 1000:
                break
        assert 1 in pages
        with (program.book / "book.db").open("w+b") as file:
            file.write(before)
            for number in sorted(pages)[: len(pages) // 2]:
                file.seek((number - 1) * PAGE)
                file.write(pages[number])
        verdict = program("ledger", "verify")
        assert verdict["ok"] and 0 < verdict["punches"] <= PUNCHES, verdict
        (result,) = program("terminal", "pull", "大门")
        assert result["complete"] and result["new"] + verdict["punches"] == PUNCHES
