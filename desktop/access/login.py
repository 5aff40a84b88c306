"""Letting people in: passwords, waits after failures, accounts of the computer.

After five failures in a row a user waits 30 s, doubled by each further failure up to 15 minutes.
What is stored is what is *left* of the wait and when that was so. Within one run of the computer
the time gone by is its uptime, which nobody can set; after a restart, or on another computer, it
is the clock's difference and never negative. So a clock set back shortens nothing and a clock set
forward shortens nothing without a restart for every few guesses; and a clock that was wrong by a
year and then put right keeps nobody out longer than the wait itself, as each attempt notes the
clock anew.

The outcome is told only after its counter is kept: whoever kills the program in between has
learned nothing. Guesses at names nobody has share one counter. It is no secret who has an account:
whoever can open the book sees the names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.access import audit, os_account
from desktop.access.actor import Act, Actor, Role
from desktop.access.desk import Desk
from desktop.access.tables import AppUser, LoginGuard
from desktop.access.users import find, login_needed, same_name
from desktop.errors import Refused

if TYPE_CHECKING:
    from desktop.clock import Clock
    from desktop.storage.book import Book

__all__ = [
    "NOBODY", "check_password", "has_password", "log_in", "log_in_by_os_account", "login_needed",
    "same_name", "user_names", "wait_left",
]

NOBODY = Actor("（未登录）", Role.INSPECTOR)
"""In whose name failed log-ins are written down."""

FREE_FAILURES = 5
FIRST_WAIT_S = 30
LONGEST_WAIT_S = 15 * 60
_MOST_DOUBLINGS = 16
_NO_USER = 0


def log_in(book: Book, project_id: int, name: str, password: str) -> Actor:
    """The actor behind name and password; success, failure and wait are audited.

    Raises :class:`Refused` ``login_failed`` (the same sentence and the same time for a wrong name,
    a wrong password and a user shut out) or ``login_held`` (facts: ``wait_s``).
    """
    return _try(book, project_id, name, password, Act.LOGGED_IN)


def check_password(desk: Desk, password: str, act: Act = Act.SCREEN_UNLOCKED) -> None:
    """Ask the desk's own actor for his password again; failures count like failed log-ins.

    ``act`` is what is asked for, and what is written down when the password fits.
    """
    desk.permit(act)
    _try(desk.book, desk.project_id, desk.actor.name, password, act)


def log_in_by_os_account(
    book: Book, project_id: int, account: os_account.AccountPort = os_account.current
) -> Actor | None:
    """The active user this computer's account is bound to, if any; audited."""
    here = account()
    if here is None:
        return None
    with book.read() as session:
        bound = session.scalars(
            select(AppUser).where(AppUser.os_account.is_not(None), AppUser.active.is_(True))
        ).all()
    for user in bound:
        if os_account.identity(user.os_account or "") == here.identity:
            actor = _actor(user)
            with book.write() as session:
                _audit(session, book, project_id, actor, Act.LOGGED_IN, user.id, by="account")
            return actor
    return None


def user_names(session: Session) -> list[str]:
    """Who may be chosen at the log-in, in the order they were added."""
    return list(session.scalars(
        select(AppUser.name)
        .where(AppUser.active.is_(True), AppUser.password_hash.is_not(None))
        .order_by(AppUser.id)
    ))


def has_password(session: Session, actor: Actor) -> bool:
    """Whether the actor could be asked for a password."""
    user = find(session, actor.name)
    return user is not None and user.password_hash is not None


def wait_left(session: Session, clock: Clock, user_id: int) -> int:
    """Seconds this user still has to wait; 0 when he may try."""
    guard = session.get(LoginGuard, user_id)
    return 0 if guard is None else _left(guard, clock)


# ── one attempt ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Outcome:
    """``actor`` when let in; else how long to wait, and whether the guess was looked at."""

    actor: Actor | None
    wait_s: int = 0
    held: bool = False


def _try(book: Book, project_id: int, name: str, typed: str, act: Act) -> Actor:
    from desktop.access import password as passwords

    with book.read() as session:
        before = _open_user(session, name)
        stored = before.password_hash if before else None
    fits = passwords.fits(stored, typed)  # 0.15 s: not while others wait for the lane
    fresh = passwords.renewed(typed) if fits and stored and passwords.worn(stored) else None
    with book.write() as session:
        user = _open_user(session, name)
        if user is None or user.password_hash != stored:
            fits = False
        outcome = _decide(session, book, project_id, user, act, fits=fits)
        if outcome.actor is not None and user is not None:
            facts = {"by": "password"}
            if fresh is not None:
                user.password_hash = fresh
                facts["password"] = passwords.fingerprint(fresh)
            _audit(session, book, project_id, outcome.actor, act, user.id, **facts)
    if outcome.actor is not None:
        return outcome.actor
    raise _refusal(outcome)


def _decide(
    session: Session, book: Book, project_id: int, user: AppUser | None, act: Act, *, fits: bool
) -> _Outcome:
    """Count the attempt and write it down; nobody is told before the commit."""
    user_id = _NO_USER if user is None else user.id
    guard = session.get(LoginGuard, user_id)
    left = 0 if guard is None else _left(guard, book.clock)
    if guard is not None and left:
        _note(guard, book.clock, left)
        return _Outcome(None, left, held=True)
    if fits and user is not None:
        if guard is not None:
            session.delete(guard)
        return _Outcome(_actor(user))
    if guard is None:
        guard = LoginGuard(user_id=user_id, failures=0)
        session.add(guard)
    guard.failures += 1
    wait = _wait_after(guard.failures)
    _note(guard, book.clock, wait)
    facts = {"failures": guard.failures, "asked": act.value}
    _audit(session, book, project_id, NOBODY, Act.LOGIN_FAILED, user_id, **facts)
    if wait:
        _audit(session, book, project_id, NOBODY, Act.LOGIN_HELD, user_id, wait_s=wait)
    return _Outcome(None, wait)


def _open_user(session: Session, name: str) -> AppUser | None:
    user = find(session, name)
    return user if user is not None and user.active else None


def _actor(user: AppUser) -> Actor:
    return Actor(user.name, Role(user.role), user.id)


def _wait_after(failures: int) -> int:
    if failures < FREE_FAILURES:
        return 0
    doublings = min(failures - FREE_FAILURES, _MOST_DOUBLINGS)
    return min(FIRST_WAIT_S << doublings, LONGEST_WAIT_S)


def _left(guard: LoginGuard, clock: Clock) -> int:
    """What remains of the wait by uptime, or by the clock when uptime says nothing."""
    boot, uptime_s = clock.uptime()
    if boot and boot == guard.boot:
        gone = uptime_s - guard.uptime_s
    else:
        gone = int((clock.now() - guard.seen_at).total_seconds())
    return max(0, guard.wait_s - max(0, gone))


def _note(guard: LoginGuard, clock: Clock, wait_s: int) -> None:
    guard.wait_s = wait_s
    guard.seen_at = clock.now()
    guard.boot, guard.uptime_s = clock.uptime()


def _audit(
    session: Session, book: Book, project_id: int, actor: Actor, act: Act, user_id: int,
    **facts: str | int,
) -> None:
    audit.record(
        session, project_id, actor, act, f"user:{user_id}", at=book.clock.now(), facts=facts
    )


def _refusal(outcome: _Outcome) -> Refused:
    if outcome.held:
        return Refused(
            "login_held",
            f"登录失败次数过多，还要等{_words(outcome.wait_s)}才能再试，这一次没有核对密码。"
            "忘记密码时，请管理员重设，或用恢复码重设。",
            wait_s=outcome.wait_s,
        )
    then = f"接下来要等{_words(outcome.wait_s)}才能再试。" if outcome.wait_s else "请重新输入。"
    return Refused(
        "login_failed",
        f"用户名或登录密码不对，没有登录，账本未做改动。{then}忘记密码时，请管理员重设，或用恢复码重设。",
        wait_s=outcome.wait_s,
    )


def _words(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}分{rest:02d}秒" if minutes else f"{rest}秒"
