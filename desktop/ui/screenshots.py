"""Draws every page and panel of an open office into PNG files, for the README and for looking.

Files are named ``<page>-<scale>-<theme>.png`` (``roster-150-dark.png``). Sharpest with one process
per scale: without a QApplication the scale becomes Qt's own; with one, pages are drawn larger.
Nothing of the office is changed; its owner closes it.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEventLoop, QSize, Qt, QTimer
from PySide6.QtGui import QImage, QImageWriter, QPixmap
from PySide6.QtWidgets import QApplication

from desktop.ui import theme
from desktop.ui.actions import PageName
from desktop.ui.custody_pictures import doors, locked, settings

if TYPE_CHECKING:
    from desktop.bootstrap import Office
    from desktop.ui.shell.window import Window

_SIZES = {100: QSize(1440, 900), 150: QSize(1280, 800), 200: QSize(960, 600)}
"""Logical sizes: a 1440 × 900 screen, 1920 × 1200 at 150 %, 1920 × 1200 at 200 %."""
_SOMEWHERE = Path("/home/user/实名台账本")
"""A picture shows no path of the machine it was drawn on."""
_LIMIT_MS = 60_000
_SETTLE_MS = 60

Draw = Callable[[str], None]


def draw_all(office: Office, out_dir: Path, scale: float = 1.0, dark: bool = False) -> list[Path]:
    """Draw everything at ``scale`` (1.0, 1.5 …); returns the files in drawing order."""
    percent = round(scale * 100)
    if QApplication.instance() is None:
        os.environ["QT_SCALE_FACTOR"] = f"{scale:g}"
    from desktop.ui.app import make_application
    from desktop.ui.preferences import Preferences
    from desktop.ui.shell.window import Window

    app = make_application()
    theme.apply(app, dark)
    out_dir.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    with tempfile.TemporaryDirectory(prefix="sitemuster-pictures-") as scratch:
        window = Window(Preferences(Path(scratch) / "settings.json"))
        window.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        window.resize(_SIZES.get(percent, _SIZES[100]))
        window.show()

        def draw(name: str) -> None:
            settle(window)
            _picture(window, scale)  # pages of paper are asked for when they are painted
            settle(window)
            path = out_dir / f"{name}-{percent}-{'dark' if dark else 'light'}.png"
            _save(_picture(window, scale), path)
            files.append(path)

        _start_pages(window, draw)
        for shot in doors(window, office, _SOMEWHERE):
            draw(shot)
        window.take_office(office)
        window.resize(_SIZES.get(percent, _SIZES[100]))
        try:
            for shot in _pages(window, office, Path(scratch)):
                draw(shot)
        finally:
            settle(window)
            window.office = None  # its owner closes it
            window.close()
            settle(window)
    return files


def settle(window: Window) -> None:
    """Let the lanes finish and the paint events happen."""
    loop = QEventLoop()
    watch = QTimer()
    watch.setInterval(_SETTLE_MS)
    watch.timeout.connect(lambda: loop.quit() if window.jobs.is_idle() else None)
    watch.start()
    QTimer.singleShot(_LIMIT_MS, loop.quit)
    loop.exec()
    QTimer.singleShot(_SETTLE_MS, loop.quit)
    loop.exec()


def _picture(window: Window, scale: float) -> QPixmap:
    """The window as it stands; drawn larger where the screen itself is not."""
    own = window.devicePixelRatioF()
    if abs(own - scale) < 0.01:
        return window.grab()
    picture = QPixmap(window.size() * scale)
    picture.setDevicePixelRatio(scale)
    window.render(picture)
    return picture


def _save(picture: QPixmap, path: Path) -> None:
    """As a PNG of the picture's own 256 commonest colours: a third of the size, and nothing to see."""
    image = picture.toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = memoryview(image.constBits()).cast("I")
    palette = [colour for colour, _ in Counter(pixels).most_common(256)]
    plain = Qt.ImageConversionFlag.ThresholdDither | Qt.ImageConversionFlag.AvoidDither
    writer = QImageWriter(str(path))
    writer.setQuality(0)  # of a PNG: the smallest file
    if not writer.write(image.convertToFormat(QImage.Format.Format_Indexed8, palette, plain)):
        raise OSError(writer.errorString())


def _start_pages(window: Window, draw: Draw) -> None:
    window.start.show_welcome()
    draw("start")
    window.start.show_wizard()
    wizard = window.start.wizard
    assert wizard is not None
    draw("start-project")
    wizard.show_step(1)
    draw("start-parties")
    wizard.show_step(2)
    wizard.basis.choose("verification")
    draw("start-basis")
    wizard.show_step(3)
    wizard.keep.set_folder(_SOMEWHERE)
    draw("start-keep")
    window.start.demo.set_folder(_SOMEWHERE.with_name("实名台演示"))
    window.start.show_demo()
    draw("start-demo")
    window.start.show_welcome()


def _pages(window: Window, office: Office, scratch: Path) -> Iterator[str]:
    """Walks through the pages; each name is drawn when it is yielded."""
    frame = window.frame
    assert frame is not None
    month = _closed_month(office)
    if month:
        frame.workspace.set_month(month)
    yield "today"
    yield from _roster(window, frame, office, scratch)
    yield from _terminals(window, frame)
    yield from _attendance(window, frame)
    yield from _month(window, frame)
    yield from _board(window, frame)
    yield from settings(window, frame)
    frame.show_page(PageName.TODAY)
    frame.open_bar()
    frame.bar.field.setText("zh")
    frame.bar.field.search_now()
    yield "search"
    frame.bar.hide()
    yield from locked(window)


def _roster(window: Window, frame: Any, office: Office, scratch: Path) -> Iterator[str]:
    frame.show_page(PageName.ROSTER)
    page = frame.page(PageName.ROSTER)
    yield "roster"
    if page.model.rowCount():
        page.open_stay(page.model.id_at(min(14, page.model.rowCount() - 1)))
        yield "roster-person"
    page.panel.close_panel()
    page.import_file(_sample_sheet(office, scratch))
    yield "roster-import"
    page.panel.close_panel()


def _terminals(window: Window, frame: Any) -> Iterator[str]:
    frame.show_page(PageName.TERMINALS)
    page = frame.page(PageName.TERMINALS)
    settle(window)
    if page.terminals.rowCount():
        page.open_terminal(page.terminals.id_at(0))
    yield "terminals"
    page.panel.close_panel()
    page.add_terminal()
    yield "terminals-add"
    page.panel.close_panel()
    names = [terminal.name for terminal in page.terminals.rows()]
    if names:
        page.match(names[min(2, len(names) - 1)])
        settle(window)
        page.panel.content.show_settled()
        yield "terminals-match"
        page.panel.close_panel()
    page.show_tab("downloads")
    yield "terminals-downloads"
    page.show_tab("terminals")


def _attendance(window: Window, frame: Any) -> Iterator[str]:
    frame.show_page(PageName.ATTENDANCE)
    page = frame.page(PageName.ATTENDANCE)
    settle(window)
    grid = page.grid
    found = _cell(grid.model)
    if found is not None:
        grid.choose(*found)
        grid.days.clearSelection()
    yield "attendance"
    if found is not None:
        grid.choose(*found)
        page.open_cells()
        yield "attendance-why"
        page.panel.close_panel()
    for name in ("findings", "explanations"):
        page.show_tab(name)
        settle(window)
        part = getattr(page, name)
        if part.model.rowCount():
            part.view.selectRow(0)
            part.open_first()
        yield f"attendance-{name}"
        page.panel.close_panel()
    page.show_tab("calendar")
    yield "attendance-calendar"
    page.show_tab("grid")


def _month(window: Window, frame: Any) -> Iterator[str]:
    frame.show_page(PageName.MONTH)
    page = frame.page(PageName.MONTH)
    settle(window)
    page.show_tab("papers")
    yield "month"
    page.freeze()
    yield "month-freeze"
    page.panel.close_panel()


def _board(window: Window, frame: Any) -> Iterator[str]:
    frame.show_page(PageName.BOARD)
    page = frame.page(PageName.BOARD)
    yield "board"
    page.facts.open_for("floor_wage.monthly")
    yield "board-panel"
    page.panel.close_panel()


def _cell(model: Any) -> tuple[int, int] | None:
    """A cell worth explaining: unresolved, else explained, else any."""
    for wanted in ("?", "补", "半", "√"):
        for row in range(model.rowCount()):
            symbols = model.person(row).symbols
            if wanted in symbols:
                return row, symbols.index(wanted)
    return None


def _closed_month(office: Office) -> str:
    """The newest frozen month, or an empty text."""
    from sqlalchemy import func, select

    from desktop.months.tables import MonthVersion

    with office.book.read() as session:
        newest = select(func.max(MonthVersion.month)).where(
            MonthVersion.project_id == office.project_id
        )
        return session.scalar(newest) or ""


def _sample_sheet(office: Office, scratch: Path) -> Path:
    """Six invented rows, three of them wrong, for a report worth looking at."""
    import xlsxwriter

    from desktop.people.rules import id_check_digit
    from desktop.site.queries import companies, teams

    with office.book.read() as session:
        team = next(iter(teams(session, office.project_id)), None)
        company = next(iter(companies(session, office.project_id))).name
    if team is not None:
        company = team.company
    heads = ("姓名", "身份证号码", "工种/岗位", "用人单位", "班组", "进场日期", "联系电话", "合同编号")
    today = office.desk.clock.today().isoformat()

    def number(born: date, order: int) -> str:
        body = f"410000{born:%Y%m%d}{order:03d}"
        return body + id_check_digit(body)

    good = [number(date(1980 + place, 3, 7), 11 + 2 * place) for place in range(6)]
    wrong = good[1][:17] + ("0" if good[1][17] != "0" else "1")
    rows = (
        ("甄试一", good[0], "钢筋工", today, "19900001001", "HT-9001"),
        ("甄试二", wrong, "钢筋工", today, "19900001002", "HT-9002"),
        ("", good[2], "钢筋工", today, "19900001003", "HT-9003"),
        ("甄试四", good[3], "木工", "2026-02-30", "19900001004", "HT-9004"),
        ("甄试五", good[4], "木工", today, "19900001005", ""),
        ("甄试六", good[5], "架子工", today, "19900001005", ""),
    )
    path = scratch / "新进场人员.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("花名册")
        sheet.write_row(0, 0, heads)
        for place, (name, identity, trade, day, phone, contract) in enumerate(rows, 1):
            values = (name, identity, trade, company, team.name if team else "", day, phone, contract)
            for at, value in enumerate(values):
                sheet.write_string(place, at, value)
    return path
