"""Reading one roster row: the checks of its own cells, in the order of design §4.

Required cell missing → format → ID → age under 16. A row stops at its first failure; warnings
never stop it. What the file and the book say about the person comes after, in ``roster_checks``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from desktop.people import roster_cells as cells
from desktop.people.roster_cells import CellError, ImpossibleDate
from desktop.people.roster_sheet import Head, SheetRow
from desktop.people.rules import (
    AgeLevel,
    Identity,
    IdentityError,
    age_band,
    age_on,
    check_identity,
    is_card_number,
    is_phone,
    luhn_ok,
    normal_code,
    normal_name,
    normal_number,
    plausible_name,
)
from desktop.people.spreadsheet import Cell
from desktop.site import codes
from desktop.site.rules import RulePack

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RowNote:
    """One rejection or warning; ``field`` is the head of the column to mend."""

    row: int
    field: str
    code: str
    message: str


class RowRejected(ValueError):
    """The row failed; ``note`` says where and why."""

    def __init__(self, note: RowNote) -> None:
        super().__init__(note.code)
        self.note = note


@dataclass(frozen=True, slots=True)
class SiteNames:
    """Participating companies by folded name."""

    companies: Mapping[str, int]


@dataclass(slots=True)
class RosterEntry:
    """A row that passed the checks of its own cells. Equal entries say the same."""

    row: int = field(compare=False)
    name: str
    identity: Identity
    sex: str
    birth_day: date | None
    nation: str
    education: str
    address: str
    trade: str
    is_manager: bool
    company_id: int
    team: str
    contract_kind: str
    contract_number: str
    contract_from: date | None
    contract_to: date | None
    entry: date | None
    """None only while ``impossible`` names the entry date."""
    exit: date | None
    housing_registered_on: date | None
    labour_registered_on: date | None
    trained_on: date | None
    phone: str
    emergency_contact: str
    emergency_phone: str
    bank_name: str
    bank_card: str
    worker_no: int | None
    impossible: Head | None = field(default=None, compare=False)
    """The first date column whose date never was; judged in its turn, after the identity."""
    warnings: list[RowNote] = field(default_factory=list, compare=False)

    @property
    def key(self) -> tuple[str, str]:
        """Kind and number of the identity document."""
        return self.identity.kind, self.identity.number

    @property
    def has_contract(self) -> bool:
        """Whether any contract column is filled."""
        return bool(
            self.contract_kind or self.contract_number or self.contract_from or self.contract_to
        )

    def warn(self, head: Head, code: str, message: str) -> None:
        """Note a warning of this row."""
        self.warnings.append(RowNote(self.row, str(head), code, message))

    def reject(self, head: Head, code: str, message: str) -> RowRejected:
        """The rejection of this row, ready to be raised."""
        return RowRejected(RowNote(self.row, str(head), code, message))


def read_entry(row: SheetRow, site: SiteNames, rules: RulePack) -> RosterEntry:
    """Checks 1 to 4 of one row. Raises :class:`RowRejected` at the first failure."""
    reader = _RowReader(row)
    reader.check_required()
    entry = reader.read(site)
    _check_sex(reader, entry)
    entry.impossible = reader.impossible
    entry.warnings = reader.warnings
    _check_age(entry, rules)
    if entry.bank_card and not luhn_ok(entry.bank_card):
        entry.warn(Head.BANK_CARD, "card_luhn", "工资卡号校验位不符，请核对（存折账号可忽略）")
    return entry


class _RowReader:
    """One row while it is read: hands out cells, raises the rejection of the first bad one."""

    def __init__(self, row: SheetRow) -> None:
        self._row = row
        self.impossible: Head | None = None
        self.warnings: list[RowNote] = []

    def reject(self, head: Head, code: str, message: str) -> RowRejected:
        return RowRejected(RowNote(self._row.number, str(head), code, message))

    def warn(self, head: Head, code: str, message: str) -> None:
        self.warnings.append(RowNote(self._row.number, str(head), code, message))

    def check_required(self) -> None:
        """Check 1. A manager, known by the post, may be without a team."""
        self._require(Head.NAME)
        self._require(Head.ID_NUMBER, Head.OTHER_ID_NUMBER)
        self._require(Head.TRADE, Head.POST)
        self._require(Head.COMPANY)
        if normal_name(self._first_text(Head.POST, Head.TRADE)) not in codes.posts():
            self._require(Head.TEAM)
        self._require(Head.ENTRY)

    def _require(self, *heads: Head) -> None:
        if not any(self._first_text(head) for head in heads):
            raise self.reject(heads[0], "missing", f"缺少「{heads[0]}」，请补填")

    def _first_text(self, *heads: Head) -> str:
        """The first filled cell, without judging it."""
        for head in heads:
            cell = self._row.cells.get(head)
            text = " ".join(cell.split()) if isinstance(cell, str) else str(cell or "")
            if text and text not in cells.NOTHING:
                return text
        return ""

    def read(self, site: SiteNames) -> RosterEntry:
        """Checks 2 and 3: all cells by form, then the ID by its date and check digit."""
        name = self._name()
        sex = self._value(Head.SEX, cells.sex_of)
        nation = self._nation()
        kind, number = self._id_text()
        trade = self._value(Head.POST, cells.trade_of) or self._value(Head.TRADE, cells.trade_of)
        company_id = self._company(site)
        team = self._text(Head.TEAM)
        contract_kind = self._value(Head.CONTRACT_KIND, cells.contract_kind_of)
        contract_number = self._text(Head.CONTRACT_NUMBER)
        contract_from, contract_to = self._date(Head.CONTRACT_FROM), self._date(Head.CONTRACT_TO)
        entry, leave = self._date(Head.ENTRY), self._date(Head.EXIT)
        housing, labour, trained = map(
            self._date, (Head.HOUSING_REGISTERED, Head.LABOUR_REGISTERED, Head.TRAINED)
        )
        birth_day = self._date(Head.BIRTH_DAY)
        phone, emergency_phone = self._phone(Head.PHONE), self._phone(Head.EMERGENCY_PHONE)
        bank_card = self._bank_card()
        worker_no = self._value(Head.WORKER_NO, cells.worker_no_of)
        address, education = self._text(Head.ADDRESS), self._text(Head.EDUCATION)
        emergency_contact = self._text(Head.EMERGENCY_CONTACT)
        bank_name = self._text(Head.BANK_NAME)
        identity = self._identity(kind, number)
        is_manager = trade in codes.posts()
        if not is_manager and trade not in codes.trades():
            self.warn(Head.TRADE, "unknown_trade", f"工种「{trade}」不在工种字典里，上报前须对应")
        return RosterEntry(
            row=self._row.number, name=name, identity=identity, sex=sex,
            birth_day=identity.birth_day or birth_day, nation=nation, education=education,
            address=address, trade=trade, is_manager=is_manager, company_id=company_id, team=team,
            contract_kind=contract_kind, contract_number=contract_number,
            contract_from=contract_from, contract_to=contract_to, entry=entry, exit=leave,
            housing_registered_on=housing, labour_registered_on=labour, trained_on=trained,
            phone=phone, emergency_contact=emergency_contact, emergency_phone=emergency_phone,
            bank_name=bank_name, bank_card=bank_card, worker_no=worker_no,
        )

    def _value(self, head: Head, parse: Callable[[Cell | None], T]) -> T:
        try:
            return parse(self._row.cells.get(head))
        except CellError as error:
            raise self.reject(head, error.code, f"「{head}」{error.reason}") from None

    def _text(self, head: Head) -> str:
        return self._value(head, cells.optional_text)

    def _date(self, head: Head) -> date | None:
        cell = self._row.cells.get(head)
        if head is Head.CONTRACT_TO and isinstance(cell, str) and cell.strip() in cells.OPEN_END:
            return None
        try:
            return self._value(head, cells.date_of)
        except ImpossibleDate:
            self.impossible = self.impossible or head
            return None

    def _name(self) -> str:
        self._value(Head.NAME, cells.text_of)  # refuses error values and signs nobody types
        name = normal_name(str(self._row.cells[Head.NAME]))
        if not plausible_name(name):
            raise self.reject(Head.NAME, "bad_name", "「姓名」含有数字或符号，或过长，请核对证件")
        return name

    def _nation(self) -> str:
        text = self._text(Head.NATION)
        known = codes.code_of("nation")
        if text and text not in known and f"{text}族" in known:
            return f"{text}族"
        if text and text not in known:
            self.warn(Head.NATION, "unknown_nation", f"民族「{text}」不在字典里，上报前须对应")
        return text

    def _id_text(self) -> tuple[str, str]:
        """Code of the document kind (empty: by the number) and the number as typed."""
        kind_text = self._text(Head.ID_KIND)
        known = codes.table("id_card_type")
        kind = kind_text if kind_text in known else codes.code_of("id_card_type").get(kind_text, "")
        if kind_text in ("身份证", "居民身份证", "港澳台居民居住证", "01"):
            kind = ""
        elif kind_text and not kind:
            raise self.reject(Head.ID_KIND, "bad_id_kind", f"不认识的证件类型「{kind_text}」")
        number = self._text(Head.ID_NUMBER) or self._text(Head.OTHER_ID_NUMBER)
        return kind, number

    def _identity(self, kind: str, number: str) -> Identity:
        """Check 3, with the part of check 2 that is the ID's own form."""
        cell = self._row.cells.get(Head.ID_NUMBER, self._row.cells.get(Head.OTHER_ID_NUMBER))
        if cells.rounded(cell):
            raise self.reject(
                Head.ID_NUMBER, "id_rounded",
                "证件号码存成了数字，末几位已被 Excel 改成0。请把该列设为文本后重新录入",
            )
        try:
            identity = check_identity(number, kind)
        except IdentityError as error:
            raise self.reject(
                Head.ID_NUMBER, error.problem.value, f"证件号码{error.reason}"
            ) from None
        if identity.kind == codes.RESIDENT_ID and identity.number[:2] not in codes.table("id_area"):
            self.warn(Head.ID_NUMBER, "id_area", "证件号码前两位不是已知的省级代码，请核对")
        return identity

    def _company(self, site: SiteNames) -> int:
        text = self._text(Head.COMPANY)
        company_id = site.companies.get(cells.fold(text))
        if company_id is None:
            raise self.reject(
                Head.COMPANY, "unknown_company", f"「{text}」不是本项目的参建单位，请核对单位全称"
            )
        return company_id

    def _phone(self, head: Head) -> str:
        number = normal_number(self._text(head)).removeprefix("+86")
        if number and not is_phone(number):
            raise self.reject(head, "bad_phone", f"「{head}」应为11位手机号码")
        return number

    def _bank_card(self) -> str:
        if cells.rounded(self._row.cells.get(Head.BANK_CARD)):
            raise self.reject(
                Head.BANK_CARD, "card_rounded",
                "工资卡号存成了数字，末几位已被 Excel 改成0。请把该列设为文本后重新录入",
            )
        number = normal_number(self._text(Head.BANK_CARD))
        if number and not is_card_number(number):
            raise self.reject(Head.BANK_CARD, "bad_card", "「工资卡号」应为13到19位数字")
        return number


def _check_sex(reader: _RowReader, entry: RosterEntry) -> None:
    """The document decides; a roster that says otherwise is told so."""
    told = entry.identity.sex
    if told and entry.sex and entry.sex != told:
        reader.warn(Head.SEX, "sex_differs", f"性别与证件号码不符，已按证件记为{told}")
    entry.sex = told or entry.sex


def _check_age(entry: RosterEntry, rules: RulePack) -> None:
    """Check 4, and the bands that only warn."""
    if entry.birth_day is None or entry.entry is None:
        return
    band = age_band(
        age_on(entry.birth_day, entry.entry), entry.sex, minor_below=rules.minor_below_age,
        senior_male=rules.senior_male_age, senior_female=rules.senior_female_age,
    )
    if band is None:
        return
    if band.level is AgeLevel.BLOCK:
        raise entry.reject(Head.ID_NUMBER, band.code, band.text)
    entry.warn(Head.ID_NUMBER, f"age_{band.code}", band.text)


def looks_like_head(row: SheetRow) -> bool:
    """A header printed again in the middle of the sheet."""
    return normal_code(str(row.cells.get(Head.NAME, ""))) in (Head.NAME, "工人姓名")
