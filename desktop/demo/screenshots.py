"""``python -m desktop.demo.screenshots DIR``: every page of the demo site, in four looks.

The site lives at a fixed moment, so that the pictures of two runs can be compared. Each scale is a
process of its own: Qt takes its scale before the first window.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from desktop.clock import CHINA, FixedClock

MOMENT = datetime(2026, 11, 3, 16, 20, tzinfo=CHINA)
"""The third of the month: sheets are out for signature, posting is due in two days."""
SHOWN = MOMENT + timedelta(hours=1)
"""After an hour of office work (:mod:`desktop.demo.custody`)."""
LOOKS = ((1.0, False), (1.0, True), (1.5, False), (1.5, True))


def main(arguments: list[str]) -> int:
    """``DIR`` draws all looks; ``DIR BOOK SCALE DARK`` is one look, called by the former."""
    out = Path(arguments[0])
    if len(arguments) == 4:
        return _draw(out, Path(arguments[1]), float(arguments[2]), arguments[3] == "dark")
    from desktop.demo.build import build_demo
    from desktop.demo.custody import furnish

    with tempfile.TemporaryDirectory(prefix="sitemuster-pictures-") as scratch:
        built = build_demo(Path(scratch), FixedClock(MOMENT), month="2026-10")
        furnish(built.book, FixedClock(MOMENT))
        for scale, dark in LOOKS:
            command = [
                sys.executable, "-m", "desktop.demo.screenshots", str(out), str(built.book),
                str(scale), "dark" if dark else "light",
            ]
            if code := subprocess.call(command):
                return code
    return 0


def _draw(out: Path, folder: Path, scale: float, dark: bool) -> int:
    from desktop.bootstrap import open_office
    from desktop.demo.custody import ADMINISTRATOR, PASSWORD
    from desktop.ui.screenshots import draw_all

    office = open_office(
        folder, clock=FixedClock(SHOWN), user=ADMINISTRATOR, password=PASSWORD
    )
    try:
        files = draw_all(office, out, scale, dark)
    finally:
        office.close()
    print(f"{len(files)} pictures at {scale:.0%}, {'dark' if dark else 'light'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
