"""Forms of the retention part: the two days, the policy, a hold and its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from desktop.access.actor import Act
from desktop.retention.dates import Dated, Policy, ProjectDates
from desktop.retention.holds import HOLD_WORDS, HoldView
from desktop.retention.rules import LEAST_WAITING, MOST_WAITING, SNAPSHOT_WORDS
from desktop.ui.changes import Changes
from desktop.ui.drafts import MakeAgain
from desktop.ui.i18n import moment_text, tr
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import Chip, button, label, line
from desktop.ui.widgets.blocks import Facts
from desktop.ui.widgets.fields import Choice, DateField
from desktop.ui.widgets.gate import gate
from desktop.ui.widgets.panel import FormContent
from desktop.ui.widgets.person_field import PersonField
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from desktop.access.desk import Desk


class CustodyForm(FormContent):
    """A form with one act of the settings page."""

    def __init__(
        self, workspace: Workspace, title: str, subtitle: str, word: str, act: Act
    ) -> None:
        super().__init__(title, subtitle)
        self.workspace = workspace
        self._word = word
        self.rows.addWidget(self.form)
        self.feet = (gate(button(word, self.save, kind="primary"), workspace, act),)

    def ready(self) -> None:
        """All fields are there."""
        self.form.set_clean()
        self.rows.addStretch(1)

    def store(self, work: Callable[[Desk], Any], said: str) -> None:
        """Run, say so, close."""

        def done(_: Any) -> None:
            self.form.set_clean()
            self.workspace.messages.info(said)
            self.finished.emit()

        self.workspace.act(
            lambda desk, progress, cancel: work(desk), done, title=self._word, owner=self,
            changes=Changes.CUSTODY,
        )


class DatesPanel(CustodyForm):
    """竣工日期 and 工资结清日期, each with the document that proves it."""

    def __init__(self, workspace: Workspace, dates: ProjectDates) -> None:
        super().__init__(
            workspace, tr("竣工和工资结清日期"), tr("保存期限从这两个日期起算；按证明文件登记，不要估计。"),
            tr("登记日期"), Act.RETENTION_CHANGED,
        )
        self._dates = dates
        today = workspace.desk.clock.today()
        for name, word, held in (
            ("completed", tr("竣工日期"), dates.completed), ("settled", tr("工资结清日期"), dates.settled),
        ):
            self.form.add(name, word, DateField(held.day if held else None, today))
            self.form.add_text(
                f"{name}_document", tr("{word}的证明文件", word=word), held.document if held else "",
                tr("名称或文号，如：竣工验收报告第12号。"),
            )
        self.form.add_text("why", tr("更改理由"), hint=tr("已登记过的日期要改时必填。"))
        self.ready()

    def again(self) -> MakeAgain:
        dates = self._dates
        return lambda page: DatesPanel(page.workspace, dates)

    def save(self) -> None:
        if not self.form.require():
            return
        value = self.form.value
        completed, settled = self._given("completed"), self._given("settled")
        if completed is None and settled is None:
            self.form.mark("completed", tr("至少登记一个日期"))
            return
        why = value("why")

        def work(desk: Desk) -> Any:
            from desktop.retention.dates import set_dates

            return set_dates(desk, completed=completed, settled=settled, why=why)

        self.store(work, tr("日期已登记，保存期限已重算。"))

    def _given(self, name: str) -> Dated | None:
        day = self.form.value(name)
        return None if day is None else Dated(day, self.form.value(f"{name}_document"))


class PolicyPanel(CustodyForm):
    """What the site decides itself: waiting time, pictures, impact assessment."""

    def __init__(self, workspace: Workspace, policy: Policy) -> None:
        super().__init__(
            workspace, tr("保存策略"), tr("从今天起生效。人脸、指纹模板一律不进账本。"), tr("保存策略"),
            Act.RETENTION_CHANGED,
        )
        self._policy = policy
        self.form.add_text(
            "waiting", tr("批准到执行等待几天 *"), str(policy.waiting_days),
            tr("{a} 至 {b} 天：留出提异议、加冻结的时间。", a=LEAST_WAITING, b=MOST_WAITING),
        )
        choice = Choice([(kind, tr(word)) for kind, word in SNAPSHOT_WORDS.items()])
        choice.choose(policy.snapshots)
        self.form.add("snapshots", tr("考勤机抓拍照片"), choice, tr("留得越多，占磁盘越多，泄露时后果越重。"))
        self.form.add_text("kb", tr("单张照片大小（KB）*"), str(policy.snapshot_kb), tr("用来预测磁盘占用。"))
        today = workspace.desk.clock.today()
        self.form.add("assessed", tr("个人信息保护影响评估日期"), DateField(policy.assessed_on, today))
        self.form.add_text("assessment", tr("评估报告名称或编号"), policy.assessment)
        self.ready()

    def again(self) -> MakeAgain:
        policy = self._policy
        return lambda page: PolicyPanel(page.workspace, policy)

    def save(self) -> None:
        if not self.form.require("waiting", "kb"):
            return
        waiting, kb = self.form.value("waiting"), self.form.value("kb")
        for name, text in (("waiting", waiting), ("kb", kb)):
            if not text.isdigit():
                self.form.mark(name, tr("请填整数"))
                return
        policy = Policy(
            None, int(waiting), self.form.value("snapshots"), int(kb),
            self.form.value("assessed"), self.form.value("assessment"),
        )

        def work(desk: Desk) -> Any:
            from desktop.retention.dates import set_policy

            set_policy(desk, policy)

        self.store(work, tr("保存策略已登记，从今天起生效。"))


class HoldPanel(CustodyForm):
    """A dispute or an inspection: of one person, or of everything."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(
            workspace, tr("加留存冻结"), tr("有争议、检查时先冻结：期间任何到期清除都停下来。"), tr("加留存冻结"),
            Act.HOLD_ADDED,
        )
        self.form.add("kind", tr("种类"), Choice([(k, tr(word)) for k, word in HOLD_WORDS.items()]))
        self.person = PersonField(workspace)
        self.form.add("person", tr("人员"), self.person, tr("不选就是全项目。"))
        self.form.add_text("reason", tr("事由 *"), hint=tr("留痕的，不要写姓名和证件号。"))
        self.form.add_text("document", tr("文件"), hint=tr("如：受理通知书文号。"))
        self.ready()

    def again(self) -> MakeAgain:
        return lambda page: HoldPanel(page.workspace)

    def save(self) -> None:
        if not self.form.require("reason"):
            return
        person_id = self.person.person_id()
        if person_id is None and self.person.text().strip():
            self.form.mark("person", tr("请从列出的人员中选择一位，或清空"))
            return
        kind, reason, document = (self.form.value(n) for n in ("kind", "reason", "document"))

        def work(desk: Desk) -> Any:
            from desktop.retention.holds import add_hold

            return add_hold(desk, kind, reason, person_id=person_id, document=document)

        self.store(work, tr("留存冻结已登记，期间不清除。"))


class LiftPanel(CustodyForm):
    """One hold; while it is in force it may be lifted for a reason."""

    def __init__(self, workspace: Workspace, hold: HoldView) -> None:
        from desktop.ui.pages.settings.terms import hold_state

        super().__init__(
            workspace, tr("留存冻结 {n} 号", n=hold.id), hold.scope, tr("解除冻结"), Act.HOLD_LIFTED
        )
        self._hold = hold
        head = line()
        head.addWidget(Chip(hold_state(hold)))
        head.addStretch(1)
        self.rows.insertLayout(0, head)
        facts = Facts(
            [
                (tr("种类"), tr(HOLD_WORDS[hold.kind])), (tr("事由"), hold.reason),
                (tr("文件"), hold.document),
                (tr("登记"), f"{hold.placed_by}　{moment_text(hold.placed_at)}"),
            ]
        )
        if hold.lifted_at is not None:
            facts.add(tr("解除"), f"{hold.lifted_by}　{moment_text(hold.lifted_at)}")
            facts.add(tr("解除事由"), hold.lifted_why)
            self.feet = ()
            self.form.hide()
        else:
            self.form.add_text("why", tr("解除事由 *"), hint=tr("如：仲裁已裁决并履行完毕。"))
        self.rows.insertWidget(1, facts)
        if hold.lifted_at is None:
            self.rows.addWidget(
                label(tr("解除后，已到期的记录可以重新提出清除。"), tone=Tone.TEXT_3, wrap=True)
            )
        self.ready()

    def again(self) -> MakeAgain:
        hold = self._hold
        return lambda page: LiftPanel(page.workspace, hold)

    def save(self) -> None:
        if self._hold.lifted_at is not None or not self.form.require("why"):
            return
        number, why = self._hold.id, self.form.value("why")

        def work(desk: Desk) -> Any:
            from desktop.retention.holds import lift_hold

            lift_hold(desk, number, why)

        self.store(work, tr("留存冻结 {n} 号已解除。", n=number))
