"""Which record layout a log has (§7.1): by dividing, then by whether the bytes make sense.

The count decides; sense only decides between what the count leaves open, and may veto. A layout
that half of a sample does not fit is "unknown layout": guessing here would invent punches.
"""

from __future__ import annotations

from collections.abc import Mapping

from devices.errors import BadResponse
from devices.terminals.model import SourceFormat
from devices.terminals.zk import packed_time
from devices.terminals.zk.records import (
    NARROW,
    WIDE_FROM,
    WIDEST,
    number_of,
    record_struct,
    source_format,
)

GROWTH = 4096
"""Punches a terminal may take while it is read."""

_PREFERRED = (40, 16, 8, 49)
_RUN = 40
_RUNS = 16
_STATES = frozenset({0, 1, 2, 3, 4, 5, 255})
_YEARS = range(2008, 2060)
_LARGEST_PIN = 999_999_999


def widths(size: int, lowest: int, highest: int) -> list[int]:
    """Accepted widths that divide ``size`` bytes into ``lowest``…``highest`` records."""
    return [
        width
        for width in (*NARROW, *range(WIDE_FROM, WIDEST + 1))
        if size % width == 0 and lowest <= size // width <= highest
    ]


def check_announced(size: int, count: int, bound: int) -> None:
    """Refuse an announced dataset (with its 4-byte prefix) before a byte of it is asked for.

    ``count`` is the terminal's own, 0 = it does not count. A size that divides by the count into
    an unknown width is let through so that its bytes can be kept with the report.
    """
    if size > bound:
        raise BadResponse("size", expected=bound, got=size)
    body = size - 4
    if count <= 0 or body <= 0:
        return
    if body % count and not widths(body, count, count + GROWTH):
        raise BadResponse("size", expected=count, got=size)


def choose(
    raw: bytes, before: int, after: int, numbers: Mapping[int, str] | None
) -> tuple[int, SourceFormat]:
    """Width and layout of a log of ``raw`` bytes, held between two counts (0, 0 = no count).

    ``BadResponse("count")`` when no accepted width gives a count in between although one fits
    the bytes, ``BadResponse("layout")`` (with ``raw`` kept) when the bytes make no sense.
    """
    uncounted = before == 0 and after == 0
    lowest, highest = (1, len(raw)) if uncounted else (before, after)
    scored = sorted(
        (-_score(raw, width, numbers)[0], _rank(width), width)
        for width in widths(len(raw), max(lowest, 1), highest)
    )
    likely = [width for width in _PREFERRED if len(raw) % width == 0 and (width != 8 or numbers)]
    best, _, width = scored[0] if scored else (0.0, 0, 0)
    if -best < (0.5 if width in _PREFERRED else 0.9):
        known = [other for other in likely if _score(raw, other, numbers)[0] >= 0.5]
        if known:
            raise _kept("count", raw, before, len(raw) // known[0])
        raise _kept("layout", raw, before, len(raw))
    for other in likely:
        # Twice the counted records of 40 bytes also read as that many of 80. What fits the count
        # must not fit the bytes less well than a usual width that gives another count.
        score = _score(raw, other, numbers)[0]
        if score > -best or (score == -best and width not in _PREFERRED):
            raise _kept("count", raw, before, len(raw) // other)
    return width, _score(raw, width, numbers)[1]


def _kept(what: str, raw: bytes, count: int, got: int) -> BadResponse:
    """The error for a log that cannot be used, with its bytes kept apart for a later look."""
    error = BadResponse(what, expected=count, got=got)
    error.raw = raw
    return error


def _rank(width: int) -> int:
    return _PREFERRED.index(width) if width in _PREFERRED else len(_PREFERRED) + width


def _score(raw: bytes, width: int, numbers: Mapping[int, str] | None) -> tuple[float, SourceFormat]:
    """Share of a spread sample that makes sense, and the layout it was read in."""
    sample = _sample(raw, width)
    if width != 8:
        layout = source_format(width)
        return _share(sample, layout, width, numbers), layout
    # A tie goes to the usual order: a dead clock makes both look equally bad.
    return max(
        ((_share(sample, layout, 8, numbers), layout) for layout in _EIGHT),
        key=lambda pair: pair[0],
    )


def _sample(raw: bytes, width: int) -> list[bytes]:
    """Runs of neighbouring records, spread over the log.

    Never every n-th record: read in a wrong width, such a sample can hit the same place of each
    true record and look perfect.
    """
    count = len(raw) // width
    step = max(_RUN, count // _RUNS)
    return [
        raw[at * width : (at + 1) * width]
        for start in range(0, count, step)
        for at in range(start, min(start + _RUN, count))
    ]


_EIGHT = (SourceFormat.ZK8, SourceFormat.ZK8_MA300)


def _share(
    sample: list[bytes], layout: SourceFormat, width: int, numbers: Mapping[int, str] | None
) -> float:
    fields = record_struct(layout, width)
    good = 0.0
    for record in sample:
        values = fields.unpack(record)
        if layout is SourceFormat.ZK8:
            index, _, packed, state = values
            good += _sense_of_8(index, packed, state, numbers)
        elif layout is SourceFormat.ZK8_MA300:
            index, _, state, packed = values
            good += _sense_of_8(index, packed, state, numbers)
        elif layout is SourceFormat.ZK16:
            pin, packed, _, state = values
            if 1 <= pin <= _LARGEST_PIN:
                good += 1.0 if _sense_of_time(packed) and state in _STATES else 0.5
        else:
            # Not the time: after a battery failure a whole log may hold impossible dates, but
            # the pins stay what they are.
            good += bool(number_of(values[0]))
    return good / len(sample) if sample else 0.0


def _sense_of_8(index: int, packed: int, state: int, numbers: Mapping[int, str] | None) -> float:
    """1 for a likely record, ½ for one whose user is known though its time is odd."""
    known = index in numbers if numbers else index > 0
    if not known:
        return 0.0
    return 1.0 if _sense_of_time(packed) and state in _STATES else 0.5


def _sense_of_time(packed: int) -> bool:
    return packed_time.split(packed)[0] in _YEARS and packed_time.local_seconds(packed) is not None
