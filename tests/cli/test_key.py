"""The command group ``key``: a lost way recovered, a paper and a data key renewed."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import pypdfium2
import pytest
from keyring.backends import fail

from desktop.cli.main import run
from tests.conftest import PASSPHRASE

pytestmark = pytest.mark.file_only  # the folder of the book is copied and looked into
CODE = re.compile(r"(\d{6}-){7}\d{6}")
COMPANY_SECRET = "总部口令 head office\n"


class Program:
    """The command line in this process, on the book of ``folder``; answers its JSON."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.book, self.secret, self._capsys = folder / "book", folder / "secret.txt", capsys
        self.secret.write_text(PASSPHRASE + "\n", encoding="utf-8")

    def __call__(self, *command: str, code: int = 0) -> Any:
        common = ["--data-dir", str(self.book), "--json", "--passphrase-file", str(self.secret)]
        done = run([*common, *command])
        said = self._capsys.readouterr()
        assert done == code, (command, said.err)
        return json.loads(said.out)


@pytest.fixture
def program(
    tmp_path: Path, site_template: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Program]:
    """A site's book on a computer without a keyring."""
    folder = tmp_path / "site"
    folder.mkdir()
    shutil.copytree(site_template, folder / "book")
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())
    yield Program(folder, capsys)
    keyring.set_keyring(before)


def file(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def refused(answer: Any, code: str) -> str:
    assert answer["error"]["code"] == code
    message: str = answer["error"]["message"]
    assert message.endswith("。")
    return message


def test_a_forgotten_passphrase_is_replaced_by_the_paper(program: Program, tmp_path: Path) -> None:
    status = program("key", "status")
    assert (status["generation"], status["passphrase"], status["keyring"]) == (1, True, "none")
    assert status["recovery"] is True and status["company"] is None and status["unfinished"] == []
    paper, sheet = tmp_path / "paper.txt", tmp_path / "paper.pdf"
    renewed = program(
        "key", "rotate", "--recovery-out", str(paper), "--recovery-sheet", str(sheet)
    )
    assert renewed["renewed"] == ["recovery"] and renewed["recovery_file"] == str(paper)
    code = paper.read_text(encoding="utf-8").splitlines()[0]
    assert CODE.fullmatch(code) and paper.stat().st_mode & 0o077 == 0
    document = pypdfium2.PdfDocument(sheet)
    printed = document[0].get_textpage().get_text_range()
    assert len(document) == 1 and all(group in printed for group in code.split("-"))
    document.close()
    taken = program("key", "rotate", "--recovery-out", str(paper), code=1)
    refused(taken, "recovery_exists")

    program.secret.write_text("别的口令\n", encoding="utf-8")
    assert "恢复码" in refused(program("key", "status", code=1), "wrong_passphrase")
    new = file(tmp_path / "new.txt", "恢复后的口令\n")
    recovered = program(
        "key", "recover", "--recovery-file", str(paper), "--new-passphrase-file", new
    )
    assert (recovered["opened_by"], recovered["way"]) == ("recovery", "passphrase")
    program.secret.write_text("恢复后的口令\n", encoding="utf-8")
    assert program("ledger", "verify")["ok"]
    program.secret.write_text(PASSPHRASE, encoding="utf-8")
    refused(program("key", "status", code=1), "wrong_passphrase")


def test_recovering_says_what_it_needs(program: Program, tmp_path: Path) -> None:
    refused(program("key", "recover", code=1), "recovery_secret")
    paper = file(tmp_path / "wrong.txt", "-".join(["000011"] * 8) + "\n")
    refused(program("key", "recover", "--recovery-file", paper, code=1), "wrong_recovery_code")
    paper = file(tmp_path / "typed.txt", "000011-000012\n")
    refused(program("key", "recover", "--recovery-file", paper, code=1), "recovery_code_mistyped")
    refused(program("key", "passphrase", code=1), "passphrase_how")
    refused(program("key", "passphrase", "--remove", code=1), "last_way")
    message = refused(program("key", "keyring", code=1), "keyring_unusable")
    assert "口令" in message
    inside = str(program.book / "paper.txt")
    refused(program("key", "rekey", "--recovery-out", inside, code=1), "out_in_book")
    assert not (program.book / "backups").exists() or not any((program.book / "backups").iterdir())


def test_after_a_leak_the_data_key_is_changed(program: Program, tmp_path: Path) -> None:
    stolen = Path(shutil.copytree(program.book, tmp_path / "stolen"))
    before = program("ledger", "verify")
    paper, sheet = tmp_path / "paper.txt", tmp_path / "paper.pdf"
    new = file(tmp_path / "new.txt", "换钥匙后的口令\n")
    done = program(
        "key", "rekey", "--recovery-out", str(paper), "--recovery-sheet", str(sheet),
        "--new-passphrase-file", new,
    )
    assert done["generation"] == 2 and done["files_wait"] == "" and sheet.is_file()
    refused(program("key", "status", code=1), "wrong_passphrase")
    shutil.copy(stolen / "keyslots.json", tmp_path / "old-slots.json")
    program.secret.write_text("换钥匙后的口令\n", encoding="utf-8")
    after = program("ledger", "verify")
    assert after["ok"] and after["punches"] == before["punches"]
    status = program("key", "status")
    assert (status["generation"], status["notices"]) == (2, [])
    # Who kept the old slots and their passphrase opens nothing of the new book.
    shutil.copy(tmp_path / "old-slots.json", program.book / "keyslots.json")
    program.secret.write_text(PASSPHRASE, encoding="utf-8")
    assert "没有损坏" in refused(program("key", "status", code=1), "key_slots_old")


def test_head_office_opens_a_found_book(program: Program, tmp_path: Path) -> None:
    secret = file(tmp_path / "company.txt", COMPANY_SECRET)
    out = tmp_path / "keys"
    made = program(
        "key", "company-new", "--out", str(out), "--name", "样例建工集团",
        "--company-passphrase-file", secret,
    )
    again = program(
        "key", "company-new", "--out", str(out), "--name", "样例建工集团",
        "--company-passphrase-file", secret, code=1,
    )
    refused(again, "file_exists")
    assert re.fullmatch(r"(\d{5} ){7}\d{5}", made["fingerprint"])
    assert Path(made["private"]).stat().st_mode & 0o077 == 0
    shown = program("key", "company", "show", made["public"])
    assert shown["fingerprint"] == made["fingerprint"]
    wrong = program("key", "company", "add", made["public"], "--fingerprint", "00000", code=1)
    refused(wrong, "fingerprint_differs")
    added = program(
        "key", "company", "add", made["public"], "--fingerprint", made["fingerprint"]
    )
    assert added["name"] == "样例建工集团"
    assert program("key", "company", "status")["company"]["id"] == made["id"]
    refused(
        program("key", "recover", "--company-key", made["private"], code=1),
        "company_passphrase_needed",
    )
    new = file(tmp_path / "new.txt", "公司恢复的口令\n")
    recovered = program(
        "key", "recover", "--company-key", made["private"], "--company-passphrase-file", secret,
        "--new-passphrase-file", new,
    )
    assert (recovered["opened_by"], recovered["way"]) == ("company", "passphrase")
    program.secret.write_text("公司恢复的口令\n", encoding="utf-8")
    assert program("key", "company", "remove") == {"company": None}
    assert program("key", "company", "status") == {"company": None}
