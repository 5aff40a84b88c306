"""A book on a server: what other computers do is seen, and a server that goes away is said."""

from __future__ import annotations

from typing import Any

from desktop.bootstrap import Office
from desktop.punches.terminal_book import Edit, edit_terminal
from desktop.ui.actions import PageName
from desktop.ui.shell.window import Window
from tests.conftest import PASSPHRASE
from tests.punches.rig import emulator, stored, terminal
from tests.server.pcs import Pcs, pcs
from tests.ui.conftest import Settle

__all__ = ["pcs"]


def test_what_another_computer_does_is_seen_here(
    window: Window, pcs: Pcs, settle: Settle, qtbot: Any
) -> None:
    here, there = pcs.desk("劳资办公室"), pcs.desk("门卫室")
    terminal(here, "东门", "192.0.2.1:4370")
    window.take_office(Office(here.book, here))
    frame = window.frame
    assert frame is not None
    frame.show_page(PageName.TERMINALS)
    settle()
    page: Any = frame.page(PageName.TERMINALS)
    qtbot.waitUntil(lambda: window.neighbours is not None, timeout=5000)
    edit_terminal(there, "东门", Edit(name="东门进"))
    qtbot.waitUntil(
        lambda: [row.name for row in page.terminals.rows()] == ["东门进"], timeout=10_000
    )
    frame.show_page(PageName.SETTINGS, {"part": "sharing"})
    settle()
    part = frame.page(PageName.SETTINGS).part("sharing")  # type: ignore[attr-defined]
    assert {row.name for row in part.model.rows()} <= {"劳资办公室", "门卫室"}
    assert part.together.me == "劳资办公室" and not part.together.waiting.batches
    page.open_terminal(page.terminals.id_at(0))
    frame.show_page(PageName.TERMINALS)
    panel = page.panel.content
    panel._edit()
    form = page.panel.content.form
    form.put("address", "192.0.2.7:4370")
    edit_terminal(there, "东门进", Edit(address="192.0.2.8:4370"))
    page.panel.content.save()
    settle()
    said = window.messages.text()
    assert "门卫室用户" in said and "192.0.2.8" in said and "未保存" in said
    form.set_clean()
    window._part_from_book()


def test_the_server_goes_and_comes_back(
    window: Window, pcs: Pcs, settle: Settle, qtbot: Any
) -> None:
    here = pcs.desk("劳资办公室")
    with emulator(here, stored(5)) as unit:
        terminal(here, "东门", unit.address)
        window.take_office(Office(here.book, here))
        frame = window.frame
        assert frame is not None
        frame.show_page(PageName.TERMINALS)
        settle()
        page: Any = frame.page(PageName.TERMINALS)
        page.pull(["东门"])
        settle()
        assert page.panel.content.results[0].new == 5
        pcs.server.stop("fast")
        try:
            qtbot.waitUntil(lambda: "连不上服务器" in window.messages.text(), timeout=15_000)
            assert window.neighbours is not None and not window.neighbours.here
        finally:
            pcs.server.start()
        qtbot.waitUntil(lambda: "又连上服务器" in window.messages.text(), timeout=20_000)
        settle()
    window._part_from_book()


def test_opening_while_the_server_is_away_offers_to_collect(
    window: Window, pcs: Pcs, settle: Settle
) -> None:
    from desktop.bootstrap import open_office

    folder = pcs.setup("门卫室")
    office = open_office(folder, passphrase=PASSPHRASE)
    with emulator(office.desk, stored(7)) as unit:
        terminal(office.desk, "东门", unit.address)
        office.close()
        open_office(folder, passphrase=PASSPHRASE).close()  # this PC learns the terminals
        pcs.server.stop("fast")
        try:
            window.open_book(folder, PASSPHRASE)
            settle()
            view: Any = window.start.stack.currentWidget()
            assert "服务器" in view._title.text()
            view.collect()
            settle()
            words = " ".join(_words(view))
            assert "存在本机" in words and "等待入账" in words
        finally:
            pcs.server.start()
    view.again.emit()
    settle()
    assert window.office is not None and window.office.book.server is not None
    assert "已全部入账" in window.messages.text()
    window._part_from_book()
    window.office.close()


def _words(widget: Any) -> list[str]:
    from PySide6.QtWidgets import QLabel

    from desktop.ui.widgets.basics import Chip

    return [label.text() for label in widget.findChildren(QLabel)] + [
        chip.accessibleName() for chip in widget.findChildren(Chip)
    ]
