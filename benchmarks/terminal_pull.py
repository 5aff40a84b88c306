"""(a) Pulling a full ZK terminal: ours decodes and stores, pyzk only fetches.

Both read the same emulated terminal over TCP on loopback, which runs in a process of its own.
Decoding alone is measured over the same bytes, without a terminal.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import pyzk_environment
from benchmarks.child import Meter
from benchmarks.harness import (
    Figure,
    Run,
    Scale,
    Side,
    SideFailed,
    alternate,
    prepare,
    ratio,
    run,
    seconds,
    serving,
)

if TYPE_CHECKING:
    from devices.emulators.zk.records import StoredPunch, StoredUser

TITLE = "a ZK terminal's log pulled, decoded and stored, beside pyzk only fetching it"

PUNCHES = 100_000
USERS = 200
TERMINAL = "大门"
_FIRST = datetime(2026, 7, 1, 5, 0)
_APART_S = 120
_RECORD = 40
_QUICK = 0.1


def measure(work: Path, scale: Scale) -> list[Figure]:
    """Both ratios; the book is copied anew for each pull."""
    from benchmarks.site import fresh_copy

    # pyzk's decoding is quadratic: at a tenth of the size it is another program.
    punches = PUNCHES if scale.share >= _QUICK else scale.of(PUNCHES, 100)
    other = pyzk_environment.python()
    log = work / "log.bin"
    prepare("benchmarks.terminal_pull:write_log", path=str(log), punches=punches)
    ours: list[Run] = []
    theirs: list[Run] = []
    with serving("benchmarks.terminal_pull:terminal", punches=punches) as address:
        template = work / "template"
        prepare("benchmarks.terminal_pull:book_with_terminal", folder=str(template), address=address)
        fetch = Side("benchmarks.pyzk_side:fetch", {"address": address}, other)
        for _ in range(scale.repeats):
            book = fresh_copy(template, work / "book")
            pull = Side("benchmarks.terminal_pull:pull_and_store", {"folder": str(book)})
            ours.append(_all(run(pull), punches))
            theirs.append(_all(run(fetch), punches))
    decode = Side("benchmarks.terminal_pull:decode", {"log": str(log)})
    only = Side("benchmarks.pyzk_side:decode", {"log": str(log), "users": USERS}, other)
    mine, pyzk = alternate(scale.repeats, (decode, only))
    for one in (*mine, *pyzk):
        _all(one, punches)
    what = f"{punches:,} punches"
    return [
        Figure(
            "a", f"pull {what}: stored / pyzk fetched", seconds(ours), seconds(theirs),
            ratio(theirs, ours), "× faster", 2, at_least=True,
        ),
        Figure(
            "a", f"decode {what} / pyzk decoding", seconds(mine), seconds(pyzk),
            ratio(pyzk, mine), "× faster", 10, at_least=True,
        ),
    ]


def _all(one: Run, punches: int) -> Run:
    """A side that lost punches was fast for nothing."""
    if one.facts["punches"] != punches:
        raise SideFailed(f"{one.facts['punches']} of {punches} punches came")
    return one


# ── the sides, each in its own process ──────────────────────────────────────────────────────────


def pull_and_store(meter: Meter, folder: str) -> dict[str, Any]:
    """The whole service as the command and the button call it."""
    from benchmarks.site import open_desk
    from desktop.punches.collect import pull

    desk = open_desk(folder)
    with desk.book:
        meter.idle()
        with meter.measuring():
            (result,) = pull(desk, [TERMINAL])
    if not result.complete:
        raise SideFailed(str(result.error))
    return {"punches": result.new}


def decode(meter: Meter, log: str) -> dict[str, Any]:
    """Our record decoder over the raw dataset."""
    from devices.terminals.model import SourceFormat
    from devices.terminals.zk.records import PunchDecoder

    raw = Path(log).read_bytes()
    count = len(raw) // _RECORD
    with meter.measuring():
        records = PunchDecoder(raw, _RECORD, SourceFormat.ZK40)(0, count)
    return {"punches": len(records.punches)}


# ── what they need ──────────────────────────────────────────────────────────────────────────────


def users() -> list[StoredUser]:
    from devices.emulators.zk.records import StoredUser

    return [StoredUser(str(number), f"工人{number}") for number in range(1, USERS + 1)]


def stored(punches: int) -> Iterator[StoredPunch]:
    """A log in order of time."""
    from devices.emulators.zk.records import StoredPunch

    apart = timedelta(seconds=_APART_S)
    for place in range(punches):
        yield StoredPunch(str(place * 7 % USERS + 1), _FIRST + apart * place)


@contextmanager
def terminal(punches: int) -> Iterator[str]:
    """The emulated terminal; yields its address."""
    from devices.emulators.zk import ZkEmulator

    with ZkEmulator(users(), stored(punches)) as unit:
        yield unit.address


def write_log(meter: Meter, path: str, punches: int) -> dict[str, Any]:
    """The bytes of such a log, without a terminal."""
    from devices.emulators.zk.records import log_bytes

    indexes = {one.number: place for place, one in enumerate(users(), 1)}
    return {"bytes": Path(path).write_bytes(log_bytes(stored(punches), _RECORD, indexes))}


def book_with_terminal(meter: Meter, folder: str, address: str) -> dict[str, Any]:
    from benchmarks.site import make_book, open_desk
    from desktop.punches.terminal_book import add_terminal

    make_book(meter, folder)
    desk = open_desk(folder)
    with desk.book:
        add_terminal(desk, TERMINAL, driver="zk", address=address, direction="both")
    return {}
