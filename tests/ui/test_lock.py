"""Locking: nothing personal stays in any widget, work goes on, what was typed comes back."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QInputDialog, QMessageBox, QToolTip

from desktop.access import users
from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.bootstrap import Office
from desktop.ui.actions import PageName
from desktop.ui.jobs import Lane
from desktop.ui.shell.window import Window
from tests.attendance.crew import hire
from tests.ui.conftest import Settle
from tests.ui.personal_texts import people_of, shown_texts

PASSWORD = "白塔 松针 渡口 七"


def _leaks(people: set[str]) -> list[tuple[str, str]]:
    return [(where, text) for where, text in shown_texts() if any(one in text for one in people)]


@pytest.fixture
def guarded(peopled: Desk) -> Desk:
    """Forty people, and an administrator with a password."""
    users.set_password(peopled, "管理员", PASSWORD)
    return replace(peopled, actor=Actor("管理员", Role.ADMINISTRATOR, 1))


def _show_people_everywhere(window: Window, settle: Settle) -> Any:
    """The roster with one person in clear, his completer, the search bar, a message, a tip."""
    frame = window.frame
    assert frame is not None
    settle()
    today = frame.page(PageName.TODAY)
    task = next(task for task in today.agenda.tasks if task.people)  # type: ignore[attr-defined]
    today._go(task)  # type: ignore[attr-defined]
    frame.show_page(PageName.ROSTER)
    roster: Any = frame.page(PageName.ROSTER)
    settle()
    roster.open_stay(roster.model.id_at(3))
    settle()
    roster.panel.content.reveal("监理抽查")
    settle()
    name = roster.model.row(3).name
    frame.open_bar()
    frame.bar.field.setText(name)
    frame.bar.field.search_now()
    settle()
    frame.show_page(PageName.ATTENDANCE)
    page: Any = frame.page(PageName.ATTENDANCE)
    settle()
    page.calendar.add_leave(None)
    leave = page.panel.content
    leave.person.setText(name)
    leave.person._search()
    settle()
    found = leave.person._model.stringList()[0]
    leave.person.setText(found)
    leave.form.put("reason", "回家收麦")
    window.messages.info(f"{name}的说明已提交。")
    QApplication.clipboard().setText(name)
    QToolTip.showText(QPoint(5, 5), name, page)
    return found


def test_nothing_personal_stays_in_any_widget(
    window: Window, guarded: Desk, settle: Settle, qtbot: Any
) -> None:
    window.take_office(Office(guarded.book, guarded))
    people = people_of(guarded)
    window.frame.workspace.set_month("2026-10")  # type: ignore[union-attr]
    chosen = _show_people_everywhere(window, settle)
    name = chosen.split("　")[0]
    assert len({where for where, _ in _leaks(people)}) > 5  # the walk sees what is there
    hold = threading.Event()
    window.jobs.submit(
        lambda progress, cancel: (progress(1, 2, name), hold.wait(20)), lambda _: None,
        lane=Lane.ACT, owner=window.frame, title=f"采集{name}", failed=pytest.fail,  # type: ignore[arg-type]
    )
    asked: list[str | None] = []

    def ask() -> None:  # a dialog is open when the time is up; its code must end well
        from desktop.ui.tables.export import ask_reason

        asked.append(ask_reason(window.frame, name, f"查看{name}"))  # type: ignore[arg-type]

    def expire() -> None:
        assert isinstance(QApplication.activeModalWidget(), QInputDialog)
        guarded.clock.instant += timedelta(minutes=11)  # type: ignore[attr-defined]
        window.idle.look()

    QTimer.singleShot(100, expire)
    ask()
    qtbot.waitUntil(lambda: window.lock.is_locked and window.frame is None, timeout=5000)
    assert asked == [None]
    qtbot.waitUntil(lambda: window.lock.view.form is not None, timeout=5000)
    assert _leaks(people) == []
    assert "后台工作仍在进行" in window.busy._title.text()  # collecting goes on
    window.messages.warn(f"{name}的卡有两张。")
    assert window.messages.text() == "" and _leaks(people) == []
    hold.set()
    settle()
    assert _leaks(people) == []

    view = window.lock.view
    assert view.form is not None
    view.form.password.setText("不对不对不对")
    QTest.keyClick(view.form.password, Qt.Key.Key_Return)
    settle()
    assert window.frame is None and "密码不对" in view.form.trouble()
    view.form.password.setText(PASSWORD)
    QTest.keyClick(view.form.password, Qt.Key.Key_Return)
    settle()
    frame = window.frame
    assert frame is not None
    current: Any = frame.stack.currentWidget()
    assert (current.name, frame.workspace.month) == (PageName.ATTENDANCE, "2026-10")
    leave = current.panel.content
    assert leave.form.value("reason") == "回家收麦" and leave.person.text() == chosen
    assert leave.person.person_id() is not None and leave.is_dirty()
    assert "已完成" in window.messages.text()  # the job that ended meanwhile
    with guarded.book.read() as session:
        acts = session.connection().exec_driver_sql(
            "SELECT act FROM audit_act ORDER BY id DESC LIMIT 3"
        ).scalars().all()
    assert acts == ["screen.unlocked", "login.failed", "screen.locked"]
    current.panel.content.form.set_clean()


def test_the_picture_of_a_locked_window_does_not_depend_on_the_people(
    window: Window, guarded: Desk, settle: Settle
) -> None:
    pictures = []
    for people in (True, False):
        window.take_office(Office(guarded.book, guarded))
        settle()
        if people:
            _show_people_everywhere(window, settle)
        window.lock.lock()
        settle()
        assert bool(window.lock.unsaved()) is people
        view = window.lock.view
        assert view.held is not None
        view.show_held(replace(view.held, unsaved=()))
        settle()
        window.setFocus()  # no cursor blinks in the picture
        pictures.append(window.grab().toImage())
        window.lock.forget()

    assert pictures[0] == pictures[1]


def test_a_book_without_a_password_can_only_be_hidden(
    window: Window, desk: Desk, settle: Settle
) -> None:
    users.set_password(desk, "管理员", PASSWORD)  # the sample book itself has a passphrase
    office = Office(desk.book, replace(desk, actor=Actor("管理员", Role.ADMINISTRATOR)))
    window.take_office(office)
    settle()
    window.lock.lock()
    settle()
    view = window.lock.view
    assert view.held is not None and view.held.asks == "password"
    view.show_held(replace(view.held, asks=""))
    assert "锁不住" in view._note.text() and view.form is None
    view.give()
    settle()
    assert window.frame is not None


def test_a_passphrase_unlocks_a_book_of_one(
    window: Window, desk: Desk, settle: Settle
) -> None:
    from tests.conftest import PASSPHRASE

    window.take_office(Office(desk.book, desk))
    settle()
    QTest.keyClick(window.frame, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    settle()
    form = window.lock.view.form
    assert form is not None and window.frame is None
    form.password.setText(PASSPHRASE + "x")
    form.give()
    settle()
    assert "口令不对" in form.trouble()
    form.password.setText(PASSPHRASE)
    form.give()
    settle()
    assert window.frame is not None and not window.lock.is_locked


def test_somebody_else_logs_in_and_the_edits_wait(
    window: Window, guarded: Desk, settle: Settle
) -> None:
    hire(guarded, 7, "钢筋班")
    users.add_user(guarded, "严工", Role.TECHNICIAN, "石桥 夜雨 灯笼 八")
    window.take_office(Office(guarded.book, guarded))
    frame = window.frame
    assert frame is not None
    frame.show_page(PageName.TERMINALS)
    settle()
    page: Any = frame.page(PageName.TERMINALS)
    page.add_terminal()
    page.panel.content.form.put("name", "东门进")
    page.panel.content.form.put("password", "secret")
    window.lock.lock(for_another=True)
    settle()
    form = window.lock.view.form
    assert form is not None and form.name.count() == 2
    form.name.setCurrentText("严工")
    form.password.setText("石桥 夜雨 灯笼 八")
    form.give()
    settle()
    frame = window.frame
    assert frame is not None and frame.workspace.desk.actor.name == "严工"
    assert frame.page_names == [PageName.TODAY, PageName.TERMINALS, PageName.SETTINGS]
    assert not frame.page(PageName.TERMINALS).is_dirty()
    window.lock.lock()
    settle()
    window.lock.view.others_asked.emit()
    settle()
    form = window.lock.view.form
    assert form is not None
    form.name.setCurrentText("管理员")
    form.password.setText(PASSWORD)
    form.give()
    settle()
    frame = window.frame
    assert frame is not None
    page = frame.page(PageName.TERMINALS)
    assert page.panel.content.form.value("name") == "东门进"
    assert page.panel.content.form.value("password") == ""  # secrets are typed again
    page.panel.content.form.set_clean()


def test_closing_a_locked_window_asks_about_the_edits_that_wait(
    window: Window, guarded: Desk, settle: Settle, qtbot: Any
) -> None:
    window.take_office(Office(guarded.book, guarded))
    frame = window.frame
    assert frame is not None
    frame.show_page(PageName.TERMINALS)
    settle()
    page: Any = frame.page(PageName.TERMINALS)
    page.add_terminal()
    page.panel.content.form.put("name", "东门进")
    window.lock.lock()
    settle()
    assert "设备" in window.lock.view._note.text()
    _answer("不做改动")
    window.close()
    assert window.isVisible() and window.lock.unsaved() == ["管理员：设备"]
    _answer("放弃改动并关闭")
    window.close_book()
    settle()
    assert window.office is None and window.lock.unsaved() == []
    assert window.start.stack.currentWidget() is window.start.welcome


def _answer(text: str) -> None:
    """Press a button of the dialog that is about to open, by its words."""

    def press() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        next(b for b in box.buttons() if text in b.text()).click()

    QTimer.singleShot(150, press)


def test_every_panel_that_asks_about_edits_can_be_made_again() -> None:
    import importlib
    import pkgutil

    from desktop.ui import pages
    from desktop.ui.widgets.panel import FormContent, PanelContent

    for module in pkgutil.walk_packages(pages.__path__, pages.__name__ + "."):
        importlib.import_module(module.name)

    def below(kind: type) -> list[type]:
        return [kind, *(one for sub in kind.__subclasses__() for one in below(sub))]

    forgetful = [
        kind.__name__ for kind in below(PanelContent)
        if kind not in (PanelContent, FormContent) and not kind.__subclasses__()
        and kind.is_dirty is not PanelContent.is_dirty
        and kind.again is PanelContent.again
    ]
    assert forgetful == []
