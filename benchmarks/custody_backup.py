"""(g) A verified backup and its verification, beside a plain copy of the file.

The yardstick copies the closed database file and waits until it is on the disk; it proves nothing.
A backup checks every page seal in passing, reads the copy back, checks its structure and counts its
rows; a verification does that again and recomputes the whole ledger. ``python -m
benchmarks.custody_backup 1000`` measures a file of about 1,000 MB.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.child import Meter
from benchmarks.harness import Figure, Run, Scale, Side, SideFailed, prepare, ratio, run, seconds

TITLE = "a verified backup and its verification, beside a plain copy of the file"

MEGABYTES = 300
_PUNCHES_PER_MB = 7_000


def measure(work: Path, scale: Scale) -> list[Figure]:
    """Ratios of making, verifying and drilling to the plain copy."""
    return _measured(work, scale.of(MEGABYTES, 1), scale.repeats)


def _measured(work: Path, megabytes: int, repeats: int) -> list[Figure]:
    folder = work / "book"
    made = prepare(
        "benchmarks.custody_backup:book_of", folder=str(folder), megabytes=megabytes
    )
    rounds: dict[str, list[Run]] = {"copy": [], "make": [], "verify": [], "drill": []}
    for _ in range(repeats):
        for name, runs in rounds.items():
            runs.append(
                run(Side(f"benchmarks.custody_backup:{name}", {"folder": str(folder)}))
            )
    for one in (*rounds["verify"], *rounds["drill"]):
        if not one.facts["ok"]:
            raise SideFailed("a backup does not hold")
    what, copy = f"{made['megabytes']:.0f} MB, {made['punches']:,} punches", rounds["copy"]
    return [
        Figure(
            "g", f"verified backup of {what} / plain copy", seconds(rounds["make"]),
            seconds(copy), ratio(rounds["make"], copy), "×", 40,
        ),
        Figure(
            "g", "  verification with the whole ledger / plain copy", seconds(rounds["verify"]),
            seconds(copy), ratio(rounds["verify"], copy), "×",
        ),
        Figure(
            "g", "  restore drill / plain copy", seconds(rounds["drill"]), seconds(copy),
            ratio(rounds["drill"], copy), "×",
        ),
    ]


# ── the sides ───────────────────────────────────────────────────────────────────────────────────


def copy(meter: Meter, folder: str) -> dict[str, Any]:
    """What anybody would do with a closed file."""
    target = Path(folder).with_name("copy.db")
    with meter.measuring():
        shutil.copyfile(Path(folder) / "book.db", target)
        with target.open("rb+") as file:
            os.fsync(file.fileno())
    target.unlink()
    return {}


def make(meter: Meter, folder: str) -> dict[str, Any]:
    """One more backup; the earlier ones go first, unmeasured."""
    from benchmarks.site import open_desk
    from desktop.access.backup_desk import create_backup

    shutil.rmtree(Path(folder) / "backups", ignore_errors=True)
    desk = open_desk(folder)
    with desk.book:
        meter.idle()
        with meter.measuring():
            info = create_backup(desk)
    return {"ok": info.ok}


def verify(meter: Meter, folder: str) -> dict[str, Any]:
    """All of a bundle, its ledger too."""
    from benchmarks.site import PASSPHRASE
    from desktop.access.restore_desk import verify_backup
    from desktop.bootstrap import leaf_readers
    from desktop.clock import SystemClock

    bundle = _bundle(folder)
    meter.idle()
    with meter.measuring():
        verdict = verify_backup(
            bundle, readers=leaf_readers, clock=SystemClock(), passphrase=PASSPHRASE
        )
    return {"ok": verdict.ok}


def drill(meter: Meter, folder: str) -> dict[str, Any]:
    """A bundle restored into a temporary folder, opened, recomputed, removed."""
    from benchmarks.site import PASSPHRASE
    from desktop.access.restore_desk import drill as rehearse
    from desktop.bootstrap import leaf_readers
    from desktop.clock import SystemClock

    bundle = _bundle(folder)
    meter.idle()
    with meter.measuring():
        report = rehearse(
            bundle, readers=leaf_readers, clock=SystemClock(), passphrase=PASSPHRASE,
            work=Path(folder).parent,
        )
    return {"ok": report.ok}


def _bundle(folder: str) -> Path:
    from desktop.storage.bundle import shelf

    return shelf(Path(folder))[0].path


# ── what they need ──────────────────────────────────────────────────────────────────────────────


def book_of(meter: Meter, folder: str, megabytes: int) -> dict[str, Any]:
    """A book with about so large a file, nearly all of it punches."""
    from benchmarks.ledger_import import book_with_terminals, import_decoded

    book_with_terminals(meter, folder)
    punches = max(400, megabytes * _PUNCHES_PER_MB)
    made = import_decoded(meter, folder, punches)
    size = (Path(folder) / "book.db").stat().st_size
    return {"megabytes": size / 1e6, "punches": made["punches"]}


def main() -> None:
    """The size in MB on the command line."""
    from benchmarks.__main__ import table

    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else MEGABYTES
    with tempfile.TemporaryDirectory(prefix="sitemuster-bench-") as work:
        print(table(_measured(Path(work), megabytes, 1)))


if __name__ == "__main__":
    main()
