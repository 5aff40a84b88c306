"""The steps of a new book: project, companies and teams, basis of attendance, secret, recovery code.

The wizard gathers what project.toml would say and lets the site's own reader check it. The basis is
never chosen for the user.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from desktop.errors import SiteMusterError
from desktop.jobs import CancelToken, Progress
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.jobs import JobRunner, Lane
from desktop.ui.pages.start.steps import BasisStep, KeepStep, PartiesStep, ProjectStep, WizardStep
from desktop.ui.shell.message_bar import MessageBar
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import IconView, button, column, label, line

if TYPE_CHECKING:
    from desktop.bootstrap import Office
    from desktop.site.project_file import ProjectFile

_STEP_OF_TABLE = {"project": 0, "project.floor_wage": 0, "company": 1, "team": 1, "attendance": 2}


class NewBookWizard(QWidget):
    """``finished(office)`` when the recovery code has been proved; ``left`` when given up."""

    finished = Signal(object)
    left = Signal()

    def __init__(self, jobs: JobRunner, messages: MessageBar) -> None:
        super().__init__()
        self._jobs, self._messages = jobs, messages
        self.office: Office | None = None
        self.project = ProjectStep(messages)
        self.parties = PartiesStep()
        self.basis = BasisStep()
        self.keep = KeepStep()
        self._steps: list[WizardStep] = [self.project, self.parties, self.basis, self.keep]
        self.project.file_chosen.connect(self._file_chosen)
        whole = line(self, gap=0)
        whole.addWidget(self._index())
        right = column(gap=0)
        whole.addLayout(right, 1)
        self._stack = QStackedWidget()
        for step in self._steps:
            self._stack.addWidget(_scrolled(step))
        right.addWidget(self._stack, 1)
        foot = QFrame()
        foot.setProperty("surface", "foot")
        feet = line(foot, margin=theme.GRID + 4)
        self._back = button(tr("上一步"), self.back)
        self._next = button(tr("下一步"), self.forward, kind="primary")
        feet.addWidget(button(tr("取消"), self.left.emit, kind="quiet"))
        feet.addStretch(1)
        feet.addWidget(self._back)
        feet.addWidget(self._next)
        self._foot = foot
        right.addWidget(foot)
        self.show_step(0)

    def back(self) -> None:
        self.show_step(self._skip(self._stack.currentIndex() - 1, -1))

    def forward(self) -> None:
        """Next step if this one is filled; the last one makes the book."""
        index = self._stack.currentIndex()
        if not self._steps[index].complete():
            return
        self._messages.hide()
        following = self._skip(index + 1, 1)
        if following < len(self._steps):
            self.show_step(following)
        else:
            self._make()

    def _skip(self, index: int, by: int) -> int:
        """A settings file already names the companies: no form for them."""
        return index + by if index == 1 and self.project.file is not None else index

    def show_step(self, index: int) -> None:
        """Go to a step, counted from 0."""
        self._stack.setCurrentIndex(index)
        last = index == len(self._steps) - 1
        self._back.setVisible(index > 0)
        self._next.setText(tr("建立账本") if last else tr("下一步"))
        self._mark(index)
        self._steps[index].focus_first()

    def _index(self) -> QWidget:
        rail = QFrame()
        rail.setProperty("surface", "rail")
        rail.setFixedWidth(232)
        rows = column(rail, margin=3 * theme.GRID, gap=theme.GRID + 4)
        rows.addWidget(label(tr("新建账本"), Type.TITLE))
        rows.addSpacing(theme.GRID)
        self._marks: list[tuple[IconView, QWidget]] = []
        for name in (tr("项目"), tr("参建单位和班组"), tr("考勤口径"), tr("保管与口令"), tr("恢复码")):
            row = line()
            mark = IconView("empty", Tone.TEXT_3)
            word = label(name, tone=Tone.TEXT_2)
            row.addWidget(mark)
            row.addWidget(word, 1)
            rows.addLayout(row)
            self._marks.append((mark, word))
        rows.addStretch(1)
        return rail

    def _mark(self, current: int) -> None:
        for index, (mark, word) in enumerate(self._marks):
            if index < current:
                mark.show_icon("good", Tone.GOOD)
            elif index == current:
                mark.show_icon("go", Tone.ACCENT)
            else:
                mark.show_icon("empty", Tone.TEXT_3)
            word.setFont(theme.font(Type.STRONG if index == current else Type.BODY))

    def _file_chosen(self, file: ProjectFile | None) -> None:
        self._marks[1][1].setEnabled(file is None)

    def _make(self) -> None:
        document = self.project.document() | self.parties.document()
        file, basis = self.project.file, self.basis.basis()
        folder, passphrase = self.keep.folder(), self.keep.passphrase()

        def work(progress: Progress, cancel: CancelToken) -> tuple[Office, str, str]:
            from desktop.bootstrap import create_office

            progress(0, 0, tr("生成密钥并建立加密数据库"))
            project = checked_project(document, file, basis)
            return *create_office(folder, project, passphrase=passphrase), project.name

        self._next.setEnabled(False)
        self._jobs.submit(
            work, self._made, lane=Lane.ACT, owner=self, failed=self._refused, title=tr("建立账本")
        )

    def _made(self, result: tuple[Office, str, str]) -> None:
        from desktop.ui.pages.start.recovery import RecoveryStep
        from desktop.ui.widgets.code_proof import CodePaper

        self.office, code, project = result
        book = self.office.book
        step = RecoveryStep(
            code, CodePaper(book.book_id, project, book.clock.today()), self._messages
        )
        step.proved.connect(self._proved)
        self._stack.addWidget(_scrolled(step))
        self._stack.setCurrentIndex(self._stack.count() - 1)
        self._foot.hide()
        self._mark(len(self._marks) - 1)

    def _proved(self) -> None:
        office, self.office = self.office, None
        self.finished.emit(office)

    def _refused(self, error: SiteMusterError) -> None:
        self._next.setEnabled(True)
        self._messages.error(error)
        step = _STEP_OF_TABLE.get(str(error.facts.get("table", "")))
        if step is not None and (step == 0 or self.project.file is None):
            self.show_step(step)


def checked_project(
    document: dict[str, Any], file: ProjectFile | None, basis: str
) -> ProjectFile:
    """What was typed, or the file, through the site's own checks and with the chosen basis.

    Thresholds that a file set on purpose stay as long as its basis is the chosen one.
    """
    from desktop.site.project_file import parse_project
    from desktop.site.rules import SPANS_S, Basis

    if file is None:
        return parse_project(document | {"attendance": {"basis": basis}})
    chosen = Basis(basis)
    if file.rules.basis is chosen:
        return file
    full_s, half_s = SPANS_S[chosen]
    return replace(
        file, rules=replace(file.rules, basis=chosen, full_s=full_s, half_s=half_s)
    )


def _scrolled(step: QWidget) -> QScrollArea:
    """A step in the middle of a scroll area, not wider than a page of a book."""
    step.setMaximumWidth(820)
    middle = QWidget()
    rows = QVBoxLayout(middle)
    rows.setContentsMargins(4 * theme.GRID, 3 * theme.GRID, 4 * theme.GRID, 3 * theme.GRID)
    rows.addWidget(step)
    rows.addStretch(1)
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(middle)
    return area


def default_folder(name: str, base: Path, taken: Callable[[Path], bool]) -> Path:
    """A free folder for a new book named after the project."""
    stem = "".join(sign for sign in name if sign.isalnum())[:20] or "book"
    folder, number = base / stem, 2
    while taken(folder):
        folder, number = base / f"{stem}-{number}", number + 1
    return folder
