"""Opening, closing, a second start, a crash, and the steps of a new book."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from desktop.access.desk import Desk
from desktop.bootstrap import Office
from desktop.ui import crash
from desktop.ui.actions import PageName
from desktop.ui.pages.start.recovery import RecoveryStep
from desktop.ui.shell.window import Window
from desktop.ui.single import WindowSignal, raise_other
from tests.conftest import PASSPHRASE
from tests.sample_site import PROJECT_TOML
from tests.ui.conftest import Settle


def _answer(text: str) -> None:
    """Press a button of the dialog that is about to open, by its words."""

    def press() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        next(b for b in box.buttons() if text in b.text()).click()

    QTimer.singleShot(150, press)


def test_a_locked_book_asks_and_opens(
    window: Window, site_template: Path, tmp_path: Path, settle: Settle
) -> None:
    folder = tmp_path / "locked"
    shutil.copytree(site_template, folder)
    window.open_book(folder, None)
    settle()
    unlock = window.start.unlock
    assert window.start.stack.currentWidget() is unlock
    unlock.passphrase.setText("不对")
    QTest.keyClick(unlock.passphrase, Qt.Key.Key_Return)
    settle()
    assert window.start.stack.currentWidget() is unlock
    unlock.passphrase.setText(PASSPHRASE)
    QTest.keyClick(unlock.passphrase, Qt.Key.Key_Return)
    settle()
    assert window.frame is not None
    assert window.frame.header._project.text() == "样例花园一期工程"
    assert raise_other(folder)  # a second start finds this window
    office = window.office
    window._leave_book()
    settle()
    assert window.office is None and office is not None
    assert not raise_other(folder)


def test_a_new_book_step_by_step(window: Window, tmp_path: Path, settle: Settle) -> None:
    settings = tmp_path / "project.toml"
    settings.write_text(PROJECT_TOML, encoding="utf-8")
    window.start.show_wizard()
    wizard = window.start.wizard
    assert wizard is not None
    wizard.forward()
    assert wizard._stack.currentIndex() == 0  # name and code are missing
    wizard.project.read_file(settings)
    wizard.forward()
    assert wizard._stack.currentIndex() == 2  # the file already names the companies
    wizard.forward()
    assert wizard._stack.currentIndex() == 2  # the basis is the user's choice
    wizard.basis.choose("workday")
    wizard.forward()
    wizard.keep.set_folder(tmp_path / "new")
    wizard.keep.use_passphrase("口令 一二三")
    wizard.forward()
    settle()
    proof = wizard.findChildren(RecoveryStep)[0].proof
    proof.show_code(False)
    proof.type_back(proof.asked()[0], "000000")
    assert not proof.prove()
    assert window.frame is None  # set-up ends only after part of the code was typed back
    from reports.paper import texts

    words = "".join(texts(proof.document().pages[0]))
    assert all(group in words for group in proof.groups)
    for place in proof.asked():
        proof.type_back(place, proof.groups[place])
    proof.finish()
    settle()
    assert window.frame is not None and window.office is not None
    from desktop.site.queries import rule_for

    with window.office.book.read() as session:
        rule = rule_for(session, window.office.project_id, window.office.desk.clock.today())
    assert rule.basis == "workday"
    window.office.close()


def test_edits_are_not_lost_by_closing(
    window: Window, desk: Desk, settle: Settle, qtbot: Any
) -> None:
    window.take_office(Office(desk.book, desk))
    settle()
    page: Any = window.frame.page(PageName.TERMINALS)  # type: ignore[union-attr]
    window.frame.show_page(PageName.TERMINALS)  # type: ignore[union-attr]
    page.add_terminal()
    page.panel.content.form.field("name").setText("东门进")
    _answer("继续编辑")
    window.close()
    assert window.isVisible()
    _answer("放弃改动")
    QTest.keyClick(page.panel, Qt.Key.Key_Escape)
    assert page.panel.content is None


def test_pages_by_keyboard(opened: Window, settle: Settle) -> None:
    frame = opened.frame
    assert frame is not None
    shown = []
    for number in range(1, 8):
        QTest.keyClick(frame, Qt.Key(Qt.Key.Key_0 + number), Qt.KeyboardModifier.ControlModifier)
        settle()
        shown.append(frame.stack.currentWidget().name)  # type: ignore[attr-defined]
    assert shown == list(PageName)
    assert [w for w in QApplication.topLevelWidgets() if w.isVisible()] == [opened]
    month = frame.workspace.month
    QTest.keyClick(frame, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert frame.workspace.month < month


def test_every_control_has_a_name(opened: Window, settle: Settle) -> None:
    from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QComboBox, QLineEdit

    frame = opened.frame
    assert frame is not None
    nameless = []
    for name in PageName:
        frame.show_page(name)
        settle()
        page = frame.page(name)
        for kind in (QAbstractButton, QLineEdit, QComboBox, QAbstractItemView):
            for widget in page.findChildren(kind):
                inner = widget.parent() is not None and isinstance(
                    widget.parent(), QLineEdit | QComboBox | QAbstractItemView
                )
                text = getattr(widget, "text", lambda: "")()
                if widget.isVisible() and not inner and not (widget.accessibleName() or text):
                    nameless.append(f"{name.value}: {type(widget).__name__}")
    assert nameless == []


def test_a_second_window_only_calls_the_first(tmp_path: Path, qtbot: Any) -> None:
    assert not raise_other(tmp_path)
    first = WindowSignal(tmp_path)
    with qtbot.waitSignal(first.asked, timeout=3000):
        assert raise_other(tmp_path)
    first.close()


def test_a_crash_note_says_where_and_nothing_of_people(tmp_path: Path) -> None:
    secret = "张" + "三 41000019900307001" + "X"
    try:
        raise ValueError(secret)
    except ValueError as error:
        path = crash.write_note(error, tmp_path)
    assert path is not None
    note = path.read_text(encoding="utf-8")
    assert "test_window.py" in note and "ValueError" in note
    assert secret not in note
