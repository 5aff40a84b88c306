"""Panels of the board's facts, each saved by itself, and the list of exported versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt

from desktop.access.actor import Act, View
from desktop.board import site_facts
from desktop.board.queries import VersionRow
from desktop.site import codes
from desktop.site.queries import CompanyView, StaffView
from desktop.ui.changes import Changes
from desktop.ui.drafts import MakeAgain
from desktop.ui.i18n import moment_text, tr
from desktop.ui.pages.board.state import SITE, BoardState
from desktop.ui.tables.columns import RIGHT, Column
from desktop.ui.tables.export import Listing, output_button
from desktop.ui.tables.model import RowsModel
from desktop.ui.tables.view import ListView
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import State, button, good, label, warn
from desktop.ui.widgets.fields import Choice, DateField
from desktop.ui.widgets.gate import gate
from desktop.ui.widgets.panel import FormContent, PanelContent, confirm
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from desktop.access.desk import Desk

_POSTS = ("建设单位项目负责人", "项目经理", "劳资专管员", "总监理工程师", "劳务员", "安全员")


class _FactPanel(FormContent):
    """One form, one act; the board and everything that prints the fact is told."""

    act = Act.PROJECT_CHANGED

    def __init__(self, workspace: Workspace, title: str, subtitle: str = "") -> None:
        super().__init__(title, subtitle)
        self.workspace = workspace
        self.rows.addWidget(self.form)
        self.feet = (gate(button(tr("保存"), self.save, kind="primary"), workspace, self.act),)

    def ready(self) -> None:
        self.form.set_clean()
        self.rows.addStretch(1)

    def store(self, work: Callable[[Desk], Any], done: str) -> None:
        def finish(_: Any) -> None:
            self.form.set_clean()
            self.workspace.messages.info(done)
            self.finished.emit()

        self.workspace.act(
            lambda desk, progress, cancel: work(desk), finish, title=tr("保存"), owner=self,
            changes=Changes.BOARD | Changes.SITE,
        )


class PayDayPanel(_FactPanel):
    """每月几日发工资."""

    def __init__(self, workspace: Workspace, state: BoardState) -> None:
        super().__init__(workspace, tr("工资支付日期"), tr("遇法定节假日或休息日，提前支付。"))
        days = [(day, tr("每月 {d} 日", d=day)) for day in range(1, 32)]
        self.form.add("day", tr("每月几日 *"), Choice([(None, tr("请选择")), *days]))
        self.form.field("day").choose(state.content.pay_day)  # type: ignore[union-attr]
        self._state = state
        self.ready()

    def again(self) -> MakeAgain:
        state = self._state
        return lambda page: PayDayPanel(page.workspace, state)

    def save(self) -> None:
        if self.form.require("day"):
            day, seen = self.form.value("day"), self._state.seen[SITE]
            self.store(
                lambda desk: site_facts.set_pay_day(desk, day, seen=seen),
                tr("工资支付日期已保存。"),
            )


class WagePanel(_FactPanel):
    """当地最低工资标准, a row per effective date."""

    def __init__(self, workspace: Workspace, state: BoardState) -> None:
        super().__init__(
            workspace, tr("当地最低工资标准"), tr("标准调整时填新的施行日期，旧标准保留。")
        )
        wage = state.wage
        self.form.add_text("monthly", tr("月标准（元）*"), wage.monthly if wage else "")
        self.form.add_text("hourly", tr("小时标准（元）*"), wage.hourly if wage else "")
        self.form.add_text("document", tr("文号 *"), wage.document if wage else "")
        self.form.add(
            "since", tr("施行日期 *"),
            DateField(wage.effective_from if wage else None, workspace.desk.clock.today()),
        )
        self._state = state
        self.ready()

    def again(self) -> MakeAgain:
        state = self._state
        return lambda page: WagePanel(page.workspace, state)

    def save(self) -> None:
        if not self.form.require("monthly", "hourly", "document", "since"):
            return
        names = ("monthly", "hourly", "document", "since")
        monthly, hourly, document, since = map(self.form.value, names)
        seen = self._state.seen[SITE]
        self.store(
            lambda desk: site_facts.set_floor_wage(
                desk, monthly=monthly, hourly=hourly, document=document, effective_from=since,
                seen=seen,
            ),
            tr("最低工资标准已保存。"),
        )


class ContactPanel(_FactPanel):
    """Contact and phone of a participating company."""

    def __init__(self, workspace: Workspace, state: BoardState, company: CompanyView) -> None:
        super().__init__(workspace, company.name, company.kind_name)
        self._company, self._about, self._state = company.name, company, state
        self.form.add_text("contact", tr("联系人 *"), company.contact)
        self.form.add_text("phone", tr("电话 *"), company.phone)
        self.ready()

    def again(self) -> MakeAgain:
        about, state = self._about, self._state
        return lambda page: ContactPanel(page.workspace, state, about)

    def save(self) -> None:
        if self.form.require("contact", "phone"):
            contact, phone = self.form.value("contact"), self.form.value("phone")
            seen = self._state.seen.get(f"company:{self._about.id}", 0)
            self.store(
                lambda desk: site_facts.set_company_contact(
                    desk, self._company, contact, phone, seen=seen
                ),
                tr("「{name}」的联系方式已保存。", name=self._company),
            )


class CompanyPanel(_FactPanel):
    """A company that joins the project."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace, tr("添加参建单位"))
        kinds = list(codes.table("corp_type").items())
        self.form.add("kind", tr("类型 *"), Choice(kinds))
        self.form.add_text("name", tr("单位名称 *"))
        self.form.add_text("credit_code", tr("统一社会信用代码 *"), hint=tr("18位，见营业执照。"))
        self.form.add_text("contact", tr("联系人"))
        self.form.add_text("phone", tr("电话"))
        self.ready()

    def again(self) -> MakeAgain:
        return lambda page: CompanyPanel(page.workspace)

    def save(self) -> None:
        if not self.form.require("name", "credit_code"):
            return
        names = ("kind", "name", "credit_code", "contact", "phone")
        kind, name, code, contact, phone = map(self.form.value, names)
        self.store(
            lambda desk: site_facts.add_company(
                desk, kind, name, code, contact=contact, phone=phone
            ),
            tr("「{name}」已加入参建单位。", name=name),
        )


class StaffPanel(_FactPanel):
    """A contact person of a post at a company."""

    def __init__(
        self, workspace: Workspace, state: BoardState, person: StaffView | None
    ) -> None:
        super().__init__(
            workspace, tr("添加人员") if person is None else person.post,
            tr("同一单位同一岗位再填一次就是换人。"),
        )
        self._person, self._state = person, state
        post = self.form.add_text("post", tr("岗位 *"), person.post if person else "")
        post.setPlaceholderText("、".join(_POSTS[:3]))
        if person is not None:
            post.setReadOnly(True)
        self.form.add(
            "company", tr("单位 *"), Choice([(c.name, c.name) for c in state.companies])
        )
        if person is not None:
            self.form.field("company").choose(person.company)  # type: ignore[union-attr]
        self.form.add_text("name", tr("姓名 *"), person.name if person else "")
        self.form.add_text("phone", tr("电话 *"), person.phone if person else "")
        self.rows.addWidget(
            label(tr("告示牌须写明建设单位项目负责人、项目经理、劳资专管员；劳务员不能代替劳资专管员。"), tone=Tone.TEXT_3, wrap=True)
        )
        self.ready()
        if person is not None:
            self.feet = (button(tr("删除此人"), self._remove, kind="danger"), *self.feet)

    def again(self) -> MakeAgain:
        person, state = self._person, self._state
        return lambda page: StaffPanel(page.workspace, state, person)

    def save(self) -> None:
        if not self.form.require("post", "name", "phone"):
            return
        post, name, phone, company = map(self.form.value, ("post", "name", "phone", "company"))
        # Somebody new at a post that is held replaces its holder knowingly: no version to compare.
        seen = None if self._person is None else self._seen(self._person)
        self.store(
            lambda desk: site_facts.set_staff(desk, post, name, phone, company, seen=seen),
            tr("{post}已保存。", post=post),
        )

    def _remove(self) -> None:
        person = self._person
        if person is not None and confirm(
            self, tr("删除人员"), tr("从告示牌和表册的联系人里删除{post}{name}？", post=person.post, name=person.name),
            tr("删除此人"),
        ):
            seen = self._seen(person)
            self.store(
                lambda desk: site_facts.remove_staff(desk, person.id, seen=seen), tr("已删除。")
            )

    def _seen(self, person: StaffView) -> int:
        return self._state.seen.get(f"staff:{person.id}", 0)


def _version_state(row: VersionRow) -> State:
    return warn(tr("临时牌"), "note") if row.draft else good(tr("正式牌"))


_VERSIONS: tuple[Column[VersionRow], ...] = (
    Column("版", 2.5, lambda r: str(r.version), align=RIGHT, order=lambda r: r.version),
    Column("种类", 6, lambda r: "", state=_version_state),
    Column("尺寸", 5, lambda r: r.size),
    Column("时间", 6.5, lambda r: moment_text(r.exported_at), order=lambda r: r.exported_at),
    Column("导出人", 4, lambda r: r.exported_by, stretch=True),
)


class VersionsPanel(PanelContent):
    """Every export of the board, newest first."""

    def __init__(self, workspace: Workspace, state: BoardState) -> None:
        super().__init__(tr("告示牌版本"), tr("每次导出留一版，内容摘要入链。"))
        listing = Listing(
            tr("告示牌版本"), "board-versions", _VERSIONS, lambda session: state.versions,
            personal=False, view=View.BOARD,
        )
        self.rows.addWidget(
            output_button(workspace, self, lambda: listing), 0, Qt.AlignmentFlag.AlignRight
        )
        model = RowsModel(_VERSIONS, key=lambda row: row.version)
        view = ListView(tr("告示牌版本"))
        view.set_model(model)
        model.show_rows(state.versions)
        self.rows.addWidget(view, 1)
