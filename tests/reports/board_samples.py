"""An invented board for the tests of paper: nobody's site, numbers of nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from reports.board import (
    BoardContact,
    BoardHotline,
    BoardInput,
    BoardParty,
    BoardSubcontractor,
)

NAMES = ("样例劳务有限公司", "样例装饰装修工程有限公司", "河南省样例建筑工程集团有限责任公司")
PEOPLE = ("沈样", "陆例", "买买提·阿不都热合曼·吐尔逊")


def subcontractors(count: int) -> tuple[BoardSubcontractor, ...]:
    """``count`` companies with names of three lengths, each name and phone its own."""
    return tuple(
        BoardSubcontractor(
            f"{NAMES[k % 3]}第{k + 1}分公司", ("劳务分包", "专业分包", "设备分包")[k % 3],
            PEOPLE[k % 3], f"199000000{k:02d}",
        )
        for k in range(count)
    )


def board(count: int = 3, officers: int = 0, **changes: Any) -> BoardInput:
    """A complete board with ``count`` subcontractors and so many 分包劳资员."""
    full = BoardInput(
        project_name="样例花园一期工程",
        project_address="郑州市样例区样例路1号",
        permit_no="410100202603010001",
        started_on=date(2026, 3, 1),
        owners=(
            BoardParty(
                "建设单位", "郑州样例置业有限公司",
                (BoardContact("项目负责人", "甄业主", "19900000091"),),
            ),
        ),
        contractors=(
            BoardParty(
                "施工总承包单位", "河南样例建设集团有限公司",
                (
                    BoardContact("联系人", "宗承包", "19900000092"),
                    BoardContact("项目经理", "项经理", "19900000093"),
                ),
            ),
        ),
        supervisors=(
            BoardParty(
                "监理单位", "河南样例工程监理有限公司",
                (BoardContact("总监理工程师", "简督", "19900000095"),), required=False,
            ),
        ),
        project_dept_phone="0371-00000004",
        competent_department="样例区住房和城乡建设局",
        subcontractors=subcontractors(count),
        labour_officers=(BoardContact("", "劳小专", "19900000096"),),
        subcontractor_officers=tuple(
            BoardContact(NAMES[k % 3], f"资员{k}", f"199000001{k:02d}") for k in range(officers)
        ),
        wage_monthly="2100",
        wage_hourly="20.6",
        wage_document="豫政〔2023〕43号",
        wage_effective_on=date(2024, 1, 1),
        pay_day=15,
        labour_inspection_phone="0371-00000005",
        housing_phone="0371-00000001",
        hotlines=(
            BoardHotline("12333", "人力资源社会保障服务热线"),
            BoardHotline("12345", "政务服务便民热线"),
            BoardHotline("12348", "公共法律服务热线"),
        ),
        arbitration="样例区劳动人事争议仲裁院，样例街2号，0371-00000002（不收费）",
        legal_aid="样例区法律援助中心，样例街3号，0371-00000003",
        made_on=date(2026, 11, 24),
        updated_on=date(2026, 11, 20),
        version=3,
    )
    return replace(full, **changes)


def empty_board() -> BoardInput:
    """A draft on which everything the law asks is missing."""
    return board(
        0,
        project_name="", owners=(BoardParty("建设单位", "", (BoardContact("项目负责人", "", ""),)),),
        contractors=(BoardParty("施工总承包单位", "", (BoardContact("项目经理", "", ""),)),),
        project_dept_phone="", competent_department="", labour_officers=(),
        subcontractors=(BoardSubcontractor("样例劳务有限公司", "劳务分包", "", ""),),
        wage_monthly="", wage_hourly="", wage_document="", wage_effective_on=None, pay_day=None,
        labour_inspection_phone="", housing_phone="", hotlines=(), arbitration="", legal_aid="",
        draft=True,
    )
