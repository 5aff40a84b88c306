"""The board's own items: typed once, kept by key of project.toml ``[board]``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.access import editing
from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.board.rules import ITEMS, tidy
from desktop.board.tables import BoardItem
from desktop.errors import Refused

SUBJECT = "board"
"""Of the versions of the items, see :func:`desktop.access.editing.version`."""


def set_items(
    desk: Desk, items: Mapping[str, str | Sequence[str]], *, seen: int | None = None
) -> tuple[str, ...]:
    """Store typed items; an empty value removes one. Returns the keys that changed.

    Raises :class:`Refused` naming the item, with nothing changed, for an unknown key or a text
    that cannot stand on a board; :class:`desktop.errors.Conflict` when somebody changed one of
    the same items after the version ``seen``.
    """
    desk.permit(Act.BOARD_CHANGED)
    wanted = {key: _checked(key, value) for key, value in items.items()}
    with desk.book.write() as session:
        held = _held(session, desk.project_id)
        now: dict[str, editing.Now] = {
            key: (f"「{ITEMS[key].label}」", held[key].value if key in held else "")
            for key, value in wanted.items()
            if value != (held[key].value if key in held else "")
        }
        editing.check(desk, session, SUBJECT, seen, "告示牌", now)
        changed = _store(session, desk.project_id, wanted)
        if changed:
            editing.touch(desk, session, SUBJECT, *changed)
            desk.audit(session, Act.BOARD_CHANGED, "board", keys=list(changed))
    return changed


def store_items(
    session: Session, project_id: int, items: Mapping[str, str | Sequence[str]]
) -> None:
    """The items of a settings file, in the transaction that makes the project."""
    _store(session, project_id, {key: _checked(key, value) for key, value in items.items()})


def _checked(key: str, value: str | Sequence[str]) -> str:
    item = ITEMS.get(key)
    if item is None:
        known = "、".join(ITEMS)
        raise Refused(
            "board_unknown_key", f"告示牌没有「{key[:30]}」这一项，未做任何改动。可填写：{known}。",
            key=key[:30],
        )
    text = value if isinstance(value, str) else "\n".join(value)
    try:
        return tidy(key, text)
    except ValueError as error:
        raise Refused(
            "board_item", f"告示牌「{item.label}」{error}，未做任何改动。请改短或重新输入。", key=key
        ) from error


def _held(session: Session, project_id: int) -> dict[str, BoardItem]:
    rows = session.scalars(select(BoardItem).where(BoardItem.project_id == project_id))
    return {item.key: item for item in rows}


def _store(session: Session, project_id: int, wanted: Mapping[str, str]) -> tuple[str, ...]:
    """Write what differs; returns the keys that did."""
    held = _held(session, project_id)
    changed = []
    for key, value in wanted.items():
        item = held.get(key)
        if (item.value if item else "") == value:
            continue
        changed.append(key)
        if item is None:
            session.add(BoardItem(project_id=project_id, key=key, value=value))
        elif value:
            item.value = value
        else:
            session.delete(item)
    session.flush()
    return tuple(changed)
