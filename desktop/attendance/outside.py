"""Days on which a person was not on the project: accepted on paper, but worth a second look.

Whoever enters an explanation or a leave answers for it; most often the date, or the entry or exit
in the roster, is wrong. It knows stays, nothing of punches.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.people.tables import Person, Stay

_SHOWN = 3


def span_of(person_id: int, first: date, last: date) -> list[tuple[int, date]]:
    """``(person_id, day)`` of every day from ``first`` to ``last``, both included."""
    return [(person_id, first + timedelta(days=n)) for n in range((last - first).days + 1)]


def outside_warnings(
    session: Session, project_id: int, cells: Collection[tuple[int, date]]
) -> tuple[str, ...]:
    """One sentence for the ``(person_id, day)`` outside of every stay, or none."""
    persons = sorted({person for person, _ in cells})
    numbers: dict[int, int] = {}
    stays: dict[int, list[tuple[date, date]]] = {}
    for person, number, first, last in _stays(session, project_id, persons):
        numbers[person] = number
        stays.setdefault(person, []).append((first, last or date.max))
    outside = sorted(
        (numbers.get(person, 0), day)
        for person, day in cells
        if not any(first <= day <= last for first, last in stays.get(person, ()))
    )
    if not outside:
        return ()
    shown = "、".join(f"{number}的{day.isoformat()}" for number, day in outside[:_SHOWN])
    more = f"等{len(outside)}天" if len(outside) > _SHOWN else ""
    return (
        f"人员编号{shown}{more}不在其进场至退场期间内，已照登记。"
        "请核对日期和花名册的进退场日期；登错了请撤回。",
    )


def _stays(
    session: Session, project_id: int, persons: list[int]
) -> Iterable[tuple[int, int, date, date | None]]:
    for start in range(0, len(persons), 500):
        found = session.execute(
            select(Stay.person_id, Person.worker_no, Stay.from_day, Stay.to_day)
            .join(Person, Person.id == Stay.person_id)
            .where(Stay.project_id == project_id, Stay.person_id.in_(persons[start : start + 500]))
        )
        for person, number, first, last in found:  # noqa: UP028 (rows become typed tuples)
            yield person, number, first, last
