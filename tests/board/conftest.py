"""A desk whose board is complete: the sample site with the items of its settings file."""

from __future__ import annotations

import pytest

from desktop.access.desk import Desk
from desktop.board.edit import set_items

ITEMS = {
    "labour_inspection_phone": "12333",
    "housing_phone": "0371-00000001",
    "arbitration": "样例区劳动人事争议仲裁院，0371-00000002",
    "legal_aid": "样例区法律援助中心，0371-00000003",
    "hotlines": ["12348", "12345"],
    "competent_department": "样例区住房和城乡建设局",
    "project_dept_phone": "0371-00000004",
}


@pytest.fixture
def full_desk(desk: Desk) -> Desk:
    """Everything the law asks is there."""
    set_items(desk, ITEMS)
    return desk
