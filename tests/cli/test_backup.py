"""Backups on the command line: keys and types of the JSON, exit codes, sentences, an empty machine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.access.users import add_user, set_password
from desktop.cli.main import run
from desktop.clock import FixedClock
from desktop.storage import slot_change
from desktop.storage.book import open_book
from desktop.storage.pages import PAGE
from tests.conftest import CHEAP, NOW, PASSPHRASE
from tests.punches.rig import keep, punches, terminal

pytestmark = pytest.mark.file_only

CLOCK = FixedClock(NOW)
Command = Callable[..., Any]


class Site:
    """One book and the command line on it."""

    def __init__(self, book: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.book = book
        self.secret, self.code = folder / "pass.txt", folder / "recovery.txt"
        self.secret.write_text(PASSPHRASE + "\n", encoding="utf-8")
        self._capsys = capsys
        self.said = ""

    def __call__(self, *command: str, code: int = 0, book: Path | None = None) -> Any:
        """The JSON of a command that must end with ``code``."""
        self._capsys.readouterr()
        line = ["--data-dir", str(book or self.book), "--json", *self._opens(book), *command]
        ended = run(line)
        out, self.said = self._capsys.readouterr()
        assert ended == code, (command, ended, self.said)
        return json.loads(out)

    def text(self, *command: str, code: int = 0) -> str:
        """What a person reads."""
        self._capsys.readouterr()
        assert run(["--data-dir", str(self.book), *self._opens(None), *command]) == code
        return str(self._capsys.readouterr().out)

    def _opens(self, book: Path | None) -> list[str]:
        return [] if book is not None else ["--passphrase-file", str(self.secret)]

    def hurt(self, page: int) -> None:
        with (self.book / "book.db").open("r+b") as file:
            file.seek((page - 1) * PAGE + 700)
            file.write(b"\xa5" * 40)


@pytest.fixture
def site(desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Site:
    keep(desk, terminal(desk), punches(900))
    made = Site(desk.book.path, tmp_path, capsys)
    made.code.write_text(
        slot_change.renew_recovery_code(desk.book, cost=CHEAP) + "\n", encoding="utf-8"
    )
    desk.book.close()
    return made


def test_from_yesterdays_bundle_to_an_empty_machine(site: Site, tmp_path: Path) -> None:
    made = site("backup", "create")
    assert made["ok"] is True and made["reason"] == "manual" and made["second_ok"] is None
    (listed,) = site("backup", "list")
    assert (listed["name"], listed["digest"], listed["ok"]) == (made["name"], made["digest"], None)
    verdict = site("backup", "verify", made["name"])
    assert verdict["ok"] and verdict["ledger"]["ok"] and verdict["relation"] == "older"
    drilled = site("backup", "drill", "--recovery-file", str(site.code))
    assert drilled["ok"] and drilled["audited"] and drilled["differing"] == []
    before = site("ledger", "verify")

    bundle = Path(shutil.copytree(made["path"], tmp_path / "stick" / made["name"]))
    place = tmp_path / "another machine" / "book"
    wrong = site(
        "backup", "restore", str(bundle), "--recovery-file", str(site.secret), code=1, book=place
    )
    assert wrong["error"]["code"] == "recovery_code_mistyped" and not place.parent.exists()
    drilled = site("backup", "drill", str(bundle), "--recovery-file", str(site.code), book=place)
    assert drilled["ok"] and not drilled["audited"] and "没有和现有账本比较" in site.said
    report = site("backup", "restore", str(bundle), "--recovery-file", str(site.code), book=place)
    assert report["ledger"]["ok"] and report["replaced"] is None and report["missing"] == []
    site.book = place
    after = site("ledger", "verify")
    assert after["ok"] and after["punches"] == before["punches"] == 900
    assert after["segments"] == listed["heads"][0]["sequence"] + 1


def test_a_damaged_book_is_restored_or_salvaged(site: Site, tmp_path: Path) -> None:
    made = site("backup", "create")
    last = made["size"] // PAGE
    site.hurt(last - 2)
    refused = site("backup", "create", code=1)
    assert refused["error"]["code"] == "book_damaged"
    assert made["name"] in refused["error"]["message"]
    place = tmp_path / "saved"
    report = site("backup", "salvage", "--to", str(place))
    assert report["bad_pages"] == [last - 2] and report["folder"] == str(place)
    assert {"table", "saved", "filled", "lost"} <= set(report["tables"][0])
    again = site.text("backup", "salvage", "--to", str(tmp_path / "text"), "--without-backups")
    assert "损坏1页" in again and "抢救完成" in again
    back = site("backup", "restore", made["name"])
    assert back["ledger"]["ok"] and Path(back["replaced"]).is_dir()
    assert site("ledger", "verify")["punches"] == 900
    assert made["name"] in site.text("backup", "list")


def test_settings_and_the_second_place(site: Site, tmp_path: Path) -> None:
    place = tmp_path / "stick"
    missing = site("backup", "settings", "--second-place", str(place), code=1)
    assert missing["error"]["code"] == "second_place_missing"
    assert "未设置" in site.text("backup", "settings")
    place.mkdir()
    kept = site("backup", "settings", "--second-place", str(place), "--daily-at", "18:00")
    assert (kept["second_place"], kept["daily_at"], kept["due"]) == (str(place), "18:00", True)
    assert site("backup", "create")["second_ok"] is True
    shutil.rmtree(place)
    made = site("backup", "create")
    assert made["second_ok"] is False and "不在" in site.said
    for wrong, code in (
        (("--daily-at", "25:00"), "daily_at_wrong"),
        (("--second-place", str(tmp_path), "--no-second-place"), "second_place_twice"),
    ):
        assert site("backup", "settings", *wrong, code=1)["error"]["code"] == code
    assert site("backup", "settings", "--no-second-place", "--daily-at", "any") == {
        **site("backup", "settings"), "warning": None,
    }
    out = tmp_path / "out"
    exported = site("backup", "export", made["name"], "--to", str(out))
    assert Path(exported["path"]) == out / made["name"]
    assert site("backup", "verify", exported["path"])["ok"]
    assert site("backup", "verify", "no such", code=1)["error"]["code"] == "no_bundle"


def test_a_broken_backup_ends_with_1(site: Site) -> None:
    made = site("backup", "create")
    file = Path(made["path"]) / "book.db"
    content = bytearray(file.read_bytes())
    content[PAGE * 4 + 50] ^= 1
    file.write_bytes(content)
    verdict = site("backup", "verify", made["name"], code=1)
    assert verdict["ok"] is False and "第5页" in verdict["flaws"][0] and verdict["ledger"] is None
    refused = site("backup", "drill", code=1)
    assert refused["error"]["code"] == "bundle_damaged"
    (Path(made["path"]) / "book.db").unlink()
    assert "损坏" in site.text("backup", "list")


def test_the_living_book_asks_who_it_is(site: Site) -> None:
    made = site("backup", "create")
    with open_book(site.book, CLOCK, passphrase=PASSPHRASE) as book:
        desk = Desk(book, 1, Actor("管理员", Role.ADMINISTRATOR))
        set_password(desk, "管理员", "administrator 1")
        add_user(desk, "钱查", Role.INSPECTOR, "inspector pass 1")
    for command in (("verify", made["name"]), ("drill",), ("create",), ("restore", made["name"])):
        assert site("backup", *command, code=1)["error"]["code"] == "login_needed"
