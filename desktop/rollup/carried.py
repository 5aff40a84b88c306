"""What of a book travels to head office, table by table and column by column.

A table that is not named here does not travel: a new table asks for a decision (a test compares).
Ledger tables always travel whole, else the chain could not be recomputed at head office. What is
sealed in them (names of frozen rows) is sealed anew under the roll-up's own key; the data key of
the site and everything that opens something (terminal and user passwords) never leave.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from desktop.errors import EnvironmentFault
from desktop.people import seals
from desktop.storage.sealed import Sealer

CARRIED = (
    "project", "company", "participation", "staff", "team", "team_shift", "rule_pack", "holiday",
    "floor_wage", "person", "stay", "stay_team", "contract", "roster_import", "terminal",
    "alias", "clock_reading", "download", "stop_work", "leave", "explanation",
    "explanation_cell", "outage_note", "finding_answer", "board_item",
    "segment", "audit_act", "punch", "punch_sighting", "punch_conflict", "punch_quarantine",
    "month_version", "month_row", "month_page", "leaver_slip", "board_version",
    "retention_dates", "retention_policy", "legal_hold", "tombstone", "purge", "purge_step",
)
"""Tables whose rows travel."""

LEFT_AT_SITE = {
    "app_user": "opens something: password hashes",
    "login_guard": "opens something: when the next guess is allowed",
    "terminal_person": "names and numbers as terminals hold them, ID numbers among them",
    "biometric_removal": "tasks of the site, with numbers of terminals",
    "edit_stamp": "who typed last: for the site's own PCs",
    "change_count": "for the site's own PCs",
    "workstation": "the site's own PCs",
    "collection_lease": "the site's own PCs",
}
"""Tables that stay at the site, each with the reason."""

BOOK_FACTS = ("book_id", "created_at", "demo")
"""Rows of ``book_info`` that travel; others belong to the site's own keys and places."""

_WITHOUT_PERSONAL: dict[tuple[str, str], Any] = {
    ("person", "nation"): "", ("person", "education"): "", ("person", "birth_day"): None,
    ("person", "bank_name"): "", ("person", "emergency_contact"): "",
    ("person", "address_sealed"): None, ("person", "phone_sealed"): None,
    ("person", "phone_index"): None, ("person", "bank_card_sealed"): None,
    ("person", "bank_card_index"): None, ("person", "emergency_phone_sealed"): None,
    ("participation", "phone"): "", ("staff", "phone"): "",
}
"""Values that stand in for personal fields unless they are asked for."""

_NEVER: dict[tuple[str, str], Any] = {("terminal", "password_sealed"): None}

_INDEXES = {
    "id_index": ("id_sealed", seals.ID_NUMBER),
    "phone_index": ("phone_sealed", seals.PHONE),
    "bank_card_index": ("bank_card_sealed", seals.BANK_CARD),
}


@dataclass(frozen=True, slots=True)
class Recast:
    """How the rows of one table change on their way; ``None`` from :func:`recast` means not."""

    columns: Sequence[str]
    change: Callable[[list[Any]], None]

    def __call__(self, rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
        changed = [list(row) for row in rows]
        for row in changed:
            self.change(row)
        return changed


def recast(
    table: str, columns: Sequence[str], site: Sealer, rollup: Sealer, *, personal: bool
) -> Recast | None:
    """The change of ``table``'s rows, given in the order of ``columns``.

    ``site`` opens what the book sealed, ``rollup`` seals it for head office. A sealed column that
    nothing is said about is emptied. Raises :class:`EnvironmentFault` when sealed data is damaged.
    """
    place = {name: at for at, name in enumerate(columns)}
    steps: list[Callable[[list[Any]], None]] = []
    for name, at in place.items():
        key = (table, name)
        if key in _NEVER:
            steps.append(_constant(at, _NEVER[key]))
        elif not personal and key in _WITHOUT_PERSONAL:
            steps.append(_constant(at, _WITHOUT_PERSONAL[key]))
        elif table == "person" and name in _INDEXES:
            continue  # follows its sealed column below
        elif name.endswith("_sealed"):
            kept = personal if table == "person" else key == ("month_row", "personal_sealed")
            steps.append(_resealed(at, site, rollup) if kept else _emptied(at, rollup))
    if table == "person":  # the indexes last, over what the sealed columns have become
        steps += [
            _indexed(place[name], place[sealed], place["id"], label, rollup)
            for name, (sealed, label) in _INDEXES.items()
        ]
    if not steps:
        return None

    def change(row: list[Any]) -> None:
        for step in steps:
            step(row)

    return Recast(columns, change)


def _constant(at: int, value: Any) -> Callable[[list[Any]], None]:
    def step(row: list[Any]) -> None:
        row[at] = value

    return step


def _emptied(at: int, rollup: Sealer) -> Callable[[list[Any]], None]:
    def step(row: list[Any]) -> None:
        row[at] = None if row[at] is None else rollup.seal("")

    return step


def _resealed(at: int, site: Sealer, rollup: Sealer) -> Callable[[list[Any]], None]:
    def step(row: list[Any]) -> None:
        if row[at] is not None:
            row[at] = rollup.seal(site.open(bytes(row[at])))

    return step


def _indexed(
    at: int, sealed: int, ident: int, label: str, rollup: Sealer
) -> Callable[[list[Any]], None]:
    def step(row: list[Any]) -> None:
        if row[sealed] is None or row[at] is None:
            row[at] = None
            return
        text = rollup.open(row[sealed])
        # Unique as before also where the number was left out.
        row[at] = rollup.index(label, text) if text else rollup.index("left out", str(row[ident]))

    return step


def undecided(table: str) -> EnvironmentFault:
    """A ledger that nobody decided about: better no file than half a chain."""
    return EnvironmentFault(
        "rollup_table_unknown",
        f"账本里有汇总导出还不认识的台账（{table}），没有导出任何文件。请升级程序后重试。",
        table=table,
    )
