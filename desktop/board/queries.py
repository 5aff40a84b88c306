"""Reads of exported boards: versions, and whether the wall still says what the book says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from desktop.board.content import board_content, content_digest
from desktop.board.rules import Missing
from desktop.board.tables import BoardVersion
from desktop.clock import CHINA


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One export."""

    version: int
    draft: bool
    size: str
    exported_at: datetime
    exported_by: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class BoardStatus:
    """What stands between the book and the wall.

    ``reprint`` is true when no final board was exported yet, or its words are no longer those of
    the book; ``changed`` names the parts that differ (``project``, ``units``, ``staff``,
    ``floor_wage``, ``items``).
    """

    version: int | None
    exported_at: datetime | None
    reprint: bool
    changed: tuple[str, ...]
    missing: tuple[Missing, ...]

    @property
    def sentence(self) -> str:
        """The state in one Chinese sentence with the next act."""
        if self.missing:
            names = "、".join(item.label for item in self.missing[:3])
            more = "等" if len(self.missing) > 3 else ""
            return (
                f"正式告示牌还缺{len(self.missing)}项：{names}{more}。"
                "请补齐后输出；之前可先挂临时牌。"
            )
        if self.version is None:
            return "内容已齐，还没有输出过正式告示牌。请输出并张挂。"
        if self.reprint:
            parts = "、".join(_PARTS[name] for name in self.changed)
            return f"第{self.version}版告示牌之后，{parts}有变动，请重新输出并更换。"
        return f"墙上的第{self.version}版告示牌与账本一致。"


_PARTS = {
    "project": "项目信息", "units": "参建单位", "staff": "人员及电话", "floor_wage": "最低工资标准",
    "items": "投诉举报渠道等内容",
}


def versions(session: Session, project_id: int) -> list[VersionRow]:
    """All exports, newest first."""
    found = session.scalars(
        select(BoardVersion)
        .where(BoardVersion.project_id == project_id)
        .order_by(BoardVersion.version.desc())
    )
    return [
        VersionRow(
            row.version, row.draft, row.content.get("size", ""), row.exported_at,
            row.exported_by, row.digest,
        )
        for row in found
    ]


def next_version(session: Session, project_id: int) -> int:
    """The number of the next export; final boards and drafts share one count."""
    last = session.scalar(
        select(func.max(BoardVersion.version)).where(BoardVersion.project_id == project_id)
    )
    return (last or 0) + 1


def said_since(session: Session, project_id: int, digest: bytes) -> date | None:
    """The day of the first export, without a change since, that says the same; None if none does.

    Printed as 信息更新日期: a reprint of unchanged content keeps it.
    """
    since = None
    for exported_at, said in session.execute(
        select(BoardVersion.exported_at, BoardVersion.digest)
        .where(BoardVersion.project_id == project_id)
        .order_by(BoardVersion.version.desc())
    ):
        if said != digest:
            break
        since = exported_at
    return None if since is None else since.astimezone(CHINA).date()


def board_status(session: Session, project_id: int, day: date) -> BoardStatus:
    """The board on ``day`` against the last final export."""
    content = board_content(session, project_id, day)
    last = session.scalars(
        select(BoardVersion)
        .where(BoardVersion.project_id == project_id, BoardVersion.draft.is_(False))
        .order_by(BoardVersion.version.desc())
        .limit(1)
    ).first()
    if last is None:
        return BoardStatus(None, None, True, (), content.missing)
    changed = _changed(last.content.get("said", {}), content.as_json())
    reprint = last.digest != content_digest(content)
    return BoardStatus(last.version, last.exported_at, reprint, changed, content.missing)


def _changed(before: dict[str, Any], now: dict[str, Any]) -> tuple[str, ...]:
    return tuple(part for part in _PARTS if before.get(part) != now[part])
