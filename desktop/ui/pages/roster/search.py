"""People for the command bar: the same search as the roster's own."""

from __future__ import annotations

from sqlalchemy.orm import Session

from desktop.people.queries import RosterQuery, roster_ids, roster_rows
from desktop.ui.shell.command_bar import Hit
from desktop.ui.workspace import Workspace

_SHOWN = 8


def people_hits(session: Session, workspace: Workspace, text: str) -> list[Hit]:
    """The first stays that fit what was typed."""
    sealer = workspace.office.book.sealer
    ids = roster_ids(
        session, workspace.project_id, RosterQuery(text=text), sealer, limit=_SHOWN
    )
    return [
        Hit(row.name, f"{row.worker_no}　{row.team or row.trade}　{row.state_word}", "person", row.stay_id)
        for row in roster_rows(session, sealer, ids)
    ]
