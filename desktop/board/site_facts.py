"""Facts of the site that the board asks for and that change while a site runs.

Pay day, floor wage, companies and their contacts, the people to call: they come from project.toml
and are mended here, each change audited. A floor wage is never overwritten by a later one: it is a
row with its effective date. What a person or a company *is* (credit code, roster) is not touched.
"""

from __future__ import annotations

import re
from datetime import date

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from desktop.access import editing
from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.board.rules import has_odd_characters
from desktop.errors import Refused
from desktop.site import codes
from desktop.site.rules import check_credit_code
from desktop.site.tables import Company, FloorWage, Participation, Project, Staff

PROJECT = "project"
"""Of the versions of pay day and floor wage; companies are ``company:<id>``, contacts
``staff:<id>``. See :func:`desktop.access.editing.version`."""

_YUAN = re.compile(r"\d{1,9}(\.\d{1,2})?")
_LONGEST = 100


def set_pay_day(desk: Desk, day: int | None, *, seen: int | None = None) -> bool:
    """The day of the month on which wages are paid, 1–31; None clears it. Whether it changed.

    Raises :class:`desktop.errors.Conflict` when somebody changed it after the version ``seen``
    of :data:`PROJECT`; so do the acts below.
    """
    desk.permit(Act.PROJECT_CHANGED)
    if day is not None and not 1 <= day <= 31:
        raise Refused("pay_day", "工资支付日期应为每月1日到31日，未做任何改动。", day=day)
    with desk.book.write() as session:
        project = session.get_one(Project, desk.project_id)
        changed = project.pay_day != day
        if changed:
            now = "" if project.pay_day is None else f"每月{project.pay_day}日"
            editing.check(
                desk, session, PROJECT, seen, "项目", {"pay_day": ("工资支付日期", now)}
            )
            project.pay_day = day
            editing.touch(desk, session, PROJECT, "pay_day")
            desk.audit(session, Act.PROJECT_CHANGED, "project:pay_day", pay_day=day)
    return changed


def set_floor_wage(
    desk: Desk, *, monthly: str, hourly: str, document: str, effective_from: date,
    seen: int | None = None,
) -> None:
    """当地最低工资标准 from ``effective_from`` on; the same date again corrects that row."""
    desk.permit(Act.PROJECT_CHANGED)
    for name, amount in (("月标准", monthly), ("小时标准", hourly)):
        if not _YUAN.fullmatch(amount.strip()):
            raise Refused(
                "floor_wage", f"最低工资{name}应为金额（元），如 2100 或 20.6，未做任何改动。"
            )
    if not document.strip():
        raise Refused("floor_wage", "请填写最低工资标准的文号，未做任何改动。")
    with desk.book.write() as session:
        row = session.scalar(
            select(FloorWage).where(
                FloorWage.project_id == desk.project_id,
                FloorWage.effective_from == effective_from,
            )
        )
        field = f"floor_wage:{effective_from.isoformat()}"
        if row is not None:
            what = f"{effective_from}起的最低工资标准"
            editing.check(
                desk, session, PROJECT, seen, "项目", {field: (what, f"每月{row.monthly}元")}
            )
        editing.touch(desk, session, PROJECT, field)
        if row is None:
            row = FloorWage(project_id=desk.project_id, effective_from=effective_from)
            session.add(row)
        row.monthly, row.hourly = monthly.strip(), hourly.strip()
        row.document = _text("文号", document)
        session.flush()
        desk.audit(
            session, Act.PROJECT_CHANGED, "project:floor_wage",
            effective_from=effective_from.isoformat(),
        )


def add_company(
    desk: Desk, kind: str, name: str, credit_code: str, *, contact: str = "", phone: str = ""
) -> int:
    """A company that joins the project; ``kind`` is a code or name of ``corp_type``."""
    desk.permit(Act.PROJECT_CHANGED)
    code = codes.corp_kind(kind)
    if code is None:
        names = "、".join(codes.table("corp_type").values())
        raise Refused("company_kind", f"没有这种参建单位类型，未做任何改动。可选：{names}。")
    check = check_credit_code(credit_code)
    if check.problem:
        hint = f"，是否应为 {check.hint}" if check.hint else ""
        raise Refused(
            "credit_code", f"统一社会信用代码不正确{hint}，未做任何改动。请核对营业执照。"
        )
    wanted = _text("单位名称", name, required=True)
    with desk.book.write() as session:
        company = _company(session, wanted, check.code)
        if session.scalar(_participation(desk.project_id, company.id)) is not None:
            raise Refused("company_exists", f"「{wanted}」已经是本项目的参建单位，未做任何改动。")
        session.add(
            Participation(
                project_id=desk.project_id, company_id=company.id, kind=code,
                contact=_text("联系人", contact), phone=_text("电话", phone),
            )
        )
        session.flush()
        desk.audit(session, Act.PROJECT_CHANGED, f"company:{company.id}", kind=code)
        return company.id


def set_company_contact(
    desk: Desk, company: str, contact: str, phone: str, *, seen: int | None = None
) -> None:
    """Contact and phone of a participating company, given by name."""
    desk.permit(Act.PROJECT_CHANGED)
    with desk.book.write() as session:
        company_id = _company_id(session, desk.project_id, company)
        part = session.scalars(_participation(desk.project_id, company_id)).one()
        subject = f"company:{company_id}"
        shown = f"「{company.strip()}」"
        editing.check(desk, session, subject, seen, shown, {"contact": ("联系人", part.contact)})
        editing.touch(desk, session, subject, "contact")
        part.contact, part.phone = _text("联系人", contact), _text("电话", phone)
        session.flush()
        desk.audit(session, Act.PROJECT_CHANGED, f"company:{company_id}", what="contact")


def set_staff(
    desk: Desk, post: str, name: str, phone: str, company: str, *, seen: int | None = None
) -> int:
    """The person of a post at a company; whoever held it there is replaced. Returns the row id."""
    desk.permit(Act.PROJECT_CHANGED)
    with desk.book.write() as session:
        company_id = _company_id(session, desk.project_id, company)
        title = _text("岗位", post, required=True)
        held = session.scalars(
            select(Staff).where(
                Staff.project_id == desk.project_id, Staff.company_id == company_id
            ).order_by(Staff.id)
        )
        row = next((person for person in held if person.post.strip() == title), None)
        if row is None:
            row = Staff(project_id=desk.project_id, company_id=company_id, post=title)
            session.add(row)
        else:
            editing.check(
                desk, session, f"staff:{row.id}", seen, f"「{title}」", {"who": ("人员", row.name)}
            )
        row.name, row.phone = _text("姓名", name, required=True), _text("电话", phone)
        session.flush()
        editing.touch(desk, session, f"staff:{row.id}", "who")
        desk.audit(session, Act.PROJECT_CHANGED, f"staff:{row.id}", company=company_id)
        return row.id


def remove_staff(desk: Desk, staff_id: int, *, seen: int | None = None) -> None:
    """A contact who left the project no longer stands on forms and board."""
    desk.permit(Act.PROJECT_CHANGED)
    with desk.book.write() as session:
        row = session.get(Staff, staff_id)
        if row is None or row.project_id != desk.project_id:
            raise Refused("unknown_staff", "没有这名联系人，未做任何改动。请刷新后再试。")
        editing.check(
            desk, session, f"staff:{staff_id}", seen, f"「{row.post}」", {"who": ("人员", row.name)}
        )
        editing.touch(desk, session, f"staff:{staff_id}")
        session.delete(row)
        session.flush()
        desk.audit(session, Act.PROJECT_CHANGED, f"staff:{staff_id}", what="removed")


def _company(session: Session, name: str, credit_code: str) -> Company:
    """The company of the book with that code, a new one otherwise."""
    known = session.scalar(select(Company).where(Company.credit_code == credit_code))
    if known is not None:
        if known.name != name:
            raise Refused(
                "company_name", f"账本里该统一社会信用代码的单位叫「{known.name}」，未做任何改动。请核对名称。"
            )
        return known
    if session.scalar(select(Company).where(Company.name == name)) is not None:
        raise Refused(
            "company_name", f"账本里「{name}」已有另一个统一社会信用代码，未做任何改动。请核对代码。"
        )
    company = Company(name=name, credit_code=credit_code)
    session.add(company)
    session.flush()
    return company


def _company_id(session: Session, project_id: int, name: str) -> int:
    wanted = name.strip()
    found = session.scalar(
        select(Company.id)
        .join(Participation, Participation.company_id == Company.id)
        .where(Participation.project_id == project_id, Company.name == wanted)
    )
    if found is None:
        raise Refused(
            "unknown_company", f"「{wanted[:40]}」不是本项目的参建单位，未做任何改动。请先登记该单位。"
        )
    return found


def _participation(project_id: int, company_id: int) -> Select[Participation]:
    return select(Participation).where(
        Participation.project_id == project_id, Participation.company_id == company_id
    )


def _text(label: str, value: str, *, required: bool = False) -> str:
    """A trimmed line; :class:`Refused` when it is empty but required, or longer than a line."""
    text = " ".join(value.split())
    if required and not text:
        raise Refused("empty_field", f"请填写{label}，未做任何改动。", field=label)
    if has_odd_characters(text):
        raise Refused("odd_characters", f"{label}含有不可见字符，未做任何改动。请重新输入。", field=label)
    if len(text) > _LONGEST:
        raise Refused("too_long", f"{label}超过{_LONGEST}个字，未做任何改动。请改短。", field=label)
    return text
