"""The network side of collecting: terminals read in worker threads, one lane per terminal.

No lane touches the book or a file; what it read is handed to the caller's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from desktop.jobs import CancelToken, Progress
from desktop.punches.reach import Opener, Reach
from devices.terminals import model
from devices.terminals.driver import Surroundings

AT_ONCE = 8
"""Terminals read at the same time."""
_LOOK_S = 0.1

Tick = Callable[[], object]
"""Called in the caller's thread while it waits."""


def read_all(
    reaches: Sequence[Reach],
    opener: Opener,
    around: Surroundings,
    progress: Progress,
    cancel: CancelToken | None,
    tick: Tick = lambda: None,
) -> Generator[tuple[Reach, Future[model.Batch]], None, None]:
    """Each terminal with its finished reading, as they come.

    When the caller leaves, by an exception too, the lanes are told to stop and waited for.
    """
    stop = CancelToken()
    board = _Board(progress)
    with ThreadPoolExecutor(min(AT_ONCE, len(reaches) or 1), thread_name_prefix="terminal") as lanes:
        running = {
            lanes.submit(_read, reach, opener, around, board, _Either(stop, cancel)): reach
            for reach in reaches
        }
        waiting = set(running)
        try:
            while waiting:
                ready, waiting = wait(waiting, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
                for future in ready:
                    yield running[future], future
                tick()
                if waiting:
                    board.show([running[future].name for future in waiting])
        except BaseException:
            stop.set()
            raise


class _Either:
    """Cancelled by the user or by our own end; what drivers look at."""

    def __init__(self, own: CancelToken, users: CancelToken | None) -> None:
        self._own = own
        self._users = users

    def is_set(self) -> bool:
        return self._own.is_set() or (self._users is not None and self._users.is_set())


class _Board:
    """Where lanes note how far they are; the caller's thread reads it and tells the user."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lanes: dict[str, tuple[int, int]] = {}

    def note(self, name: str, done: int, total: int) -> None:
        """From any lane."""
        self._lanes[name] = (done, total)

    def show(self, waiting: Sequence[str]) -> None:
        """From the caller's thread."""
        lanes = list(self._lanes.values())
        done, total = sum(lane[0] for lane in lanes), sum(lane[1] for lane in lanes)
        who = f"「{waiting[0]}」" if len(waiting) == 1 else f"{len(waiting)}台考勤机"
        self._progress(done, total, f"正在读取{who}")


def _read(
    reach: Reach, opener: Opener, around: Surroundings, board: _Board, cancel: _Either
) -> model.Batch:
    """In a lane: open the driver, read the log."""

    def note(done: int, total: int, step: str) -> None:
        board.note(reach.name, done, total)

    driver = opener(reach.driver, reach.connection, around)
    return driver.pull(reach.cursor.get("driver"), progress=note, cancel=cancel)
