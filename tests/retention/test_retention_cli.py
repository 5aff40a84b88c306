"""``retention …`` as an office would script it: shapes of the answers, roles, refusals."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from desktop.cli.main import run
from tests.conftest import PASSPHRASE, Copy
from tests.retention.site_over import MANAGER, OFFICER, PASSWORD


class Office:
    """One book, its secrets in files, and one command after the other."""

    def __init__(self, folder: Path, room: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._secrets = {"book": room / "passphrase", "own": room / "password"}
        self._secrets["book"].write_text(PASSPHRASE)
        self._secrets["own"].write_text(PASSWORD)
        self._folder = folder

    def __call__(self, user: str, *words: str, code: int = 0, as_json: bool = True) -> Any:
        begin = ["--json"] if as_json else []
        done = run([
            *begin, "--data-dir", str(self._folder), "--passphrase-file",
            str(self._secrets["book"]), "--user", user, "--password-file",
            str(self._secrets["own"]), "retention", *words,
        ])
        said = self._capsys.readouterr()
        assert done == code, said.out + said.err
        return json.loads(said.out) if as_json else said.out


@pytest.fixture
def office(
    copy_book: Copy, working_site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Office:
    return Office(copy_book(working_site, tmp_path / "book"), tmp_path, capsys)


def test_from_the_dates_to_the_proposal(office: Office, tmp_path: Path) -> None:
    officer, manager = OFFICER.name, MANAGER.name
    status = office(officer, "status")
    assert [row["class"] for row in status["classes"]] == [
        "attendance", "ledger", "payroll", "contract", "assessment", "biometric",
    ]
    assert {row["state"] for row in status["classes"]} <= {"locked", "none", "task"}
    assert status["disk"]["held"] > 0 and status["disk"]["snapshots"] == "none"

    today = date.today().isoformat()
    refused = office(manager, "dates", "--completed", today, code=1)
    assert refused["error"]["code"] == "not_permitted"
    refused = office(officer, "propose", "ledger", "--why", "期满", code=1)
    assert refused["error"]["code"] == "dates_missing"
    refused = office(officer, "dates", "--completed", today, code=1)
    assert refused["error"]["code"] == "date_evidence"
    dates = office(
        officer, "dates", "--completed", today, "--completed-document", "验收报告",
        "--settled", today, "--settled-document", "结清公示",
    )
    assert dates["completed_on"] == dates["wages_settled_on"] == today
    assert office(officer, "dates") == dates
    refused = office(officer, "propose", "ledger", "--why", "期满", "--worker", "1001", code=1)
    assert refused["error"]["code"] == "not_due"
    for words, code in (
        (("propose", "salaries", "--why", "期满"), "record_class"),
        (("propose", "payroll", "--why", "期满"), "class_not_purged"),
        (("certificate", "1", "--out", str(tmp_path)), "unknown_purge"),
        (("policy", "--snapshots", "some"), "policy_snapshots"),
        (("hold", "add", "--reason", "争议", "--kind", "none"), "hold_kind"),
    ):
        assert office(officer, *words, code=1)["error"]["code"] == code
    assert office(manager, "approve", "1", code=1)["error"]["code"] == "unknown_purge"
    assert office("管理员", "run", "1", code=1)["error"]["code"] == "unknown_purge"
    assert office(officer, "list") == {"purges": []}


def test_holds_policy_and_tasks(office: Office) -> None:
    officer, administrator = OFFICER.name, "管理员"
    hold = office(officer, "hold", "add", "--reason", "仲裁", "--worker", "1001")["hold"]
    (row,) = office(officer, "hold", "list")["holds"]
    assert (row["worker_no"], row["kind"], row["lifted_by"]) == (1001, "dispute", None)
    refused = office(officer, "hold", "lift", str(hold), "--why", "了结", code=1)
    assert refused["error"]["code"] == "not_permitted"
    assert office(administrator, "hold", "lift", str(hold), "--why", "了结")["lifted"]
    assert "已由管理员解除" in office(officer, "hold", "list", as_json=False)
    policy = office(officer, "policy", "--waiting", "14", "--snapshots", "abnormal")
    assert (policy["waiting_days"], policy["snapshots"]) == (14, "abnormal")
    assert "等待14天" in office(officer, "policy", as_json=False)
    assert "保存策略" not in office(officer, "status", as_json=False)
    tasks = office(officer, "tasks", "--all")["tasks"]
    assert isinstance(tasks, list)
    refused = office(officer, "tasks", "--confirm", "77", "--note", "看过", code=1)
    assert refused["error"]["code"] == "unknown_task"
