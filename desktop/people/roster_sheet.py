"""The roster spreadsheet as rows of named cells: finding the header, its synonyms, its limits.

Knows the heads of design §4 and the labels of form F06 as other names for them; refuses to judge
what stands in a row (see ``roster_checks``).
"""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from desktop.errors import Refused
from desktop.jobs import CancelToken
from desktop.people.spreadsheet import (
    Cell,
    Row,
    SheetError,
    SpreadsheetFile,
    open_spreadsheet,
    refusal,
)

MAX_ROWS = 100_000
HEADER_WITHIN = 10
_CHECK_EVERY = 1_000


class Head(enum.StrEnum):
    """A column of the roster; the value is the head the program writes and reports."""

    NUMBER = "序号"
    NAME = "姓名"
    SEX = "性别"
    NATION = "民族"
    ID_NUMBER = "身份证号码"
    ID_KIND = "证件类型"
    OTHER_ID_NUMBER = "证件号码"
    BIRTH_DAY = "出生日期"
    ADDRESS = "住址"
    EDUCATION = "文化程度"
    TRADE = "工种/岗位"
    POST = "管理岗位"
    COMPANY = "用人单位"
    TEAM = "班组"
    CONTRACT_KIND = "合同类型"
    CONTRACT_NUMBER = "合同编号"
    CONTRACT_FROM = "合同开始日期"
    CONTRACT_TO = "合同结束日期"
    ENTRY = "进场日期"
    EXIT = "退场日期"
    PHONE = "联系电话"
    EMERGENCY_CONTACT = "紧急联系人"
    EMERGENCY_PHONE = "紧急联系电话"
    BANK_NAME = "工资卡银行"
    BANK_CARD = "工资卡号"
    WORKER_NO = "人员编号"
    HOUSING_REGISTERED = "住建实名制登记日期"
    LABOUR_REGISTERED = "工资监管登记日期"
    TRAINED = "安全教育日期"


_SYNONYMS: Mapping[Head, str] = {
    Head.NAME: "工人姓名 人员姓名",
    Head.ID_NUMBER: "身份证号 身份证 公民身份号码 公民身份证号码 居民身份证号码",
    Head.ID_KIND: "证件种类",
    Head.OTHER_ID_NUMBER: "证件号",
    Head.BIRTH_DAY: "出生年月日",
    Head.ADDRESS: "地址 家庭住址 户籍地址 身份证住址 户籍所在地",
    Head.EDUCATION: "学历",
    Head.TRADE: "工种 岗位 工种岗位 工种或岗位 工种(岗位)",
    Head.COMPANY: "所属企业 所属企业名称 所属单位 单位名称 用工单位 分包单位 劳务公司",
    Head.TEAM: "班组名称 所属班组",
    Head.CONTRACT_KIND: "合同种类 合同/协议类型",
    Head.CONTRACT_NUMBER: "合同号 劳动合同编号",
    Head.CONTRACT_FROM: "合同开始 合同起始日期 合同开始时间 合同期限起",
    Head.CONTRACT_TO: "合同结束 合同终止日期 合同结束时间 合同到期日期 合同期限止",
    Head.ENTRY: "进场时间 入场日期 入场时间",
    Head.EXIT: "退场时间 离场日期 离场时间",
    Head.PHONE: "手机号 手机号码 手机 电话 联系方式 电话号码",
    Head.EMERGENCY_PHONE: "紧急联系人电话 紧急电话",
    Head.BANK_NAME: "开户行 开户银行 开户行名称 银行名称 工资卡开户行",
    Head.BANK_CARD: "卡号 银行卡号 工资卡卡号 银行账号",
    Head.WORKER_NO: "设备人员编号 工号 考勤编号 考勤号",
    Head.HOUSING_REGISTERED: "住建登记日期 住建平台登记日期 实名制登记日期",
    Head.LABOUR_REGISTERED: "工资监管平台登记日期 人社登记日期 人社平台登记日期",
    Head.TRAINED: "三级安全教育日期 三级教育日期 入场教育日期 进场教育日期",
}
_BY_TEXT: Mapping[str, Head] = {
    **{str(head): head for head in Head},
    **{name: head for head, names in _SYNONYMS.items() for name in names.split()},
}
REQUIRED: tuple[tuple[Head, ...], ...] = (
    (Head.NAME,), (Head.ID_NUMBER, Head.OTHER_ID_NUMBER), (Head.TRADE, Head.POST),
    (Head.COMPANY,), (Head.TEAM,), (Head.ENTRY,),
)
"""Heads a header must carry; of each group one is enough."""


def head_of(text: str) -> Head | None:
    """The column a head names: blanks, line breaks, width, star and notes 「（18位）」 do not matter."""
    plain = "".join(unicodedata.normalize("NFKC", text).split()).strip("*:")
    return _BY_TEXT.get(plain) or _BY_TEXT.get(_NOTE.sub("", plain).strip("*:"))


_NOTE = re.compile(
    r"(\((\*|[必选可].{0,2}填|不填|.{0,8}\d+(-\d+|至\d+)?位.{0,4}|.*(格式|文本|全称|一致|填写).*|[如例按].*"
    r"|年[-/.、]?月[-/.、]?日|[yY]+\W?[mM]+\W?[dD]+|\d{4}\W\d{1,2}\W\d{1,2})\))+$"
)
"""Brackets at the end that say how to fill a column, not which one: 「（紧急）」 is none of them."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row as typed; ``number`` is what the spreadsheet program shows at its left."""

    number: int
    cells: Mapping[Head, Cell]


@dataclass(frozen=True, slots=True)
class RosterSheet:
    """A read roster: its rows, the heads that were ignored, the digest of the file."""

    rows: list[SheetRow]
    ignored: list[str]
    sha256: bytes


def read_roster(
    path: Path, *, cancel: CancelToken | None = None,
    counted: Callable[[int], None] = lambda rows: None,
) -> RosterSheet:
    """Read the first worksheet of ``path`` that has a roster's header.

    ``counted`` hears the rows read so far. Raises :class:`Refused` when there is no header or the
    sheet is too long.
    """
    file = open_spreadsheet(path)
    try:
        return _read(path, file, cancel, counted)
    except SheetError as error:
        raise refusal(path, error) from error


def _read(
    path: Path, file: SpreadsheetFile, cancel: CancelToken | None, counted: Callable[[int], None]
) -> RosterSheet:
    best_missing: list[str] | None = None
    for place in range(len(file.sheets.names)):
        rows = file.sheets.rows(place)
        columns, missing, ignored = _find_header(rows)
        if columns is not None:
            return RosterSheet(_take(rows, columns, cancel, counted), ignored, file.sha256)
        if best_missing is None or len(missing) < len(best_missing):
            best_missing = missing
    lacking = "、".join(best_missing or [])
    raise Refused(
        "roster_head",
        f"表格「{path.name}」前{HEADER_WITHIN}行里没有花名册表头，缺少：{lacking}。未做任何改动。"
        "请补上这些列名后再导入。",
        missing=best_missing or [],
    )


def _find_header(rows: Iterator[Row]) -> tuple[dict[int, Head] | None, list[str], list[str]]:
    """Columns of the header row; or None and what the likeliest row lacked."""
    missing = [str(group[0]) for group in REQUIRED]
    for number, cells in rows:
        if number > HEADER_WITHIN:
            break
        columns, ignored = _columns(cells)
        present = set(columns.values())
        lacking = [str(group[0]) for group in REQUIRED if not present.intersection(group)]
        if not lacking:
            return columns, [], ignored
        if len(lacking) < len(missing):
            missing = lacking
    return None, missing, []


def _columns(cells: Mapping[int, Cell]) -> tuple[dict[int, Head], list[str]]:
    """Column → head; of two columns with one meaning the exact head wins, then the left one."""
    named = {column: text for column, cell in cells.items() if (text := str(cell).strip())}
    columns: dict[int, Head] = {}
    taken: set[Head] = set()
    exact_first = sorted(named, key=lambda column: (head_of(named[column]) != named[column], column))
    for column in exact_first:
        head = head_of(named[column])
        if head is not None and head not in taken:
            columns[column] = head
            taken.add(head)
    ignored = [named[column][:50] for column in sorted(named) if column not in columns]
    return columns, ignored


def _take(
    rows: Iterator[Row], columns: Mapping[int, Head], cancel: CancelToken | None,
    counted: Callable[[int], None],
) -> list[SheetRow]:
    taken: list[SheetRow] = []
    for seen, (number, cells) in enumerate(rows):
        if seen % _CHECK_EVERY == 0:
            if cancel is not None:
                cancel.raise_if_set()
            counted(len(taken))
        row = SheetRow(
            number,
            {head: cells[column] for column, head in columns.items() if _filled(cells.get(column))},
        )
        if not row.cells.keys() - {Head.NUMBER}:
            continue
        if len(taken) == MAX_ROWS:
            raise Refused(
                "roster_too_long", f"花名册超过{MAX_ROWS}行，未做任何改动。请分成几份导入。", rows=MAX_ROWS
            )
        taken.append(row)
    return taken


def _filled(cell: Cell | None) -> bool:
    return cell is not None and (not isinstance(cell, str) or not cell.isspace())
