"""(h) What a permission and its row in the trail cost an act, and how long a log-in takes.

The same change is done as a service does it (permission asked, the actor's standing looked up, act
and segment chained) and without all that, in turns in one process, each in a transaction of its
own; the difference of the medians is the overhead. Beside a log-in stands the one Argon2id hash it
cannot do without, and a failed one for a name nobody has.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.child import Meter
from benchmarks.harness import Figure, Run, Scale, Side, alternate, prepare, short

if TYPE_CHECKING:
    from desktop.access.desk import Desk

TITLE = "permission and audit of an act beside the bare change; log-in beside one Argon2id hash"
LETTER = "h"
ACTS = 2_000
LOGINS = 8
LIMIT_MS = 1.0
LOGIN_LIMIT = 1.5
"""Times one hash: the rest is the book's own."""
_WARM = 20
_NAME, _PASSWORD = "劳资员甲", "四面 围墙 三台机"


def measure(work: Path, scale: Scale) -> list[Figure]:
    book = str(work / "book")
    prepare("benchmarks.custody_access:book_with_users", folder=book)
    acts, logins = alternate(scale.repeats, [
        Side("benchmarks.custody_access:acts", {"folder": book, "count": scale.of(ACTS, 5)}),
        Side("benchmarks.custody_access:logins", {"folder": book, "count": scale.of(LOGINS, 1)}),
    ])
    permitted, bare, overhead = (_least(acts, name) for name in ("whole", "bare", "overhead"))
    hashed, entered, refused = (_least(logins, name) for name in ("hash", "log_in", "unknown"))
    return [
        Figure(
            LETTER, "permission + audit per act, overhead", f"{short(permitted)} ms",
            f"{short(bare)} ms bare", max(overhead, 1e-6), "ms", LIMIT_MS,
        ),
        Figure(
            LETTER, "log-in", f"{short(entered)} ms", f"{short(hashed)} ms one hash",
            entered / hashed, "×", LOGIN_LIMIT,
        ),
        Figure(
            LETTER, "log-in refused, unknown name", f"{short(refused)} ms",
            f"{short(hashed)} ms one hash", refused / hashed, "×",
        ),
    ]


def _least(runs: list[Run], name: str) -> float:
    """Of the least disturbed run: what is told is in milliseconds."""
    return min(float(one.facts[name]) for one in runs)


# ── the sides ───────────────────────────────────────────────────────────────────────────────────


def acts(meter: Meter, folder: str, count: int) -> dict[str, Any]:
    """Milliseconds of one act: as a service does it, bare, and the difference."""
    from desktop.access.actor import Act
    from desktop.site.tables import Team

    desk = _entered(folder)
    leaders = ("甲", "乙")

    def act(place: int, *, whole: bool) -> float:
        began = time.perf_counter()
        if whole:
            desk.permit(Act.PROJECT_CHANGED)
        with desk.book.write() as session:
            session.get_one(Team, 1).leader = leaders[place % 2]
            session.flush()
            if whole:
                desk.audit(session, Act.PROJECT_CHANGED, "team:1", shift="day", added=True)
        return (time.perf_counter() - began) * 1000

    with desk.book:
        for place in range(_WARM):
            act(place, whole=place % 4 < 2)
        whole, bare = [], []
        for place in range(count):
            whole.append(act(place, whole=True))
            bare.append(act(place + 1, whole=False))
    return {
        "whole": median(whole), "bare": median(bare), "overhead": median(whole) - median(bare)
    }


def logins(meter: Meter, folder: str, count: int) -> dict[str, Any]:
    """Milliseconds of one hash, one log-in, and one refusal of an unknown name."""
    from desktop.access import password
    from desktop.access.login import FREE_FAILURES, log_in
    from desktop.access.users import find
    from desktop.errors import Refused

    desk = _entered(folder)
    with desk.book:
        with desk.book.read() as session:
            user = find(session, _NAME)
        stored = None if user is None else user.password_hash

        def unknown() -> None:
            try:
                log_in(desk.book, desk.project_id, "无此人", "of no use")
            except Refused:
                return
            raise AssertionError("a name nobody has was let in")

        took: dict[str, list[float]] = {"hash": [], "log_in": [], "unknown": []}
        for place in range(count):
            took["hash"].append(_ms(lambda: password.fits(stored, _PASSWORD)))
            took["log_in"].append(_ms(lambda: log_in(desk.book, 1, _NAME, _PASSWORD)))
            if place < FREE_FAILURES - 1:  # beyond them the next one would only be made to wait
                took["unknown"].append(_ms(unknown))
    return {name: median(each) for name, each in took.items()}


def _ms(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return (time.perf_counter() - began) * 1000


def _entered(folder: str) -> Desk:
    """A desk in a copy of the book, whose actor has a row: his standing is looked up at every
    act. A copy, because failed log-ins are counted from run to run."""
    from benchmarks.site import NOW, PASSPHRASE, fresh_copy
    from desktop.bootstrap import open_office
    from desktop.clock import FixedClock

    copy = fresh_copy(Path(folder), Path(f"{folder}-in-use"))
    return open_office(
        copy, passphrase=PASSPHRASE, user=_NAME, password=_PASSWORD, clock=FixedClock(NOW)
    ).desk


def book_with_users(meter: Meter, folder: str) -> dict[str, Any]:
    from benchmarks.site import make_book, open_desk
    from desktop.access.actor import Role
    from desktop.access.users import FIRST_ADMINISTRATOR, add_user, set_password

    facts = make_book(meter, folder)
    desk = open_desk(folder)
    with desk.book:
        set_password(desk, FIRST_ADMINISTRATOR.name, _PASSWORD)
        add_user(desk, _NAME, Role.LABOUR_OFFICER, _PASSWORD)
    return facts
