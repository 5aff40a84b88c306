"""Every main command once on one small site: keys and types of the JSON, exit codes, the error border.

The program runs as a process; nothing of the product is imported.
"""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.outside_program import (
    Person,
    Program,
    fresh_program,
    make_people,
    write_roster,
)

GATE_IN, GATE_OUT, DEAD = "南门进", "南门出", "断网机"
MONTH = "2026-06"
HEX = re.compile(r"^[0-9a-f]{64}$")


def stick(path: Path, people: list[Person], hour: int, state: int, device: int) -> Path:
    """One punch of everybody on each day of June, the way a terminal writes them."""
    lines = [
        f"{one.number:>9}\t2026-06-{day:02d} {hour:02d}:{place % 60:02d}:07\t{device}\t{state}\t15\t0"
        for day in range(1, 31) for place, one in enumerate(people)
    ]
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode("ascii"))
    return path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Program, Path, dict[str, Any]]:
    """Eight workers, two gates read from sticks, June 2026 frozen; the answers given on the way."""
    folder = tmp_path_factory.mktemp("shapes")
    program = fresh_program(folder / "site")
    people = make_people(8)
    answers: dict[str, Any] = {}
    roster = write_roster(folder / "roster.xlsx", people)
    answers["dry"] = program("roster", "import", str(roster), "--dry-run")
    answers["import"] = program("roster", "import", str(roster))
    answers["unfrozen"] = program("month", "freeze", MONTH, code=1)
    for name, hour, state, device in ((GATE_IN, 7, 0, 1), (GATE_OUT, 18, 1, 2)):
        direction = "out" if state else "in"
        program("terminal", "add", name, "--driver", "zk", "--direction", direction)
        path = stick(folder / f"{device}_attlog.dat", people, hour, state, device)
        answers[name] = program(
            "punches", "import", str(path), "--terminal", name, "--taken-at", "2026-07-02 09:00"
        )
    answers["freeze"] = program("month", "freeze", MONTH)
    answers["export"] = program("month", "export", MONTH, "--out", str(folder / "papers"))
    return program, folder, answers


def refused(answer: Any) -> dict[str, Any]:
    """The error object of a refusal: code, Chinese sentence, facts, nothing else around it."""
    assert set(answer) == {"error"} and set(answer["error"]) == {"code", "message", "facts"}
    assert re.search(r"[\u4e00-\u9fff]", answer["error"]["message"])
    assert isinstance(answer["error"]["facts"], dict)
    error: dict[str, Any] = answer["error"]
    return error


def test_roster_import(site: tuple[Program, Path, dict[str, Any]]) -> None:
    _, _, answers = site
    for name in ("dry", "import"):
        report = answers[name]
        assert {"rows", "created", "updated", "unchanged", "rejected", "warnings"} <= set(report)
        assert (report["rows"], report["created"], report["rejected"]) == (8, 8, [])


def test_rejected_rows(site: tuple[Program, Path, dict[str, Any]]) -> None:
    program, folder, _ = site
    good, bad = make_people(2, first=8101)
    broken = Person(8102, bad.name, bad.identity[:-1] + ("1" if bad.identity[-1] == "0" else "0"), bad.team)
    path = write_roster(folder / "bad.xlsx", [good, broken])
    report = program("roster", "import", str(path), "--dry-run")
    assert [set(one) for one in report["rejected"]] == [{"row", "field", "code", "message"}]
    assert (report["rejected"][0]["row"], report["rejected"][0]["field"]) == (3, "身份证号码")


def test_punches_import(site: tuple[Program, Path, dict[str, Any]]) -> None:
    program, folder, answers = site
    report = answers[GATE_IN]
    assert (report["lines"], report["new"], report["duplicate"], report["quarantined"]) == (240, 240, 0, 0)
    assert report["rejected"] == []
    mixed = folder / "mixed.dat"
    mixed.write_bytes(
        b"     7001\t2026-06-01 07:00:07\t1\t0\t15\t0\r\nnonsense\r\n     7001\t2014-06-01 07:00:00\t1\t0\t15\t0\r\n"
    )
    again = program("punches", "import", str(mixed), "--terminal", GATE_IN)
    assert (again["lines"], again["new"], again["duplicate"], again["quarantined"]) == (3, 0, 1, 1)
    assert [set(one) for one in again["rejected"]] == [{"line", "code"}] and again["rejected"][0]["line"] == 2


def test_attendance_show(site: tuple[Program, Path, dict[str, Any]]) -> None:
    program, _, _ = site
    shown = program("attendance", "show", MONTH)
    assert shown["month"] == MONTH and isinstance(shown["rule"], str)
    assert len(shown["rows"]) == len({row["worker_no"] for row in shown["rows"]}) == 8
    for row in shown["rows"]:
        assert {"worker_no", "name", "team", "trade", "days"} <= set(row)
        assert {"punched_days", "explained_days", "confirmed_days"} <= set(row)
        assert list(row["days"]) == [str(day) for day in range(1, 31)]
        for cell in row["days"].values():
            assert {"symbol", "first", "last", "hours", "value", "reasons"} <= set(cell)
            assert cell["symbol"] == "√" and cell["value"] == 1 and cell["reasons"]
    one = program("attendance", "show", MONTH, "--worker", "7003")
    assert [row["worker_no"] for row in one["rows"]] == [7003]


def test_terminal_pull_is_a_list_also_at_failure(site: tuple[Program, Path, dict[str, Any]]) -> None:
    program, folder, _ = site
    other = program.copy(folder / "pull")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    other("terminal", "add", DEAD, "--driver", "zk", "--address", f"127.0.0.1:{port}")
    results = other("terminal", "pull", DEAD, code=1)
    assert isinstance(results, list) and len(results) == 1
    wanted = {
        "terminal", "serial", "reported", "received", "new", "duplicate", "quarantined",
        "clock_offset_s", "complete", "error",
    }
    assert wanted <= set(results[0])
    assert results[0]["terminal"] == DEAD and not results[0]["complete"] and results[0]["error"]


def test_month_freeze(site: tuple[Program, Path, dict[str, Any]]) -> None:
    program, _, answers = site
    for name in ("unfrozen", "freeze"):
        assert {"month", "version", "digest", "rows", "blocking", "warnings"} <= set(answers[name])
    assert answers["unfrozen"]["version"] is None and answers["unfrozen"]["blocking"]
    frozen = answers["freeze"]
    assert (frozen["month"], frozen["version"], frozen["rows"], frozen["blocking"]) == (MONTH, 1, 8, [])
    assert HEX.match(frozen["digest"])
    assert program("month", "status", MONTH)["version"] == 1


def test_month_export(site: tuple[Program, Path, dict[str, Any]]) -> None:
    program, folder, answers = site
    files = answers["export"]["files"]
    assert {one["kind"] for one in files} == {"sheet", "notice", "announcement"}
    for one in files:
        assert {"kind", "team", "path", "pages", "sha256"} <= set(one)
        assert Path(one["path"]).is_absolute() and Path(one["path"]).is_file() and HEX.match(one["sha256"])
    assert {Path(one["path"]).suffix for one in files} == {".pdf", ".docx"}
    again = program("month", "export", MONTH, "--out", str(folder / "papers"))["files"]
    assert [one["path"] for one in again] == [one["path"] for one in files]
    inside = program("month", "export", MONTH, "--out", str(program.book / "papers"), code=1)
    assert refused(inside)["code"] == "out_in_book"


def test_board(site: tuple[Program, Path, dict[str, Any]]) -> None:
    program, folder, _ = site
    out = folder / "board"
    missing = refused(program("board", "export", "--size", "A3", "--out", str(out), code=1))
    assert missing["code"] == "board_incomplete" and not out.exists()
    for one in missing["facts"]["missing"]:
        assert one["label"] in missing["message"] and one["clause"] in missing["message"]
    draft = program("board", "export", "--size", "A3", "--out", str(out), "--draft")
    assert draft["version"] == 1
    for one in draft["files"]:
        assert {"kind", "size", "path", "pages", "sha256"} <= set(one) and Path(one["path"]).is_absolute()
    assert {Path(one["path"]).suffix for one in draft["files"]} == {".pdf", ".docx"}


def test_exports_never_go_into_the_book(site: tuple[Program, Path, dict[str, Any]]) -> None:
    program, _, _ = site
    before = {path.name for path in program.book.iterdir()}
    answer = program("roster", "export", str(program.book / "roster.xlsx"), code=1)
    assert refused(answer)["code"] == "out_in_book"
    assert {path.name for path in program.book.iterdir()} == before


def test_ledger_verify(site: tuple[Program, Path, dict[str, Any]]) -> None:
    program, _, _ = site
    verdict = program("ledger", "verify")
    assert {"punches", "quarantined", "ok", "first_bad", "head"} <= set(verdict)
    assert verdict["punches"] == 480 and verdict["ok"] is True and verdict["first_bad"] is None


def test_error_border(site: tuple[Program, Path, dict[str, Any]]) -> None:
    program, folder, _ = site
    answer = program.run("attendance", "show", "2026-13")
    assert answer.code == 1 and refused(answer.document)["message"] in answer.stderr
    assert program.run("no-such-command").code == 2
    wrong = Program(folder / "site")
    wrong.secret = folder / "wrong.txt"
    wrong.secret.write_text("not it\n", encoding="utf-8")
    assert refused(wrong("ledger", "verify", code=1))["code"] == "wrong_passphrase"


def test_passphrase_is_the_first_line(site: tuple[Program, Path, dict[str, Any]], tmp_path: Path) -> None:
    program, _, _ = site
    other = Program(program.folder)
    secret = program.secret.read_text(encoding="utf-8").splitlines()[0]
    other.secret = tmp_path / "notepad.txt"
    other.secret.write_bytes(b"\xef\xbb\xbf" + secret.encode() + b"\r\nsecond line\r\n")
    assert other("month", "status", MONTH)["month"] == MONTH


def test_usage_prints_nothing_on_stdout(site: tuple[Program, Path, dict[str, Any]]) -> None:
    program, _, _ = site
    answer = program.run("board", "export")
    assert answer.code == 2 and answer.document is None and answer.stderr
