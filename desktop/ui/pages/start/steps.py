"""The steps of the wizard that are filled in before the book exists."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFileDialog,
    QLineEdit,
    QRadioButton,
    QWidget,
)

from desktop.errors import SiteMusterError
from desktop.paths import default_book_folder
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.pages.start.parties import EntryRows
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import Card, button, column, label, line, repolish
from desktop.ui.widgets.fields import DateField, Form

if TYPE_CHECKING:
    from desktop.site.project_file import ProjectFile
    from desktop.ui.shell.message_bar import MessageBar


class WizardStep(QWidget):
    """One page of the wizard: a title, what it is for, fields."""

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self.rows = column(self, gap=theme.GRID + 4)
        self.rows.addWidget(label(title, Type.TITLE))
        self.rows.addWidget(label(text, tone=Tone.TEXT_2, wrap=True))

    def complete(self) -> bool:
        """Whether the user may go on; marks what is missing."""
        return True

    def focus_first(self) -> None:
        """Put the cursor where the typing begins."""


class ProjectStep(WizardStep):
    """The project, typed here or read from a settings file (then ``file`` is set)."""

    file_chosen = Signal(object)

    def __init__(self, messages: MessageBar) -> None:
        super().__init__(
            tr("项目"), tr("表册和告示牌上的项目名称、地址都取自这里。带 * 的必填，其余以后可以补。")
        )
        self._messages = messages
        self.file: ProjectFile | None = None
        card = Card("info")
        row = line()
        self._file_text = label(tr("已有 project.toml 设置文件？选中后不用再填本页和下一页。"), wrap=True)
        row.addWidget(self._file_text, 1)
        self._pick = button(tr("选择设置文件…"), self._choose, icon="folder")
        self._drop = button(tr("改为手工填写"), self.drop_file, kind="quiet")
        row.addWidget(self._drop)
        row.addWidget(self._pick)
        card.rows.addLayout(row)
        self.rows.addWidget(card)
        self.form = Form()
        self.form.add_text("name", tr("项目名称 *"))
        self.form.add_text("code", tr("项目代码 *"), hint=tr("印在表册编号里，如 JY01；定下后不要再改。"))
        self.form.add_text("address", tr("工程地点"))
        self.form.add_text("permit_no", tr("施工许可证号"))
        self.form.add("started_on", tr("开工日期"), DateField())
        self.form.add("planned_completion_on", tr("计划竣工日期"), DateField())
        self.form.add_text("pay_day", tr("工资支付日期（每月几日）"), hint=tr("印在告示牌上。"))
        self.rows.addWidget(self.form)
        self._show_file()

    def read_file(self, path: Path) -> None:
        """Take a settings file; a refusal names the table and key at fault."""
        from desktop.site.project_file import read_project_file

        try:
            self.file = read_project_file(path)
        except SiteMusterError as error:
            self._messages.error(error)
            return
        self._messages.hide()
        for warning in self.file.warnings:
            self._messages.warn(warning)
        self._show_file()
        self.file_chosen.emit(self.file)

    def drop_file(self) -> None:
        self.file = None
        self._show_file()
        self.file_chosen.emit(None)

    def complete(self) -> bool:
        return self.file is not None or self.form.require("name", "code")

    def focus_first(self) -> None:
        self.form.field("name").setFocus()

    def document(self) -> dict[str, Any]:
        """The ``[project]`` table as project.toml would carry it; empty fields left out."""
        names = ("name", "code", "address", "permit_no", "started_on", "planned_completion_on")
        table = {name: self.form.value(name) for name in names}
        pay_day = self.form.value("pay_day")
        table["pay_day"] = int(pay_day) if pay_day.isdigit() else (pay_day or None)
        return {"project": {name: value for name, value in table.items() if value not in ("", None)}}

    def _choose(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, tr("选择项目设置文件"), "", tr("项目设置文件 (*.toml)")
        )
        if path:
            self.read_file(Path(path))

    def _show_file(self) -> None:
        self.form.setVisible(self.file is None)
        self._drop.setVisible(self.file is not None)
        if self.file is not None:
            self._file_text.setText(
                tr(
                    "将按设置文件建立「{name}」：参建单位 {companies} 家，班组 {teams} 个。",
                    name=self.file.name, companies=len(self.file.companies),
                    teams=len(self.file.teams),
                )
            )
        else:
            self._file_text.setText(tr("已有 project.toml 设置文件？选中后不用再填本页和下一页。"))


class PartiesStep(WizardStep):
    """Companies and teams; the roster refers to both by name."""

    def __init__(self) -> None:
        super().__init__(
            tr("参建单位和班组"),
            tr("花名册里的「用人单位」「班组」要与这里的名称一致。统一社会信用代码见营业执照。"),
        )
        self.rows.addWidget(label(tr("参建单位"), Type.HEAD))
        self.companies = EntryRows.for_companies()
        self.rows.addWidget(self.companies)
        self.rows.addSpacing(theme.GRID)
        self.rows.addWidget(label(tr("班组"), Type.HEAD))
        self.teams = EntryRows.for_teams(self.companies)
        self.rows.addWidget(self.teams)

    def complete(self) -> bool:
        return self.companies.complete() and self.teams.complete()

    def document(self) -> dict[str, Any]:
        """``[[company]]`` and ``[[team]]`` tables."""
        codes = {entry["name"]: entry["credit_code"] for entry in self.companies.entries()}
        teams = [
            entry | {"company": codes.get(entry["company"], entry["company"])}
            for entry in self.teams.entries()
        ]
        return {"company": self.companies.entries(), "team": teams}


class ChoiceCard(Card):
    """One of a few weighty options: a radio button with its consequences; the whole card picks."""

    def __init__(self, title: str, rule: str, fit: str) -> None:
        super().__init__()
        self.radio = QRadioButton(title)
        self.radio.setFont(theme.font(Type.HEAD))
        self.radio.setAccessibleName(f"{title}，{rule}")
        self.rows.addWidget(self.radio)
        for text, tone in ((rule, Tone.TEXT), (fit, Tone.TEXT_2)):
            words = label(text, tone=tone, wrap=True)
            words.setIndent(26)
            self.rows.addWidget(words)
        self.radio.toggled.connect(self._mark)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.radio.setChecked(True)

    def _mark(self, chosen: bool) -> None:
        self.setProperty("chosen", chosen)
        repolish(self)


class BasisStep(WizardStep):
    """The basis of attendance; nothing is chosen beforehand, because days are paid by it."""

    def __init__(self) -> None:
        super().__init__(
            tr("考勤口径"),
            tr("打多长时间的卡算一天，由项目自己定，并印在每张考勤表的图例里。请与建设单位、分包单位商定后选择。"),
        )
        self._group = QButtonGroup(self)
        self._note = label("", tone=Tone.BAD)
        choices = (
            ("verification", tr("核验口径"), tr("首末次打卡间隔满4小时计1天，满2小时计半天。"),
             tr("只核验人在不在场，适合包工、计件为主的工地。")),
            ("workday", tr("计工口径"), tr("首末次打卡间隔满6小时计1天，满3小时计半天。"),
             tr("接近一个工日，适合按日计酬的工地。")),
        )
        self._values: list[str] = []
        for value, name, rule, fit in choices:
            card = ChoiceCard(name, rule, fit)
            self._group.addButton(card.radio, len(self._values))
            self._values.append(value)
            self.rows.addWidget(card)
        self.rows.addWidget(self._note)
        self.rows.addWidget(
            label(tr("不论选哪一种，每张表都会注明「在场时长不等于工作时长」。"), tone=Tone.TEXT_2)
        )
        self._group.idClicked.connect(lambda _: self._note.clear())

    def basis(self) -> str:
        """The chosen basis, empty before the choice."""
        index = self._group.checkedId()
        return self._values[index] if index >= 0 else ""

    def choose(self, basis: str) -> None:
        self._group.button(self._values.index(basis)).setChecked(True)

    def complete(self) -> bool:
        self._note.setText("" if self.basis() else tr("请选择一种口径"))
        return bool(self.basis())

    def focus_first(self) -> None:
        self._group.button(0).setFocus()


class KeepStep(WizardStep):
    """Where the book lies and what opens it."""

    def __init__(self) -> None:
        super().__init__(
            tr("保管与口令"), tr("账本是一个加密的文件夹，放在本机硬盘上。不要放在同步盘、U盘或共享文件夹里。")
        )
        self._where = Form()
        self._where.add_text("folder", tr("账本文件夹 *"), str(default_book_folder()))
        self.rows.addWidget(self._where)
        self.rows.addWidget(
            button(tr("换一个位置…"), self._choose, icon="folder", kind="quiet"), 0,
            Qt.AlignmentFlag.AlignLeft,
        )
        self.rows.addWidget(label(tr("打开账本时"), Type.HEAD))
        self._keyring = QRadioButton(tr("由这台电脑保管密钥：登录本机用户后直接打开"))
        self._typed = QRadioButton(tr("每次输入口令：适合多人共用的电脑"))
        self._keyring.setChecked(True)
        self._typed.toggled.connect(self._switch)
        self.rows.addWidget(self._keyring)
        self.rows.addWidget(self._typed)
        self._form = Form()
        for name, title in (("first", tr("口令 *")), ("second", tr("再输一遍 *"))):
            self._form.add_text(name, title).setEchoMode(QLineEdit.EchoMode.Password)
        self.rows.addWidget(self._form)
        self._switch()

    def use_passphrase(self, passphrase: str) -> None:
        """Choose the passphrase and type it twice."""
        self._typed.setChecked(True)
        for name in ("first", "second"):
            field = self._form.field(name)
            assert isinstance(field, QLineEdit)
            field.setText(passphrase)

    def set_folder(self, folder: Path) -> None:
        field = self._where.field("folder")
        assert isinstance(field, QLineEdit)
        field.setText(str(folder))

    def folder(self) -> Path:
        return Path(self._where.value("folder")).expanduser()

    def passphrase(self) -> str | None:
        """The passphrase as typed, or None for the keyring."""
        field = self._form.field("first")
        assert isinstance(field, QLineEdit)
        return field.text() if self._typed.isChecked() else None

    def complete(self) -> bool:
        if not self._where.require("folder"):
            return False
        if not self._typed.isChecked():
            return True
        if not self._form.require("first", "second"):
            return False
        same: bool = self._form.value("first") == self._form.value("second")
        self._form.mark("second", "" if same else tr("两次输入不一样"))
        return same

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("选择放账本的位置"))
        if folder:
            self.set_folder(Path(folder) / "实名台账本")

    def _switch(self) -> None:
        self._form.setVisible(self._typed.isChecked())
