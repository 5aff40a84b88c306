"""Who acts, and what each role may do and see. The tables are data: code only asks them.

Nothing here knows a user, a password or a book. The Chinese names of roles, acts and views stand
in :mod:`desktop.access.matrix`; every new member needs one there.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from desktop.errors import NotPermitted


class Role(enum.StrEnum):
    """Who somebody is in the program."""

    ADMINISTRATOR = "administrator"
    LABOUR_OFFICER = "labour_officer"
    PROJECT_MANAGER = "project_manager"
    INSPECTOR = "inspector"
    TECHNICIAN = "technician"


class Act(enum.StrEnum):
    """What can be done; the audit trail uses the same words. Append at the end of a block."""

    # the two journeys: site, people, punches, attendance, months, board
    BOOK_CREATED = "book.created"
    PROJECT_CHANGED = "project.changed"
    CALENDAR_CHANGED = "calendar.changed"
    ROSTER_IMPORTED = "roster.imported"
    ROSTER_EXPORTED = "roster.exported"
    PERSONAL_DATA_SHOWN = "personal_data.shown"
    TERMINAL_CHANGED = "terminal.changed"
    NUMBERS_MATCHED = "numbers.matched"
    PUNCHES_COLLECTED = "punches.collected"
    EXPLANATION_ADDED = "explanation.added"
    EXPLANATION_APPROVED = "explanation.approved"
    EXPLANATION_WITHDRAWN = "explanation.withdrawn"
    FINDING_ANSWERED = "finding.answered"
    MONTH_FROZEN = "month.frozen"
    MONTH_EXPORTED = "month.exported"
    BOARD_CHANGED = "board.changed"
    BOARD_EXPORTED = "board.exported"
    LEDGER_VERIFIED = "ledger.verified"

    # paper and lists that leave the program
    LIST_EXPORTED = "list.exported"
    PAPER_PRINTED = "paper.printed"

    # users
    USER_ADDED = "user.added"
    USER_ROLE_SET = "user.role_set"
    USER_ACTIVATED = "user.activated"
    USER_DEACTIVATED = "user.deactivated"
    PASSWORD_SET = "password.set"
    PASSWORD_CHANGED = "password.changed"
    PASSWORD_RESET = "password.reset"
    ACCOUNT_BOUND = "account.bound"
    ACCOUNT_UNBOUND = "account.unbound"

    # log-in and lock
    LOGGED_IN = "login.done"
    LOGIN_FAILED = "login.failed"
    LOGIN_HELD = "login.held"
    SCREEN_LOCKED = "screen.locked"
    SCREEN_UNLOCKED = "screen.unlocked"
    OLD_PASSWORD_GIVEN = "login.password_given"

    # audit trail
    AUDIT_EXPORTED = "audit.exported"

    # keys
    PASSPHRASE_CHANGED = "key.passphrase_changed"
    RECOVERY_CODE_RENEWED = "key.recovery_renewed"
    COMPUTER_BOUND = "key.computer_bound"
    BOOK_REKEYED = "key.rekeyed"
    COMPANY_SLOT_ADDED = "key.company_added"
    COMPANY_SLOT_REMOVED = "key.company_removed"
    BOOK_RECOVERED = "key.recovered"

    # backup, restore, salvage, migration
    BACKUP_CREATED = "backup.created"
    BACKUP_VERIFIED = "backup.verified"
    BACKUP_THINNED = "backup.thinned"
    BACKUP_SETTINGS_CHANGED = "backup.settings_changed"
    BOOK_RESTORED = "book.restored"
    RESTORE_DRILLED = "restore.drilled"
    BOOK_SALVAGED = "book.salvaged"
    BOOK_MIGRATED = "book.migrated"
    BACKUP_COPIED = "backup.copied"

    # retention and erasure
    RETENTION_CHANGED = "retention.changed"
    HOLD_ADDED = "retention.hold_added"
    HOLD_LIFTED = "retention.hold_lifted"
    PURGE_PROPOSED = "purge.proposed"
    PURGE_APPROVED = "purge.approved"
    PURGE_RUN = "purge.run"
    ERASURE_CERTIFIED = "erasure.certified"
    BIOMETRICS_REMOVED = "biometrics.removed"

    # several PCs
    BOOK_MOVED = "book.moved"
    MEMBERS_CHANGED = "sharing.members_changed"
    LEASE_TAKEN = "lease.taken"
    LEASE_RELEASED = "lease.released"
    WAITING_DROPPED = "waiting.dropped"

    # company roll-up
    ROLLUP_EXPORTED = "rollup.exported"


class View(enum.StrEnum):
    """A reading area; :meth:`desktop.access.desk.Desk.look` asks for one. Append at the end."""

    PROJECT = "project"
    PEOPLE = "people"
    TERMINALS = "terminals"
    ATTENDANCE = "attendance"
    MONTHS = "months"
    BOARD = "board"
    AUDIT = "audit"
    USERS = "users"
    KEYS = "keys"
    BACKUPS = "backups"
    RETENTION = "retention"
    SHARING = "sharing"
    ROLLUP = "rollup"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts: shown name and role. ``user_id`` is None for the first administrator
    of a book without users, and for the program itself."""

    name: str
    role: Role
    user_id: int | None = None


TRACE_ONLY = frozenset({
    Act.BOOK_CREATED, Act.LOGGED_IN, Act.LOGIN_FAILED, Act.LOGIN_HELD, Act.SCREEN_LOCKED,
    Act.SCREEN_UNLOCKED, Act.OLD_PASSWORD_GIVEN, Act.PASSWORD_RESET, Act.BOOK_RECOVERED,
    Act.BOOK_MIGRATED,
})
"""Acts that are written down but need no role: what is asked for there is a secret (password,
recovery code, company key), or the program acts by itself."""

_EVERYBODY = frozenset({Act.LEDGER_VERIFIED, Act.PASSWORD_CHANGED}) | TRACE_ONLY

_OFFICER = _EVERYBODY | {
    Act.PROJECT_CHANGED, Act.CALENDAR_CHANGED, Act.ROSTER_IMPORTED, Act.ROSTER_EXPORTED,
    Act.PERSONAL_DATA_SHOWN, Act.TERMINAL_CHANGED, Act.NUMBERS_MATCHED, Act.PUNCHES_COLLECTED,
    Act.EXPLANATION_ADDED, Act.EXPLANATION_APPROVED, Act.EXPLANATION_WITHDRAWN,
    Act.FINDING_ANSWERED, Act.MONTH_FROZEN, Act.MONTH_EXPORTED, Act.BOARD_CHANGED,
    Act.BOARD_EXPORTED,
    Act.LIST_EXPORTED, Act.PAPER_PRINTED,
    Act.BACKUP_CREATED, Act.BACKUP_COPIED, Act.BACKUP_VERIFIED, Act.RESTORE_DRILLED,
    Act.RETENTION_CHANGED, Act.HOLD_ADDED, Act.PURGE_PROPOSED, Act.ERASURE_CERTIFIED,
    Act.BIOMETRICS_REMOVED,
    Act.LEASE_TAKEN, Act.LEASE_RELEASED, Act.WAITING_DROPPED,
    Act.ROLLUP_EXPORTED,
}

_MANAGER = _EVERYBODY | {
    Act.ROSTER_EXPORTED, Act.PERSONAL_DATA_SHOWN, Act.EXPLANATION_APPROVED,
    Act.MONTH_EXPORTED, Act.BOARD_EXPORTED,
    Act.LIST_EXPORTED, Act.PAPER_PRINTED, Act.AUDIT_EXPORTED,
    Act.HOLD_ADDED, Act.PURGE_APPROVED, Act.ERASURE_CERTIFIED,
    Act.ROLLUP_EXPORTED,
}

_TECHNICIAN = _EVERYBODY | {
    Act.TERMINAL_CHANGED, Act.PUNCHES_COLLECTED, Act.LEASE_TAKEN, Act.LEASE_RELEASED,
}

ALLOWED: Mapping[Role, frozenset[Act]] = MappingProxyType({
    Role.ADMINISTRATOR: frozenset(Act),
    Role.LABOUR_OFFICER: frozenset(_OFFICER),
    Role.PROJECT_MANAGER: frozenset(_MANAGER),
    Role.INSPECTOR: frozenset(_EVERYBODY),
    Role.TECHNICIAN: frozenset(_TECHNICIAN),
})
"""Which role may do what. The administrator may everything, so that a book with one person works;
what needs two persons is asked for where it is done."""

VISIBLE: Mapping[Role, frozenset[View]] = MappingProxyType({
    Role.ADMINISTRATOR: frozenset(View),
    Role.LABOUR_OFFICER: frozenset(View) - {View.USERS, View.KEYS},
    Role.PROJECT_MANAGER: frozenset(View) - {View.USERS, View.KEYS},
    Role.INSPECTOR: frozenset({
        View.PROJECT, View.PEOPLE, View.TERMINALS, View.ATTENDANCE, View.MONTHS, View.BOARD,
        View.AUDIT, View.RETENTION,
    }),
    Role.TECHNICIAN: frozenset({View.PROJECT, View.TERMINALS, View.SHARING}),
})
"""Which role may see what; a technician sees terminals and no people."""


def may(actor: Actor, act: Act) -> bool:
    """Whether ``actor`` may do ``act``."""
    return act in ALLOWED[actor.role]


def may_look(actor: Actor, view: View) -> bool:
    """Whether ``actor`` may see ``view``."""
    return view in VISIBLE[actor.role]


def permit(actor: Actor, act: Act) -> None:
    """Return if ``actor`` may do ``act``; raise :class:`NotPermitted` otherwise."""
    if act not in ALLOWED[actor.role]:
        from desktop.access.matrix import ACT_NAMES, ROLE_NAMES, roles_of

        raise NotPermitted(
            "not_permitted",
            f"「{actor.name}」的角色是{ROLE_NAMES[actor.role]}，不能做「{ACT_NAMES[act]}」，"
            f"此操作未执行。请由{roles_of(act)}办理。",
            act=act.value,
            role=actor.role.value,
        )


def permit_view(actor: Actor, view: View) -> None:
    """Return if ``actor`` may see ``view``; raise :class:`NotPermitted` otherwise."""
    if view not in VISIBLE[actor.role]:
        from desktop.access.matrix import ROLE_NAMES, VIEW_NAMES, roles_seeing

        raise NotPermitted(
            "not_permitted",
            f"「{actor.name}」的角色是{ROLE_NAMES[actor.role]}，不能查看{VIEW_NAMES[view]}，"
            f"什么也没有打开。请由{roles_seeing(view)}办理。",
            view=view.value,
            role=actor.role.value,
        )
