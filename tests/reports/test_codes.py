"""QR codes: the fast way makes segno's modules, and readers read them."""

from __future__ import annotations

import io
import random

import pytest
import segno
import zxingcpp
from PIL import Image

from reports import codes

PAGE = "SM1:ABCDEFGH:202611:003:001:02:ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def by_segno(payload: str, level: str) -> tuple[bytes, ...]:
    code = segno.make_qr(payload, error=level.lower(), boost_error=False, mask=3)
    return tuple(bytes(row) for row in code.matrix)


@pytest.mark.parametrize("level", ["L", "M", "Q", "H"])
@pytest.mark.parametrize("length", [1, 20, 33, 38, 47, 61, 62, 63, 64, 90, 120])
def test_the_fast_way_equals_segno(level: str, length: int) -> None:
    chance = random.Random(length)
    payload = "".join(chance.choice("ABCXYZ0189:-/$") for _ in range(length - 1)) + "Z"
    assert codes.matrix(payload, level) == by_segno(payload, level)


@pytest.mark.parametrize("payload", ["https://a.example/线索", "Ab12", "农民工工资"])
def test_other_payloads_are_left_to_segno(payload: str) -> None:
    assert codes.matrix(payload, "M") == by_segno(payload, "M")


def test_the_page_code_has_33_modules_and_a_quiet_zone() -> None:
    assert codes.modules(PAGE, "M") == 33 + 8
    assert all(left >= 4 and left + n <= 37 for left, _, n in codes.runs(PAGE, "M"))


@pytest.mark.parametrize("payload", [PAGE, "https://a.example/线索"])
def test_the_picture_is_read_back(payload: str) -> None:
    picture = Image.open(io.BytesIO(codes.png(payload, "M"))).convert("L")
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [payload]


def test_runs_and_matrix_agree() -> None:
    dark = {(left + k - 4, top - 4) for left, top, n in codes.runs(PAGE, "M") for k in range(n)}
    rows = codes.matrix(PAGE, "M")
    assert dark == {(x, y) for y, row in enumerate(rows) for x, bit in enumerate(row) if bit}
