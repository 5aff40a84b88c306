"""The commands: the same functions by hand, JSON as promised, refusals with exit code 1."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.cli.main import run
from desktop.clock import SystemClock
from desktop.storage.book import open_book
from tests.attendance.crew import Member, gates, hire, punched
from tests.conftest import PASSPHRASE, Copy

Command = Callable[..., Any]
ENTERED = date(2026, 3, 1)
MARCH = "2026-03"


@pytest.fixture
def folder(tmp_path: Path, site_template: Path, copy_book: Copy) -> Path:
    """A closed book: two people of 钢筋班, three punches in March."""
    target = tmp_path / "book"
    copy_book(site_template, target)
    (tmp_path / "passphrase").write_text(f"{PASSPHRASE}\n", encoding="utf-8")
    with open_book(target, SystemClock(), passphrase=PASSPHRASE) as book:
        desk = Desk(book, 1, Actor("管理员", Role.ADMINISTRATOR))
        places = gates(desk)
        first = hire(desk, 7, "钢筋班", entered=ENTERED)
        hire(desk, 8, "钢筋班", entered=ENTERED)
        come(desk, places, first)
    return target


def come(desk: Desk, places: dict[str, int], member: Member) -> None:
    punched(desk, places["进"], member, "03-03 07:00", "03-04 07:00")
    punched(desk, places["出"], member, "03-03 17:00")


@pytest.fixture
def command(folder: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs one command on the book; with ``code`` 1 returns the error document."""
    common = ["--data-dir", str(folder), "--passphrase-file", str(folder.parent / "passphrase")]

    def call(*arguments: str, code: int = 0, as_json: bool = True) -> Any:
        options = [*common, "--json"] if as_json else common
        assert run([*options, *arguments]) == code
        out = capsys.readouterr().out
        return json.loads(out) if as_json else out

    return call


def test_attendance_show(command: Command) -> None:
    shown = command("attendance", "show", MARCH)
    assert set(shown) >= {"month", "rule", "rows"}
    assert [row["worker_no"] for row in shown["rows"]] == [7, 8]
    row = shown["rows"][0]
    assert set(row) >= {
        "worker_no", "name", "team", "trade", "days", "punched_days", "explained_days",
        "confirmed_days",
    }
    assert len(row["days"]) == 31
    day = row["days"]["3"]
    assert (day["symbol"], day["hours"], day["value"]) == ("√", 10.0, 1.0)
    assert (day["first"], day["last"]) == ("2026-03-03T07:00:00", "2026-03-03T17:00:00")
    assert day["reasons"]
    assert {"code", "key", "blocking", "text", "next_step"} <= set(shown["findings"][0])


def test_attendance_show_of_one_worker(command: Command) -> None:
    shown = command("attendance", "show", MARCH, "--worker", "7")
    assert [row["worker_no"] for row in shown["rows"]] == [7]
    assert {one["code"] for one in shown["findings"]} == {"unresolved"}
    refused = command("attendance", "show", MARCH, "--worker", "9", code=1)
    assert refused["error"]["code"] == "no_row"
    assert command("attendance", "show", "3月", code=1)["error"]["code"] == "month"


def test_attendance_in_words(command: Command) -> None:
    text = command("attendance", "show", MARCH, as_json=False)
    assert "○ ○ √ ? ○" in text and "冻结前必须处理" in text
    detailed = command("attendance", "show", MARCH, "--worker", "7", as_json=False)
    assert " 3 √ 07:00（进，进）、17:00（出，出），首末次相隔10小时00分" in detailed


def test_an_explanation_by_hand(command: Command) -> None:
    added = command(
        "explain", "add", "--worker", "7", "--worker", "8", "--day", "2026-03-04",
        "--day", "2026-03-05", "--value", "0.5", "--reason", "漏打", "--text", "班组长证明",
        "--evidence", "照片",
    )
    assert added == {"number": 1, "cells": 4, "warnings": []}
    assert command("explain", "approve", "1") == {"number": 1, "state": "approved"}
    row = command("attendance", "show", MARCH)["rows"][0]
    assert (row["punched_days"], row["explained_days"], row["confirmed_days"]) == (1.0, 1.0, 2.0)
    assert row["days"]["4"]["symbol"] == "补半"
    (listed,) = command("explain", "list", MARCH)["explanations"]
    assert (listed["state"], listed["value"], listed["reason"]) == ("approved", 0.5, "漏打")
    assert listed["cells"][0] == {"worker_no": 7, "name": row["name"], "day": "2026-03-04"}
    assert "1号 已批准 漏打 0.5天 2人2日共4格" in command("explain", "list", as_json=False)
    command("explain", "withdraw", "1", "--why", "记错")
    assert command("explain", "list", "2026-04")["explanations"] == []
    assert command("explain", "list")["explanations"][0]["state"] == "withdrawn"


def test_an_explanation_that_cannot_be(command: Command) -> None:
    add = ["explain", "add", "--worker", "7", "--day", "2026-03-04", "--text", "x"]
    codes = [
        command(*add, "--value", value, "--reason", reason, code=1)["error"]["code"]
        for value, reason in (("2", "漏打"), ("1", "睡过"))
    ]
    assert codes == ["value", "reason_code"]
    unknown = ["explain", "add", "--worker", "99", "--day", "2026-03-04", "--value", "1"]
    refused = command(*unknown, "--reason", "漏打", "--text", "x", code=1)
    assert refused["error"]["code"] == "unknown_worker"
    assert command("explain", "list", as_json=False) == "没有考勤说明。\n"


def test_stop_work_by_hand(command: Command) -> None:
    dates = ["--from", "2026-03-05", "--to", "2026-03-06"]
    assert command("calendar", "stop", "add", *dates, "--reason", "暴雨") == {"stop": 1}
    command("calendar", "stop", "add", *dates, "--reason", "待料", "--team", "木工班")
    command("calendar", "stop", "withdraw", "2")
    stops = command("calendar", "stop", "list")["stops"]
    assert [(one["stop"], one["team"], one["withdrawn"]) for one in stops] == [
        (2, "木工班", True), (1, None, False),
    ]
    assert stops[1]["from"] == "2026-03-05"
    assert command("attendance", "show", MARCH)["rows"][1]["days"]["5"]["symbol"] == "停"
    assert "全项目 暴雨" in command("calendar", "stop", "list", as_json=False)


def test_leave_by_hand(command: Command) -> None:
    dates = ["--from", "2026-03-09", "--to", "2026-03-10"]
    added = command("calendar", "leave", "add", "--worker", "8", "--kind", "工伤", *dates)
    assert added == {"leave": 1, "warnings": []}
    (leave,) = command("calendar", "leave", "list")["leave"]
    assert (leave["worker_no"], leave["kind"], leave["to"]) == (8, "工伤", "2026-03-10")
    assert command("attendance", "show", MARCH)["rows"][1]["days"]["9"]["symbol"] == "伤"
    command("calendar", "leave", "withdraw", "1")
    assert "已撤回" in command("calendar", "leave", "list", as_json=False)


def test_outage_notes_and_answers_by_hand(command: Command) -> None:
    keys = [
        one["key"] for one in command("attendance", "show", MARCH)["findings"]
        if one["code"] == "team_silent"
    ]
    answered = command("calendar", "answer", *keys, "--text", "转场")
    assert answered == {"answered": len(keys)}
    outage = [
        "calendar", "outage", "add", "--terminal", "进", "--from", "2026-03-01 00:00",
        "--to", "2026-03-31 23:59", "--reason", "主板损坏",
    ]
    assert command(*outage) == {"outage": 1}
    (note,) = command("calendar", "outage", "list")["outages"]
    assert (note["terminal"], note["to"]) == ("进", "2026-03-31T23:59:00")
    assert "进 2026-03-01 00:00至" in command("calendar", "outage", "list", as_json=False)
    blocking = [
        one["code"] for one in command("attendance", "show", MARCH)["findings"] if one["blocking"]
    ]
    assert "team_silent" not in blocking
    assert blocking.count("terminal_incomplete") == 1
    unknown = command("calendar", "answer", "unresolved:1:2026-03-04", "--text", "x", code=1)
    assert unknown["error"]["code"] == "unknown_finding"


def test_empty_lists_say_so(command: Command) -> None:
    for group, words in (("stop", "停工记录"), ("leave", "请假记录"), ("outage", "停用说明")):
        assert command("calendar", group, "list", as_json=False) == f"没有{words}。\n"


def test_holidays_of_another_year(command: Command, tmp_path: Path) -> None:
    table = tmp_path / "2027.csv"
    table.write_text(
        "date,day_type,name,statutory_300pct\n2027-01-01,off,元旦,Y\n", encoding="utf-8"
    )
    assert command("calendar", "holidays", str(table)) == {"years": [2027]}


def test_days_outside_of_the_stay_are_taken_with_a_warning(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    added = command(
        "explain", "add", "--worker", "7", "--day", "2026-02-28", "--day", "2026-03-04",
        "--value", "1", "--reason", "漏打", "--text", "x",
    )
    assert added["cells"] == 2
    (sentence,) = added["warnings"]
    assert "人员编号7的2026-02-28不在其进场至退场期间内" in sentence and "03-04" not in sentence
    dates = ["--from", "2026-02-25", "--to", "2026-03-02"]
    leave = command("calendar", "leave", "add", "--worker", "8", "--kind", "事假", *dates)
    assert leave["leave"] == 1 and "等4天不在其进场至退场期间内" in leave["warnings"][0]
    again = ["--from", "2026-02-20", "--to", "2026-02-20"]
    text = command("calendar", "leave", "add", "--worker", "8", "--kind", "事假", *again, as_json=False)
    assert text == "请假记录2号已登记。\n"
