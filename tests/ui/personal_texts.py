"""Everything a window could still tell about a person: used after locking, expected to be nothing."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QModelIndex, QObject, Qt
from PySide6.QtGui import QAccessible, QAction, QClipboard
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from desktop.people.queries import RosterQuery, roster_ids, roster_rows
from desktop.ui.widgets.basics import Chip

_TEXTS = (
    "text", "toPlainText", "currentText", "placeholderText", "windowTitle", "toolTip",
    "statusTip", "whatsThis", "accessibleName", "accessibleDescription", "title", "selectedText",
)
_ROLES = (
    Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.EditRole,
    Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.UserRole,
)


def people_of(desk: Any) -> set[str]:
    """Names, numbers and masked numbers of everybody on the roster."""
    with desk.book.read() as session:
        ids = roster_ids(session, desk.project_id, RosterQuery(), desk.book.sealer, limit=None)
        rows = roster_rows(session, desk.book.sealer, ids)
    found = {text for row in rows for text in (row.name, row.id_number, row.phone, row.bank_card)}
    return {text for text in found if text and text not in ("—", "*")}


def shown_texts() -> Iterator[tuple[str, str]]:
    """(where, text) of every widget, model, action and accessible object, and the clipboard."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    for widget in app.allWidgets():
        yield from _of_widget(widget)
    for thing in gc.get_objects():
        if isinstance(thing, QObject) and isValid(thing):
            if isinstance(thing, QAbstractItemModel):
                yield from _of_model(thing)
            elif isinstance(thing, QAction):
                yield type(thing).__name__, f"{thing.text()} {thing.toolTip()} {thing.data()}"
            elif isinstance(thing, Chip) and thing._state is not None:
                yield "Chip", thing._state.word
    for top in app.topLevelWidgets():
        yield from _of_accessible(QAccessible.queryAccessibleInterface(top))
    for mode in (QClipboard.Mode.Clipboard, QClipboard.Mode.Selection):
        yield "clipboard", app.clipboard().text(mode)


def _of_widget(widget: QWidget) -> Iterator[tuple[str, str]]:
    kind = type(widget).__name__
    for name in _TEXTS:
        ask = getattr(widget, name, None)
        if callable(ask):
            try:
                said = ask()
            except TypeError:  # QMenu.title takes nothing, a tab's text takes an index
                continue
            if isinstance(said, str) and said:
                yield f"{kind}.{name}", said
    for place in range(widget.count() if type(widget).__name__ == "QTabBar" else 0):  # type: ignore[attr-defined]
        yield f"{kind}.tab", widget.tabText(place)  # type: ignore[attr-defined]
    model = getattr(widget, "model", None)
    if callable(model) and isinstance(found := model(), QAbstractItemModel):
        yield from _of_model(found)
    completer = getattr(widget, "completer", lambda: None)()
    if completer is not None and completer.model() is not None:
        yield from _of_model(completer.model())


def _of_model(model: QAbstractItemModel, parent: QModelIndex = QModelIndex()) -> Iterator[tuple[str, str]]:
    for row in range(min(200, model.rowCount(parent))):
        columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount(parent)
        for column in range(columns):
            for role in _ROLES:
                said = model.data(model.index(row, column, parent), int(role))
                if said is not None:
                    yield f"{type(model).__name__}[{row},{column}]", str(said)


def _of_accessible(interface: Any) -> Iterator[tuple[str, str]]:
    if interface is None or not interface.isValid():
        return
    for kind in (QAccessible.Text.Name, QAccessible.Text.Value, QAccessible.Text.Description):
        said = interface.text(kind)
        if said:
            yield "accessible", said
    for place in range(interface.childCount()):
        yield from _of_accessible(interface.child(place))
