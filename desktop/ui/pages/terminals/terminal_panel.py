"""One terminal: its facts and acts, the form to add or change it, notes and declarations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, time
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtWidgets import QGridLayout, QLineEdit

from desktop.access.actor import Act
from desktop.punches.terminal_book import (
    DIRECTIONS,
    Edit,
    TerminalChange,
    TerminalView,
    add_terminal,
    declare_biometric_only,
    driver_names,
    edit_terminal,
    rebind_terminal,
    retire_terminal,
)
from desktop.ui.changes import Changes
from desktop.ui.drafts import MakeAgain
from desktop.ui.i18n import day_text, moment_text, tr
from desktop.ui.pages.terminals.columns import drift_text, terminal_state
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import Chip, button, label, line
from desktop.ui.widgets.blocks import Facts, section
from desktop.ui.widgets.fields import Choice, DateField
from desktop.ui.widgets.gate import gate
from desktop.ui.widgets.panel import FormContent, PanelContent
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from desktop.access.desk import Desk


class Acts(Protocol):
    """What the page does for a terminal."""

    def pull(self, names: Sequence[str] | None) -> None: ...
    def match(self, name: str) -> None: ...
    def import_stick(self, name: str | None) -> None: ...
    def open_panel(self, content: PanelContent) -> bool: ...


class TerminalPanel(PanelContent):
    """Facts, then the acts in the order of a usual day."""

    def __init__(self, workspace: Workspace, terminal: TerminalView, acts: Acts) -> None:
        super().__init__(terminal.name, tr("{way}口考勤机", way=DIRECTIONS[terminal.direction]))
        self._workspace, self.terminal, self._acts = workspace, terminal, acts
        head = line()
        head.addWidget(Chip(terminal_state(terminal, workspace.desk.clock.now())))
        head.addStretch(1)
        edit = button(tr("修改"), self._edit, icon="edit", kind="quiet")
        head.addWidget(gate(edit, workspace, Act.TERMINAL_CHANGED))
        self.rows.addLayout(head)
        self.rows.addWidget(self._facts())
        section(self.rows, tr("操作"))
        self._add_acts()
        self.rows.addStretch(1)
        if terminal.address and terminal.retired_on is None:
            pull = button(
                tr("采集这台"), lambda: acts.pull([terminal.name]), icon="pull", kind="primary"
            )
            self.feet = (gate(pull, workspace, Act.PUNCHES_COLLECTED),)

    def _facts(self) -> Facts:
        one = self.terminal
        facts = Facts(
            [
                (tr("地址"), one.address or tr("不联网，只用U盘")),
                (tr("通讯"), f"{one.driver}　{one.transport.upper()}" + (tr("　有通讯密码") if one.has_password else "")),
                (tr("序列号"), one.serial or tr("首次连上时记下")),
                (tr("最近联系"), moment_text(one.last_contact_at)),
                (tr("采全至"), moment_text(one.complete_until)),
                (tr("时钟"), drift_text(one.clock_offset_s)),
                (tr("已存记录"), f"{one.held:,}"),
                (tr("启用"), day_text(one.in_use_from, tr("开工起"))),
            ]
        )
        if one.retired_on is not None:
            facts.add(tr("撤场"), day_text(one.retired_on))
        if one.biometric_only_from is not None:
            facts.add(
                tr("仅生物识别"),
                tr("自 {day} 起声明；依据：{why}", day=day_text(one.biometric_only_from), why=one.biometric_only_evidence),
            )
        if one.last_error:
            facts.add(tr("上次失败"), tr("代码 {c}。再采一次可看到原因。", c=one.last_error), Tone.BAD)
        return facts

    def _add_acts(self) -> None:
        name = self.terminal.name
        change = Act.TERMINAL_CHANGED
        acts: list[tuple[str, str, Act, Callable[[], object]]] = [
            ("link", tr("对号…"), Act.NUMBERS_MATCHED, lambda: self._acts.match(name)),
            ("usb", tr("导入U盘文件…"), Act.PUNCHES_COLLECTED, lambda: self._acts.import_stick(name)),
            ("note", tr("停用说明…"), Act.CALENDAR_CHANGED, lambda: self._open(OutagePanel(self._workspace, self.terminal))),
            ("shield", tr("声明仅生物识别…"), change, lambda: self._open(DeclarePanel(self._workspace, self.terminal))),
            ("refresh", tr("换了机器…"), change, lambda: self._open(ReplacePanel(self._workspace, self.terminal))),
            ("stop", tr("撤场…"), change, lambda: self._open(RetirePanel(self._workspace, self.terminal))),
        ]
        grid = QGridLayout()
        grid.setSpacing(8)
        for place, (icon, text, act, do) in enumerate(acts):
            made = gate(button(text, do, icon=icon), self._workspace, act)
            grid.addWidget(made, place // 2, place % 2)
        self.rows.addLayout(grid)

    def _edit(self) -> None:
        self._open(EditPanel(self._workspace, self.terminal))

    def _open(self, content: PanelContent) -> None:
        self._acts.open_panel(content)


class FormPanel(FormContent):
    """A panel that is one form with one act, about one terminal or (adding) none."""

    def __init__(
        self, workspace: Workspace, terminal: TerminalView | None, title: str, subtitle: str,
        act: str,
    ) -> None:
        super().__init__(title, subtitle)
        self.workspace = workspace
        self._about = terminal
        self.rows.addWidget(self.form)
        self._act = act
        self.feet = (button(act, self.save, kind="primary"),)

    def ready(self) -> None:
        """All fields are there."""
        self.form.set_clean()
        self.rows.addStretch(1)

    def again(self) -> MakeAgain:
        kind, about = type(self), self._about
        return lambda page: kind(page.workspace, about)  # type: ignore[call-arg]

    def store(self, work: Callable[[Desk], Any], done: str, changes: Changes = Changes.TERMINALS) -> None:
        """Run, say ``done`` (or the warnings that came back), close."""

        def finish(result: Any) -> None:
            self.form.set_clean()
            warnings = result.warnings if isinstance(result, TerminalChange) else ()
            if warnings:
                self.workspace.messages.warn(done + "".join(warnings))
            else:
                self.workspace.messages.info(done)
            self.finished.emit()

        self.workspace.act(
            lambda desk, progress, cancel: work(desk), finish,
            title=self._act, owner=self, changes=changes,
        )


class EditPanel(FormPanel):
    """Add a terminal, or change one."""

    def __init__(self, workspace: Workspace, terminal: TerminalView | None) -> None:
        title = tr("添加考勤机") if terminal is None else tr("修改「{name}」", name=terminal.name)
        super().__init__(
            workspace, terminal, title, tr("登记时不要求机器在线。"),
            tr("添加考勤机") if terminal is None else tr("保存修改"),
        )
        self._terminal = terminal
        form = self.form
        form.add_text("name", tr("名称 *"), terminal.name if terminal else "", tr("如：东门进、西门出。"))
        form.add("direction", tr("方向 *"), Choice(
            [("in", tr("进")), ("out", tr("出")), ("both", tr("进出都在这台"))]
        ))
        form.add_text(
            "address", tr("地址"), terminal.address if terminal else "",
            tr("IP:端口，如 192.168.1.201:4370；不联网的留空，用U盘导入。"),
        )
        form.add("transport", tr("通讯方式"), Choice([("tcp", "TCP"), ("udp", "UDP")]))
        if terminal is None:
            form.add("driver", tr("协议"), Choice([(d, _driver_word(d)) for d in driver_names()]))
        password = form.add_text(
            "password", tr("通讯密码"), "",
            tr("考勤机菜单里的通讯密码，没有设的留空。") if terminal is None or not terminal.has_password
            else tr("已存有密码；留空不改。"),
        )
        password.setEchoMode(QLineEdit.EchoMode.Password)
        form.add(
            "in_use_from", tr("启用日期"), DateField(terminal.in_use_from if terminal else None, workspace.desk.clock.today()),
            tr("这天以前没有记录不算异常；不填从开工起算。"),
        )
        if terminal is not None:
            form.field("direction").choose(terminal.direction)  # type: ignore[union-attr]
            form.field("transport").choose(terminal.transport)  # type: ignore[union-attr]
            form.add_text("why", tr("修改原因"), "", tr("改变方向会影响已有打卡的判定，须写明原因。"))
        self.ready()

    def save(self) -> None:
        if not self.form.require("name"):
            return
        value = self.form.value
        name, direction, address = value("name"), value("direction"), value("address")
        transport, password, since = value("transport"), value("password"), value("in_use_from")
        if self._terminal is None:
            driver = value("driver")
            self.store(
                lambda desk: add_terminal(
                    desk, name, driver=driver, address=address, direction=direction,
                    transport=transport, password=password or None, in_use_from=since,
                ),
                tr("考勤机「{name}」已登记。", name=name),
            )
            return
        old, why, seen = self._terminal.name, value("why"), self._terminal.version
        edit = Edit(name, address, transport, direction, password or None, since)
        self.store(
            lambda desk: edit_terminal(desk, old, edit, why=why, seen=seen),
            tr("考勤机「{name}」已修改。", name=name), Changes.TERMINALS | Changes.PUNCHES,
        )


class OutagePanel(FormPanel):
    """停用说明: from when to when the terminal recorded nothing or cannot be read, and why."""

    def __init__(self, workspace: Workspace, terminal: TerminalView) -> None:
        super().__init__(
            workspace, terminal, tr("停用说明：{name}", name=terminal.name),
            tr("停电、故障、拆走时登记；登记后这段时间没有记录不再算异常。"), tr("登记停用说明"),
        )
        self._terminal = terminal
        today = workspace.desk.clock.today()
        self.form.add("from_day", tr("从哪天 *"), DateField(today, today))
        self.form.add_text("from_hour", tr("几点"), "00:00")
        self.form.add("to_day", tr("到哪天 *"), DateField(today, today))
        self.form.add_text("to_hour", tr("几点"), "23:59")
        self.form.add_text("reason", tr("原因 *"))
        self.form.add_text("document", tr("依据"), hint=tr("如：停电通知、维修单。"))
        self.ready()

    def save(self) -> None:
        if not self.form.require("from_day", "to_day", "reason"):
            return
        moments = [self._moment("from"), self._moment("to")]
        begin, end = moments
        if begin is None or end is None:
            return
        terminal_id = self._terminal.id
        reason, document = self.form.value("reason"), self.form.value("document")

        def work(desk: Desk) -> int:
            from desktop.attendance.answers import add_outage

            return add_outage(desk, terminal_id, begin, end, reason=reason, document=document)

        self.store(work, tr("停用说明已登记。"), Changes.CALENDAR | Changes.TERMINALS)

    def _moment(self, which: str) -> datetime | None:
        hour = self.form.value(f"{which}_hour").replace("：", ":") or "00:00"
        try:
            return datetime.combine(
                self.form.value(f"{which}_day"), time.fromisoformat(hour.zfill(5))
            )
        except ValueError:
            self.form.mark(f"{which}_hour", tr("时间请写成 18:30 的样子"))
            return None


class DeclarePanel(FormPanel):
    """仅生物识别: unknown methods of this terminal count from a day on, on evidence."""

    def __init__(self, workspace: Workspace, terminal: TerminalView) -> None:
        super().__init__(
            workspace, terminal, tr("声明仅生物识别：{name}", name=terminal.name),
            tr("有的考勤机不写验证方式。只有确认它只用人脸、指纹等生物识别时才可声明；每格的说明里会注明。"),
            tr("声明仅生物识别"),
        )
        self._terminal = terminal
        today = workspace.desk.clock.today()
        self.form.add("from_day", tr("自哪天起 *"), DateField(terminal.biometric_only_from, today))
        self.form.add_long_text(
            "evidence", tr("依据 *"), terminal.biometric_only_evidence,
            tr("如：设备照片、验证方式设置截图及日期。"),
        )
        self.ready()

    def save(self) -> None:
        if self.form.require("from_day", "evidence"):
            name, seen = self._terminal.name, self._terminal.version
            day, evidence = self.form.value("from_day"), self.form.value("evidence")
            self.store(
                lambda desk: declare_biometric_only(desk, name, day, evidence, seen=seen),
                tr("已声明，考勤将重算。"), Changes.TERMINALS | Changes.PUNCHES,
            )


class ReplacePanel(FormPanel):
    """The unit was replaced: the next contact binds the new serial."""

    def __init__(self, workspace: Workspace, terminal: TerminalView) -> None:
        super().__init__(
            workspace, terminal, tr("换机：{name}", name=terminal.name),
            tr("登记的序列号是 {serial}。登记换机后，下次连上时记下新机器的序列号；旧机器的打卡全部保留。", serial=terminal.serial or "—"),
            tr("登记换机"),
        )
        self._terminal = terminal
        self.form.add_text("reason", tr("原因 *"), hint=tr("如：旧机屏幕损坏，10月8日换新机。"))
        self.rows.addWidget(
            label(tr("换机前请先把旧机器采集完整，或导出U盘文件。"), tone=Tone.WARN, wrap=True)
        )
        self.ready()

    def save(self) -> None:
        if self.form.require("reason"):
            name, seen = self._terminal.name, self._terminal.version
            reason = self.form.value("reason")
            self.store(
                lambda desk: rebind_terminal(desk, name, reason, seen=seen), tr("已登记换机。")
            )


class RetirePanel(FormPanel):
    """The terminal leaves the site."""

    def __init__(self, workspace: Workspace, terminal: TerminalView) -> None:
        super().__init__(
            workspace, terminal, tr("撤场：{name}", name=terminal.name),
            tr("撤场日之后不再要求采集；已有打卡全部保留。"), tr("登记撤场"),
        )
        self._terminal = terminal
        today = workspace.desk.clock.today()
        self.form.add("on", tr("最后使用的一天 *"), DateField(today, today))
        self.ready()

    def save(self) -> None:
        if self.form.require("on"):
            name, seen = self._terminal.name, self._terminal.version
            day = self.form.value("on")
            self.store(
                lambda desk: retire_terminal(desk, name, day, seen=seen), tr("已登记撤场。")
            )


def _driver_word(driver: str) -> str:
    return {"zk": tr("中控 4370 协议（zk）")}.get(driver, driver)
