"""A number on a terminal and whose it may be: the values of 对号 and the search for an owner.

人员编号 first, then the ID number, then a unique exact name. Namesakes, on either side, are never
matched by themselves, and neither is a number whose name on the terminal speaks against it.
"""

from __future__ import annotations

import enum
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.people import seals
from desktop.people.rules import IdentityError, check_identity, name_key, normal_code
from desktop.people.tables import Person, Stay
from desktop.punches.queries import FIRST_DAY, LAST_DAY, shown_number
from desktop.punches.tables import Alias
from desktop.storage.sealed import Sealer
from desktop.storage.types import day_number


class Basis(enum.StrEnum):
    """Why a number is taken to be somebody's."""

    WORKER_NO = "worker_no"
    ID_NUMBER = "id_number"
    NAME = "name"
    HAND = "hand"
    NONE = ""


class Standing(enum.StrEnum):
    """Where a number stands."""

    BY_ITSELF = "by_itself"
    """It is a 人员编号: nothing to confirm."""
    CONFIRMED = "confirmed"
    PROPOSED = "proposed"
    DOUBTFUL = "doubtful"
    """Needs a person's eyes: namesakes, or a number and a name that disagree."""
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Match:
    """A number of a terminal and whose it is or may be. Days are both included, None = open.

    ``shown`` is the number as lists print it. ``note`` is a Chinese sentence, empty if all is said.
    """

    number: str
    shown: str
    terminal_name: str
    standing: Standing
    basis: Basis
    person_id: int | None = None
    worker_no: int | None = None
    person_name: str = ""
    from_day: date | None = None
    to_day: date | None = None
    punches: int = 0
    first_seen: date | None = None
    last_seen: date | None = None
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """One number for ``terminal match`` and ``terminal people``."""
        return {
            "number": self.shown,
            "terminal_name": self.terminal_name,
            "standing": self.standing.value,
            "basis": self.basis.value,
            "worker_no": self.worker_no,
            "name": self.person_name,
            "from": self.from_day,
            "to": self.to_day,
            "punches": self.punches,
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
            "note": self.note,
        }


def span_of(first: date | None, last: date | None) -> tuple[int, int]:
    """Day numbers of a match's first and last day; open ends are open."""
    return (
        FIRST_DAY if first is None else day_number(first),
        LAST_DAY if last is None else day_number(last),
    )


def withdrawn(alias: Alias) -> bool:
    """Holds on no day any more."""
    first, last = span_of(alias.from_day, alias.to_day)
    return first > last


@dataclass(frozen=True, slots=True)
class _Candidate:
    id: int
    worker_no: int
    name: str


_STAND_INS = frozenset("?？□〓*\N{REPLACEMENT CHARACTER}")
"""What terminals show for a character their code page does not have."""


def _agrees(on_terminal: str, roster: str) -> bool:
    """Can the terminal mean this name? It may have cut it, and replaced what GBK lacks."""
    kept = on_terminal.rstrip("\N{REPLACEMENT CHARACTER}")
    return len(kept) <= len(roster) and all(
        shown == meant or (shown in _STAND_INS and not _in_gbk(meant))
        for shown, meant in zip(kept, roster, strict=False)
    )


def _in_gbk(sign: str) -> bool:
    try:
        sign.encode("gbk")
    except UnicodeEncodeError:
        return False
    return True


class Finder:
    """Whose a number of one terminal may be; everything is read once, at the beginning."""

    def __init__(
        self,
        session: Session,
        sealer: Sealer,
        project_id: int,
        terminal_id: int,
        names: Iterable[str],
    ) -> None:
        self._sealer = sealer
        people = session.execute(select(Person.id, Person.worker_no, Person.name, Person.id_index))
        here = set(session.scalars(select(Stay.person_id).where(Stay.project_id == project_id)))
        self._by_id: dict[int, _Candidate] = {}
        self._by_worker_no: dict[str, _Candidate] = {}
        self._by_document: dict[bytes, list[_Candidate]] = defaultdict(list)
        self._by_name: dict[str, list[_Candidate]] = defaultdict(list)
        for person_id, worker_no, name, id_index in people:
            candidate = _Candidate(person_id, worker_no, name)
            self._by_id[person_id] = candidate
            self._by_worker_no[str(worker_no)] = candidate
            if person_id in here:
                self._by_document[id_index].append(candidate)
                self._by_name[name_key(name)].append(candidate)
        self._names = Counter(name_key(name) for name in names if name)
        self._aliases = {
            number: alias
            for number, alias in session.execute(
                select(Alias.number, Alias)
                .where(Alias.terminal_id == terminal_id)
                .order_by(Alias.id)
            )
            if not withdrawn(alias)
        }

    def match(self, number: str, name: str) -> Match:
        """Where this number stands."""
        blank = Match(number, shown_number(number), name, Standing.OPEN, Basis.NONE)
        alias = self._aliases.get(number)
        if alias is not None:
            held = replace(blank, from_day=alias.from_day, to_day=alias.to_day)
            return self._is(held, Standing.CONFIRMED, Basis(alias.basis), self._by_id[alias.person_id])
        own = self._by_worker_no.get(number)
        if own is not None:
            return self._by_itself(blank, own)
        document = self._of_document(number)
        if document is not None:
            return self._is(blank, Standing.PROPOSED, Basis.ID_NUMBER, document)
        return self._of_name(blank)

    def _by_itself(self, blank: Match, own: _Candidate) -> Match:
        """A 人员编号; when the terminal has another name for it, it may be its old number."""
        name, roster = name_key(blank.terminal_name), name_key(own.name)
        if not name or _agrees(name, roster):
            return self._is(blank, Standing.BY_ITSELF, Basis.WORKER_NO, own)
        doubtful = self._is(blank, Standing.DOUBTFUL, Basis.WORKER_NO, own)
        return replace(
            doubtful,
            note=f"编号与「{own.name}」的人员编号相同，但考勤机上的姓名是「{blank.terminal_name}」。"
            "现按人员编号计；若是他人的旧编号，请指认。",
        )

    def _of_document(self, number: str) -> _Candidate | None:
        if len(number) not in (15, 18):
            return None
        try:
            text = check_identity(number).number
        except IdentityError:
            text = normal_code(number)
        found = self._by_document.get(self._sealer.index(seals.ID_NUMBER, text), [])
        return found[0] if len(found) == 1 else None

    def _of_name(self, blank: Match) -> Match:
        key = name_key(blank.terminal_name)
        found = self._by_name.get(key, []) if key else []
        if not found:
            return blank
        if len(found) == 1 and self._names[key] == 1:
            return self._is(blank, Standing.PROPOSED, Basis.NAME, found[0])
        where = "花名册上" if len(found) > 1 else "考勤机上"
        return replace(
            blank, standing=Standing.DOUBTFUL,
            note=f"{where}有同名的人，请核对本人后用人员编号指认。",
        )

    @staticmethod
    def _is(blank: Match, standing: Standing, basis: Basis, who: _Candidate) -> Match:
        return replace(
            blank, standing=standing, basis=basis, person_id=who.id, worker_no=who.worker_no,
            person_name=who.name,
        )
