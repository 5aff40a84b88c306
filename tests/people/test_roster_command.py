"""``roster import|list|export`` on the command line, as a script would drive them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop.cli.main import run
from desktop.demo.people import invent_people
from tests.conftest import PASSPHRASE, Copy
from tests.people.sheets import manager_row, row_of, rows_of, write_xlsx

PEOPLE = invent_people(30)
Call = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def call(
    tmp_path: Path, site_template: Path, copy_book: Copy, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Runs one command on a copy of the sample book: exit code, JSON or text, stderr."""
    book = tmp_path / "book"
    copy_book(site_template, book)
    secret = tmp_path / "secret.txt"
    secret.write_text(PASSPHRASE + "\n", encoding="utf-8")

    def call_it(*arguments: str, plain: bool = False) -> tuple[int, Any, str]:
        options = ["--data-dir", str(book), "--passphrase-file", str(secret)]
        code = run([*options, *([] if plain else ["--json"]), *arguments])
        said = capsys.readouterr()
        return code, said.out if plain or not said.out else json.loads(said.out), said.err

    return call_it


def test_import_reports_every_row_and_succeeds(call: Call, tmp_path: Path) -> None:
    rows = [
        *rows_of(3), row_of(PEOPLE[10], 0, 联系电话="1"), row_of(PEOPLE[11], 0, 班组="新班"), manager_row(PEOPLE[12])
    ]
    path = write_xlsx(tmp_path / "r.xlsx", rows)
    code, trial, _ = call("roster", "import", str(path), "--dry-run")
    assert (code, trial["dry_run"], trial["created"]) == (0, True, 5)
    code, report, _ = call("roster", "import", str(path))
    assert code == 0
    assert {key: report[key] for key in ("rows", "created", "updated", "unchanged")} == {
        "rows": 6, "created": 5, "updated": 0, "unchanged": 0
    }
    assert report["rejected"] == [
        {"row": 6, "field": "联系电话", "code": "bad_phone", "message": "「联系电话」应为11位手机号码"}
    ]
    assert [note["code"] for note in report["warnings"]] == ["new_team"]
    assert report["new_teams"] == ["新班"]
    code, again, _ = call("roster", "import", str(path))
    assert (code, again["created"], again["updated"], again["unchanged"]) == (0, 0, 0, 5)


def test_import_speaks_to_people_too(call: Call, tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "r.xlsx", [*rows_of(2), row_of(PEOPLE[10], 0, 姓名="")])
    code, text, _ = call("roster", "import", str(path), "--takeover", "2026-06-01", plain=True)
    assert code == 0
    assert "共3行，新增2，更新0，无变化0，不合格1" in text
    assert "第5行〔姓名〕缺少「姓名」" in text
    assert "2人手续不全" in text and "未登记先进" in text


def test_list_masks_searches_and_filters(call: Call, tmp_path: Path) -> None:
    call("roster", "import", str(write_xlsx(tmp_path / "r.xlsx", rows_of(8))))
    code, rows, _ = call("roster", "list")
    assert (code, len(rows)) == (0, 8)
    number = invent_people(1)[0].id_number
    assert rows[0]["id_number"] == f"{number[:4]}**********{number[-4:]}"
    assert rows[0]["entered_on"] == "2026-03-02" and rows[0]["state"] == "on_site"
    assert set(rows[0]["missing"]) >= {"housing_registration_missing"}
    assert len(call("roster", "list", "--team", "钢筋班")[1]) == 2
    assert [row["worker_no"] for row in call("roster", "list", "--search", "100003")[1]] == [100003]
    assert call("roster", "list", "--state", "exited")[1] == []
    assert "没有符合条件的人员" in call("roster", "list", "--search", "zzzz", plain=True)[1]
    listed = call("roster", "list", "--sort", "name", plain=True)[1]
    assert len(listed.splitlines()) == 8 and number not in listed
    for arguments in (("--team", "无此班"), ("--state", "away"), ("--sort", "age")):
        assert call("roster", "list", *arguments, plain=True)[0] == 2


def test_export_comes_back_unchanged(call: Call, tmp_path: Path) -> None:
    call("roster", "import", str(write_xlsx(tmp_path / "r.xlsx", rows_of(4))))
    out = tmp_path / "out.xlsx"
    code, result, _ = call("roster", "export", str(out), "--reason", "报市安监站")
    assert (code, result) == (0, {"path": str(out), "rows": 4})
    assert call("roster", "import", str(out))[1]["unchanged"] == 4
    assert call("roster", "export", str(tmp_path / "two.xlsx"))[0] == 0
    code, error, said = call("roster", "export", str(out), "--reason", " ")
    assert (code, error["error"]["code"]) == (1, "reason_missing")
    assert "请填写事由" in said


def test_refusals_are_one_sentence_and_exit_1(call: Call, tmp_path: Path) -> None:
    code, error, said = call("roster", "import", str(tmp_path / "none.xlsx"))
    assert (code, error["error"]["code"]) == (1, "sheet_missing")
    assert said.strip() == error["error"]["message"]
    assert call("roster", "import", "a.xlsx", "--takeover", "昨天", plain=True)[0] == 2
