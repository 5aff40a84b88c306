"""Panels for a stop-work entry and a leave entry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QCheckBox

from desktop.attendance.calendar import LEAVE_KINDS
from desktop.ui.changes import Changes
from desktop.ui.drafts import MakeAgain
from desktop.ui.i18n import tr
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import button, label
from desktop.ui.widgets.fields import Choice, DateField
from desktop.ui.widgets.panel import FormContent
from desktop.ui.widgets.person_field import PersonField
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from desktop.access.desk import Desk


class StopPanel(FormContent):
    """停工: dates, scope, reason, document."""

    def __init__(
        self, workspace: Workspace, teams: Sequence[tuple[int, str]], day: date
    ) -> None:
        super().__init__(tr("登记停工"), tr("停工日不算施工日，无打卡的印「停」；停工日仍有打卡会列为异常。"))
        self._workspace, self._teams, self._day = workspace, tuple(teams), day
        self.form.add("first", tr("从 *"), DateField(day, day))
        self.form.add("last", tr("到（含当日）*"), DateField(day, day))
        self.form.add("team", tr("范围"), Choice([(None, tr("全项目")), *teams]))
        self.form.add_text("reason", tr("原因 *"), hint=tr("如：暴雨、大气污染管控、待料。"))
        self.form.add_text("document", tr("文件"), hint=tr("如：停工通知第几号。"))
        self.form.set_clean()
        self.rows.addWidget(self.form)
        self.rows.addStretch(1)
        self.feet = (button(tr("登记停工"), self.save, kind="primary"),)

    def again(self) -> MakeAgain:
        teams, day = self._teams, self._day
        return lambda page: StopPanel(page.workspace, teams, day)

    def save(self) -> None:
        if not self.form.require("first", "last", "reason"):
            return
        first, last = self.form.value("first"), self.form.value("last")
        team_id, reason = self.form.value("team"), self.form.value("reason")
        document = self.form.value("document")

        def work(desk: Desk, progress: Any, cancel: Any) -> int:
            from desktop.attendance.calendar import add_stop

            return add_stop(
                desk, first, last, reason=reason, document=document, team_id=team_id
            )

        def done(_: int) -> None:
            self.form.set_clean()
            self._workspace.messages.info(tr("停工已登记，考勤表已重算。"))
            self.finished.emit()

        self._workspace.act(
            work, done, title=tr("登记停工"), owner=self, changes=Changes.CALENDAR
        )


class LeavePanel(FormContent):
    """请假: person, kind, dates, reason, document, the owner's approval."""

    def __init__(
        self, workspace: Workspace, person: tuple[int, int, str] | None, day: date
    ) -> None:
        super().__init__(tr("登记请假"))
        self._workspace, self._day = workspace, day
        self.person = PersonField(workspace)
        self.form.add("person", tr("人员 *"), self.person, tr("输入姓名、拼音或人员编号后选择。"))
        if person is not None:
            self.person.set_person(*person)
        self.form.add("kind", tr("类别"), Choice([(word, word) for word in LEAVE_KINDS]))
        self.form.add("first", tr("从 *"), DateField(day, day))
        self.form.add("last", tr("到（含当日）*"), DateField(day, day))
        self.form.add_text("reason", tr("事由"))
        self.form.add_text("document", tr("文件"), hint=tr("如：请假条、工伤认定申请。"))
        self.form.add("owner", "", QCheckBox(tr("建设单位已书面同意")))
        self.form.set_clean()
        self.rows.addWidget(self.form)
        self.rows.addWidget(
            label(
                tr("项目经理离开项目须经建设单位书面同意；同意的请假列在带班比例旁边，不算带班天数。"),
                tone=Tone.TEXT_3, wrap=True,
            )
        )
        self.rows.addStretch(1)
        self.feet = (button(tr("登记请假"), self.save, kind="primary"),)

    def again(self) -> MakeAgain:
        day = self._day
        return lambda page: LeavePanel(page.workspace, None, day)

    def save(self) -> None:
        if not self.form.require("first", "last"):
            return
        person_id = self.person.person_id()
        if person_id is None:
            self.form.mark("person", tr("请从列出的人员中选择一位"))
            self.person.setFocus()
            return
        names = ("kind", "first", "last", "reason", "document", "owner")
        kind, first, last, reason, document, owner = map(self.form.value, names)

        def work(desk: Desk, progress: Any, cancel: Any) -> int:
            from desktop.attendance.calendar import add_leave

            return add_leave(
                desk, person_id, kind, first, last,
                reason=reason, document=document, owner_approved=owner,
            )

        def done(_: int) -> None:
            self.form.set_clean()
            self._workspace.messages.info(tr("请假已登记，考勤表已重算。"))
            self.finished.emit()

        self._workspace.act(
            work, done, title=tr("登记请假"), owner=self, changes=Changes.CALENDAR
        )
