"""The end of the two-offices campaign: the book against the journals of those who worked on it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from desktop import bootstrap
from desktop.access.desk import Desk
from desktop.clock import Clock
from desktop.people import seals
from desktop.punches import spool
from desktop.punches.collect import pull
from desktop.storage.types import local_seconds
from tests.conftest import PASSPHRASE
from tests.punches.rig import QUICK
from tests.server.office_acts import GATES, MONTH, NAMES, PASSWORD, lines, people, stick_lines

Log = Sequence[tuple[str, datetime]]
"""What a gate's terminal holds, in its own order."""


@dataclass
class Deed:
    """One act under its tag, over all tries."""

    office: str
    kind: str
    tag: str
    facts: dict[str, Any]
    outs: list[str] = field(default_factory=list)
    told: Any = None

    @property
    def acknowledged(self) -> bool:
        return "ok" in self.outs

    @property
    def open(self) -> bool:
        """Nobody knows: the office was killed, or the server could not be asked."""
        return not self.acknowledged and ("none" in self.outs or "unknown" in self.outs)

    def fits(self, found: int) -> bool:
        """Whether it may stand in the book so many times."""
        return found == 1 if self.acknowledged else found <= (1 if self.open else 0)


@dataclass
class Findings:
    """Figures of a campaign that held."""

    acts: Counter[tuple[str, str]] = field(default_factory=Counter)
    outs: Counter[str] = field(default_factory=Counter)
    figures: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        kinds = sorted({kind for kind, _ in self.acts})
        rows = [f"{'':10}" + "".join(f"{name:>8}" for name in NAMES)]
        rows += [
            f"{kind:10}" + "".join(f"{self.acts[kind, name]:>12}" for name in NAMES)
            for kind in kinds
        ]
        rows.append(", ".join(f"{name} {count}" for name, count in sorted(self.outs.items())))
        rows.append(", ".join(f"{name} {count}" for name, count in self.figures.items()))
        return "\n".join(rows)


def check(room: Path, clock: Clock, gates: Mapping[str, Log]) -> Findings:
    """Compare everything; AssertionError names the act that does not fit."""
    for name in NAMES:  # opening brings in what still waited
        office = _open(room / name, clock, name)
        assert spool.waiting(office.book) == spool.Summary(), name
        office.close()
    deeds = list(_deeds(room))
    office = _open(room / NAMES[0], clock, NAMES[0])
    try:
        book = _Book(office.desk)
        _entries(book, [one for one in deeds if one.kind in ("stop", "leave", "explain")])
        _decisions(book, deeds)
        _board(book, [one for one in deeds if one.kind == "board"])
        _rosters(book, [one for one in deeds if one.kind == "roster"])
        _months(book, [one for one in deeds if one.kind == "freeze"])
        _sticks(book, [one for one in deeds if one.kind == "stick"])
        _gates(book, [one for one in deeds if one.kind == "pull"], gates)
        _collections(book)
        verdict = office.verify_ledger()
        assert verdict.ok, verdict.first_bad
        return _findings(book, deeds, room, verdict.segments)
    finally:
        office.close()


def _open(place: Path, clock: Clock, name: str) -> bootstrap.Office:
    return bootstrap.open_office(
        place, passphrase=PASSPHRASE, user=name, password=PASSWORD, clock=clock
    )


def _deeds(room: Path) -> Iterator[Deed]:
    """Every act that was begun, with the answers of all its tries."""
    for name in NAMES:
        held: dict[str, Deed] = {}
        tries: dict[int, Deed] = {}
        for line in lines(room / f"{name}.journal"):
            if "do" in line:
                deed = held.setdefault(
                    line["tag"], Deed(name, line["do"], line["tag"], line["facts"])
                )
                deed.outs.append("none")
                tries[line["n"]] = deed
            elif "out" in line:
                deed = tries[line["n"]]
                deed.outs[deed.outs.index("none")] = line["out"]
                if line["out"] == "ok":
                    deed.told = line["told"]
        yield from held.values()


class _Book:
    """Plain questions to the database."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.desk.book.read() as session:
            return [tuple(row) for row in session.execute(text(statement), values)]

    def count(self, statement: str, **values: Any) -> int:
        return int(self.rows(statement, **values)[0][0])

    def acts(self, act: str) -> list[tuple[str, str, str]]:
        """Actor, subject and reason of every audit row of an act."""
        return [
            (actor, subject, why) for actor, subject, why in self.rows(
                "SELECT actor, subject, why FROM audit_act WHERE act = :act ORDER BY id", act=act
            )
        ]


# ── the kinds of acts ───────────────────────────────────────────────────────────────────────────


def _entries(book: _Book, deeds: list[Deed]) -> None:
    """Stop-work, leave, explanations: found by the tag in their text."""
    held: dict[str, dict[str, list[int]]] = {}
    for kind, table, column, number in (
        ("stop", "stop_work", "reason", "id"), ("leave", "leave", "reason", "id"),
        ("explain", "explanation", "text", "number"),
    ):
        found: defaultdict[str, list[int]] = defaultdict(list)
        for tag, ident in book.rows(f"SELECT {column}, {number} FROM {table}"):
            found[tag].append(ident)
        held[kind] = found
    noted = Counter(subject for _, subject, _ in book.acts("calendar.changed"))
    noted.update(subject for _, subject, _ in book.acts("explanation.added"))
    subjects = {"stop": "stop_work", "leave": "leave", "explain": "explanation"}
    for deed in deeds:
        idents = held[deed.kind].pop(deed.tag, [])
        assert deed.fits(len(idents)), (deed, idents)
        assert deed.told is None or idents == [deed.told], (deed, idents)
        for ident in idents:
            assert noted[f"{subjects[deed.kind]}:{ident}"] == 1, (deed, ident)
    assert not any(held.values()), held  # nothing nobody did
    cells = book.count("SELECT count(*) FROM explanation_cell")
    assert cells == book.count("SELECT count(DISTINCT (person_id, day)) FROM explanation_cell")
    assert cells == book.count("SELECT count(*) FROM explanation")


def _decisions(book: _Book, deeds: list[Deed]) -> None:
    """Approvals and withdrawals: one explanation, one decision of each kind, by who was told so."""
    for kind, act in (("approve", "explanation.approved"), ("withdraw", "explanation.withdrawn")):
        noted = [(subject, actor, why) for actor, subject, why in book.acts(act)]
        assert len({subject for subject, *_ in noted}) == len(noted), act
        mine = [one for one in deeds if one.kind == kind]
        for deed in mine:
            subject = f"explanation:{deed.facts['number']}"
            of_office = [one for one in noted if one[:2] == (subject, deed.office)]
            if deed.acknowledged:
                assert len(of_office) == 1, (deed, noted)
                assert kind == "approve" or of_office[0][2] == deed.tag, (deed, of_office)
        possible = {
            (f"explanation:{one.facts['number']}", one.office)
            for one in mine if one.acknowledged or one.open
        }
        assert {one[:2] for one in noted} <= possible, act
        told = Counter(one.facts["number"] for one in mine if one.acknowledged)
        assert set(told.values()) <= {1}, told


def _board(book: _Book, deeds: list[Deed]) -> None:
    """Every edit was made on what the one before it had left: none was wiped out unseen."""
    edits = len(book.acts("board.changed"))
    seen = Counter(one.facts["seen"] for one in deeds if one.acknowledged)
    assert set(seen.values()) <= {1}, seen
    possible = set(seen) | {one.facts["seen"] for one in deeds if one.open}
    assert set(seen) <= set(range(edits)) <= possible, (edits, sorted(possible))
    if edits:
        ((value,),) = book.rows("SELECT value FROM board_item WHERE key = 'legal_aid'")
        last = [one for one in deeds if one.facts["seen"] == edits - 1 and one.tag == value]
        assert last and (last[0].acknowledged or last[0].open), value
    (stamped,) = book.rows("SELECT max(version) FROM edit_stamp WHERE subject = 'board'")
    assert (stamped[0] or 0) == edits


def _rosters(book: _Book, deeds: list[Deed]) -> None:
    index = book.desk.book.sealer.index
    held: Counter[bytes] = Counter(
        bytes(row[0]) for row in book.rows(
            "SELECT p.id_index FROM person p JOIN stay s ON s.person_id = p.id"
        )
    )
    assert set(held.values()) == {1}
    everybody = people()
    for deed in deeds:
        for place in deed.facts["places"]:
            found = held[index(seals.ID_NUMBER, everybody[place].id_number)]
            assert deed.fits(found), (deed, found)
    numbers = book.count("SELECT count(DISTINCT worker_no) FROM person")
    assert numbers == book.count("SELECT count(*) FROM person")


def _months(book: _Book, deeds: list[Deed]) -> None:
    held = {
        version: bytes(digest).hex() for version, digest in book.rows(
            "SELECT version, digest FROM month_version WHERE month = :month", month=MONTH
        )
    }
    assert sorted(held) == list(range(1, len(held) + 1))
    assert len(book.acts("month.frozen")) == len(held)
    made = Counter(
        one.told["version"] for one in deeds if one.acknowledged and not one.told["same"]
    )
    assert set(made.values()) <= {1}, made
    for deed in deeds:
        if deed.acknowledged:
            assert held[deed.told["version"]] == deed.told["digest"], deed
    assert len(held) <= len(made) + sum(one.open for one in deeds)


def _punches(book: _Book, name: str) -> Counter[tuple[str, int]]:
    return Counter(
        (number, t_local) for number, t_local in book.rows(
            "SELECT p.number, p.t_local FROM punch p JOIN terminal t ON t.id = p.terminal_id"
            " WHERE t.name = :name",
            name=name,
        )
    )


def _sticks(book: _Book, deeds: list[Deed]) -> None:
    for name in NAMES:
        held = _punches(book, f"U盘{name[0]}")
        assert set(held.values()) <= {1}
        total = 0
        for deed in deeds:
            if deed.office == name:
                found = {
                    held[str(number), local_seconds(moment)]
                    for number, moment in stick_lines(name, deed.facts["start"])
                }
                assert len(found) == 1 and deed.fits(found.pop()), deed
                total += 40 * held[_first(deed)]
        assert total == sum(held.values())


def _first(deed: Deed) -> tuple[str, int]:
    number, moment = stick_lines(deed.office, deed.facts["start"])[0]
    return str(number), local_seconds(moment)


def _gates(book: _Book, deeds: list[Deed], gates: Mapping[str, Log]) -> None:
    """What was told to be held is held; a last pull then finds the rest and nothing else."""
    for name in GATES:
        log = [(number, local_seconds(moment)) for number, moment in gates[name]]
        held = _punches(book, name)
        assert set(held.values()) <= {1} and set(held) <= set(log)
        told = max((one.told.get(name, 0) for one in deeds if one.told), default=0)
        missing = [one for one in log[:told] if one not in held]
        assert not missing, (name, told, len(missing))
    with book.desk.book.write() as session:  # of an office that was killed and not opened again
        session.execute(text("UPDATE collection_lease SET expires_at = 1"))
    for one in pull(book.desk, GATES, timing=QUICK):
        assert one.complete and one.received == len(gates[one.terminal]), one
        held = _punches(book, one.terminal)
        assert sum(held.values()) == len(held) == len(gates[one.terminal])


def _collections(book: _Book) -> None:
    """No transfer stands twice in the log of collections as one that brought something.

    Two pulls of one second that found the same log are two transfers; the second brought nothing.
    """
    brought: Counter[tuple[Any, ...]] = Counter()
    for *transfer, counts in book.rows(
        "SELECT terminal_id, origin, at, sha256, counts FROM download WHERE complete = 1"
    ):
        if json.loads(counts)["new"]:
            brought[tuple(transfer)] += 1
    assert set(brought.values()) <= {1}


def _findings(book: _Book, deeds: list[Deed], room: Path, segments: int) -> Findings:
    found = Findings()
    for deed in deeds:
        found.acts[deed.kind, deed.office] += deed.acknowledged
        found.outs.update(deed.outs)
    late = [
        json.loads(counts) for (counts,) in book.rows("SELECT counts FROM download")
        if "waited_s" in counts
    ]
    heard = {
        name: {area for line in lines(room / f"{name}.journal") for area in line.get("heard", ())}
        for name in NAMES
    }
    found.figures = {
        "acknowledged": sum(one.acknowledged for one in deeds),
        "segments": segments,
        "punches": book.count("SELECT count(*) FROM punch"),
        "waited": len(late),
        "taken over": len(book.acts("lease.taken")),
        "areas heard": min(map(len, heard.values())),
    }
    return found
