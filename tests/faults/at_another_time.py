"""The command line under a clock that is wrong: ``python -m tests.faults.at_another_time DAYS …``.

Nothing else is changed: it is the computer's clock, off by so many days, as after a dead battery.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

from desktop.clock import SystemClock


def main(arguments: list[str]) -> int:
    """Run one command line with the clock off by the first argument, in days."""
    off = timedelta(days=int(arguments[0]))

    def now(_: SystemClock) -> datetime:
        return datetime.now(UTC).replace(microsecond=0) + off

    SystemClock.now = now  # type: ignore[method-assign]
    from desktop.cli.main import run

    return run(arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
