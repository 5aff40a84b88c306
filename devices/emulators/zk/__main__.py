"""Run one emulated terminal until interrupted: ``python -m devices.emulators.zk --script FILE``.

The script is one JSON document; every key is optional: ``port``, ``key``, ``width``,
``user_width``, ``encoding``, ``serial``, ``model``, ``users`` (``[[number, name], …]``),
``punches`` (``[[number, "2026-11-02T07:58:11", method, state], …]``; a number instead of the time
is a packed one) and ``faults`` (fields of ``Faults``).
"""

from __future__ import annotations

import argparse
import json
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

from devices.emulators.zk import Faults, StoredPunch, StoredUser, ZkEmulator

_PLAIN = ("port", "key", "width", "user_width", "encoding", "serial", "model", "punch_capacity")


def from_script(script: dict[str, Any]) -> ZkEmulator:
    """The terminal a script describes. Unknown keys are errors: a misspelt fault would not fail."""
    unknown = set(script) - {*_PLAIN, "users", "punches", "faults"}
    if unknown:
        raise ValueError(f"unknown keys: {', '.join(sorted(unknown))}")
    faults = dict(script.get("faults", {}))
    if "drop" in faults:
        faults["drop"] = frozenset(faults["drop"])
    punches = [
        StoredPunch(number, when if isinstance(when, int) else datetime.fromisoformat(when), *rest)
        for number, when, *rest in script.get("punches", [])
    ]
    return ZkEmulator(
        users=[StoredUser(*user) for user in script.get("users", [])],
        punches=punches,
        faults=Faults(**faults),
        **{name: script[name] for name in _PLAIN if name in script},
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m devices.emulators.zk", description=__doc__)
    parser.add_argument("--script", type=Path, help="JSON file, see above")
    options = parser.parse_args(arguments)
    script = json.loads(options.script.read_text(encoding="utf-8")) if options.script else {}
    with from_script(script) as terminal:
        print(terminal.address, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
