"""The commands of both sides: shapes of the results, exit codes, sentences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from desktop.cli.main import run
from tests.attendance.crew import MONTH
from tests.conftest import PASSPHRASE, Copy
from tests.rollup.conftest import COMPANY_PASSPHRASE, Company


class Hands:
    """Both sides of the command line, with their files."""

    def __init__(self, folder: Path, book: Path, company: Company, capsys: Any) -> None:
        self.folder, self.book, self.capsys = folder, book, capsys
        (folder / "site.txt").write_text(PASSPHRASE, encoding="utf-8")
        (folder / "company.txt").write_text(COMPANY_PASSPHRASE, encoding="utf-8")
        (folder / "c.sitemuster-key").write_bytes(company.files[0])
        (folder / "c.sitemuster-pub").write_bytes(company.files[1])
        self.into = str(company.folder)

    def site(self, *command: str, code: int = 0) -> Any:
        secret = str(self.folder / "site.txt")
        return self._run("--data-dir", str(self.book), "--passphrase-file", secret, *command, code=code)

    def office(self, *command: str, key: bool = False, code: int = 0) -> Any:
        if key:
            command = (
                *command, "--company-key", str(self.folder / "c.sitemuster-key"),
                "--company-passphrase-file", str(self.folder / "company.txt"),
            )
        return self._run("rollup", *command, "--in", self.into, code=code)

    def _run(self, *line: str, code: int) -> Any:
        assert run(["--json", *line]) == code, self.capsys.readouterr()
        out, self.said = self.capsys.readouterr()
        return json.loads(out)


@pytest.fixture
def hands(
    tmp_path: Path, reported_template: Path, copy_book: Copy, company: Company,
    capsys: pytest.CaptureFixture[str],
) -> Hands:
    book = copy_book(reported_template, tmp_path / "账本")
    return Hands(tmp_path, book, company, capsys)


def test_from_the_site_to_head_office_and_back(hands: Hands, company: Company) -> None:
    known = hands.site("rollup", "keys")
    file = hands.folder / "一期.sitemuster-rollup"
    public = str(hands.folder / "c.sitemuster-pub")
    made = hands.site("rollup", "export", "--to", str(file), "--company", public)
    assert made["fingerprint"] == known["fingerprint"] and Path(made["path"]) == file
    assert made["company_fingerprint"] == company.private.public.fingerprint
    taken = hands.office("import", str(file), key=True)
    assert (taken["outcome"], taken["fingerprint"]) == ("new", known["fingerprint"])
    (listed,) = hands.office("list")
    assert listed["current"]["projects"][0]["counts"]["punches"] == 180
    shown = hands.office("show", "ZZ-2026-0001", "--month", MONTH, "--verify", key=True)
    assert shown["ok"] is True and len(shown["attendance"][0]["rows"]) == 3
    assert hands.office("conflicts") == []
    # What head office was sent is a checkpoint for the site.
    point = shown["checkpoints"][0]["checkpoint"]
    assert hands.site("ledger", "verify", "--checkpoint", point)["ok"] is True
    kept = hands.folder / "export.json"
    kept.write_text(json.dumps(made), encoding="utf-8")
    assert hands.site("ledger", "verify", "--against", str(kept))["ok"] is True


def test_refusals_have_sentences(hands: Hands) -> None:
    file = hands.folder / "r"
    wrong = str(hands.folder / "c.sitemuster-key")
    answer = hands.site("rollup", "export", "--to", str(file), "--company", wrong, code=1)
    assert answer["error"]["code"] == "company_key_file" and not file.exists()
    answer = hands.office("list", code=1)
    assert answer["error"]["code"] == "no_shelf"
    answer = hands.office("import", str(file), key=True, code=1)
    assert answer["error"]["code"] == "file_missing"
    answer = hands.office("import", wrong, key=True, code=1)
    assert answer["error"]["code"] == "envelope_unknown" and "未导入" in hands.said


def test_a_conflict_ends_with_one_and_its_sentence(hands: Hands) -> None:
    public = str(hands.folder / "c.sitemuster-pub")
    old, new = hands.folder / "old", hands.folder / "new"
    for file in (old, new):
        hands.site("rollup", "export", "--to", str(file), "--company", public)
    hands.office("import", str(new), key=True)
    answer = hands.office("import", str(old), key=True, code=1)
    assert (answer["outcome"], answer["kind"]) == ("conflict", "older") and "旧" in hands.said
    (conflict,) = hands.office("conflicts")
    assert conflict["name"] == "0002"
    accepted = hands.office("accept", "ZZ-2026-0001", "0002", "--why", "查明")
    assert accepted["state"] == "current"
