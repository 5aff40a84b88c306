"""Rows of short entries that can be added and removed: companies and teams of a new book."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLineEdit, QWidget

from desktop.ui.i18n import tr
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import button, column, icon_button, label, repolish
from desktop.ui.widgets.fields import Choice

Options = Callable[[], Sequence[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class EntryField:
    """A column of the rows; ``options`` makes it a choice."""

    key: str
    title: str
    stretch: int
    required: bool = False
    options: Options | None = None


class EntryRows(QWidget):
    """A small grid of fields; rows whose text fields are all empty do not count."""

    def __init__(self, fields: Sequence[EntryField], add_text: str, first: Sequence[str]) -> None:
        super().__init__()
        self._fields = tuple(fields)
        self._rows: list[list[QWidget]] = []
        whole = column(self)
        self._grid = QGridLayout()
        self._grid.setSpacing(6)
        whole.addLayout(self._grid)
        for place, field in enumerate(self._fields):
            title = field.title + (" *" if field.required else "")
            self._grid.addWidget(label(title, tone=Tone.TEXT_2), 0, place)
            self._grid.setColumnStretch(place, field.stretch)
        more = button(add_text, self.add_row, icon="plus", kind="quiet")
        whole.addWidget(more, 0, Qt.AlignmentFlag.AlignLeft)
        self._first = list(first) or [""]
        for value in self._first:
            self.add_row(value)

    @classmethod
    def for_companies(cls) -> EntryRows:
        from desktop.site import codes

        kinds = [(name, name) for name in codes.table("corp_type").values()]
        fields = (
            EntryField("kind", tr("类型"), 3, True, lambda: kinds),
            EntryField("name", tr("单位名称"), 5, True),
            EntryField("credit_code", tr("统一社会信用代码"), 4, True),
            EntryField("contact", tr("负责人"), 2),
            EntryField("phone", tr("电话"), 3),
        )
        usual = ("施工总承包单位", "劳务分包", "建设单位", "监理单位")
        words = codes.table("corp_type")
        first = [words[code] for name in usual if (code := codes.corp_kind(name)) is not None]
        return cls(fields, tr("添加单位"), first)

    @classmethod
    def for_teams(cls, companies: EntryRows) -> EntryRows:
        def named() -> list[tuple[str, str]]:
            return [(entry["name"], entry["name"]) for entry in companies.entries()]

        shifts = [("day", tr("白班")), ("night", tr("夜班"))]
        fields = (
            EntryField("name", tr("班组名称"), 3, True),
            EntryField("company", tr("用人单位"), 5, True, named),
            EntryField("shift", tr("班次"), 2, True, lambda: shifts),
            EntryField("leader", tr("班组长"), 2),
        )
        return cls(fields, tr("添加班组"), ())

    def add_row(self, first: str = "") -> None:
        """One more row; ``first`` is the value of its first field."""
        place = self._grid.rowCount()
        widgets: list[QWidget] = []
        for at, field in enumerate(self._fields):
            made: QWidget
            if field.options is not None:
                made = Choice(field.options(), field.title)
                if at == 0 and first:
                    made.choose(first)
            else:
                made = QLineEdit()
                made.setAccessibleName(field.title)
            self._grid.addWidget(made, place, at)
            widgets.append(made)
        drop = icon_button("close", tr("删除这一行"), lambda: self._drop(widgets, drop))
        self._grid.addWidget(drop, place, len(self._fields))
        self._rows.append(widgets)

    def entries(self) -> list[dict[str, str]]:
        """Rows with something typed in them, empty values left out."""
        found = []
        for widgets in self._rows:
            entry = {field.key: _text(widget) for field, widget in zip(self._fields, widgets, strict=True)}
            typed = any(
                entry[field.key] for field in self._fields if field.options is None
            )
            if typed:
                found.append({key: value for key, value in entry.items() if value})
        return found

    def fill(self, row: int, **values: str) -> None:
        """Type into a row, adding rows as needed."""
        while len(self._rows) <= row:
            self.add_row()
        for field, widget in zip(self._fields, self._rows[row], strict=True):
            if field.key in values and isinstance(widget, QLineEdit):
                widget.setText(values[field.key])
            elif field.key in values and isinstance(widget, Choice):
                widget.choose(values[field.key])

    def complete(self) -> bool:
        """Mark required fields left empty in rows that count."""
        ok = True
        for widgets in self._rows:
            typed = any(isinstance(w, QLineEdit) and w.text().strip() for w in widgets)
            for field, widget in zip(self._fields, widgets, strict=True):
                missing = typed and field.required and not _text(widget)
                widget.setProperty("wrong", missing)
                repolish(widget)
                if missing and ok:
                    widget.setFocus()
                    ok = False
        return ok

    def showEvent(self, event: object) -> None:
        """Choices that follow other rows are read again whenever the step is shown."""
        super().showEvent(event)  # type: ignore[arg-type]
        for widgets in self._rows:
            for field, widget in zip(self._fields, widgets, strict=True):
                if field.options is not None and isinstance(widget, Choice):
                    widget.set_options(field.options())

    def _drop(self, widgets: list[QWidget], drop: QWidget) -> None:
        self._rows.remove(widgets)
        for widget in (*widgets, drop):
            self._grid.removeWidget(widget)
            widget.hide()
            widget.deleteLater()


def _text(widget: QWidget) -> str:
    if isinstance(widget, QLineEdit):
        return widget.text().strip()
    return str(widget.value() or "") if isinstance(widget, Choice) else ""


