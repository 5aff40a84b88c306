"""The desk a service act is done at: whose hands, which project of which book."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from desktop.access import audit
from desktop.access.actor import Act, Actor, permit
from desktop.clock import Clock

if TYPE_CHECKING:
    from desktop.storage.book import Book
    from desktop.storage.tables import Segment


@dataclass(frozen=True, slots=True)
class Desk:
    """What nearly every use case needs; passed first, never stored in a global."""

    book: Book
    project_id: int
    actor: Actor

    @property
    def clock(self) -> Clock:
        return self.book.clock

    def permit(self, act: Act) -> None:
        """Raise :class:`desktop.errors.NotPermitted` unless the actor may do ``act``."""
        permit(self.actor, act)

    def audit(
        self, session: Session, act: Act, subject: str, *, why: str = "", **facts: Any
    ) -> Segment:
        """Write the audit row of ``act`` in the act's own transaction."""
        return audit.record(
            session, self.project_id, self.actor, act, subject,
            at=self.clock.now(), why=why, facts=facts,
        )
