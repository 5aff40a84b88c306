"""Where personal text sits in a book, table by table, and what an erasure does about it.

A table that is not named here asks for a decision (a test compares), so that a new one cannot keep
somebody's name unseen. After every erasure :mod:`desktop.retention.sweep` looks through them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PLACES: Mapping[str, str] = MappingProxyType({
    # people
    "person": "姓名、拼音、证件、电话、银行卡、住址、出生日期、民族、紧急联系人清除，只留人员编号",
    "stay": "只有日期、工种和状态，保留",
    "stay_team": "只有日期，保留",
    "contract": "合同编号清除，种类和期限保留",
    "roster_import": "只有条数和校验值，保留",
    # terminals and punches
    "terminal": "说明文字点名的清除；名称是设备名，保留",
    "terminal_person": "本人的编号和姓名整行删除",
    "alias": "本身是证件号或电话的编号换成代号，其余编号保留",
    "punch": "只有编号和时间；本身是证件号或电话的编号及其原始字节换成代号和校验值",
    "punch_sighting": "没有个人文字",
    "punch_conflict": "点名的原始字节换成校验值",
    "punch_quarantine": "点名的编号和原始字节换成代号和校验值",
    "clock_reading": "没有个人文字",
    "collection_lease": "没有个人文字",
    "download": "只有条数和校验值，保留；原始文件本身另行清除",
    # attendance
    "explanation": "说明和证据点名的清除，留校验值",
    "explanation_cell": "只有人员和日期，保留",
    "leave": "本人的请假事由和证明清除，日期保留",
    "stop_work": "事由和文件点名的清除",
    "outage_note": "事由和文件点名的清除",
    "finding_answer": "答复点名的清除",
    # months
    "month_row": "印出的姓名和盐清除，留承诺值；其余为编号和符号",
    "month_version": "带项冻结理由点名的清除，留校验值；表头只有单位和班组名称",
    "month_page": "没有个人文字",
    "leaver_slip": "没有个人文字",
    # board and site
    "board_item": "点名或含其电话的清除",
    "board_version": "点名的整版内容清除，留校验值",
    "staff": "本人的姓名和电话清除",
    "participation": "本人的姓名和电话清除",
    "team": "班组长姓名清除；班组名称是组织名称，保留",
    "team_shift": "没有个人文字",
    "company": "单位名称和信用代码，保留",
    "project": "工程名称、地址和证号，保留",
    "rule_pack": "没有个人文字",
    "holiday": "没有个人文字",
    "floor_wage": "没有个人文字",
    # acts, users, chain
    "audit_act": "理由点名的清除，留校验值；办理人是账号姓名，保留",
    "segment": "段首只有编号和条数；办理人是账号姓名，保留",
    "app_user": "账号姓名，保留：谁办过什么须能查证",
    "login_guard": "没有个人文字",
    "edit_stamp": "账号姓名，保留",
    "change_count": "没有个人文字",
    "workstation": "电脑名称，保留",
    "book_info": "没有个人文字",
    # retention
    "retention_dates": "文件名点名的清除",
    "retention_policy": "报告名点名的清除",
    "legal_hold": "事由和文件点名的清除",
    "purge": "只有编号和条数；理由在提出时不收姓名",
    "purge_step": "只有编号和条数；理由在办理时不收姓名",
    "tombstone": "只有编号、校验值和代号",
    "biometric_removal": "本身是证件号或电话的编号换成代号，备注点名的清除",
})
"""Every table and the decision about it, in words for the manual and the certificate."""

_OFFICE_COLUMNS = frozenset({"operator", "actor", "editor"})
_ORGANISATION_NAMES: Mapping[str, str] = MappingProxyType({
    "company.name": "单位名称", "project.name": "工程名称", "project.address": "工程地址",
    "team.name": "班组名称", "terminal.name": "考勤机名称", "workstation.name": "电脑名称",
    "month_version.head": "月表表头", "app_user.name": "账号姓名", "app_user.os_account": "电脑账户",
    "audit_act.facts": "操作记录", "person.emergency_contact": "他人的紧急联系人",
})
"""Names that may equal a person's and are kept: of organisations and things, of users of the
program, and of the emergency contact somebody else gave."""


def may_keep_name(table: str, column: str) -> bool:
    """May a name that is searched for stand here after an erasure? A number never may."""
    return (
        column.endswith("_by") or column in _OFFICE_COLUMNS
        or f"{table}.{column}" in _ORGANISATION_NAMES
    )


def place_word(place: str) -> str:
    """``table.column`` in words."""
    return _ORGANISATION_NAMES.get(place, "办理人")
