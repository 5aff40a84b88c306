"""The commands of the station, in the results scripts rely on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from desktop.access.desk import Desk
from desktop.cli.main import run
from devices.emulators.zk import Faults, StoredPunch, StoredUser, ZkEmulator
from tests.conftest import PASSPHRASE
from tests.punches.rig import worker

GATE = "东门进"
PAST = datetime(2024, 6, 3, 6, 30)
"""Commands live in the real time; this is past in every year the tests are run."""


class Answer(NamedTuple):
    """What a command left: exit code, JSON document, stderr."""

    code: int
    json: Any
    err: str


Command = Callable[..., Answer]


@pytest.fixture
def folder(desk: Desk) -> Path:
    """The folder of a closed book with two workers."""
    worker(desk, 100001, "张伟")
    worker(desk, 100002, "李娜")
    desk.book.close()
    return desk.book.path


@pytest.fixture
def command(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    secret = tmp_path / "secret"
    secret.write_text(f"{PASSPHRASE}\n", encoding="utf-8")

    def call(*arguments: str | Path, human: bool = False) -> Answer:
        before = ["--data-dir", str(folder), "--passphrase-file", str(secret)]
        if not human:
            before.append("--json")
        code = run([*before, *map(str, arguments)])
        said = capsys.readouterr()
        return Answer(code, said.out if human else json.loads(said.out), said.err)

    yield call


def memory(count: int = 20) -> list[StoredPunch]:
    return [
        StoredPunch(str(100001 + at % 3), PAST + timedelta(minutes=at)) for at in range(count)
    ]


def add(command: Command, address: str, name: str = GATE, *more: str) -> Answer:
    return command(
        "terminal", "add", name, "--driver", "zk", "--address", address, "--direction", "in", *more
    )


def test_a_terminal_from_entry_to_the_second_pull(command: Command, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("123456\r\n", encoding="utf-8")
    with ZkEmulator(punches=memory(), key=123456) as unit:
        added = add(command, unit.address, GATE, "--password-file", str(key))
        assert (added.code, added.json["terminal"], added.json["warnings"]) == (0, GATE, [])
        first = command("terminal", "pull")
        assert first.code == 0
        (result,) = first.json
        assert {key: result[key] for key in (
            "terminal", "serial", "reported", "received", "new", "duplicate", "quarantined",
            "complete", "error")} == {
            "terminal": GATE, "serial": "CKJG264160001", "reported": 20, "received": 20, "new": 20,
            "duplicate": 0, "quarantined": 0, "complete": True, "error": None,
        }
        second = command("terminal", "pull", GATE)
        assert (second.json[0]["new"], second.json[0]["duplicate"]) == (0, 20)
        stick = tmp_path / "1_attlog.dat"
        stick.write_bytes(unit.stick())
    taken = command("punches", "import", stick, "--terminal", GATE)
    assert taken.code == 0
    assert {key: taken.json[key] for key in (
        "lines", "new", "duplicate", "quarantined", "rejected")} == {
        "lines": 20, "new": 0, "duplicate": 20, "quarantined": 0, "rejected": [],
    }
    listed = command("terminal", "list").json
    assert [(one["terminal"], one["held"], one["last_error"]) for one in listed] == [(GATE, 20, "")]
    verdict = command("ledger", "verify")
    assert (verdict.code, verdict.json["punches"], verdict.json["quarantined"]) == (0, 20, 0)
    assert verdict.json["ok"] is True
    assert verdict.json["first_bad"] is None
    assert len(verdict.json["head"]) == 64
    for words in (
        command("terminal", "list", human=True), command("ledger", "verify", human=True),
        command("punches", "import", stick, "--terminal", GATE, human=True),
    ):
        assert words.code == 0
        assert "20" in words.json


def test_a_failing_pull_is_a_list_at_exit_1(command: Command) -> None:
    with (
        ZkEmulator(punches=memory(), serial="A") as good,
        ZkEmulator(punches=memory(), serial="B", key=9) as locked,
    ):
        add(command, good.address, "好")
        add(command, locked.address, "锁")
        answer = command("terminal", "pull")
        words = command("terminal", "pull", human=True)
    assert answer.code == words.code == 1
    assert [(one["terminal"], one["new"], one["complete"]) for one in answer.json] == [
        ("好", 20, True), ("锁", 0, False),
    ]
    assert answer.json[1]["error"]["code"] == "access_denied"
    assert "通讯密码" in answer.err
    assert "通讯密码" in words.err


def test_a_refusal_is_the_error_document(command: Command, tmp_path: Path) -> None:
    answer = command("terminal", "people", "北门")
    assert (answer.code, answer.json["error"]["code"]) == (1, "unknown_terminal")
    assert "北门" in answer.err
    stick = tmp_path / "x.dat"
    stick.write_bytes(b"hello\r\n")
    add(command, "")
    refused = command("punches", "import", stick, "--terminal", GATE)
    assert (refused.code, refused.json["error"]["code"]) == (1, "stick_not_attlog")


def test_matching_from_the_command_line(command: Command) -> None:
    users = [StoredUser("1", "张伟"), StoredUser("2", "王五"), StoredUser("100002", "李娜")]
    punched = [StoredPunch(number, PAST) for number in ("1", "2", "100002")]
    with ZkEmulator(users=users, punches=punched) as unit:
        add(command, unit.address)
        command("terminal", "pull")
        people = command("terminal", "people", GATE).json
        held = command("terminal", "people", GATE, "--held").json
    assert people == held
    assert people["counts"] == {"open": 1, "proposed": 1, "by_itself": 1}
    accepted = command("terminal", "match", GATE, "--accept-proposed", "--from", "2024-06-01").json
    assert accepted["confirmed"] == 1
    paired = command("terminal", "match", GATE, "--pair", "2=100002", "--to", "2024-06-30").json
    assert (paired["confirmed"], paired["counts"]) == (1, {"confirmed": 2, "by_itself": 1})
    assert {one["number"]: (one["from"], one["to"]) for one in paired["numbers"]} == {
        "1": ("2024-06-01", None), "2": (None, "2024-06-30"), "100002": (None, None),
    }
    again = command("terminal", "match", GATE, "--accept-proposed").json
    assert again["confirmed"] == 0
    ended = command("terminal", "match", GATE, "--end", "2").json
    assert ended["counts"]["open"] == 1
    wrong = command("terminal", "match", GATE, "--pair", "2:100002")
    assert (wrong.code, wrong.json["error"]["code"]) == (1, "pair")
    assert command("terminal", "match", GATE, human=True).code == 0


def test_changing_the_terminal_book(command: Command) -> None:
    add(command, "10.0.0.1:4370")
    assert add(command, "10.0.0.1:4370", "西门").json["warnings"]
    assert command(
        "terminal", "declare-biometric", GATE, "--from", "2026-01-01", "--evidence", "照片"
    ).code == 0
    assert command("terminal", "edit", GATE, "--name", "东门", "--in-use-from", "2026-01-01").code == 0
    assert command("terminal", "retire", "西门", "--on", "2026-02-01").code == 0
    assert command("terminal", "rebind", "东门", "--reason", "换机").code == 0
    first, second = command("terminal", "list").json
    assert (first["terminal"], first["biometric_only_from"], first["epoch"]) == (
        "东门", "2026-01-01", 1,
    )
    assert second["retired_on"] == "2026-02-01"
    assert "停用" in command("terminal", "list", human=True).json


def test_quarantined_records_are_listed(command: Command, tmp_path: Path) -> None:
    assert command("punches", "quarantine", "list", human=True).json.strip() == "没有隔离记录。"
    add(command, "")
    stick = tmp_path / "x.dat"
    stick.write_bytes(
        b"100001\t2024-06-03 06:30:00\t1\t0\t15\t0\r\n100001\t2024-06-31 06:30:00\t1\t0\t15\t0\r\nx\r\n"
    )
    taken = command("punches", "import", stick, "--terminal", GATE, "--taken-at", "2024-06-04 08:00")
    assert taken.json["quarantined"] == 1
    assert taken.json["rejected"] == [{"line": 3, "code": "too_few_fields"}]
    (row,) = command("punches", "quarantine", "list", "--terminal", GATE).json
    assert (row["reason"], row["number"], row["time"]) == (
        "impossible_date", "100001", "2024-06-31 06:30:00",
    )
    assert "日期不存在" in command("punches", "quarantine", "list", human=True).json
    assert command("terminal", "list").json[0]["complete_until"] == "2024-06-04T00:00:00+00:00"


@pytest.mark.file_only
def test_a_flipped_byte_is_found_and_named(command: Command, folder: Path) -> None:
    with ZkEmulator(punches=memory(3000)) as unit:
        add(command, unit.address)
        command("terminal", "pull")
    file = folder / "book.db"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    page = len(data) // 2 // 4096 + 1
    answer = command("ledger", "verify")
    assert (answer.code, answer.json["ok"], answer.json["head"]) == (1, False, None)
    assert f"第{page}页" in answer.json["first_bad"]
    assert f"第{page}页" in answer.err
    data[len(data) // 2] ^= 1
    data[100] ^= 1
    file.write_bytes(data)
    unopenable = command("ledger", "verify")
    assert unopenable.code == 1
    assert "第1页" in unopenable.err


def test_a_cut_pull_over_the_command_line(command: Command) -> None:
    with ZkEmulator(punches=memory(2000), faults=Faults(sessions=1, cut_after=3000)) as unit:
        add(command, unit.address)
        answer = command("terminal", "pull")
    assert (answer.code, answer.json[0]["new"], answer.json[0]["attempts"]) == (0, 2000, 2)


def test_names_that_cannot_be_read_are_entries_of_the_list(command: Command) -> None:
    nothing = command("terminal", "pull")
    assert (nothing.code, nothing.json) == (1, [])
    assert "terminal add" in nothing.err
    add(command, "", "只用U盘")
    with ZkEmulator(punches=memory()) as unit:
        add(command, unit.address)
        answer = command("terminal", "pull", "不存在的名字", GATE, "只用U盘")
    assert answer.code == 1
    assert [(one["terminal"], one["new"], (one["error"] or {}).get("code")) for one in answer.json] == [
        ("不存在的名字", 0, "unknown_terminal"), (GATE, 20, None), ("只用U盘", 0, "no_address"),
    ]
    assert "没有名为「不存在的名字」的考勤机，没有采集" in answer.err and "U盘文件" in answer.err
