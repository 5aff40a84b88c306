"""``python -m desktop`` and the console script ``sitemuster``."""

from __future__ import annotations

import sys


def main() -> None:
    """No command opens the window; everything else is the command line."""
    from desktop.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
