"""The message bar under the header and the busy strip at the foot: no dialog for what can wait."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QProgressBar, QPushButton

from desktop.errors import EnvironmentFault, SiteMusterError
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.jobs import JobRunner
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import IconView, button, icon_button, label, line, repolish

_INFO_MS = 9000
_Sentence = tuple[str, str, Tone, str, str, str, "Callable[[], object] | None"]


class MessageBar(QFrame):
    """One sentence at a time; good news goes away by itself, trouble stays until it is closed.

    While it is held (the window is locked) nothing is shown: sentences may name people. The last
    one is kept outside the widgets until :meth:`release`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._held: list[_Sentence] | None = None
        self.setProperty("bar", True)
        row = line(self, gap=theme.GRID + 4)
        row.setContentsMargins(2 * theme.GRID, 6, theme.GRID, 6)
        self._icon = IconView("info")
        self._text = label("", wrap=True, selectable=True)
        self._code = label("", tone=Tone.TEXT_2)
        self._act = QPushButton()
        self._act.setAutoDefault(False)
        self._act.clicked.connect(lambda: self._do())
        self._next: Callable[[], object] | None = None
        row.addWidget(self._icon)
        row.addWidget(self._text, 1)
        row.addWidget(self._code)
        row.addWidget(self._act)
        row.addWidget(icon_button("close", tr("关闭消息"), self.hide))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self.hide()

    def text(self) -> str:
        """The sentence now shown, or an empty one."""
        return "" if self.isHidden() else self._text.text()

    def info(
        self, text: str, act: str = "", do: Callable[[], object] | None = None
    ) -> None:
        """Something was done; with an ``act`` offered it stays a little longer."""
        self._show("good", "good", Tone.GOOD, text, "", act, do)
        self._timer.start(_INFO_MS * (2 if act else 1))

    def warn(self, text: str, act: str = "", do: Callable[[], object] | None = None) -> None:
        """Done, but look at it."""
        self._show("warn", "warn", Tone.WARN, text, "", act, do)

    def error(
        self, error: SiteMusterError, act: str = "", do: Callable[[], object] | None = None
    ) -> None:
        """Refused or failed; the code helps whoever is asked on the telephone."""
        fault = isinstance(error, EnvironmentFault)
        surface, icon = ("warn", "warn") if fault else ("bad", "bad")
        tone = Tone.WARN if fault else Tone.BAD
        self._show(surface, icon, tone, error.message, tr("代码 {code}", code=error.code), act, do)

    def hold(self) -> None:
        """Show nothing until :meth:`release`; what stands here goes out of the widgets now."""
        self._held = []
        self._timer.stop()
        self.hide()
        self._text.setText("")
        self._code.setText("")
        self._act.setText("")
        self.setAccessibleName("")
        self._next = None

    def release(self) -> None:
        """Show the last sentence that came meanwhile."""
        held, self._held = self._held, None
        if held:
            self._show(*held[-1])

    def _show(
        self, surface: str, icon: str, tone: Tone, text: str, code: str,
        act: str, do: Callable[[], object] | None,
    ) -> None:
        if self._held is not None:
            self._held = [(surface, icon, tone, text, code, act, do)]
            return
        self._timer.stop()
        self.setProperty("surface", surface)
        repolish(self)
        self._icon.show_icon(icon, tone)
        self._text.setText(text)
        self.setAccessibleName(text)
        self._code.setText(code)
        self._code.setVisible(bool(code))
        self._act.setText(act)
        self._act.setVisible(bool(act))
        self._next = do
        self.show()

    def _do(self) -> None:
        self.hide()
        if self._next is not None:
            self._next()


class BusyStrip(QFrame):
    """What is running, how far it is, and how to stop it; hidden while nothing runs.

    Veiled (the window is locked) it says only that something runs: titles may name people.
    """

    def __init__(self, jobs: JobRunner) -> None:
        super().__init__()
        self._veiled = False
        self.setProperty("surface", "foot")
        self._jobs = jobs
        row = line(self, gap=theme.GRID + 4)
        row.setContentsMargins(2 * theme.GRID, 5, theme.GRID, 5)
        self._title = label("")
        self._text = label("", tone=Tone.TEXT_2)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(260)
        self._bar.setAccessibleName(tr("进度"))
        self._stop = button(tr("停止"), self._cancel, icon="close", kind="quiet")
        row.addWidget(IconView("clock", Tone.ACCENT))
        row.addWidget(self._title)
        row.addWidget(self._text, 1)
        row.addWidget(self._bar, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._stop)
        jobs.changed.connect(self._refresh)
        self._refresh()

    def veil(self, veiled: bool) -> None:
        """Say nothing but that work goes on, or speak again."""
        self._veiled = veiled
        self._refresh()

    def _refresh(self) -> None:
        shown = self._jobs.shown()
        self.setVisible(bool(shown))
        self._stop.setVisible(not self._veiled)
        if not shown:
            self._title.setText("")
            self._text.setText("")
            return
        job = shown[0]
        done, total, text = job.progress
        more = tr("（另有 {n} 项等候）", n=len(shown) - 1) if len(shown) > 1 else ""
        self._title.setText(job.title + more)
        self._bar.setRange(0, max(0, min(total, 10**6)))
        self._bar.setValue(min(done, total, 10**6))
        if self._veiled:
            self._title.setText(tr("后台工作仍在进行（{n} 项）", n=len(shown)))
            self._text.setText("")
            return
        stopping = job.cancel.is_set()
        self._text.setText(tr("正在停到安全的地方…") if stopping else text)
        self._stop.setEnabled(not stopping)

    def _cancel(self) -> None:
        shown = self._jobs.shown()
        if shown:
            shown[0].cancel.set()
            self._refresh()
