"""(a) The sides that run pyzk, in its own interpreter: nothing of the project may be imported."""

from __future__ import annotations

import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.child import Meter

_RECORD = 40


def fetch(meter: Meter, address: str) -> dict[str, Any]:
    """Connect and fetch the log as pyzk's own example does; nothing is stored."""
    from zk import ZK  # type: ignore[import-not-found]

    host, _, port = address.rpartition(":")
    with meter.measuring():
        connection = ZK(host, port=int(port), timeout=60, ommit_ping=True).connect()
        found = connection.get_attendance()
        connection.disconnect()
    return {"punches": len(found)}


def decode(meter: Meter, log: str, users: int) -> dict[str, Any]:
    """``get_attendance`` over bytes that are already here: its network reads are replaced."""
    from zk import ZK

    raw = Path(log).read_bytes()
    dataset = struct.pack("<I", len(raw)) + raw
    device: Any = ZK("127.0.0.1")
    device.records = len(raw) // _RECORD
    device.read_sizes = lambda: True
    device.get_users = lambda: [SimpleNamespace(uid=n, user_id=str(n)) for n in range(users)]
    device.read_with_buffer = lambda *_: (dataset, len(dataset))
    with meter.measuring():
        found = device.get_attendance()
    return {"punches": len(found)}
