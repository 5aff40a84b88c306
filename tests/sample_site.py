"""The small site most tests stand on: one general contractor, two labour subcontractors, four teams.

Everything is invented; telephone numbers start with 199 0000, credit codes are well formed and belong
to nobody.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.orm import Session

from desktop.clock import Clock
from desktop.site.project_file import ProjectFile, read_project_file
from desktop.site.setup import create_project

OWNER = "91410000MA0000001Q"
GENERAL_CONTRACTOR = "91410000MA0000002U"
STEEL_LABOUR = "91410000MA0000003Y"
CONCRETE_LABOUR = "91410000MA00000042"
SUPERVISION = "91410000MA00000055"

OWNER_NAME = "郑州样例置业有限公司"
GENERAL_CONTRACTOR_NAME = "河南样例建设集团有限公司"
STEEL_LABOUR_NAME = "河南样例钢筋劳务有限公司"
CONCRETE_LABOUR_NAME = "河南样例混凝土劳务有限公司"
SUPERVISION_NAME = "河南样例工程监理有限公司"

DAY_TEAMS = ("钢筋班", "木工班", "架子班")
NIGHT_TEAM = "混凝土夜班"

PROJECT_TOML = f"""\
[project]
name = "样例花园一期工程"
code = "ZZ-2026-0001"
address = "郑州市样例区样例路1号"
permit_no = "410100202603010001"
started_on = 2026-03-01
planned_completion_on = 2028-02-29
enclosed = true
pay_day = 15

[project.floor_wage]
monthly = "2100"
hourly = "20.6"
document = "豫政〔2023〕43号"
effective_from = 2024-01-01

[[company]]
kind = "建设单位"
name = "{OWNER_NAME}"
credit_code = "{OWNER}"
contact = "甄业主"
phone = "19900000001"

[[company]]
kind = "总承包单位"
name = "{GENERAL_CONTRACTOR_NAME}"
credit_code = "{GENERAL_CONTRACTOR}"
contact = "宗承包"
phone = "19900000002"

[[company]]
kind = "劳务分包"
name = "{STEEL_LABOUR_NAME}"
credit_code = "{STEEL_LABOUR}"
contact = "柳钢筋"
phone = "19900000003"

[[company]]
kind = "劳务分包"
name = "{CONCRETE_LABOUR_NAME}"
credit_code = "{CONCRETE_LABOUR}"
contact = "倪混凝"
phone = "19900000004"

[[company]]
kind = "监理单位"
name = "{SUPERVISION_NAME}"
credit_code = "{SUPERVISION}"
contact = "简督"
phone = "19900000005"

[[staff]]
post = "项目负责人"
name = "甄业主"
phone = "19900000001"
company = "{OWNER}"

[[staff]]
post = "项目经理"
name = "宗承包"
phone = "19900000002"
company = "{GENERAL_CONTRACTOR}"

[[staff]]
post = "劳资专管员"
name = "劳小专"
phone = "19900000006"
company = "{GENERAL_CONTRACTOR}"

[[staff]]
post = "总监理工程师"
name = "简督"
phone = "19900000005"
company = "{SUPERVISION}"

[board]
labour_inspection_phone = "12333"
housing_phone = "0371-00000001"
arbitration = "样例区劳动人事争议仲裁院，0371-00000002"
legal_aid = "样例区法律援助中心，0371-00000003"
hotlines = ["12348", "12345"]
competent_department = "样例区住房和城乡建设局"
project_dept_phone = "0371-00000004"

[[team]]
name = "钢筋班"
company = "{STEEL_LABOUR}"
leader = "段钢"
shift = "day"

[[team]]
name = "木工班"
company = "{STEEL_LABOUR}"
leader = "穆木"
shift = "day"

[[team]]
name = "架子班"
company = "{CONCRETE_LABOUR}"
leader = "贾架"
shift = "day"

[[team]]
name = "混凝土夜班"
company = "{CONCRETE_LABOUR}"
leader = ""
shift = "night"

[attendance]
basis = "verification"
"""


def write_project_file(path: Path) -> Path:
    """The settings file of the sample site at ``path``."""
    path.write_text(PROJECT_TOML, encoding="utf-8")
    return path


def sample_project(folder: Path) -> ProjectFile:
    """The checked settings of the sample site; ``folder`` takes the file."""
    return read_project_file(write_project_file(folder / "project.toml"))


def insert_project(session: Session, clock: Clock, folder: Path) -> int:
    """Put the sample project into a book and return its id."""
    return create_project(session, clock, sample_project(folder))
