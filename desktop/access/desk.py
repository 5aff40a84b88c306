"""The desk a service act is done at: whose hands, which project of which book."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from desktop.access import audit
from desktop.access.actor import Act, Actor, View, may, permit, permit_view
from desktop.access.tables import AppUser
from desktop.clock import Clock
from desktop.errors import NotPermitted

if TYPE_CHECKING:
    from desktop.storage.book import Book
    from desktop.storage.tables import Segment

_USER = AppUser.__table__.c
_STANDING = select(_USER.role, _USER.active).where(_USER.id == bindparam("user_id"))


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

    def permit_any(self, *acts: Act) -> Act:
        """The first of ``acts`` the actor may do; raises as :meth:`permit` where he may none."""
        for act in acts:
            if may(self.actor, act):
                return act
        permit(self.actor, acts[0])
        return acts[0]

    def permit_view(self, view: View) -> None:
        """Raise :class:`desktop.errors.NotPermitted` unless the actor may see ``view``."""
        permit_view(self.actor, view)

    @contextmanager
    def look(self, view: View) -> Iterator[Session]:
        """A reading session for ``view``; raise :class:`desktop.errors.NotPermitted` unless the
        actor may see it. Whoever shows something to a person reads through here."""
        permit_view(self.actor, view)
        with self.book.read() as session:
            self._still_the_same(session)
            yield session

    def audit(
        self, session: Session, act: Act, subject: str, *, why: str = "", **facts: Any
    ) -> Segment:
        """Write the audit row of ``act`` in the act's own transaction.

        Raises :class:`desktop.errors.NotPermitted` when the actor was shut out or given another
        role since he logged in, so that nothing of the act is kept.
        """
        self._still_the_same(session)
        return audit.record(
            session, self.project_id, self.actor, act, subject,
            at=self.clock.now(), why=why, facts=facts,
        )

    def _still_the_same(self, session: Session) -> None:
        """A log-in holds for hours, on several computers: what it was worth is asked each time."""
        if self.actor.user_id is None:
            return
        held = session.execute(_STANDING, {"user_id": self.actor.user_id}).first()
        if held is None or not held.active or held.role != self.actor.role.value:
            raise NotPermitted(
                "user_changed",
                f"用户「{self.actor.name}」已被停用或改了角色，此操作未执行。请重新登录。",
                user_id=self.actor.user_id,
            )
