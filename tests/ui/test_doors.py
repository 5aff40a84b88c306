"""The ways in: log-in with its waits, this computer's account, paper, head office, a backup."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.access import users
from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.clock import FixedClock
from desktop.errors import Refused
from desktop.storage.book import create_book, open_book
from desktop.storage.company_keys import new_company_keys
from desktop.ui.pages.start.recovered import RecoveredView
from desktop.ui.shell.window import Window
from tests.conftest import CHEAP, NOW, PASSPHRASE
from tests.sample_site import insert_project
from tests.ui.conftest import Settle

ADMIN, OFFICER = "白塔 松针 渡口 七", "石桥 夜雨 灯笼 八"


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A closed book with two users, opened by passphrase, and its recovery code."""
    folder = tmp_path_factory.mktemp("doors") / "book"
    clock = FixedClock(NOW)
    book, code = create_book(folder, clock, passphrase=PASSPHRASE, cost=CHEAP)
    with book:
        with book.write() as session:
            insert_project(session, clock, folder.parent)
        desk = Desk(book, 1, Actor("管理员", Role.ADMINISTRATOR))
        users.set_password(desk, "管理员", ADMIN)
        users.add_user(desk, "劳小专", Role.LABOUR_OFFICER, OFFICER)
    return folder, code




@pytest.fixture
def place(papers: tuple[Path, str], tmp_path: Path) -> tuple[Path, str]:
    """A copy of it, and the code."""
    import shutil

    return Path(shutil.copytree(papers[0], tmp_path / "book")), papers[1]


@pytest.fixture
def entered(window: Window) -> Iterator[None]:
    """Offices that the window itself opened are closed with the test."""
    yield
    if window.office is not None:
        window._part_from_book()
        window.office.close()


def _log_in(window: Window, name: str, password: str) -> Any:
    view = window.start.logins.view
    view.form.name.setCurrentText(name)
    view.form.password.setText(password)
    QTest.keyClick(view.form.password, Qt.Key.Key_Return)
    return view


@pytest.mark.usefixtures("entered")
def test_a_book_with_users_asks_who_is_there(
    window: Window, place: tuple[Path, str], settle: Settle
) -> None:
    window.open_book(place[0], PASSPHRASE)
    settle()
    view = window.start.logins.view
    assert window.start.stack.currentWidget() is view and view.account.isHidden()
    assert [view.form.name.itemText(k) for k in range(view.form.name.count())] == ["管理员", "劳小专"]
    for _ in range(5):
        _log_in(window, "劳小专", "不对不对不对不对")
        settle()
    assert "还要等" in view.form.trouble() and not view.form.password.isEnabled()
    assert not view._open.isEnabled()
    view.form._count_down()
    assert "29 秒" in view.form.trouble()
    view.form.forget()  # the window's own countdown is a courtesy: the service counts by itself
    _log_in(window, "劳小专", OFFICER)
    settle()
    assert "还要等" in view.form.trouble() and window.frame is None
    view.form.forget()
    _log_in(window, "管理员", ADMIN)
    settle()
    assert window.frame is not None and window.frame.workspace.desk.actor.name == "管理员"
    assert view.form.password.text() == "" and view.form.name.count() == 0


@pytest.mark.usefixtures("entered")
def test_the_computers_account_lets_in_whom_it_is_bound_to(
    window: Window, place: tuple[Path, str], settle: Settle
) -> None:
    with open_book(place[0], FixedClock(NOW), passphrase=PASSPHRASE) as book:
        users.bind_os_account(Desk(book, 1, Actor("管理员", Role.ADMINISTRATOR, 1)), "劳小专")
    window.open_book(place[0], PASSPHRASE)
    settle()
    view = window.start.logins.view
    assert view.account.isVisible()
    view.account.click()
    settle()
    assert window.frame is not None
    actor = window.frame.workspace.desk.actor
    assert (actor.name, actor.role) == ("劳小专", Role.LABOUR_OFFICER)
    assert "users" not in [p.name for p in _settings(window).parts]  # not for his role


@pytest.mark.usefixtures("entered")
def test_the_paper_opens_the_book_and_makes_a_new_way(
    window: Window, place: tuple[Path, str], settle: Settle
) -> None:
    folder, code = place
    window.open_book(folder, "不对")
    settle()
    entry = window.start.unlock.entry
    entry.show_way(1)
    groups = code.split("-")
    QTest.keyClicks(entry.code._fields[0], groups[0][:5] + str((int(groups[0][5]) + 1) % 10))
    assert "不对" in entry.code._notes[0].text()
    entry.give()
    assert "还没有输全" in entry._note.text() or "第 1 组" in entry._note.text()
    entry.code.set_text(code)
    assert entry.code.is_complete() and all("✓" in note.text() for note in entry.code._notes)
    entry.give()
    settle()
    _log_in(window, "管理员", ADMIN)
    settle()
    view = window.start.stack.currentWidget()
    assert isinstance(view, RecoveredView)
    view.use_passphrase("新口令 天晴 出海")
    view.save()
    settle()
    assert window.frame is not None, view.trouble.text()
    assert entry.code.text().replace("-", "") == ""
    with window.office.book.read() as session:  # type: ignore[union-attr]
        acts = session.connection().exec_driver_sql(
            "SELECT act FROM audit_act WHERE act = 'key.recovered'"
        ).all()
    assert len(acts) == 2  # opened by the paper; a new way made
    window.office.close()  # type: ignore[union-attr]
    with open_book(folder, FixedClock(NOW), passphrase="新口令 天晴 出海") as book:
        assert book.opened_by == "passphrase"


@pytest.mark.usefixtures("entered")
def test_a_forgotten_password_is_set_anew_with_the_paper(
    window: Window, place: tuple[Path, str], settle: Settle
) -> None:
    window.open_book(place[0], PASSPHRASE)
    settle()
    logins = window.start.logins
    logins.view.forgotten.emit()
    view = logins.forgotten
    view._form.field("name").choose("劳小专")  # type: ignore[union-attr]
    for name in ("first", "second"):
        view._form.put(name, "渔火 山门 九曲 桥")
    view.code.set_text(place[1])
    view._give()
    settle()
    assert window.start.stack.currentWidget() is logins.view
    assert view.code.text().replace("-", "") == ""
    _log_in(window, "劳小专", "渔火 山门 九曲 桥")
    settle()
    assert window.frame is not None


@pytest.mark.usefixtures("entered")
def test_head_office_opens_with_its_private_key(
    window: Window, place: tuple[Path, str], settle: Settle, tmp_path: Path
) -> None:
    from desktop.access.key_desk import add_company_slot
    from desktop.storage.company_keys import public_key

    private, public = new_company_keys("总部的口令 十个字以上", name="样例公司", cost=CHEAP)
    (tmp_path / "k.sitemuster-key").write_bytes(private)
    with open_book(place[0], FixedClock(NOW), passphrase=PASSPHRASE) as book:
        add_company_slot(Desk(book, 1, Actor("管理员", Role.ADMINISTRATOR, 1)), public_key(public))
    window.open_book(place[0], "不对")
    settle()
    entry = window.start.unlock.entry
    entry.show_way(2)
    entry._company.put("file", str(tmp_path / "k.sitemuster-key"))
    entry._company.put("passphrase", "不对不对不对不对不对")
    entry.give()
    settle()
    assert "口令不对" in window.start.unlock._why.text()
    entry._company.put("passphrase", "总部的口令 十个字以上")
    entry.give()
    settle()
    assert window.start.stack.currentWidget() is window.start.logins.view
    window.start.close_door()


@pytest.mark.usefixtures("entered")
def test_a_backup_becomes_the_book_again(
    window: Window, place: tuple[Path, str], settle: Settle, tmp_path: Path
) -> None:
    from desktop.access import backup_desk

    folder, code = place
    with open_book(folder, FixedClock(NOW), passphrase=PASSPHRASE) as book:
        desk = Desk(book, 1, Actor("管理员", Role.ADMINISTRATOR, 1))
        first = backup_desk.create_backup(desk)
        backup_desk.create_backup(desk)
    window.start.show_restore(first.path, folder)
    view: Any = window.start.stack.currentWidget()
    view.entry.code.set_text(code)
    view.entry.give()
    settle()
    assert "旧" in view.trouble() and view._accepted["backup_older"].isVisible()
    view._accepted["backup_older"].setChecked(True)
    view.entry.code.set_text(code)
    view.entry.give()
    settle()
    assert window.start.stack.currentWidget() is window.start.logins.view, view.trouble()
    assert [p for p in folder.parent.iterdir() if p != folder and p.is_dir()]  # kept beside
    _log_in(window, "管理员", ADMIN)
    settle()
    current = window.start.stack.currentWidget()
    if isinstance(current, RecoveredView):
        current.finished.emit(current._office)
        settle()
    assert window.frame is not None
    assert "已恢复到" in window.messages.text()


@pytest.mark.parametrize(
    "code, title", [
        ("keyring_unusable", "系统密钥环打不开"),
        ("keyring_entry_missing", "系统密钥环里没有这个账本的钥匙"),
        ("key_renewed", "账本已换过钥匙"), ("wrong_passphrase", ""),
    ],
)
def test_each_way_of_losing_the_key_has_its_own_words(window: Window, code: str, title: str) -> None:
    view = window.start.unlock
    view.show_folder(Path("账本"), Refused(code, "原因和下一步。"))
    assert title in view._title.text() and view._why.text() == "原因和下一步。"
    assert view._again.isHidden() is not code.startswith("keyring")
    assert view.entry.tabs.currentIndex() == (1 if code.startswith("keyring") else 0)


def _settings(window: Window) -> Any:
    from desktop.ui.actions import PageName

    assert window.frame is not None
    return window.frame.page(PageName.SETTINGS)
