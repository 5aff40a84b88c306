"""The board's own items: typed once, kept by key of project.toml ``[board]``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.board.rules import ITEMS, tidy
from desktop.board.tables import BoardItem
from desktop.errors import Refused


def set_items(desk: Desk, items: Mapping[str, str | Sequence[str]]) -> tuple[str, ...]:
    """Store typed items; an empty value removes one. Returns the keys that changed.

    Raises :class:`Refused` naming the item, with nothing changed, for an unknown key or a text
    that cannot stand on a board.
    """
    desk.permit(Act.BOARD_CHANGED)
    wanted = {key: _checked(key, value) for key, value in items.items()}
    with desk.book.write() as session:
        changed = _store(session, desk.project_id, wanted)
        if changed:
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


def _store(session: Session, project_id: int, wanted: Mapping[str, str]) -> tuple[str, ...]:
    """Write what differs; returns the keys that did."""
    held = {
        item.key: item
        for item in session.scalars(select(BoardItem).where(BoardItem.project_id == project_id))
    }
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
