"""Spreadsheets from anywhere: honest ones are read the same in every form, others are bounded."""

from __future__ import annotations

import io
import random
import resource
import struct
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from desktop.access.desk import Desk
from desktop.errors import Refused, SiteMusterError
from desktop.people import spreadsheet
from desktop.people.ole import OleError, OleFile, wrap_stream
from desktop.people.roster_import import import_roster
from desktop.people.roster_sheet import read_roster
from desktop.people.spreadsheet import Row, SheetError, open_spreadsheet
from desktop.people.tables import Person
from tests.people.sheets import rows_of, to_xls, write_xlsx

MEMORY_MB = 400
"""More than the limits of the reader can cost, far less than the bombs ask for."""


def all_rows(path: Path, place: int = 0) -> list[Row]:
    file = open_spreadsheet(path)
    try:
        return list(file.sheets.rows(place))
    except SheetError as error:
        raise spreadsheet.refusal(path, error) from error


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workbook with a hidden sheet and every kind of cell, off the corner; also as .xls."""
    path = tmp_path_factory.mktemp("honest") / "honest.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("说明").hide()
        sheet = book.add_worksheet("名册")
        sheet.activate()
        sheet.set_first_sheet()
        sheet.write_string(2, 1, "文字 𠮷 <&>")
        sheet.write_number(3, 1, 12)
        sheet.write_number(4, 2, 1.5)
        for line, code in enumerate(("yyyy-mm-dd", 'yyyy"年"m"月"d"日"', "[$-804]yyyy/m/d hh:mm", "mmm d")):
            moment = datetime(2026, 3, 1, 8 if "hh" in code else 0)
            sheet.write_datetime(5 + line, 3, moment, book.add_format({"num_format": code}))
        sheet.write_datetime(9, 3, datetime(2026, 3, 1), book.add_format({"num_format": 14}))
        sheet.write_number(10, 3, 46082, book.add_format({"num_format": '0.00"d元"'}))
        sheet.write_boolean(11, 1, True)
        sheet.write_string(12, 1, "甲乙")
        sheet.write_rich_string(13, 1, "一", book.add_format({"bold": True}), "二", "三")
        sheet.write_string(15, 5, "末")
    to_xls(path, path.parent / "office")
    return path


def test_every_kind_of_cell_in_both_forms(honest: Path) -> None:
    day = date(2026, 3, 1)
    expected = [
        (3, {1: "文字 𠮷 <&>"}), (4, {1: 12}), (5, {2: 1.5}), (6, {3: day}), (7, {3: day}),
        (8, {3: day}), (9, {3: day}), (10, {3: day}), (11, {3: 46082}), (12, {1: "TRUE"}),
        (13, {1: "甲乙"}), (14, {1: "一二三"}), (16, {5: "末"}),
    ]
    assert all_rows(honest) == expected
    assert open_spreadsheet(honest).sheets.names == ["名册"]
    assert all_rows(honest.with_suffix(".xls")) == expected


def test_the_date_system_of_1904(tmp_path: Path) -> None:
    path = tmp_path / "mac.xlsx"
    with xlsxwriter.Workbook(str(path), {"date_1904": True}) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        book.add_worksheet().write_datetime(0, 0, datetime(2026, 3, 1), day)
    assert all_rows(path) == [(1, {0: date(2026, 3, 1)})]


# --- workbooks made by hand ------------------------------------------------------------------

_PARTS = {
    "[Content_Types].xml": "<Types/>",
    "xl/workbook.xml": (
        '<workbook xmlns:r="r"><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        '<Relationships><Relationship Id="rId1" Type="x/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>"
    ),
    "xl/sharedStrings.xml": "<sst><si><t>甲</t></si></sst>",
    "xl/worksheets/sheet1.xml": '<worksheet><sheetData><row><c t="s"><v>0</v></c></row></sheetData></worksheet>',
}


def by_hand(path: Path, **parts: str | None) -> Path:
    """A workbook of ``_PARTS`` with some of them replaced (by last name) or left out."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in _PARTS.items():
            text = parts.get(name.rpartition("/")[2].partition(".")[0], content)
            if text is not None:
                file.writestr(name, text)
    return path


def sheet(rows: str) -> str:
    return f"<worksheet><sheetData>{rows}</sheetData></worksheet>"


def test_sparse_writing_is_understood(tmp_path: Path) -> None:
    path = by_hand(
        tmp_path / "a.xlsx",
        sheet1='<x:worksheet xmlns:x="x"><x:sheetData><x:row><x:c t="s"><x:v>0</x:v></x:c><x:c><x:v>2</x:v></x:c>'
        '</x:row><x:row r="9"><x:c r="C9" t="inlineStr"><x:is><x:t>乙</x:t></x:is></x:c><x:c t="str"><x:f>A1</x:f><x:v>丙'
        "</x:v></x:c></x:row></x:sheetData></x:worksheet>",
    )
    assert all_rows(path) == [(1, {0: "甲", 1: 2}), (9, {2: "乙", 3: "丙"})]


def test_phonetic_hints_and_escapes(tmp_path: Path) -> None:
    path = by_hand(
        tmp_path / "a.xlsx", sharedStrings="<sst><si><r><t>张</t></r><r><t>三_x000D_</t></r><rPh><t>zhang</t></rPh></si></sst>"
    )
    assert all_rows(path) == [(1, {0: "张三\r"})]


def test_columns_beyond_the_limit_are_not_kept(tmp_path: Path) -> None:
    path = by_hand(tmp_path / "a.xlsx", sheet1=sheet('<row r="1"><c r="A1"><v>1</v></c><c r="XFD1"><v>2</v></c></row>'))
    assert all_rows(path) == [(1, {0: 1})]


@pytest.mark.parametrize(
    "parts",
    [
        {"workbook": None}, {"workbook": "<workbook/>"}, {"workbook": "<workbook>"}, {"sheet1": None},
        {"sheet1": ""}, {"sheet1": sheet('<row r="1"><c r="1"><v>1</v></c></row>')},
        {"sheet1": sheet('<row r="1"><c r="AAAA1"><v>1</v></c></row>')},
        {"sheet1": sheet('<row r="x"><c><v>1</v></c></row>')},
        {"sheet1": sheet('<row r="99999999"><c><v>1</v></c></row>')},
        {"sheet1": sheet('<row><c t="s"><v>7</v></c></row>')}, {"sheet1": sheet('<row><c t="s"><v>-1</v></c></row>')},
        {"sheet1": sheet('<row><c><v>one</v></c></row>')},
        {"sheet1": sheet("<row><c><v>1</v></c></row>")[:-20]},
        {"sheet1": '<!DOCTYPE x [<!ENTITY a "aaaa">]>' + sheet("<row><c t='str'><v>&a;</v></c></row>")},
        {"sheet1": sheet(f"<row><c t='str'><v>{'x' * 40_000}</v></c></row>")},
        {"sharedStrings": f"<sst><si><t>{'x' * 40_000}</t></si></sst>"},
        {"sharedStrings": "<sst><si>"},
    ],
)
def test_damaged_workbooks_are_refused(tmp_path: Path, parts: dict[str, str | None]) -> None:
    with pytest.raises(Refused) as refused:
        all_rows(by_hand(tmp_path / "a.xlsx", **parts))
    assert refused.value.code.startswith("sheet_")
    assert "未做任何改动" in refused.value.message


@pytest.mark.parametrize(
    "content",
    [
        b"", b"PK\x03\x04", b"PK\x03\x04" + b"\0" * 100, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 4096,
        "姓名,身份证号码\n".encode(), b"%PDF-1.7", b"<html><table>",
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "roster.xlsx"
    path.write_bytes(content)
    with pytest.raises(Refused) as refused:
        read_roster(path)
    assert refused.value.code.startswith("sheet_")


def test_missing_large_and_locked_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused) as refused:
        read_roster(tmp_path / "none.xlsx")
    assert refused.value.code == "sheet_missing"
    with pytest.raises(Refused):
        read_roster(tmp_path)
    monkeypatch.setattr(spreadsheet, "MAX_FILE_BYTES", 1024)
    large = tmp_path / "large.xlsx"
    large.write_bytes(b"PK\x03\x04" + b"\0" * 2048)
    with pytest.raises(Refused) as refused:
        read_roster(large)
    assert refused.value.code == "sheet_too_large"
    locked = tmp_path / "locked.xlsx"
    locked.write_bytes(wrap_stream("EncryptedPackage", b"x" * 5000)[:])
    monkeypatch.undo()
    with pytest.raises(Refused) as refused:
        read_roster(locked)
    assert refused.value.code == "sheet_encrypted"


# --- bombs: small files that ask for gigabytes --------------------------------------------------


def _far_corner(path: Path) -> Path:
    return by_hand(
        path, sheet1=sheet('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
    )


def _one_string_everywhere(path: Path) -> Path:
    cells = '<c t="s"><v>0</v></c>' * 200
    return by_hand(
        path, sharedStrings=f"<sst><si><t>{'长' * 32_000}</t></si></sst>", sheet1=sheet(f"<row>{cells}</row>" * 500)
    )


def _inflating(path: Path) -> Path:
    return by_hand(path, sheet1=sheet("<row>" + " " * 300_000_000 + "</row>"))


def _inflating_strings(path: Path) -> Path:
    return by_hand(path, sharedStrings="<sst>" + "<si><t>a</t></si>" * 6_000_000 + "</sst>")


def _many_sheets(path: Path) -> Path:
    sheets = '<sheet name="a" r:id="rId1"/>' * 20_000
    return by_hand(path, workbook=f'<workbook xmlns:r="r"><sheets>{sheets}</sheets></workbook>')


@pytest.mark.parametrize(
    "build", [_far_corner, _one_string_everywhere, _inflating, _inflating_strings, _many_sheets]
)
def test_bombs_cost_little(tmp_path: Path, build: Callable[[Path], Path]) -> None:
    path = build(tmp_path / "bomb.xlsx")
    before = peak_mb()
    with pytest.raises(Refused):
        read_roster(path)
    assert peak_mb() - before < MEMORY_MB


def test_a_declared_size_is_not_believed(tmp_path: Path) -> None:
    """The header of a zip part may promise less than it inflates to."""
    path = by_hand(tmp_path / "a.xlsx", sheet1=sheet("<row><c><v>1</v></c></row>" * 100_000))
    content = bytearray(path.read_bytes())
    size = struct.pack("<I", len(sheet("<row><c><v>1</v></c></row>" * 100_000)))
    while (place := content.find(size)) >= 0:
        content[place : place + 4] = struct.pack("<I", 1000)
    path.write_bytes(content)
    with pytest.raises(Refused):
        all_rows(path)


def records(*items: tuple[int, bytes]) -> bytes:
    return b"".join(struct.pack("<HH", kind, len(body)) + body for kind, body in items)


def biff(*cells: tuple[int, bytes], dimensions: bytes = b"", sst: tuple[tuple[int, bytes], ...] = ()) -> bytes:
    """A minimal BIFF8 workbook stream with one worksheet."""
    bof = struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0x0600)
    name = "名册"
    tail = records(*sst, (0x000A, b""))
    bound = struct.pack("<IHBB", 0, 0, len(name), 1) + name.encode("utf-16-le")
    start = len(records((0x0809, bof), (0x0085, bound))) + len(tail)
    bound = struct.pack("<I", start) + bound[4:]
    body = records(
        (0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0x0600)),
        *(((0x0200, dimensions),) if dimensions else ()), *cells, (0x000A, b""),
    )
    return records((0x0809, bof), (0x0085, bound)) + tail + body


def number(row: int, column: int, value: float) -> tuple[int, bytes]:
    return 0x0203, struct.pack("<HHHd", row, column, 0, value)


def write_xls(path: Path, stream: bytes) -> Path:
    path.write_bytes(wrap_stream("Workbook", stream))
    return path


def test_an_old_sheet_that_lies_about_its_size(tmp_path: Path) -> None:
    lie = struct.pack("<IIHHH", 0, 0xFFFFFFFF, 0, 0xFFFF, 0)
    path = write_xls(tmp_path / "a.xls", biff(number(0, 1, 7), number(2, 3, 8), dimensions=lie))
    before = peak_mb()
    assert all_rows(path) == [(1, {1: 7}), (3, {3: 8})]
    assert peak_mb() - before < MEMORY_MB


def test_an_old_sheet_with_a_far_corner(tmp_path: Path) -> None:
    for far in (number(65_535, 255, 1), number(65_535, 65_535, 1),
                (0x00BD, struct.pack("<HH", 60_000, 0) + b"\0" * 6_000)):
        with pytest.raises(Refused) as refused:
            all_rows(write_xls(tmp_path / "a.xls", biff(number(0, 0, 1), far)))
        assert refused.value.code == "sheet_too_large"


def _sst(*texts: str, split: int = 8000) -> tuple[tuple[int, bytes], ...]:
    """A string table; characters that do not fit go into CONTINUE records."""
    body = bytearray(struct.pack("<II", len(texts), len(texts)))
    parts: list[bytes] = []
    for text in texts:
        body += struct.pack("<HB", len(text), 1)
        for sign in text:
            if len(body) + 2 > split:
                parts.append(bytes(body))
                body = bytearray(b"\1")
            body += sign.encode("utf-16-le")
    parts.append(bytes(body))
    return ((0x00FC, parts[0]), *((0x003C, part) for part in parts[1:]))


def label(row: int, column: int, place: int) -> tuple[int, bytes]:
    return 0x00FD, struct.pack("<HHHI", row, column, 0, place)


def test_one_long_string_in_many_old_cells(tmp_path: Path) -> None:
    long = "长" * 30_000
    few = biff(label(0, 0, 1), label(1, 0, 0), sst=_sst("甲", long))
    assert all_rows(write_xls(tmp_path / "few.xls", few)) == [(1, {0: long}), (2, {0: "甲"})]
    common = biff(*(label(row, 0, 0) for row in range(20_000)), label(0, 1, 1), sst=_sst("甲", long))
    assert len(all_rows(write_xls(tmp_path / "common.xls", common))) == 20_000
    many = biff(*(label(row, 0, 1) for row in range(20_000)), sst=_sst("甲", long))
    before = peak_mb()
    with pytest.raises(Refused) as refused:
        all_rows(write_xls(tmp_path / "many.xls", many))
    assert refused.value.code == "sheet_too_large"
    assert peak_mb() - before < MEMORY_MB


def test_an_encrypted_old_sheet(tmp_path: Path) -> None:
    stream = records((0x0809, b"\0" * 16), (0x002F, b"\1\0"))
    with pytest.raises(Refused) as refused:
        all_rows(write_xls(tmp_path / "a.xls", stream))
    assert refused.value.code == "sheet_encrypted"


def test_containers_that_run_in_circles() -> None:
    good = wrap_stream("Workbook", b"x" * 20_000)
    assert OleFile(good).stream("Workbook") == b"x" * 20_000
    for place in range(4096, 4096 + 4 * 12, 4):  # the allocation table
        circle = bytearray(good)
        circle[place : place + 4] = struct.pack("<I", 3)
        try:
            assert len(OleFile(bytes(circle)).stream("Workbook")) == 20_000
        except (OleError, KeyError):
            continue
    loop = bytearray(good)
    loop[68:72] = struct.pack("<I", 3)  # the table of tables points into the data
    with pytest.raises(OleError):
        OleFile(bytes(loop)).stream("Workbook")


# --- fuzz ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("samples")
    path = write_xlsx(folder / "roster.xlsx", rows_of(6))
    return [path.read_bytes(), to_xls(path, folder / "office").read_bytes()]


def _mutilate(content: bytes, seed: int) -> bytes:
    chance = random.Random(seed)
    data = bytearray(content)
    for _ in range(chance.randint(1, 12)):
        place = chance.randrange(len(data))
        kind = chance.randrange(4)
        if kind == 0:
            data[place] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[place : place + 4] = chance.randbytes(4)
        elif kind == 2:
            del data[place : place + chance.randrange(1, 600)]
        else:
            data[place:place] = chance.randbytes(chance.randrange(1, 40))
        if not data:
            break
    return bytes(data)


def _mutilate_parts(content: bytes, seed: int) -> bytes:
    """Damage inside the parts of a .xlsx, wrapped up again: the zip's own checksums then agree."""
    chance = random.Random(seed)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            part = old.read(info)
            if info.filename.endswith(".xml") and chance.random() < 0.5:
                part = _mutilate(part, chance.randrange(1 << 30))
            new.writestr(info.filename, part)
    return out.getvalue()


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 1 << 30), kind=st.sampled_from(["xlsx", "parts", "xls", "noise"]))
def test_mutilated_rosters_never_write_by_halves(
    desk: Desk, tmp_path: Path, samples: list[bytes], seed: int, kind: str
) -> None:
    content = {
        "xlsx": lambda: _mutilate(samples[0], seed),
        "parts": lambda: _mutilate_parts(samples[0], seed),
        "xls": lambda: _mutilate(samples[1], seed),
        "noise": lambda: (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")[seed % 2]
        + random.Random(seed).randbytes(seed % 5000),
    }[kind]()
    path = tmp_path / "roster.xlsx"
    path.write_bytes(content)
    with desk.book.read() as session:
        before = session.scalar(select(func.count(Person.id)))
    created = 0
    try:
        report = import_roster(desk, path)
        created = report.created
        assert report.rows == created + report.updated + report.unchanged + len(report.rejected)
    except SiteMusterError as error:
        assert error.message.endswith("。")
    with desk.book.read() as session:
        after = session.scalar(select(func.count(Person.id)))
    assert before is not None and after is not None
    assert before <= after <= before + created


# --- corners of the old format -----------------------------------------------------------------


def small_container(data: bytes) -> bytes:
    """A version 3 container whose ``Workbook`` lies in the store of small streams."""
    assert len(data) < 4096
    minis = -(-len(data) // 64)
    store = data.ljust(-(-minis * 64 // 512) * 512, b"\0")
    sectors = len(store) // 512
    free, end, table = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    fat = [table, end, end, *range(4, 3 + sectors), end]  # 0 table, 1 directory, 2 small table, 3… store
    mini = [*range(1, minis), end]
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 2, 1, end, 0) + struct.pack("<109I", 0, *[free] * 108)

    def entry(name: str, kind: int, child: int, first: int, length: int) -> bytes:
        text = name.encode("utf-16-le") + b"\0\0"
        head = text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text), kind, 1, free, free, child)
        return head + bytes(36) + struct.pack("<IQ", first, length)

    directory = entry("Root Entry", 5, 1, 3, len(store)) + entry("Workbook", 2, free, 0, len(data))
    return b"".join((
        header, struct.pack("<128I", *fat, *[free] * (128 - len(fat))), directory.ljust(512, b"\0"),
        struct.pack("<128I", *mini, *[free] * (128 - len(mini))), store,
    ))


def test_a_small_stream(tmp_path: Path) -> None:
    stream = biff(number(0, 0, 7), label(1, 1, 0), sst=_sst("甲"))
    path = tmp_path / "small.xls"
    path.write_bytes(small_container(stream))
    assert all_rows(path) == [(1, {0: 7}), (2, {1: "甲"})]
    circle = bytearray(small_container(stream))
    circle[512 * 3 : 512 * 3 + 4] = struct.pack("<I", 0)  # the small table
    path.write_bytes(circle)
    with pytest.raises(Refused):
        all_rows(path)


@pytest.mark.parametrize("place", range(24, 80))
def test_any_damaged_header_field_is_survived(tmp_path: Path, place: int) -> None:
    content = bytearray(small_container(biff(number(0, 0, 7))))
    content[place] ^= 0xFF
    path = tmp_path / "a.xls"
    path.write_bytes(content)
    try:
        assert all_rows(path) == [(1, {0: 7})]
    except Refused as refused:
        assert refused.code.startswith("sheet_")


@pytest.mark.parametrize(
    "stream",
    [
        b"\xff" * 9000, records((0x0809, b"\0")), records((0x000A, b"")),
        records((0x0809, struct.pack("<HH", 0x0600, 5) + b"\0" * 12), (0x000A, b"")),
    ],
)
def test_a_stream_that_is_no_workbook(tmp_path: Path, stream: bytes) -> None:
    with pytest.raises(Refused) as refused:
        all_rows(write_xls(tmp_path / "a.xls", stream))
    assert refused.value.code.startswith("sheet_")


def test_a_broken_cell_is_refused_or_passed_over(tmp_path: Path) -> None:
    for stream in (biff((0x0204, b"\0" * 6)), biff(number(0, 0, 1))[:60], biff((0x0203, b"\0" * 8))):
        try:
            assert all_rows(write_xls(tmp_path / "a.xls", stream)) in ([], [(1, {0: 1})])
        except Refused as refused:
            assert refused.code.startswith("sheet_")


def test_no_workbook_inside(tmp_path: Path) -> None:
    path = tmp_path / "a.xls"
    path.write_bytes(wrap_stream("WordDocument", b"x" * 5000))
    with pytest.raises(Refused) as refused:
        all_rows(path)
    assert refused.value.code == "sheet_format"


def test_string_tables_with_formats_and_breaks(tmp_path: Path) -> None:
    """Compressed strings, formatting runs and phonetic tails, broken over records."""
    long = b"x" * 30_000
    rich = struct.pack("<HBHI", 3, 0x0C, 1, 5) + b"abc" + b"\0" * 4 + b"\0" * 5
    head = struct.pack("<II", 2, 2) + rich + struct.pack("<HB", len(long), 0)
    parts = ((0x00FC, head + long[:7_000]), *((0x003C, b"\0" + long[place : place + 7_000])
                                              for place in range(7_000, 30_000, 7_000)))
    good = biff(*(label(row, 0, 0) for row in range(9_000)), label(0, 1, 1), sst=parts)
    rows = all_rows(write_xls(tmp_path / "good.xls", good))
    assert (len(rows), rows[0]) == (9_000, (1, {0: "abc", 1: "x" * 30_000}))
    heavy = biff(*(label(row, 0, 1) for row in range(9_000)), sst=parts)
    for stream in (heavy, biff(*(label(row, 0, 1) for row in range(9_000)), sst=parts[:3])):
        with pytest.raises(Refused):
            all_rows(write_xls(tmp_path / "a.xls", stream))
