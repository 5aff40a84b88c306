"""The papers of a month: which files, whose rows, which identities, and nothing half-done."""

from __future__ import annotations

import hashlib
import os
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from desktop.access.desk import Desk
from desktop.board import edit as board_edit
from desktop.clock import FixedClock
from desktop.errors import EnvironmentFault, Refused
from desktop.jobs import CancelToken
from desktop.months import leaves
from desktop.months.freeze import freeze_month
from desktop.months.papers import export_month, preview_papers
from desktop.months.slip import export_slip
from desktop.months.tables import LeaverSlip, MonthPage
from desktop.storage import chain
from reports.paper import texts
from tests.attendance.crew import MONTH, Member, gates, hire, punched, whole_days

GENERAL = "示范建设集团有限公司"


@pytest.fixture
def crew(desk: Desk, clock: FixedClock) -> tuple[Desk, dict[str, int], list[Member]]:
    """A team of 21 (two pages), a person who changed teams, a project manager."""
    clock.instant = datetime(2026, 12, 2, 0, 0, tzinfo=UTC)
    places = gates(desk)
    members = [hire(desk, 1001 + n, "钢筋班") for n in range(21)]
    moved = hire(desk, 2001, "木工班", moves=(("架子班", date(2026, 11, 16)),))
    with desk.book.read() as session:
        from desktop.site import queries as site

        company = site.companies_of_kind(session, desk.project_id, "009")[0].name
    manager = hire(desk, 3001, None, trade="项目经理", company=company)
    for member in (*members, moved, manager):
        whole_days(desk, places, member, 2, 3, 4, 5, 18, 19)
    return desk, places, [*members, moved, manager]


@pytest.fixture
def frozen(crew: tuple[Desk, dict[str, int], list[Member]]) -> Desk:
    desk, _, _ = crew
    freeze_month(desk, MONTH, accept_open="样例")
    return desk


def test_an_unfrozen_month_has_no_papers(
    crew: tuple[Desk, dict[str, int], list[Member]], tmp_path: Path
) -> None:
    desk, _, _ = crew
    with pytest.raises(Refused, match="冻结"):
        export_month(desk, MONTH, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_every_paper_comes_as_pdf_and_docx(frozen: Desk, tmp_path: Path) -> None:
    files = export_month(frozen, MONTH, tmp_path / "out")
    kinds = sorted({file.kind for file in files})
    assert kinds == ["announcement", "managers", "notice", "sheet"]
    assert {file.path.suffix for file in files} == {".pdf", ".docx"}
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(f.path.name for f in files)
    for file in files:
        assert file.path.is_absolute()
        assert hashlib.sha256(file.path.read_bytes()).hexdigest() == file.sha256
        assert not re.search(r"工友|\d{11}", file.path.name)
    steel = [f for f in files if f.kind == "sheet" and f.team == "钢筋班"]
    assert {file.pages for file in steel} == {2}


def test_somebody_who_changed_teams_stands_once_in_each(frozen: Desk) -> None:
    sheets = [p for p in preview_papers(frozen, MONTH) if p.kind == "sheet"]
    found = {}
    for paper in sheets:
        words = [t for page in paper.document.pages for t in texts(page)]
        found[paper.team] = words.count("工友2001")
    assert found == {"钢筋班": 0, "木工班": 1, "架子班": 1}


def test_the_notice_has_no_number_of_any_person_but_the_worker_number(frozen: Desk) -> None:
    for paper in preview_papers(frozen, MONTH):
        if paper.kind != "notice":
            continue
        words = [t for page in paper.document.pages for t in texts(page)]
        assert any("预览" in word and "公示件" in word for word in words)
        assert not any("手印" in word for word in words)
        assert not any(re.search(r"\d{15}|1[3-9]\d{9}", word) for word in words)


def test_the_managers_sheet_states_the_eighty_percent(frozen: Desk) -> None:
    managers = next(p for p in preview_papers(frozen, MONTH) if p.kind == "managers")
    words = "".join(t for page in managers.document.pages for t in texts(page))
    assert "本月施工日30天，带班6天，占20%（要求不少于80%）" in words
    assert "手印" not in words


def test_pages_are_kept_once_with_their_identity(frozen: Desk, tmp_path: Path) -> None:
    export_month(frozen, MONTH, tmp_path / "a")
    with frozen.book.read() as session:
        pages = session.scalars(select(MonthPage)).all()
        codes = [page.code for page in pages if page.code]
    assert len(codes) == len(set(codes)) and all(len(code) == 63 for code in codes)
    export_month(frozen, MONTH, tmp_path / "b")
    export_month(frozen, MONTH, tmp_path / "c", paper="A4")
    with frozen.book.read() as session:
        a3 = session.scalar(
            select(func.count()).select_from(MonthPage).where(MonthPage.paper == "A3")
        )
        assert a3 == len(pages)
        readers = leaves.verify_readers(frozen.book.sealer)
        leaf_count = sum(1 for _ in readers[leaves.PAGE](session, frozen.project_id))
        assert leaf_count == session.scalar(select(func.count()).select_from(MonthPage))
    printed = next(p for p in preview_papers(frozen, MONTH) if p.team == "钢筋班")
    words = [t for page in printed.document.pages for t in texts(page)]
    assert any(codes[0][-32:][:8] in word for word in words), "readable beside the QR"


def test_a_reprint_equals_the_first_print(frozen: Desk, tmp_path: Path, clock: FixedClock) -> None:
    first = export_month(frozen, MONTH, tmp_path / "a")
    clock.instant = datetime(2026, 12, 9, 3, 0, tzinfo=UTC)
    again = export_month(frozen, MONTH, tmp_path / "b")
    assert [f.sha256 for f in first] == [f.sha256 for f in again]


def test_cancelling_leaves_no_file(frozen: Desk, tmp_path: Path) -> None:
    cancel = CancelToken()

    def stop_soon(done: int, total: int, text: str) -> None:
        if done == 2:
            cancel.set()

    from desktop.errors import Cancelled

    with pytest.raises(Cancelled):
        export_month(frozen, MONTH, tmp_path / "out", progress=stop_soon, cancel=cancel)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(frozen: Desk, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(EnvironmentFault):
        export_month(frozen, MONTH, tmp_path / "file" / "out")
    assert os.listdir(tmp_path / "file" if (tmp_path / "file").is_dir() else tmp_path)


def test_only_a3_and_a4_are_known(frozen: Desk, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="A5"):
        export_month(frozen, MONTH, tmp_path / "out", paper="A5")


def test_a_leaver_signs_before_the_month_ends(
    crew: tuple[Desk, dict[str, int], list[Member]], tmp_path: Path
) -> None:
    desk, places, _ = crew
    leaver = hire(desk, 4001, "木工班", left=date(2026, 11, 12))
    whole_days(desk, places, leaver, 9, 10)
    files = export_slip(desk, MONTH, 4001, date(2026, 11, 12), tmp_path / "out")
    assert {file.kind for file in files} == {"slip"} and len(files) == 2
    assert not any("工友" in file.path.name for file in files)
    freeze_month(desk, MONTH, accept_open="样例")
    carpenters = next(
        p for p in preview_papers(desk, MONTH) if p.kind == "sheet" and p.team == "木工班"
    )
    words = [t for page in carpenters.document.pages for t in texts(page)]
    assert "已退场，12日已签" in words
    with desk.book.read() as session:
        readers = leaves.verify_readers(desk.book.sealer)
        assert len(list(readers[leaves.SLIP](session, desk.project_id))) == 1
        assert session.scalar(select(func.count()).select_from(LeaverSlip)) == 1
        full = {
            **readers, "act": lambda *_: iter(()), "punches": lambda *_: iter(()),
        }
        verdict = chain.verify(session, desk.project_id, full)
        assert not [flaw for flaw in verdict.flaws if "退场" in flaw.text]


def test_a_slip_with_an_open_day_is_refused(
    crew: tuple[Desk, dict[str, int], list[Member]], tmp_path: Path
) -> None:
    desk, places, _ = crew
    leaver = hire(desk, 4002, "木工班", left=date(2026, 11, 12))
    punched(desk, places["进"], leaver, "11-11 07:00")
    with pytest.raises(Refused) as refusal:
        export_slip(desk, MONTH, 4002, date(2026, 11, 12), tmp_path / "out")
    assert refusal.value.code == "slip_open" and "11 日" in refusal.value.message
    with pytest.raises(Refused):
        export_slip(desk, MONTH, 4002, date(2026, 12, 1), tmp_path / "out")
    with pytest.raises(Refused):
        export_slip(desk, MONTH, 9999, date(2026, 11, 12), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_announcement_names_who_to_object_to(frozen: Desk) -> None:
    board_edit.set_items(frozen, {"project_dept_phone": "0391-0000005"})
    page = next(p for p in preview_papers(frozen, MONTH) if p.kind == "announcement")
    words = [t for sheet in page.document.pages for t in texts(sheet)]
    assert "关于2026年11月实名制考勤信息的公示" in words
    assert "公示期：自张贴次日起5日，即__月__日至__月__日" in words
    assert "0391-0000005" in words
