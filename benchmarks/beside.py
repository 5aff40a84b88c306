"""Something that serves while others are measured: ``python -m benchmarks.beside FUNCTION GIVEN``.

``FUNCTION`` (``module:name``) makes a context manager that yields the line to print; everything
ends when standard input is closed.
"""

from __future__ import annotations

import importlib
import json
import sys


def main(function: str, given: str) -> None:
    module, _, name = function.partition(":")
    with getattr(importlib.import_module(module), name)(**json.loads(given)) as line:
        print(line, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
