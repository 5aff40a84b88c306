"""The demo site: built by the command line's own ``demo`` in a process of its own.

The emulated terminals live in that process while it collects; the finished book is opened here.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

from PySide6.QtCore import QStandardPaths, QTimer, Signal
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QProgressBar, QWidget

from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import Card, IconView, button, centred, column, label, line
from desktop.ui.widgets.fields import Form

_LOOK_MS = 500
_BOOK = "demo-book"
"""The folder ``demo --out`` makes the book in."""


class DemoView(QWidget):
    """``ready(folder)`` when the demo's book is there."""

    ready = Signal(object)
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        whole = column(self)
        whole.addStretch(2)
        card = Card(margin=3 * theme.GRID)
        card.setFixedWidth(680)
        whole.addLayout(centred(card))
        whole.addStretch(3)
        head = line(gap=theme.GRID + 4)
        head.addWidget(IconView("today", Tone.ACCENT, 28))
        head.addWidget(label(tr("演示工地"), Type.HEAD), 1)
        card.rows.addLayout(head)
        card.rows.addWidget(
            label(
                tr("建立一个虚构的300人工地：12个班组，考勤机由程序模拟，采集整月打卡，冻结并输出全部表册。约需一分钟。演示账本拒绝导入真实花名册。"),
                tone=Tone.TEXT_2, wrap=True,
            )
        )
        self._form = Form()
        documents = QStandardPaths.writableLocation(
            QStandardPaths.StandardLocation.DocumentsLocation
        )
        self._form.add_text("folder", tr("放在哪里"), str(Path(documents) / "实名台演示"))
        card.rows.addWidget(self._form)
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._log = QPlainTextEdit()
        self._log.setReadOnly(True)
        self._log.setAccessibleName(tr("进展"))
        self._log.setFixedHeight(150)
        card.rows.addWidget(self._bar)
        card.rows.addWidget(self._log)
        feet = line()
        feet.addWidget(button(tr("返回"), self._leave))
        feet.addStretch(1)
        self._begin = button(tr("建立演示工地"), self.begin, kind="primary")
        feet.addWidget(self._begin)
        card.rows.addLayout(feet)
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._show_running(False)

    def set_folder(self, folder: Path) -> None:
        field = self._form.field("folder")
        assert isinstance(field, QLineEdit)
        field.setText(str(folder))

    def begin(self) -> None:
        """Start the process; what it prints is shown below the bar."""
        if not self._form.require("folder"):
            return
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 (closed when the process ended)
        self._log.clear()
        try:
            self._process = subprocess.Popen(
                [*_program(), "demo", "--no-window", "--out", str(self._folder())],
                stdout=self._output, stderr=subprocess.STDOUT,
            )
        except OSError:
            self._log.setPlainText(tr("演示程序启动不了。请在命令行运行 sitemuster demo 查看原因。"))
            return
        self._show_running(True)
        self._timer.start()

    def _folder(self) -> Path:
        return Path(self._form.value("folder")).expanduser()

    def _look(self) -> None:
        process, output = self._process, self._output
        if process is None or output is None:
            return
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
        if text != self._log.toPlainText():
            self._log.setPlainText(text)
            self._log.show()
            self._log.verticalScrollBar().setValue(self._log.verticalScrollBar().maximum())
        ended = process.poll()
        if ended is None:
            return
        self._stop_looking()
        self._show_running(False)
        if ended == 0:
            self.ready.emit(self._folder() / _BOOK)

    def _leave(self) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
        self._stop_looking()
        self._show_running(False)
        self.left.emit()

    def _stop_looking(self) -> None:
        self._timer.stop()
        self._process = None
        if self._output is not None:
            self._output.close()
            self._output = None

    def _show_running(self, running: bool) -> None:
        self._bar.setVisible(running)
        self._log.setVisible(bool(self._log.toPlainText()))
        self._begin.setEnabled(not running)
        self._form.setEnabled(not running)


def _program() -> list[str]:
    """This very program as a command: a frozen one is its own interpreter."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    return [sys.executable, "-m", "desktop"]
