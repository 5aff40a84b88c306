"""The way to a printer: Qt's dialog, then the one painter of ``reports``, which checks the paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtPrintSupport import QAbstractPrintDialog, QPrintDialog, QPrinter
from PySide6.QtWidgets import QWidget

from desktop.errors import EnvironmentFault
from desktop.ui.i18n import tr
from reports.errors import ReportError

if TYPE_CHECKING:
    from desktop.ui.workspace import Messages
    from reports.paper import Document


def print_pages(parent: QWidget, document: Document, messages: Messages) -> bool:
    """Ask for a printer and print; True if everything was handed over."""
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setDocName(document.title)
    dialog = QPrintDialog(printer, parent)
    dialog.setWindowTitle(tr("打印：{title}", title=document.title))
    dialog.setMinMax(1, len(document.pages))
    dialog.setOption(QAbstractPrintDialog.PrintDialogOption.PrintPageRange, True)
    if dialog.exec() != QPrintDialog.DialogCode.Accepted:
        return False
    return send(document, printer, messages)


def send(document: Document, printer: QPrinter, messages: Messages) -> bool:
    """Print the chosen pages on a printer that is set up."""
    from reports.painter import print_document

    first, last = printer.fromPage(), printer.toPage()
    pages = range(first - 1, last) if first else range(len(document.pages))
    try:
        print_document(document, printer, pages=list(pages))
    except ReportError as error:
        messages.error(_sentence(error))
        return False
    messages.info(tr("已送打印机：{title}，{n} 页。", title=document.title, n=len(pages)))
    return True


def _sentence(error: ReportError) -> EnvironmentFault:
    if error.code == "paper_size":
        return EnvironmentFault(
            "printer_paper",
            tr(
                "打印机没有接受所需的纸张（需要 {wanted} 毫米，打印机给出 {got} 毫米），没有打印，以免裁掉内容。"
                "请在打印机里装好纸并选择对应纸张，或改用 A4 版、导出 PDF。",
                wanted=error.facts.get("wanted", ""), got=error.facts.get("got", ""),
            ),
        )
    return EnvironmentFault(
        "print_failed", tr("打印没有完成。请检查打印机是否开机、缺纸，再打印一次；也可以先导出 PDF。")
    )
