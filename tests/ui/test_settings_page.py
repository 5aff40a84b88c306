"""设置: users, keys, backups, the trail, terms of keeping; through the page's own widgets."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from desktop.access import users
from desktop.access.actor import Act, Actor, Role
from desktop.access.desk import Desk
from desktop.bootstrap import Office
from desktop.storage.keys import KeySlots, SlotName
from desktop.ui.actions import Command, PageName
from desktop.ui.shell.window import Window
from tests.conftest import PASSPHRASE
from tests.ui.conftest import Settle

ADMIN, OTHER = "白塔 松针 渡口 七", "石桥 夜雨 灯笼 八"


def _part(window: Window, desk: Desk, settle: Settle, name: str) -> Any:
    window.take_office(Office(desk.book, desk))
    assert window.frame is not None
    window.frame.show_page(PageName.SETTINGS, {"part": name})
    settle()
    return window.frame.page(PageName.SETTINGS).part(name)  # type: ignore[attr-defined]


def _panel(window: Window) -> Any:
    assert window.frame is not None
    return window.frame.page(PageName.SETTINGS).panel.content


def test_users_are_added_changed_and_shut_out(window: Window, desk: Desk, settle: Settle) -> None:
    part = _part(window, desk, settle, "users")
    assert [row.name for row in part.model.rows()] == ["管理员"]
    part.add_user()  # the administrator's own password comes first
    panel = _panel(window)
    for name in ("first", "second"):
        panel.form.put(name, ADMIN)
    panel.save()
    settle()
    part.add_user()
    panel = _panel(window)
    panel.form.put("name", "严工")
    panel.form.field("role").choose(Role.TECHNICIAN)
    panel.form.put("first", OTHER)
    panel.form.put("second", OTHER + "x")
    panel.save()
    settle()
    assert len(part.model.rows()) == 1  # typed differently: marked, nothing done
    panel.form.put("second", OTHER)
    panel.save()
    settle()
    assert [(row.name, row.role) for row in part.model.rows()] == [
        ("管理员", Role.ADMINISTRATOR), ("严工", Role.TECHNICIAN),
    ]
    part.open_user(2)
    _panel(window).set_role(Role.INSPECTOR)
    settle()
    assert part.model.rows()[1].role is Role.INSPECTOR
    part.open_user(2)
    _panel(window)._run(
        lambda desk: users.set_active(desk, "严工", False), "停用用户", "已停用"
    )
    settle()
    assert not part.model.rows()[1].active
    part.show_list("matrix")
    codes = [row.code for row in part.matrix.rows()]
    assert Act.PURGE_RUN.value in codes and "people" in codes
    ticks = {row.code: [column.text(row) for column in part.matrix.columns[2:]] for row in part.matrix.rows()}
    assert ticks["people"] == ["√", "√", "√", "√", "—"]  # a technician sees no people


def test_the_ways_to_open_the_book(window: Window, desk: Desk, settle: Settle) -> None:
    part = _part(window, desk, settle, "keys")
    assert part.status.passphrase and part.status.keyring == "none"
    before = KeySlots.read(desk.book.path).slots[SlotName.RECOVERY]
    part.renew_code()
    panel = _panel(window)
    proof = panel.proof
    proof.show_code(False)
    proof.finish()
    settle()
    assert KeySlots.read(desk.book.path).slots[SlotName.RECOVERY] == before  # not typed back yet
    for place in proof.asked():
        proof.type_back(place, proof.groups[place])
    proof.finish()
    settle()
    after = KeySlots.read(desk.book.path).slots[SlotName.RECOVERY]
    assert after != before
    from desktop.storage.recovery_code import secret_of

    code = "-".join(proof.groups)
    assert KeySlots.read(desk.book.path).open(SlotName.RECOVERY, secret_of(code)) is not None
    assert "旧恢复码作废" in window.messages.text()


def test_backups_are_made_checked_and_rehearsed(
    window: Window, desk: Desk, settle: Settle, tmp_path: Path
) -> None:
    part = _part(window, desk, settle, "backups")
    assert part._empty.isVisible()
    window.frame.run(Command.BACK_UP)  # type: ignore[union-attr]
    settle()
    (line,) = part.model.rows()
    assert line.known and line.proof is Act.BACKUP_CREATED and line.newest
    part.open_backup(line)
    panel = _panel(window)
    panel.verify()
    settle()
    assert panel.secret.isVisible()  # no keyring opens this book
    panel.secret.put("passphrase", PASSPHRASE)
    panel.verify()
    settle()
    assert "核对通过" in _words(panel), window.messages.text()
    assert part.model.rows()[0].proof is Act.BACKUP_VERIFIED
    panel.export_to(tmp_path / "stick")
    settle()
    assert (tmp_path / "stick" / line.info.name).is_dir()
    panel._drill()
    panel = _panel(window)
    panel.code.set_text("000011" * 8)
    panel.save()
    settle()
    assert "不是这个账本" in _words(panel)  # the wrong paper is what a rehearsal must find
    part.set_places()
    panel = _panel(window)
    (tmp_path / "second").mkdir()
    panel.form.put("place", str(tmp_path / "second"))
    panel.form.put("daily_at", "18：00")
    panel.save()
    settle()
    assert part.shelf.settings.second_place == str(tmp_path / "second")
    assert f"{part.shelf.settings.daily_at:%H:%M}" == "18:00"
    part.back_up()
    settle()
    assert part.shelf.status.second_copied_at is not None


def test_the_days_backup_is_made_in_the_background(
    window: Window, desk: Desk, settle: Settle
) -> None:
    from desktop.access.backup_desk import list_backups

    window.take_office(Office(desk.book, desk))
    settle()
    assert window.daily is not None
    window.daily.look()
    settle()
    assert [info.reason for info in list_backups(desk.book.path)] == ["daily"]
    window.daily.look()
    settle()
    assert len(list_backups(desk.book.path)) == 1  # nothing changed since


def test_the_trail_is_filtered_paged_and_exported(
    window: Window, desk: Desk, settle: Settle, tmp_path: Path
) -> None:
    officer = Desk(desk.book, 1, Actor("劳小专", Role.LABOUR_OFFICER))
    with desk.book.write() as session:
        for number in range(450):
            officer.audit(session, Act.PAPER_PRINTED, f"list:{number}", why=f"第{number}次")
        desk.audit(session, Act.BACKUP_CREATED, "backup:x")
    part = _part(window, desk, settle, "trail")
    whole = part.model.rowCount()
    assert whole >= 451 and part.model.row(0).act == "backup.created"
    assert part.model.row(440) is None  # asked for when seen
    settle()
    assert part.model.row(440).why == "第10次"
    part.actor.choose("劳小专")
    part.search.setText("第44")
    part.search.search_now()
    settle()
    assert part.model.rowCount() == 11
    part.open_row(0)
    assert "list:449" in _words(_panel(window)) or "449" in _words(_panel(window))
    part.export_to(tmp_path / "trail.csv")
    settle()
    assert (tmp_path / "trail.csv").read_text("utf-8-sig").count("第44") == 11
    part.first.setText("2030-01-01")
    settle()
    assert part.model.rowCount() == 0 and part._empty.isVisible()


def test_the_notes_of_an_act_stand_there_in_words() -> None:
    from desktop.ui.pages.settings.trail_words import noted

    told = {
        "role": "technician", "earlier": "project_manager", "ok": False, "removed": ["a", "b"],
        "heads": [{"project": 1, "sequence": 36}], "digest": "0123456789abcdef" * 4, "later": "x",
    }
    assert noted(told) == [
        ("角色", "技术员"), ("原来的角色", "项目经理"), ("通过", "否"), ("删去", "a、b"),
        ("内容到", "第36段"), ("校验值", " ".join(["0123456789abcdef"] * 4)), ("later", "x"),
    ]


def test_two_persons_and_a_waiting_time_before_anything_is_purged(
    window: Window, peopled: Desk, settle: Settle, tmp_path: Path
) -> None:
    from desktop.people.tables import Person, Stay

    users.set_password(peopled, "管理员", ADMIN)
    number = users.add_user(peopled, "宗经理", Role.PROJECT_MANAGER, OTHER)
    admin = replace(peopled, actor=Actor("管理员", Role.ADMINISTRATOR, 1))
    manager = replace(peopled, actor=Actor("宗经理", Role.PROJECT_MANAGER, number))
    with peopled.book.write() as session:
        for stay in session.query(Stay):
            stay.to_day = date(2026, 11, 20)
    part = _part(window, admin, settle, "retention")
    assert {row.state for row in part.terms.rows} <= {"locked", "none", "task"}
    part.set_dates()
    panel = _panel(window)
    panel.form.field("completed").set_day(date(2026, 11, 21))
    panel.form.put("completed_document", "竣工验收1号")
    panel.form.field("settled").set_day(date(2026, 11, 22))
    panel.form.put("settled_document", "结清表1号")
    panel.save()
    settle()
    assert (_ledger(part).state, _ledger(part).earliest) == ("kept", date(2029, 11, 22))
    part.add_hold()
    panel = _panel(window)
    panel.form.put("reason", "仲裁受理")
    panel.save()
    settle()
    assert part.models["holds"].rows()[0].scope == "全项目"
    clock: Any = peopled.clock
    clock.instant += timedelta(days=1200)
    window.idle.touch()  # three years without a touch would lock the window
    part.load()
    settle()
    assert _ledger(part).state == "held"
    part._open_hold(part.models["holds"].rows()[0])
    panel = _panel(window)
    panel.form.put("why", "已裁决")
    panel.save()
    settle()
    part._open_term(_ledger(part))
    panel = _panel(window)
    panel.form.put("why", "到期")
    panel.save()
    settle()
    part.show_list("purges")
    part._open_purge(part.models["purges"].rows()[0])
    _panel(window).approve()
    settle()
    assert "须由另一名用户批准" in window.messages.text()
    assert part.models["purges"].rows()[0].state == "proposed"
    part = _part(window, manager, settle, "retention")
    part._open_purge(part.models["purges"].rows()[0])
    _panel(window).approve()
    settle()
    clock.instant += timedelta(days=8)
    window.idle.touch()
    part = _part(window, admin, settle, "retention")
    part._open_purge(part.models["purges"].rows()[0])
    _answer("执行清除")
    _panel(window).execute()
    settle()
    assert "已执行" in window.messages.text()
    (purge,) = part.models["purges"].rows()
    assert purge.state == "finished"
    with peopled.book.read() as session:
        assert not any(person.name.startswith("甄") for person in session.query(Person))
    part._open_purge(purge)
    _panel(window).certify(tmp_path)
    settle()
    assert {path.suffix for path in tmp_path.glob("*证明*")} == {".pdf", ".json"}


def _ledger(part: Any) -> Any:
    return next(row for row in part.terms.rows if row.record_class.value == "ledger")


def _answer(text: str) -> None:
    """Press a button of the dialog that is about to open, by its words."""
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication, QMessageBox

    def press() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        next(b for b in box.buttons() if text in b.text()).click()

    QTimer.singleShot(150, press)


def test_what_a_role_may_not_is_hidden_or_grey_with_the_reason(
    window: Window, peopled: Desk, settle: Settle
) -> None:
    users.set_password(peopled, "管理员", ADMIN)
    number = users.add_user(peopled, "甄查", Role.INSPECTOR, OTHER)
    inspector = Desk(peopled.book, 1, Actor("甄查", Role.INSPECTOR, number))
    window.take_office(Office(peopled.book, inspector))
    frame = window.frame
    assert frame is not None
    settle()
    page: Any = frame.page(PageName.SETTINGS)
    assert [part.name for part in page.parts] == ["trail", "retention", "computer"]
    frame.show_page(PageName.ROSTER)
    roster: Any = frame.page(PageName.ROSTER)
    settle()
    assert roster.model.rowCount() == 40, window.messages.text()
    roster.open_stay(roster.model.id_at(0))
    settle()
    reveal = roster.panel.content._show
    assert not reveal.isEnabled() and "请由" in reveal.toolTip()
    reveal.setEnabled(True)
    assert not reveal.isEnabled()  # whatever a page does, it stays grey
    frame.run(Command.IMPORT_ROSTER)
    assert "不能做「导入花名册" in window.messages.text()
    roster.panel.content.reveal("好奇")  # past the window: the service refuses
    settle()
    assert "不能做" in window.messages.text() and "*" in roster.panel.content._row.id_number


def test_today_names_what_the_books_safety_asks_for(
    window: Window, peopled: Desk, settle: Settle
) -> None:
    users.set_password(peopled, "管理员", ADMIN)
    with peopled.book.write() as session:
        for _ in range(4):
            peopled.audit(session, Act.LOGIN_FAILED, "user:1", failures=1)
    window.take_office(Office(peopled.book, peopled))
    settle()
    page: Any = window.frame.page(PageName.TODAY)  # type: ignore[union-attr]
    words = [task.text for task in page.agenda.tasks]
    assert "账本还没有备份" in words and "备份只在这台电脑上" in words
    assert "上次登录以来，有 4 次登录失败" in words
    page._go(next(task for task in page.agenda.tasks if "登录失败" in task.text))
    settle()
    trail = window.frame.page(PageName.SETTINGS).part("trail")  # type: ignore[union-attr]
    assert trail.model.rowCount() == 4


def test_somebody_elses_change_is_said_and_laid_under_the_own_one(
    window: Window, desk: Desk, settle: Settle
) -> None:
    from desktop.board.edit import set_items

    window.take_office(Office(desk.book, desk))
    frame = window.frame
    assert frame is not None
    frame.show_page(PageName.BOARD)
    page: Any = frame.page(PageName.BOARD)
    settle()
    page.form.put("legal_aid", "甲律所")
    admin = Desk(desk.book, 1, Actor("乙管理", Role.ADMINISTRATOR))
    set_items(admin, {"legal_aid": "乙律所", "arbitration": "乙仲裁院"})
    page.save()
    settle()
    assert "乙管理" in window.messages.text() and "未保存" in window.messages.text()
    assert window.messages._act.text() == "刷新"
    window.messages._act.click()
    settle()
    assert page.form.value("arbitration") == "乙仲裁院"  # theirs is here now
    assert page.form.value("legal_aid") == "甲律所"  # and mine on top, still to be saved
    page.save()
    settle()
    assert not page.form.is_dirty() and "已保存" in window.messages.text()


@pytest.mark.parametrize("minutes", [1, 60])
def test_the_idle_time_is_set_on_this_computer(
    window: Window, desk: Desk, settle: Settle, minutes: int
) -> None:
    part = _part(window, desk, settle, "computer")
    part.minutes.choose(minutes)
    assert window.preferences.lock_minutes == minutes and window.idle._minutes == minutes
    window.idle._clock.instant += timedelta(minutes=minutes - 0.5)  # type: ignore[union-attr]
    window.idle.look()
    assert not window.lock.is_locked
    window.idle.touch()


def _words(widget: Any) -> str:
    from PySide6.QtWidgets import QLabel

    return " ".join(label.text() for label in widget.findChildren(QLabel))
