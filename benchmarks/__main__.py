"""``python -m benchmarks [a b c …] [--quick] [--json FILE]``: measure and print one table.

Exit code 1 when a target is missed; with ``--quick`` (a tenth of the sizes, one round) verdicts
are hints only and the code is 0.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

from benchmarks.harness import Figure, Scale, SideFailed, short

MEASUREMENTS = {
    "a": "terminal_pull",
    "b": "ledger_import",
    "c": "month",
    "d": "sheets",
    "e": "roster",
    "f": "window",
    "g": "custody_backup",
    "h": "custody_access",
    "i": "custody_server",
}
"""Letter → module with ``TITLE`` and ``measure(work: Path, scale: Scale) -> list[Figure]``."""

QUICK = Scale(0.1, 1)


def measurement(letter: str) -> ModuleType:
    return importlib.import_module(f"benchmarks.{MEASUREMENTS[letter]}")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench", description="Side-by-side measurements.")
    parser.add_argument("letters", nargs="*", metavar="|".join(MEASUREMENTS), help="default: all")
    parser.add_argument("--quick", action="store_true", help="a tenth of the sizes, one round")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    chosen = parser.parse_args(arguments)
    letters = chosen.letters or list(MEASUREMENTS)
    for letter in letters:
        if letter not in MEASUREMENTS:
            parser.error(f"no measurement {letter!r}")
    scale = QUICK if chosen.quick else Scale()
    figures: list[Figure] = []
    failed: list[str] = []
    for letter in letters:
        module, began = measurement(letter), time.monotonic()
        print(f"({letter}) {module.TITLE}", flush=True)
        try:
            with tempfile.TemporaryDirectory(prefix="sitemuster-bench-") as work:
                found = module.measure(Path(work), scale)
        except SideFailed as failure:
            failed.append(letter)
            print(f"    could not be measured: {failure}", flush=True)
            continue
        figures += found
        print(table(found))
        print(f"    {time.monotonic() - began:.0f} s\n", flush=True)
    if len(letters) > 1:
        print(f"All together{', a tenth of the sizes' if chosen.quick else ''}\n{table(figures)}")
    if chosen.json is not None:
        chosen.json.write_text(as_json(figures, failed, scale), encoding="utf-8")
    missed = [figure for figure in figures if figure.kept is False]
    return 1 if (missed or failed) and not chosen.quick else 0


def table(figures: list[Figure]) -> str:
    """Lines of equal columns: what, both sides, figure, target, verdict."""
    head = ("", "what", "ours", "beside it", "figure", "target", "")
    rows = [head, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _cells(figure: Figure) -> tuple[str, ...]:
    sign = "≥" if figure.at_least else "≤"
    target = "" if figure.limit is None else f"{sign} {figure.limit:g} {figure.unit}"
    verdict = {True: "kept", False: "MISSED", None: ""}[figure.kept]
    return (
        figure.letter, figure.what, figure.ours, figure.theirs,
        f"{short(figure.value)} {figure.unit}", target, verdict,
    )


def as_json(figures: list[Figure], failed: list[str], scale: Scale) -> str:
    facts = {
        "machine": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "share": scale.share,
        "repeats": scale.repeats,
        "not_measured": failed,
        "figures": [figure.as_json() for figure in figures],
    }
    return json.dumps(facts, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    sys.exit(main())
