"""What a labour officer does on the pages, through their own widgets, on a real book."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest

from desktop.access.desk import Desk
from desktop.bootstrap import Office
from desktop.ui.actions import Command, PageName
from desktop.ui.shell.window import Window
from desktop.ui.widgets.basics import Chip
from tests.attendance.crew import gates, hire, punched, whole_days
from tests.people.sheets import rows_of, write_xlsx
from tests.punches.rig import emulator, stored, terminal, worker
from tests.ui.conftest import Settle


def _page(window: Window, name: PageName) -> Any:
    frame = window.frame
    assert frame is not None
    frame.show_page(name)
    return frame.page(name)


def _drop(page: Any, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    copy, button, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier
    page.dragEnterEvent(QDragEnterEvent(QPoint(9, 9), copy, data, button, none.NoModifier))
    page.dropEvent(QDropEvent(QPointF(9, 9), copy, data, button, none.NoModifier))


def test_a_spreadsheet_dropped_on_the_roster(opened: Window, settle: Settle, tmp_path: Path) -> None:
    page = _page(opened, PageName.ROSTER)
    settle()
    assert page._empty.isVisible()
    rows = rows_of(6)
    rows[2]["身份证号码"] = rows[2]["身份证号码"][:-1] + ("0" if rows[2]["身份证号码"][-1] != "0" else "1")
    _drop(page, write_xlsx(tmp_path / "r.xlsx", rows))
    settle()
    panel = page.panel.content
    assert [note.field for note in panel.rejected.rows()] == ["身份证号码"]
    assert page.model.rowCount() == 0  # checked only
    panel.store()
    settle()
    assert page.model.rowCount() == 5
    assert "新增 5" in opened.messages.text()


def test_search_by_pinyin_and_one_person(window: Window, peopled: Desk, settle: Settle) -> None:
    window.take_office(Office(peopled.book, peopled))
    page = _page(window, PageName.ROSTER)
    settle()
    with peopled.book.read() as session:
        name, initials = session.connection().exec_driver_sql(
            "SELECT name, initials FROM person ORDER BY worker_no LIMIT 1"
        ).one()
    page.search.setText(initials.split("|")[0])
    page.search.search_now()
    settle()
    assert name in [page.model.row(k).name for k in range(page.model.rowCount())]
    page.open_stay(page.model.id_at(0))
    settle()
    panel = page.panel.content
    assert "*" in panel._row.id_number
    panel.reveal("监理抽查")
    settle()
    assert "*" not in "".join(_texts(panel))  # shown whole, on this panel only
    with peopled.book.read() as session:
        why = session.connection().exec_driver_sql(
            "SELECT why FROM audit_act WHERE act = 'personal_data.shown'"
        ).scalars()
        assert list(why) == ["监理抽查"]


def test_the_command_bar_finds_people_pages_and_acts(
    window: Window, peopled: Desk, settle: Settle
) -> None:
    window.take_office(Office(peopled.book, peopled))
    settle()
    frame = window.frame
    assert frame is not None
    frame.open_bar()
    assert [hit.target for hit in frame.bar.hits()] == list(PageName)
    frame.bar.field.setText("kq")
    frame.bar.field.search_now()
    settle()
    assert PageName.ATTENDANCE in [hit.target for hit in frame.bar.hits()]
    frame.bar.field.setText("1")
    frame.bar.field.search_now()
    settle()
    assert any(isinstance(hit.target, int) for hit in frame.bar.hits())
    frame.bar.field.setText("tjkqj")
    frame.bar.field.search_now()
    settle()
    QTest.keyClick(frame.bar.field, Qt.Key.Key_Return)
    settle()
    assert frame.page(PageName.TERMINALS).panel.isVisible()


def test_why_explain_and_approve(window: Window, desk: Desk, settle: Settle) -> None:
    places, one, two = gates(desk), hire(desk, 7, "钢筋班"), hire(desk, 8, "钢筋班")
    whole_days(desk, places, one, 2, 3)
    punched(desk, places["进"], two, "11-03 07:02")
    window.take_office(Office(desk.book, desk))
    page = _page(window, PageName.ATTENDANCE)
    settle()
    row = next(k for k, r in enumerate(page.grid.model.rows()) if r.worker.worker_no == 8)
    page.grid.choose(row, 2)
    page.open_cells()
    panel = page.panel.content
    words = " ".join(_texts(panel))
    assert "07:02（进，进）" in words and "仅此一次" in words
    panel.form.field("text").setPlainText("下班漏打，班组长证明")
    panel.save()
    settle()
    assert page.grid.model.waits(row, 2)
    page.show_tab("explanations")
    page.explanations.view.selectRow(0)
    page.explanations.approve.click()
    settle()
    assert page.grid.model.person(row).symbols[2] == "补"
    assert page.grid.model.person(row).totals.confirmed == 2


def test_stop_work_from_the_calendar(window: Window, desk: Desk, settle: Settle) -> None:
    hire(desk, 7, "钢筋班")
    window.take_office(Office(desk.book, desk))
    page = _page(window, PageName.ATTENDANCE)
    settle()
    page.run(Command.STOP_WORK)
    panel = page.panel.content
    panel.form.field("first").setText("11-5")
    panel.form.field("last").setText("11-6")
    panel.save()
    assert panel.isVisible()  # the reason is missing and marked
    panel.form.field("reason").setText("暴雨")
    panel.save()
    settle()
    assert page.grid.model.person(0).symbols[4:6] == ["停", "停"]
    assert page.panel.content is None


def test_a_terminal_is_added_read_and_matched(window: Window, desk: Desk, settle: Settle) -> None:
    worker(desk, 300, "甄对号")
    memory = stored(12, people=2, first=300)
    with emulator(desk, memory) as unit:
        window.take_office(Office(desk.book, desk))
        page = _page(window, PageName.TERMINALS)
        settle()
        page.add_terminal()
        form = page.panel.content.form
        form.field("name").setText("东门进")
        form.field("address").setText(unit.address)
        page.panel.content.save()
        settle()
        page.pull(["东门进"])
        settle()
        result = page.panel.content.results[0]
        assert (result.new, result.complete) == (12, True)
    assert [row.number for row in page.unmatched.rows()] == ["301"]
    person = worker(desk, 900, "甄迟到")
    page.match("东门进")
    settle()
    panel = page.panel.content
    position = next(k for k, m in enumerate(panel.model.rows()) if m.number == "301")
    panel.view.selectRow(position)
    panel._person.set_person(person, 900, "甄迟到")
    panel.confirm()
    settle()
    assert page.unmatched.rows() == []


def test_a_terminal_that_does_not_answer(window: Window, desk: Desk, settle: Settle) -> None:
    terminal(desk, "死机", "")
    window.take_office(Office(desk.book, desk))
    page = _page(window, PageName.TERMINALS)
    settle()
    page.pull_all()
    assert "没有能联网采集" in window.messages.text()


def test_the_board_is_drawn_while_it_is_typed(opened: Window, settle: Settle) -> None:
    page = _page(opened, PageName.BOARD)
    settle()
    missing = [item.key for item in page.state.content.missing]
    page.form.field("legal_aid").setText("样例区法律援助中心，样例街3号，0391-0000004")
    page._typing.setInterval(0)
    page._typing.start()
    settle()
    from reports.paper import texts

    words = "".join(texts(page.paper._document.pages[0]))
    assert "样例区法律援助中心" in words
    page.save()
    settle()
    assert "legal_aid" not in [item.key for item in page.state.content.missing]
    assert len(page.state.content.missing) <= len(missing)


def test_a_month_is_frozen_with_a_reason_and_seen(
    window: Window, desk: Desk, settle: Settle, tmp_path: Path
) -> None:
    places, member = gates(desk), hire(desk, 7, "钢筋班")
    whole_days(desk, places, member, 2, 3)
    window.take_office(Office(desk.book, desk))
    page = _page(window, PageName.MONTH)
    settle()
    assert page.state.blocking and page.state.status.version is None
    page.freeze()
    page.panel.content.save()
    settle()
    assert page.state.status.version is None  # no reason, no freeze
    page.panel.content.form.field("reason").setPlainText("试印")
    page.panel.content.save()
    settle()
    assert page.state.status.version == 1
    assert page.papers.list.count() > 0
    assert page.papers.view._pictures  # a real page was painted
    page.export_to(tmp_path / "out")
    settle()
    assert any(path.suffix == ".pdf" for path in (tmp_path / "out").iterdir())


def test_today_leads_on(window: Window, desk: Desk, settle: Settle) -> None:
    hire(desk, 7, "钢筋班")
    gates(desk)
    window.take_office(Office(desk.book, desk))
    settle()
    page = _page(window, PageName.TODAY)
    tasks = page.agenda.tasks
    due = [task.due or date.max for task in tasks]
    assert due == sorted(due)
    assert all(task.act for task in tasks)
    terminals = next(task for task in tasks if task.page is PageName.TERMINALS)
    page._go(terminals)
    settle()
    assert window.frame.stack.currentWidget() is window.frame.page(PageName.TERMINALS)  # type: ignore[union-attr]
    assert window.frame.page(PageName.TERMINALS).panel.isVisible()  # type: ignore[union-attr]
    people = next((task for task in tasks if task.people), None)
    assert people is not None  # no contract, no registration: each with the next act


def _texts(widget: Any) -> list[str]:
    from PySide6.QtWidgets import QLabel

    return [label.text() for label in widget.findChildren(QLabel)] + [
        chip.accessibleName() for chip in widget.findChildren(Chip)
    ]
