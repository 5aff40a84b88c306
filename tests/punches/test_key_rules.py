"""Invariant 1 as a model: batches in any order, by any way, with or without sequence.

The model is a dictionary by key. Whatever comes in, the ledger holds exactly its entries, the
counts add up, and storing everything again changes nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.clock import FixedClock
from desktop.punches.ledger import Counts, Origin
from desktop.storage.book import open_book
from devices.terminals.model import Punch, SourceFormat
from tests.conftest import NOW, PASSPHRASE, Copy
from tests.punches.rig import MORNING, keep, proven, punch, rows, terminal

Fresh = Callable[[], Any]

RECORDS = st.builds(
    lambda number, second, method, state, form, tail: punch(
        number, MORNING + timedelta(seconds=second), method=method, state=state, form=form,
        raw=b"%d" % tail,
    ),
    st.sampled_from(["1", "2"]),
    st.integers(0, 3),
    st.sampled_from([1, 15]),
    st.sampled_from([0, 1]),
    st.sampled_from([SourceFormat.ZK40, SourceFormat.ATTLOG]),
    st.integers(0, 2),
)
BATCHES = st.lists(
    st.tuples(st.sampled_from([Origin.PULL, Origin.USB]), st.lists(RECORDS, max_size=8)),
    max_size=6,
)
NUMBERED = st.lists(
    st.tuples(
        st.sampled_from([Origin.PULL, Origin.PUSH]),
        st.lists(st.tuples(st.integers(1, 6), RECORDS), max_size=8),
    ),
    max_size=6,
)
SLOWLY = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class Model:
    """What must be held after all batches."""

    def __init__(self) -> None:
        self.first: dict[Any, tuple[Origin, Punch]] = {}
        self.sightings: set[tuple[Any, Origin]] = set()
        self.conflicts: set[tuple[Any, bytes]] = set()

    def take(self, origin: Origin, keyed: list[tuple[Any, Punch]]) -> Counts:
        before = len(self.first), len(self.sightings), len(self.conflicts)
        for key, record in keyed:
            came, held = self.first.setdefault(key, (origin, record))
            if came != origin:
                self.sightings.add((key, origin))
            if held.source_format == record.source_format and held.raw != record.raw:
                self.conflicts.add((key, record.raw))
        new = len(self.first) - before[0]
        return Counts(
            new=new, duplicate=len(keyed) - new, sighting=len(self.sightings) - before[1],
            conflict=len(self.conflicts) - before[2],
        )


@pytest.fixture
def fresh(site_template: Path, tmp_path: Path, copy_book: Copy) -> Fresh:
    """Opens a new desk with one terminal as often as it is called."""
    numbers: Iterator[int] = iter(range(1 << 20))

    @contextmanager
    def opened() -> Iterator[tuple[Desk, int]]:
        folder = tmp_path / str(next(numbers))
        copy_book(site_template, folder)
        with open_book(folder, FixedClock(NOW), passphrase=PASSPHRASE) as book:
            desk = Desk(book, 1, Actor("管理员", Role.ADMINISTRATOR))
            yield desk, terminal(desk)
        shutil.rmtree(folder)

    return opened


def check(desk: Desk, model: Model) -> None:
    held = rows(desk, "SELECT number, t_local, method_raw, state_raw, raw FROM punch ORDER BY id")
    assert held == [
        (one.number, one.t_local, one.method_raw, one.state_raw, one.raw)
        for _, one in model.first.values()
    ]
    assert rows(desk, "SELECT count(*) FROM punch_sighting") == [(len(model.sightings),)]
    assert rows(desk, "SELECT count(*) FROM punch_conflict") == [(len(model.conflicts),)]
    assert proven(desk).punches == len(model.first)


@SLOWLY
@given(batches=BATCHES)
def test_without_sequence(fresh: Fresh, batches: list[tuple[Origin, list[Punch]]]) -> None:
    model = Model()
    with fresh() as (desk, gate):
        for _ in range(2):
            for origin, records in batches:
                keyed = [((p.number, p.t_local, p.method_raw, p.state_raw), p) for p in records]
                assert keep(desk, gate, records, origin) == model.take(origin, keyed)
        check(desk, model)


@SLOWLY
@given(batches=NUMBERED)
def test_with_sequence(
    fresh: Fresh, batches: list[tuple[Origin, list[tuple[int, Punch]]]]
) -> None:
    model = Model()
    with fresh() as (desk, gate):
        for _ in range(2):
            for origin, numbered in batches:
                records = [record for _, record in numbered]
                seqs = [seq for seq, _ in numbered]
                found = keep(desk, gate, records, origin, seqs=seqs)
                assert found == model.take(origin, numbered)
        check(desk, model)
