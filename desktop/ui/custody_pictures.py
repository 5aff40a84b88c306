"""Pictures of the ways in, of 设置 and of the locked window; see :mod:`desktop.ui.screenshots`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.errors import Refused
from desktop.ui.actions import PageName
from desktop.ui.i18n import tr

if TYPE_CHECKING:
    from desktop.bootstrap import Office
    from desktop.ui.shell.window import Window

_CODE = "004202-000011-720885-000022-000033-000044-000055-000066"
"""Of no book: eight groups that are right in themselves."""


def doors(window: Window, office: Office, somewhere: Path) -> Iterator[str]:
    """Log-in, forgotten password, recovery, a new everyday way, restore."""
    from desktop.bootstrap import LockedOffice
    from desktop.ui.pages.start.login import Door
    from desktop.ui.pages.start.recovered import RecoveredView

    start = window.start
    locked_office = LockedOffice(office.book, office.project_id)
    names = locked_office.user_names
    if names:
        start.logins.show_door(somewhere, Door(locked_office, names, "office"))
        yield "start-login"
        wait = Refused("login_held", "", wait_s=47)
        start.logins.view.form.name.setCurrentText(names[0])
        start.logins.view.refuse(wait)
        yield "start-wait"
        start.logins._show_forgotten()
        yield "start-forgotten"
        start.logins._door = None  # the office is its owner's
    missing = Refused(
        "keyring_entry_missing",
        tr("系统密钥环里没有（或不再是）这个账本的密钥：可能换了电脑或用户，或密钥环被重置。账本没有打开，未做任何改动。请用打印的恢复码打开。"),
    )
    start.unlock.show_folder(somewhere, missing)
    start.stack.setCurrentWidget(start.unlock)
    wrong = _CODE.split("-")[:4]
    start.unlock.entry.code.set_text("".join(wrong[:3]) + "123456")
    yield "start-unlock"
    start.unlock.forget()
    view = RecoveredView(office, window.jobs)
    start.stack.addWidget(view)
    start.stack.setCurrentWidget(view)
    yield "start-recovered"
    start.stack.removeWidget(view)
    view.deleteLater()
    start.show_restore(somewhere / "backups" / "20261103-165800", somewhere)
    yield "start-restore"
    start.show_welcome()


def settings(window: Window, frame: Any) -> Iterator[str]:
    """Every part of 设置 with a panel where it has one."""
    from desktop.ui.screenshots import settle

    frame.show_page(PageName.SETTINGS)
    page = frame.page(PageName.SETTINGS)
    settle(window)
    users = page.show_part("users")
    settle(window)
    if users.model.rowCount() > 1:
        users.open_user(users.model.id_at(1))
    yield "settings-users"
    page.panel.close_panel()
    users.show_list("matrix")
    yield "settings-matrix"
    keys = page.show_part("keys")
    settle(window)
    yield "settings-keys"
    keys.renew_code()
    page.panel.content.proof.show_code(False)  # a picture shows no code that could be one
    yield "settings-code"
    page.panel.close_panel()
    backups = page.show_part("backups")
    settle(window)
    if backups.model.rowCount():
        backups.open_backup(backups.model.row(backups.model.rowCount() - 1))
    yield "settings-backups"
    if backups.model.rowCount():
        page.panel.content._restore()
        yield "settings-restore"
    page.panel.close_panel()
    trail = page.show_part("trail")
    settle(window)
    trail.open_row(4)
    yield "settings-trail"
    page.panel.close_panel()
    retention = page.show_part("retention")
    settle(window)
    retention._open_term(retention.models["terms"].row(0))
    yield "settings-retention"
    page.panel.close_panel()
    retention.show_list("tasks")
    settle(window)
    yield "settings-removals"
    page.show_part("computer")
    yield "settings-computer"


def locked(window: Window) -> Iterator[str]:
    """The window after Ctrl+L, with something unsaved behind it."""
    from desktop.ui.screenshots import settle

    frame = window.frame
    assert frame is not None
    frame.show_page(PageName.TERMINALS)
    settle(window)
    page: Any = frame.page(PageName.TERMINALS)
    page.add_terminal()
    page.panel.content.form.put("name", "西门进")
    window.lock.lock()
    settle(window)
    yield "start-locked"
    window.lock.forget()
