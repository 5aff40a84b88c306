"""A field that finds a person of the roster by name, pinyin, initials or number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QStringListModel, QTimer
from PySide6.QtWidgets import QCompleter, QLineEdit

from desktop.access.actor import View
from desktop.ui.i18n import tr

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from desktop.ui.workspace import Workspace

_SHOWN = 12
Found = Sequence[tuple[int, int, str]]
"""(person id, worker number, words)."""


class PersonField(QLineEdit):
    """Typing lists people; only a listed one counts."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._known: dict[str, tuple[int, int]] = {}
        self.setPlaceholderText(tr("姓名、拼音、首字母或人员编号"))
        self._model = QStringListModel()
        completer = QCompleter(self._model, self)
        completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        completer.setMaxVisibleItems(_SHOWN)
        self.setCompleter(completer)
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(120)
        self._wait.timeout.connect(self._search)
        self.textEdited.connect(lambda _: self._wait.start())

    def set_person(self, person_id: int, worker_no: int, words: str) -> None:
        """Choose somebody from outside."""
        self._known[words] = (person_id, worker_no)
        self.setText(words)

    def person_id(self) -> int | None:
        """The chosen person, None if the text names nobody that was listed."""
        found = self._known.get(self.text().strip())
        return found[0] if found else None

    def worker_no(self) -> int | None:
        """The chosen person's number, None likewise."""
        found = self._known.get(self.text().strip())
        return found[1] if found else None

    def kept(self) -> tuple[str, tuple[int, int] | None]:
        """The text and who was chosen by it."""
        return self.text(), self._known.get(self.text().strip())

    def put_back(self, kept: tuple[str, tuple[int, int] | None]) -> None:
        """Show what :meth:`kept` gave."""
        text, person = kept
        if person is not None:
            self._known[text.strip()] = person
        self.setText(text)

    def _search(self) -> None:
        text = self.text().strip()
        if text:
            self._workspace.read(
                lambda session: find_people(session, self._workspace, text), self._list,
                view=View.PEOPLE, owner=self, key="people",
            )

    def _list(self, found: Found) -> None:
        self._known |= {words: (person_id, number) for person_id, number, words in found}
        self._model.setStringList([words for _, _, words in found])
        if found and self.hasFocus():
            self.completer().complete()


def find_people(session: Session, workspace: Workspace, text: str) -> Found:
    """The first people that fit, each once."""
    from desktop.people.queries import RosterQuery, roster_ids, roster_rows

    ids = roster_ids(
        session, workspace.project_id, RosterQuery(text=text), workspace.office.book.sealer,
        limit=2 * _SHOWN,
    )
    rows = roster_rows(session, workspace.office.book.sealer, ids)
    found: dict[int, tuple[int, int, str]] = {}
    for row in rows:
        words = f"{row.name}　{row.worker_no}　{row.team}".rstrip()
        found.setdefault(row.person_id, (row.person_id, row.worker_no, words))
    return list(found.values())[:_SHOWN]
