"""``user`` and ``audit``, and ``--user`` before any command, as a script would drive them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop.cli.main import run
from desktop.clock import SystemClock
from desktop.storage.book import open_book
from desktop.storage.slot_change import renew_recovery_code
from tests.access.rig import ADMINISTRATOR, PASSWORD
from tests.conftest import CHEAP, PASSPHRASE, Copy

Call = Callable[..., Any]
OTHER = "换一个全新的密码"
OFFICER, TECHNICIAN = "劳资员甲", "技术丁"


@pytest.fixture
def template(users_template: Path) -> Path:
    """The book the commands work on."""
    return users_template


@pytest.fixture
def folder(tmp_path: Path, template: Path, copy_book: Copy) -> Path:
    """A closed book, and files with what is secret beside it."""
    for name, secret in (
        ("passphrase", PASSPHRASE), ("password", PASSWORD), ("other", OTHER),
        ("wrong", "wrong 1234"),
    ):
        (tmp_path / name).write_text(f"{secret}\n", encoding="utf-8")
    book = copy_book(template, tmp_path / "book")
    with open_book(book, SystemClock(), passphrase=PASSPHRASE) as opened:
        (tmp_path / "code").write_text(renew_recovery_code(opened, cost=CHEAP), encoding="utf-8")
    return tmp_path


@pytest.fixture
def call(folder: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """One command in the name of ``who``; the JSON, or the human text with ``plain``."""

    def call_it(
        *command: str, who: str | None = None, secret: str = "password", code: int = 0,
        plain: bool = False,
    ) -> Any:
        common = [
            "--data-dir", str(folder / "book"), "--passphrase-file", str(folder / "passphrase")
        ]
        if who is not None:
            common += ["--user", who, "--password-file", str(folder / secret)]
        arguments = [str(folder / one[1:]) if one.startswith("@") else one for one in command]
        assert run([*common, *([] if plain else ["--json"]), *arguments]) == code
        said = capsys.readouterr().out
        if plain:
            return said
        return json.loads(said)["error"] if code else json.loads(said)

    return call_it


class TestAlone:
    """A book that has only its first administrator."""

    @pytest.fixture
    def template(self, site_template: Path) -> Path:
        return site_template

    def test_no_more_is_needed_than_the_key(self, call: Call) -> None:
        (row,) = call("user", "list")["users"]
        assert (row["user_id"], row["name"], row["role"], row["has_password"]) == (
            0, ADMINISTRATOR, "administrator", False
        )
        adding = ("user", "add", "新来的", "--role", "检查人员", "--new-password-file", "@password")
        assert call(*adding, code=1)["code"] == "administrator_password"
        assert call("team", "list")
        call("user", "password", ADMINISTRATOR, "--new-password-file", "@password")
        assert call("team", "list")
        assert call(*adding)["role"] == "inspector"
        assert call("team", "list", code=1)["code"] == "login_needed"


def test_users_are_named_before_the_command(call: Call) -> None:
    assert call("terminal", "list", code=1)["code"] == "login_needed"
    assert call("terminal", "list", who=OFFICER, secret="wrong", code=1) == {
        "code": "login_failed", "facts": {"wait_s": 0},
        "message": "用户名或登录密码不对，没有登录，账本未做改动。请重新输入。忘记密码时，请管理员重设，或用恢复码重设。",
    }
    assert call("terminal", "list", who=TECHNICIAN) == []
    for command in (
        ("roster", "list"), ("attendance", "show", "2026-06"), ("month", "status", "2026-06"),
        ("user", "list"), ("audit", "list"), ("team", "list"),
        ("team", "add", "瓦工班", "--company", "河南样例钢筋劳务有限公司"),
        ("month", "freeze", "2026-06"), ("explain", "list"), ("calendar", "leave", "list"),
    ):
        assert call(*command, who=TECHNICIAN, code=1)["code"] == "not_permitted"
    assert call("ledger", "verify", who=TECHNICIAN)["ok"]
    assert call("roster", "list", who=OFFICER) == []


def test_roles_passwords_and_accounts_are_changed(call: Call) -> None:
    boss = {"who": ADMINISTRATOR}
    assert call("user", "role", OFFICER, "--role", "项目经理", **boss)["role"] == "project_manager"
    assert call("user", "role", OFFICER, "--role", "大王", code=1)["code"] == "unknown_role"
    call("user", "deactivate", OFFICER, **boss)
    assert call("roster", "list", who=OFFICER, code=1)["code"] == "login_failed"
    call("user", "activate", OFFICER, **boss)
    call("user", "password", "--new-password-file", "@other", who=OFFICER)
    others = ("user", "password", TECHNICIAN, "--new-password-file", "@password")
    assert call(*others, who=OFFICER, secret="other", code=1)["code"] == "not_permitted"
    assert call("user", "bind", OFFICER, **boss)["account"]
    assert call("roster", "list") == []  # by this computer's account
    own = ("user", "password", "--new-password-file", "@password")
    assert call(*own, code=1)["code"] == "password_needed"
    call("user", "unbind", OFFICER, **boss)
    assert call("roster", "list", code=1)["code"] == "login_needed"
    text = call("user", "list", plain=True, **boss)
    assert f"{OFFICER}　项目经理" in text


def test_the_recovery_code_helps_who_forgot(call: Call) -> None:
    reset = ("user", "reset", ADMINISTRATOR, "--recovery-code-file")
    assert call(*reset, "@wrong", "--new-password-file", "@other", code=1)["code"] != "internal"
    call(*reset, "@code", "--new-password-file", "@other")
    rows = call("audit", "list", "--limit", "2", who=ADMINISTRATOR, secret="other")["rows"]
    assert [row["act"] for row in rows] == ["login.done", "password.reset"]


def test_the_trail_is_listed_and_exported(call: Call, folder: Path) -> None:
    boss = {"who": ADMINISTRATOR}
    found = call("audit", "list", "--act", "添加用户", **boss)
    assert (found["total"], [row["act"] for row in found["rows"]]) == (2, ["user.added"] * 2)
    assert call("audit", "list", "--actor", OFFICER, **boss) == {"total": 0, "rows": []}
    assert call("audit", "list", "--act", "没有的", code=1, **boss)["code"] == "unknown_act"
    told = call("audit", "export", "@外发/trail.csv", "--text", "用户", **boss)
    lines = (folder / "外发" / "trail.csv").read_text("utf-8-sig").splitlines()
    assert told["rows"] == len(lines) - 1 > 0
    newest = call("audit", "list", "--limit", "1", "--offset", "1", plain=True, **boss)
    assert "导出操作记录" in newest


def test_the_matrix_is_told_in_words(call: Call) -> None:
    rows = call("user", "matrix")["matrix"]
    freeze = next(row for row in rows if row["code"] == "month.frozen")
    assert freeze == {
        "kind": "act", "code": "month.frozen", "name": "冻结月考勤",
        "roles": ["administrator", "labour_officer"],
    }
    assert "√　√　－　－　－　冻结月考勤" in call("user", "matrix", plain=True)
