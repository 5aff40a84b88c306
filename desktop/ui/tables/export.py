"""Every list can be kept as a spreadsheet and printed, with the masks of the screen.

A list leaving the program is audited before the file exists, one of people with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMenu, QToolButton, QWidget

from desktop.access.actor import Act, View
from desktop.errors import EnvironmentFault
from desktop.ui.i18n import tr
from desktop.ui.tables.columns import Column, printable
from desktop.ui.widgets.basics import icon_button
from desktop.ui.widgets.gate import gate
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from desktop.access.desk import Desk



@dataclass(frozen=True, slots=True)
class Listing:
    """A list as it leaves: ``rows(session)`` yields everything in the order of the screen.

    ``subject`` names it in the audit trail; ``personal`` lists ask for a reason. ``view`` is the
    area they are read from.
    """

    title: str
    subject: str
    columns: Sequence[Column[Any]]
    rows: Callable[[Session], Sequence[Any]]
    personal: bool = True
    view: View = View.PEOPLE


def output_button(
    workspace: Workspace, owner: QWidget, listing: Callable[[], Listing]
) -> QToolButton:
    """A small button with two acts: keep this list as a spreadsheet, print it."""
    opener = icon_button("print", tr("导出或打印本列表"))

    def show() -> None:
        menu = QMenu(opener)
        menu.setToolTipsVisible(True)
        keep = menu.addAction(tr("导出为表格（.xlsx）…"))
        keep.triggered.connect(lambda: export_listing(workspace, owner, listing()))
        paper = menu.addAction(tr("打印本列表…"))
        paper.triggered.connect(lambda: print_listing(workspace, owner, listing()))
        gate(keep, workspace, Act.LIST_EXPORTED)
        gate(paper, workspace, Act.PAPER_PRINTED)
        menu.popup(opener.mapToGlobal(QPoint(0, opener.height() + 2)))

    opener.clicked.connect(show)
    return opener


def ask_reason(owner: QWidget, title: str, text: str) -> str | None:
    """Why personal data is shown or taken out; None when the user stopped."""
    box = QInputDialog(owner)
    box.setWindowTitle(title)
    box.setLabelText(text)
    box.setOkButtonText(tr("继续"))
    box.setMinimumWidth(420)
    if box.exec() != QInputDialog.DialogCode.Accepted:
        return None
    return box.textValue().strip() or None


def export_listing(workspace: Workspace, owner: QWidget, listing: Listing) -> None:
    """Ask for reason and file, then write in the ACT lane."""
    why = _reason(owner, listing)
    if why is None:
        return
    name, _ = QFileDialog.getSaveFileName(
        owner, tr("导出{title}", title=listing.title), f"{listing.title}.xlsx",
        tr("表格文件 (*.xlsx)"),
    )
    if not name:
        return
    path = Path(name if name.endswith(".xlsx") else f"{name}.xlsx")

    def work(desk: Desk, progress: Any, cancel: Any) -> int:
        rows = gather(desk, listing, Act.LIST_EXPORTED, why)
        write_sheet(path, listing, rows)
        return len(rows)

    workspace.act(
        work,
        lambda count: workspace.messages.info(tr("已导出 {n} 行到 {path}。", n=count, path=path)),
        title=tr("导出{title}", title=listing.title), owner=owner,
    )


def print_listing(workspace: Workspace, owner: QWidget, listing: Listing) -> None:
    """Gather the rows, then ask for the printer."""
    from desktop.ui.printing import print_pages
    from desktop.ui.tables.paper import list_document

    why = _reason(owner, listing)
    if why is None:
        return

    def ready(rows: Sequence[Any]) -> None:
        subtitle = tr("共 {n} 行", n=len(rows))
        document = list_document(listing.title, subtitle, listing.columns, rows)
        print_pages(owner, document, workspace.messages)

    workspace.act(
        lambda desk, progress, cancel: gather(desk, listing, Act.PAPER_PRINTED, why), ready,
        title=tr("准备打印{title}", title=listing.title), owner=owner,
    )


def gather(desk: Desk, listing: Listing, act: Act, why: str) -> list[Any]:
    """All rows, with the audit row of the list that leaves already written."""
    desk.permit(act)
    with desk.look(listing.view) as session:
        rows = list(listing.rows(session))
    with desk.book.write() as session:
        desk.audit(
            session, act, f"list:{listing.subject}", why=why, rows=len(rows),
            personal=listing.personal,
        )
    return rows


def write_sheet(path: Path, listing: Listing, rows: Sequence[Any]) -> None:
    """One worksheet, texts as the screen shows them, the first row frozen."""
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False})
    sheet = book.add_worksheet(listing.title[:31])
    head = book.add_format({"bold": True, "bottom": 1})
    for place, column in enumerate(listing.columns):
        sheet.set_column(place, place, column.width * 2 + 2)
        sheet.write_string(0, place, tr(column.title), head)
    for number, row in enumerate(rows, 1):
        for place, text in enumerate(printable(listing.columns, row)):
            sheet.write_string(number, place, text)
    sheet.freeze_panes(1, 0)
    try:
        book.close()
    except FileCreateError as error:
        raise EnvironmentFault(
            "file_unwritable",
            tr("写不进「{name}」，没有导出。文件可能正在别的程序里打开，请关闭后重试或换个文件名。", name=path.name),
        ) from error


def _reason(owner: QWidget, listing: Listing) -> str | None:
    if not listing.personal:
        return ""
    return ask_reason(
        owner, tr("导出或打印{title}", title=listing.title),
        tr("名单离开程序要留痕。请写明用途（如：交监理检查）："),
    )


