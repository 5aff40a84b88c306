"""The files a labour officer would bring: project.toml, the roster, the stick's attlog.dat."""

from __future__ import annotations

from pathlib import Path

from desktop.demo.scenario import (
    CIVIL,
    GENERAL,
    OWNER,
    STEEL,
    SUPERVISOR,
    DemoPunch,
    Member,
    Scenario,
)

COMPANIES = (
    ("施工总承包单位", "示范建设集团有限公司", GENERAL, "高建设", "13800000001"),
    ("劳务分包", "宏图建筑劳务有限公司", STEEL, "沈劳务", "13800000002"),
    ("专业分包", "嘉和装饰工程有限公司", CIVIL, "陆装饰", "13800000003"),
    ("建设单位", "济源示范置业有限公司", OWNER, "石业主", "13800000004"),
    ("监理单位", "正信工程监理有限公司", SUPERVISOR, "严监理", "13800000005"),
)
COMPANY_NAMES = {code: name for _, name, code, _, _ in COMPANIES}

STAFF = (
    ("建设单位项目负责人", "石业主", "13800000004", OWNER),
    ("项目经理", "高建设", "13800000001", GENERAL),
    ("劳资专管员", "林一帆", "13800000006", GENERAL),
    ("总监理工程师", "严监理", "13800000005", SUPERVISOR),
    ("劳务员", "沈劳务", "13800000002", STEEL),
)

BOARD = {
    "labour_inspection_phone": "0391-0000001",
    "housing_phone": "0391-0000002",
    "arbitration": "示范区劳动人事争议仲裁委员会，示范街2号，0391-0000003（不收费）",
    "legal_aid": "示范区法律援助中心，示范街3号，0391-0000004",
    "competent_department": "示范区住房和城乡建设局",
    "project_dept_phone": "0391-0000005",
}

HEADS = (
    "序号", "姓名", "性别", "民族", "身份证号码", "住址", "工种/岗位", "用人单位", "班组", "合同类型",
    "合同编号", "合同开始日期", "合同结束日期", "进场日期", "退场日期", "联系电话", "工资卡银行", "工资卡号",
    "人员编号", "住建实名制登记日期", "工资监管登记日期", "安全教育日期",
)


def project_toml(scenario: Scenario) -> str:
    """Settings of the invented site."""
    lines = [
        "[project]", 'name = "示范小区一期工程（演示）"', 'code = "JY01"', 'address = "示范区示范路1号"',
        'permit_no = "410000202601010101"', "started_on = 2026-03-01",
        "planned_completion_on = 2027-12-31", "enclosed = true", "pay_day = 15", "",
        "[project.floor_wage]", 'monthly = "2100"', 'hourly = "20.6"',
        'document = "豫政〔2023〕43号"', "effective_from = 2024-01-01", "",
    ]
    for kind, name, code, contact, phone in COMPANIES:
        lines += ["[[company]]", *_pairs(
            kind=kind, name=name, credit_code=code, contact=contact, phone=phone)]
    for post, name, phone, code in STAFF:
        lines += ["[[staff]]", *_pairs(post=post, name=name, phone=phone, company=code)]
    for team in scenario.teams:
        lines += ["[[team]]", *_pairs(
            name=team.name, company=team.company, leader=_leader(scenario, team.name),
            shift="night" if team.night else "day")]
    lines += ["[board]", *_pairs(**BOARD), 'hotlines = ["12333", "12345", "12348"]', ""]
    lines += ["[attendance]", 'basis = "verification"', ""]
    return "\n".join(lines)


def _pairs(**values: str) -> list[str]:
    return [*(f'{key} = "{value}"' for key, value in values.items()), ""]


def _leader(scenario: Scenario, team: str) -> str:
    return next(m.person.name for m in scenario.members if m.team and m.team.name == team)


def write_roster(scenario: Scenario, path: Path) -> None:
    """The F06 spreadsheet of the site; every person with contract, registration and training."""
    import xlsxwriter

    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("花名册")
        text = book.add_format({"num_format": "@"})
        sheet.write_row(0, 0, ("示范小区一期工程 建筑工人花名册",))
        sheet.write_row(1, 0, HEADS)
        for place, member in enumerate(scenario.members):
            for column, value in enumerate(_roster_row(place, member)):
                sheet.write_string(place + 2, column, value, text)


def _roster_row(place: int, member: Member) -> tuple[str, ...]:
    person, entered = member.person, member.entered.isoformat()
    return (
        str(place + 1), person.name, person.sex, person.nation, person.id_number, person.address,
        member.trade, COMPANY_NAMES[member.company], member.team.name if member.team else "",
        "劳动合同", f"HT-{member.worker_no}", entered, "2027-12-31", entered,
        member.left.isoformat() if member.left else "", person.phone, "中国工商银行",
        person.bank_card, str(member.worker_no), entered, entered, entered,
    )


def write_attlog(punches: list[DemoPunch], path: Path) -> None:
    """What the west exit writes to a stick (usb-files §1)."""
    lines = (
        f"{punch.number:>9}\t{punch.at:%Y-%m-%d %H:%M:%S}\t4\t0\t{punch.method}\t0\r\n"
        for punch in punches
    )
    path.write_bytes("".join(lines).encode("ascii"))
