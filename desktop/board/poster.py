"""From content to paper: the frozen input of :mod:`reports.board`, and the preview."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from desktop.access.actor import View
from desktop.access.desk import Desk
from desktop.board import queries
from desktop.board.content import board_content, content_digest
from desktop.board.rules import (
    GENERAL_CONTRACTOR,
    OWNER,
    SUPERVISOR,
    BoardContent,
    BoardPerson,
    BoardUnit,
    blank,
    is_phone,
)
from desktop.errors import Refused
from desktop.site import codes
from reports.board import (
    SIZES,
    BoardContact,
    BoardHotline,
    BoardInput,
    BoardParty,
    BoardSubcontractor,
    board_document,
)
from reports.errors import ReportError
from reports.paper import Document


def preview(desk: Desk, size: str = "A3", *, draft: bool = False) -> Document:
    """The board as it would be printed now, without leaving a version behind.

    Missing items show their blanks whether or not the mark 临时牌 is asked for.
    """
    day = desk.clock.today()
    with desk.look(View.BOARD) as session:
        content = board_content(session, desk.project_id, day)
        digest = content_digest(content)
        version = queries.next_version(session, desk.project_id)
        updated = queries.said_since(session, desk.project_id, digest) or day
    made = board_input(content, made_on=day, updated_on=updated, version=version, draft=draft)
    return drawn(made, checked_size(size))


def drawn(made: BoardInput, size: str, *, bleed: bool = False) -> Document:
    """The poster; :class:`Refused` ``board_overflow`` when its words fill more than a board."""
    try:
        return board_document(made, size, bleed=bleed)
    except ReportError as error:
        raise Refused(
            "board_overflow",
            "告示牌文字过多，一块牌放不下，未输出任何文件。请缩短工程名称和仲裁、法律援助等说明文字。",
        ) from error


def checked_size(size: str) -> str:
    """The key of :data:`reports.board.SIZES` meant by ``size``; :class:`Refused` otherwise."""
    wanted = size.strip().replace("×", "x").replace("*", "x").upper().replace("X", "x")
    if wanted not in SIZES:
        raise Refused(
            "board_size", f"告示牌只有 {'、'.join(SIZES)} 几种尺寸，没有「{size[:20]}」，未输出任何文件。",
            sizes=list(SIZES),
        )
    return wanted


def board_input(
    content: BoardContent, *, made_on: date, updated_on: date, version: int, draft: bool
) -> BoardInput:
    """Content as the poster prints it; words for nothing (暂无, 待定…) become blanks."""
    wage = content.wage
    return BoardInput(
        project_name=_said(content.project_name),
        project_address=_said(content.project_address),
        permit_no=_said(content.permit_no),
        started_on=content.started_on,
        owners=tuple(_owners(content)),
        contractors=tuple(_contractors(content)),
        supervisors=tuple(_supervisors(content)),
        project_dept_phone=_number(content.item("project_dept_phone")),
        project_dept_address=_said(content.item("project_dept_address")),
        competent_department=_said(content.item("competent_department")),
        subcontractors=tuple(
            BoardSubcontractor(u.name, u.kind_name, _said(u.contact), _number(u.phone))
            for u in content.subcontractors
        ),
        labour_officers=tuple(_contact(p, "") for p in content.labour_officers),
        subcontractor_officers=tuple(
            BoardContact(p.company, p.name, _number(p.phone))
            for p in content.subcontractor_officers
        ),
        wage_monthly=_said(wage.monthly) if wage else "",
        wage_hourly=_said(wage.hourly) if wage else "",
        wage_document=_said(wage.document) if wage else "",
        wage_effective_on=wage.effective_from if wage else None,
        pay_day=content.pay_day,
        wage_bank=_said(content.item("wage_account_bank")),
        labour_inspection_phone=_number(content.item("labour_inspection_phone")),
        housing_phone=_number(content.item("housing_phone")),
        hotlines=tuple(_hotline(entry) for entry in content.hotlines),
        arbitration=_said(content.item("arbitration")),
        legal_aid=_said(content.item("legal_aid")),
        report_link=_said(content.item("report_link")),
        made_on=made_on,
        updated_on=updated_on,
        version=version,
        draft=draft,
    )


def _owners(content: BoardContent) -> Iterator[BoardParty]:
    units = content.of_kind(OWNER) or (BoardUnit(OWNER, "", "", "", ""),)
    for place, unit in enumerate(units):
        leads = [p for p in content.owner_leads if _belongs(p, unit, first=place == 0)]
        contacts = [_contact(p, re.sub("^建设单位", "", p.post.strip())) for p in leads]
        if not leads and place == 0 and not content.owner_leads:
            contacts = [BoardContact("项目负责人", "", "")]
        yield BoardParty("建设单位", unit.name, _with_unit_contact(unit, contacts))


def _contractors(content: BoardContent) -> Iterator[BoardParty]:
    units = content.of_kind(GENERAL_CONTRACTOR) or (
        BoardUnit(GENERAL_CONTRACTOR, "", "", "", ""),
    )
    for place, unit in enumerate(units):
        managers = [p for p in content.project_managers if _belongs(p, unit, first=place == 0)]
        contacts = [_contact(p, "项目经理") for p in managers]
        if place == 0 and not content.project_managers:
            contacts = [BoardContact("项目经理", "", "")]
        yield BoardParty("施工总承包单位", unit.name, _with_unit_contact(unit, contacts))


def _supervisors(content: BoardContent) -> Iterator[BoardParty]:
    for place, unit in enumerate(content.of_kind(SUPERVISOR)):
        chiefs = [p for p in content.chief_supervisors if _belongs(p, unit, first=place == 0)]
        contacts = [_contact(p, "总监理工程师") for p in chiefs]
        if not blank(unit.contact):
            contacts = list(_with_unit_contact(unit, contacts))
        yield BoardParty("监理单位", unit.name, tuple(contacts), required=False)


def _belongs(person: BoardPerson, unit: BoardUnit, *, first: bool) -> bool:
    """Whether a person stands under this company; who names none stands under the first."""
    return person.company == unit.name or (first and not person.company)


def _with_unit_contact(
    unit: BoardUnit, contacts: list[BoardContact]
) -> tuple[BoardContact, ...]:
    """The company's own contact before the others, unless he is one of them."""
    own = BoardContact("联系人", _said(unit.contact), _number(unit.phone))
    if any(c.name == own.name and c.phone == own.phone for c in contacts if c.name):
        return tuple(contacts)
    return (own, *contacts)


def _contact(person: BoardPerson, post: str) -> BoardContact:
    return BoardContact(post, _said(person.name), _number(person.phone))


def _hotline(entry: str) -> BoardHotline:
    """A number with the name typed beside it, or the one of the code table."""
    found = re.search(r"[\d-]{3,}", entry)
    number = found[0] if found else entry
    typed = entry.replace(number, "").strip(" ：:")
    return BoardHotline(number, typed or _hotline_names().get(number, ""))


def _hotline_names() -> dict[str, str]:
    return {row["number"]: row["name"] for row in codes.rows("hotline")}


def _said(text: str) -> str:
    return "" if blank(text) else text.strip()


def _number(text: str) -> str:
    return text.strip() if is_phone(text) else ""
