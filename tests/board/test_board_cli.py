"""``board show | export | set …`` as an office script would drive them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop.cli.main import run
from tests.board.conftest import ITEMS
from tests.conftest import PASSPHRASE, Copy
from tests.sample_site import GENERAL_CONTRACTOR_NAME, STEEL_LABOUR_NAME

Board = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def board(
    site_template: Path, tmp_path: Path, copy_book: Copy, capsys: pytest.CaptureFixture[str]
) -> Board:
    """``board(*arguments, as_json=True)`` → exit code, result, text on stderr."""
    folder = tmp_path / "book"
    copy_book(site_template, folder)
    secret = tmp_path / "secret"
    secret.write_text(PASSPHRASE + "\n", encoding="utf-8")

    def call(*arguments: str, as_json: bool = True) -> tuple[int, Any, str]:
        common = ["--data-dir", str(folder), "--passphrase-file", str(secret)]
        code = run([*common, *(["--json"] if as_json else []), "board", *arguments])
        out = capsys.readouterr()
        return code, json.loads(out.out) if as_json and out.out else out.out, out.err

    return call


def test_from_an_incomplete_board_to_the_files(board: Board, tmp_path: Path) -> None:
    code, shown, _ = board("show")
    assert code == 0 and {item["key"] for item in shown["missing"]} == set(ITEMS)
    assert shown["version"] is None and shown["reprint"] is True

    code, refused, sentence = board("export", "--size", "A3", "--out", str(tmp_path / "out"))
    assert code == 1 and refused["error"]["code"] == "board_incomplete"
    assert {item["key"] for item in refused["error"]["facts"]["missing"]} == set(ITEMS)
    assert "住建部门监督电话（条例第34条第（三）项" in sentence

    code, draft, _ = board("export", "--size", "A3", "--out", str(tmp_path / "out"), "--draft")
    assert code == 0 and draft["version"] == 1 and draft["draft"]

    for key, value in ITEMS.items():
        text = value if isinstance(value, str) else "、".join(value)
        assert board("set", key, text)[:2] == (0, {"changed": [key]})
    code, made, _ = board("export", "--size", "A1", "--out", str(tmp_path / "out"))
    assert code == 0 and made["version"] == 2
    assert [(f["kind"], f["size"]) for f in made["files"]] == [("board", "A1"), ("tiled", "A3")]
    assert all(Path(f["path"]).is_file() and f["pages"] and len(f["sha256"]) == 64 for f in made["files"])
    code, shown, _ = board("show")
    assert shown["version"] == 2 and shown["reprint"] is False and shown["missing"] == []


def test_site_facts_from_the_command_line(board: Board) -> None:
    assert board("set", "pay_day", "20")[:2] == (0, {"changed": ["pay_day"]})
    assert board("set", "pay_day", "")[:2] == (0, {"changed": ["pay_day"]})
    assert board("show")[1]["content"]["project"]["pay_day"] is None
    assert board("set", "pay_day", " ")[:2] == (0, {"changed": []})
    assert board("set", "pay_day", "²")[1]["error"]["code"] == "pay_day"
    assert board("set", "pay_day", "20")[0] == 0
    assert board("wage", "--monthly", "2300", "--hourly", "22.5", "--document", "样例政〔2026〕1号",
                 "--from", "2026-01-01")[0] == 0
    assert board("company", STEEL_LABOUR_NAME, "--contact", "新某", "--phone", "19900000031")[0] == 0
    assert board("company", "河南样例幕墙有限公司", "--contact", "幕某", "--phone", "19900000032",
                 "--kind", "专业分包", "--credit-code", "91419000000000019Y")[0] == 0
    assert board("staff", "项目经理", "新经理", "19900000033", "--company", GENERAL_CONTRACTOR_NAME)[0] == 0
    content = board("show")[1]["content"]
    assert content["project"]["pay_day"] == 20 and content["floor_wage"]["monthly"] == "2300"
    assert {"河南样例幕墙有限公司", STEEL_LABOUR_NAME} <= {unit["name"] for unit in content["units"]}
    assert "新经理" in {person["name"] for person in content["staff"]}


def test_people_read_sentences(board: Board, tmp_path: Path) -> None:
    code, text, _ = board("show", as_json=False)
    assert code == 0 and "正式告示牌还缺7项" in text and "缺少：" in text and "甄业主" in text
    code, text, _ = board(
        "export", "--size", "A3", "--out", str(tmp_path / "out"), "--draft", as_json=False
    )
    assert "维权信息告示牌-临时-A3-v1.pdf（1 页）" in text and "待补充7项" in text
    code, _, sentence = board("set", "pay_day", "每月十五", as_json=False)
    assert code == 1 and "1日到31日" in sentence
    code, text, _ = board("set", "legal_aid", "", as_json=False)
    assert "没有变化" in text
    code, _, sentence = board("set", "colour", "红", as_json=False)
    assert code == 1 and "告示牌没有「colour」这一项" in sentence
