"""A book whose server does not answer: try again, or collect the terminals onto this computer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QScrollArea, QWidget

from desktop.errors import EnvironmentFault, SiteMusterError
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.jobs import JobRunner, Lane
from desktop.ui.pages.start.secret import Secret
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import Card, IconView, button, centred, clear, column, label, line

if TYPE_CHECKING:
    from desktop.bootstrap import Office
    from desktop.punches.pull_result import PullResult
    from desktop.punches.spool import Summary


class AwayView(QWidget):
    """``again`` to open the book anew, ``left``. It sees no person: users and people are on the
    server. The folder is let go after each collecting."""

    again = Signal()
    left = Signal()

    def __init__(self, jobs: JobRunner) -> None:
        super().__init__()
        self._jobs = jobs
        self._folder = Path()
        self._fault: EnvironmentFault | None = None
        self._secret = Secret()
        whole = column(self)
        area = QScrollArea()
        area.setWidgetResizable(True)
        holder = QWidget()
        rows = column(holder, margin=2 * theme.GRID)
        rows.addStretch(1)
        card = Card(margin=3 * theme.GRID)
        card.setFixedWidth(620)
        rows.addLayout(centred(card))
        rows.addStretch(2)
        area.setWidget(holder)
        whole.addWidget(area)
        head = line(gap=theme.GRID + 4)
        head.addWidget(IconView("computers", Tone.WARN, 28))
        self._title = label("", Type.HEAD, wrap=True)
        head.addWidget(self._title, 1)
        card.rows.addLayout(head)
        self._why = label("", tone=Tone.TEXT_2, wrap=True)
        card.rows.addWidget(self._why)
        card.rows.addWidget(
            label(tr("等不及时可以先采集考勤机：打卡加密存在本机，连上服务器后自动入账，不会丢，也不会重复。"), wrap=True)
        )
        self._results = column(gap=theme.GRID)
        card.rows.addLayout(self._results)
        feet = line()
        feet.addWidget(button(tr("返回"), self.left.emit))
        feet.addStretch(1)
        self._collect = button(tr("先采集考勤机"), self.collect, icon="pull")
        feet.addWidget(self._collect)
        feet.addWidget(button(tr("再连一次"), self.again.emit, kind="primary"))
        card.rows.addLayout(feet)

    def show_folder(self, folder: Path, fault: EnvironmentFault, secret: Secret) -> None:
        """Which book, why it does not open, and what unlocked its folder."""
        self._folder, self._fault, self._secret = folder, fault, secret
        self._title.setText(tr("账本「{name}」的服务器连不上", name=folder.name))
        self._why.setText(fault.message)
        clear(self._results)
        self._collect.setEnabled(True)

    def collect(self) -> None:
        """Read every terminal this computer knows; what they give waits here."""
        folder, fault, secret = self._folder, self._fault, self._secret
        if fault is None:
            return

        def work(progress: Any, cancel: Any) -> tuple[list[PullResult], Summary]:
            from desktop.bootstrap import open_away
            from desktop.punches import spool
            from desktop.punches.collect import pull

            office: Office = open_away(
                folder, fault, passphrase=secret.passphrase, recovery_code=secret.recovery_code
            )
            try:
                results = pull(office.desk, None, progress=progress, cancel=cancel)
                return results, spool.waiting(office.book)
            finally:
                office.close()

        self._collect.setEnabled(False)
        self._jobs.submit(
            work, self.show_results, lane=Lane.ACT, owner=self, failed=self._failed,
            title=tr("采集打卡（存在本机）"),
        )

    def show_results(self, found: tuple[list[PullResult], Summary]) -> None:
        """One card per terminal, then what waits in all."""
        from desktop.ui.pages.terminals.pull_panel import pull_card

        results, waiting = found
        clear(self._results)
        self._collect.setEnabled(True)
        for result in results:
            self._results.addWidget(pull_card(result))
        self._results.addWidget(label(waiting.sentence(), wrap=True))

    def forget(self) -> None:
        """The book is open, or given up: no secret is kept."""
        self._secret = Secret()

    def _failed(self, error: SiteMusterError) -> None:
        clear(self._results)
        self._collect.setEnabled(True)
        self._results.addWidget(label(error.message, tone=Tone.BAD, wrap=True))
