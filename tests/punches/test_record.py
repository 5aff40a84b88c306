"""Record bytes: the written-out loop is the stated layout, and no two records share bytes."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from desktop.punches import record
from desktop.storage.chain import leaf
from desktop.storage.encode import absent

INT = st.integers(-(1 << 62), 1 << 62)
ROW = st.tuples(
    INT, INT, INT, st.none() | INT, st.binary(max_size=30), *[INT] * 8, st.binary(max_size=60),
    st.none(),
)


@given(ROW)
def test_the_loop_for_punches_is_the_stated_layout(row: tuple[Any, ...]) -> None:
    ident, terminal, epoch, seq, number, *ints, raw, _ = row
    packed = record.PUNCH.pack((ident, terminal, epoch, absent(seq), *ints), (number, raw))
    assert list(record.punch_leaves([row])) == [leaf(packed)]


@given(ROW, st.integers(0, 13), st.data())
def test_every_column_is_in_the_digest(row: tuple[Any, ...], place: int, data: Any) -> None:
    other = data.draw(st.binary(max_size=60) if place in (4, 13) else INT)
    changed = (*row[:place], other, *row[place + 1 :])
    before, after = record.punch_leaves([row, changed])
    assert (before == after) == (row == changed)


@given(st.lists(ROW, max_size=5))
def test_the_segment_is_not_part_of_a_record(rows: list[tuple[Any, ...]]) -> None:
    moved = [(*row[:-1], 7) for row in rows]
    assert list(record.punch_leaves(rows)) == list(record.punch_leaves(moved))


def test_a_row_nobody_could_have_written_gives_a_digest_of_its_own() -> None:
    row: Any = (1, None, 0, None, b"1", 0, 0, 0, 0, 0, 0, 0, 0, b"", 1)
    assert list(record.punch_leaves([row])) == [record.IMPOSSIBLE]
    assert record.sighting_leaf(1 << 70, 1, b"usb") == record.IMPOSSIBLE


def test_the_four_kinds_never_meet() -> None:
    leaves = {
        record.sighting_leaf(1, 2, b"usb"),
        record.conflict_leaf(1, 2, 3, b"usb"),
        record.quarantine_leaf(1, 2, 3, 4, b"future", b"1", b"", b"usb"),
    }
    assert len(leaves) == 3
