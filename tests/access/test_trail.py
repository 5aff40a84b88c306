"""The trail of acts is found again, exported and proven; so are the users it speaks of."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest

from desktop.access import export, users
from desktop.access.actor import Act, Role
from desktop.access.desk import Desk
from desktop.access.login import log_in
from desktop.access.queries import (
    AuditQuery,
    AuditRow,
    audit_actors,
    audit_count,
    audit_rows,
    subject_name,
)
from desktop.bootstrap import Office, create_office
from desktop.clock import FixedClock
from desktop.errors import Cancelled, EnvironmentFault, NotPermitted, Refused
from desktop.jobs import CancelToken
from desktop.people.reveal import reveal
from desktop.people.spreadsheet import open_spreadsheet
from desktop.site.project_file import read_project_file
from desktop.site.teams import add_team
from desktop.storage.slot_change import set_passphrase
from tests.access.rig import PASSWORD, PEOPLE, desk_of, trail
from tests.conftest import CHEAP, NOW, PASSPHRASE
from tests.sample_site import PROJECT_TOML
from tests.storage.rig import database_key, forge

OFFICER = PEOPLE[Role.LABOUR_OFFICER]


@pytest.fixture
def busy(peopled: Desk, clock: FixedClock) -> Desk:
    """Two days of acts: 24 and 25 November 2026 on site."""
    add_team(peopled, "瓦工班", 3)
    clock.instant += timedelta(hours=8)  # past midnight on site
    own = Desk(peopled.book, 1, log_in(peopled.book, 1, OFFICER, PASSWORD))
    add_team(own, "油漆班", 3)
    with peopled.book.write() as session:
        peopled.audit(session, Act.PERSONAL_DATA_SHOWN, "person:7", why="监理 100%_核对", rows=1)
    return peopled


def found(desk: Desk, **wanted: object) -> list[AuditRow]:
    query = AuditQuery(**wanted)  # type: ignore[arg-type]
    with desk.book.read() as session:
        rows = audit_rows(session, 1, query)
        assert len(rows) == audit_count(session, 1, query)
    return rows


def test_the_newest_comes_first_in_words(busy: Desk) -> None:
    rows = found(busy)
    assert [row.act for row in rows][:3] == [
        "personal_data.shown", "project.changed", "login.done"
    ]
    assert rows[0].act_name == "查看完整证件号码等隐私信息" and rows[0].subject_name == "人员7号"
    assert rows[2].subject_name == f"用户「{OFFICER}」"
    assert rows[0].sequence > rows[1].sequence
    assert f"{rows[0].local:%Y-%m-%d %H:%M}" == "2026-11-25 00:00"


@pytest.mark.parametrize(("wanted", "acts"), [
    ({"act": Act.PROJECT_CHANGED}, ["project.changed"] * 2),
    ({"actor": OFFICER}, ["project.changed", "login.done"]),
    ({"first": date(2026, 11, 25)}, ["personal_data.shown", "project.changed", "login.done"]),
    ({"first": date(2026, 11, 25), "act": Act.USER_ADDED}, []),
    ({"last": date(2026, 11, 24), "act": Act.USER_ADDED}, ["user.added"] * 2),
    ({"text": "100%_"}, ["personal_data.shown"]),
    ({"text": "100_"}, []),
    ({"text": "项目 劳资员"}, ["project.changed"]),
    ({"text": "登录密码"}, ["password.set"]),
    ({"text": "labour_officer"}, ["user.added"]),
    ({"text": "用户「技术"}, []),
    ({"text": "技术丁"}, ["user.added"]),
])
def test_the_trail_is_searched(busy: Desk, wanted: dict[str, object], acts: list[str]) -> None:
    assert [row.act for row in found(busy, **wanted)] == acts


def test_pages_and_actors(busy: Desk) -> None:
    everything = found(busy)
    with busy.book.read() as session:
        pages = [audit_rows(session, 1, limit=2, offset=at) for at in range(0, len(everything), 2)]
        assert audit_actors(session, 1) == sorted({"管理员", OFFICER})
    assert [row for page in pages for row in page] == everything


def test_subjects_are_told_in_words() -> None:
    assert subject_name("terminal:3", {}) == "考勤机3号"
    assert subject_name("user:0", {}) == "没有的用户"
    assert subject_name("month:2026-06", {}) == "月份 2026-06"
    assert subject_name("board", {}) == "告示牌"
    assert subject_name("something:else", {}) == "something:else"


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_an_export_holds_what_was_chosen_and_is_itself_an_act(
    busy: Desk, tmp_path: Path, ending: str
) -> None:
    with busy.book.write() as session:
        busy.audit(session, Act.LIST_EXPORTED, "list:x", why='=HYPERLINK("http://x")')
    chosen = found(busy)
    path = tmp_path / "外发" / f"操作记录.{ending}"
    assert export.export_audit(busy, path) == len(chosen)
    if ending == "csv":
        assert path.read_bytes().startswith(b"\xef\xbb\xbf")
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
        assert rows[1][5] == '\'=HYPERLINK("http://x")'
    else:
        held = [cells for _, cells in open_spreadsheet(path).sheets.rows(0)]
        assert all(isinstance(cell, str) for cells in held for cell in cells.values())
        rows = [[str(cells.get(at, "")) for at in range(len(export.HEADS))] for cells in held]
        assert rows[1][5] == '=HYPERLINK("http://x")'
    assert tuple(rows[0]) == export.HEADS and len(rows) == len(chosen) + 1
    assert [row[6] for row in rows[1:]] == [row.act for row in chosen]
    (row,) = trail(busy, "audit.exported")
    assert row.facts["rows"] == len(chosen) and len(row.facts["sha256"]) == 64
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_an_export_that_fails_leaves_neither_file_nor_row(busy: Desk, tmp_path: Path) -> None:
    stop = CancelToken()
    stop.set()
    blocked = tmp_path / "file"
    blocked.write_text("x")
    for path, cancel, expected, code in (
        (tmp_path / "a.pdf", None, Refused, "audit_format"),
        (busy.book.path / "a.csv", None, Refused, "out_in_book"),
        (blocked / "a.csv", None, EnvironmentFault, "export_unwritable"),
        (tmp_path / "a.csv", stop, Cancelled, "cancelled"),
    ):
        with pytest.raises(expected) as raised:
            export.export_audit(busy, path, cancel=cancel)
        assert raised.value.code == code
    assert trail(busy, "audit.exported") == [] and list(tmp_path.glob("*.csv")) == []
    with pytest.raises(NotPermitted):
        export.export_audit(desk_of(busy, Role.INSPECTOR), tmp_path / "b.csv")


def test_a_number_in_clear_leaves_its_reason(desk: Desk) -> None:
    """The person is not there: what is refused leaves nothing, see the people's own tests."""
    with pytest.raises(Refused) as refused:
        reveal(desk, 1, "  ")
    assert refused.value.code == "reason_missing"
    assert trail(desk, "personal_data.shown") == []


# ── what was written beside us ──────────────────────────────────────────────────────────────────


def flaws_after(desk: Desk, *statements: str) -> str:
    """What verification says after a foreign hand ran ``statements``."""
    office = Office(desk.book, desk)
    assert office.verify_ledger().ok
    forge(desk.book.database_file, database_key(desk.book), *statements)
    verdict = office.verify_ledger()
    assert verdict.ok is not bool(verdict.flaws)
    return "\n".join(verdict.flaws)


@pytest.mark.file_only
@pytest.mark.parametrize(("statement", "word"), [
    ("UPDATE app_user SET role = 'administrator' WHERE id = 2", "角色"),
    ("UPDATE app_user SET active = 0 WHERE id = 1", "启用状态"),
    ("UPDATE app_user SET password_hash = (SELECT password_hash FROM app_user WHERE id = 1)"
     " WHERE id = 2", "登录密码"),
    ("UPDATE app_user SET os_account = 'uid:0@x root' WHERE id = 1", "电脑账户绑定"),
    ("INSERT INTO app_user (name, role, active) VALUES ('影子', 'administrator', 1)", "来历"),
    ("DELETE FROM app_user WHERE id = 2", "少了1个用户"),
])
def test_a_user_changed_by_another_program_is_found(
    peopled: Desk, statement: str, word: str
) -> None:
    assert word in flaws_after(peopled, statement)


def test_users_with_a_history_hold(peopled: Desk) -> None:
    users.set_role(peopled, OFFICER, Role.PROJECT_MANAGER)
    users.set_active(peopled, OFFICER, False)
    users.set_active(peopled, OFFICER, True)
    users.bind_os_account(peopled, OFFICER)
    users.set_password(peopled, OFFICER, "又换了一个新密码")
    users.unbind_os_account(peopled, OFFICER)
    log_in(peopled.book, 1, OFFICER, "又换了一个新密码")
    assert Office(peopled.book, peopled).verify_ledger().ok


@pytest.mark.file_only
def test_a_trail_that_cannot_be_read_is_a_flaw_not_a_crash(peopled: Desk) -> None:
    said = flaws_after(peopled, "UPDATE audit_act SET facts = 'no document' WHERE act = 'user.added'")
    assert "读不出来" in said and "改动过" in said


@pytest.mark.file_only
@pytest.mark.parametrize(("statement", "word"), [
    ("UPDATE book_info SET value = 'another' WHERE name = 'book_id'", "账本编号"),
    ("UPDATE book_info SET value = '2020-01-01T00:00:00+00:00' WHERE name = 'created_at'", "建立时间"),
    ("INSERT INTO book_info (name, value) VALUES ('demo', '1')", "演示标记"),
    ("DELETE FROM book_info WHERE name = 'created_at'", "建立时间"),
])
@pytest.mark.parametrize("release", ["this", "first"])
def test_changed_facts_of_the_book_are_found(
    made: Path, tmp_path: Path, statement: str, word: str, release: str
) -> None:
    """The first release told the chain only whether the book is a demo."""
    import shutil

    from desktop.bootstrap import open_office

    folder = tmp_path / "book"
    shutil.copytree(made, folder)
    office = open_office(folder, passphrase=PASSPHRASE, clock=FixedClock(NOW))
    try:
        if release == "first":
            forge(
                office.book.database_file, database_key(office.book),
                "UPDATE audit_act SET facts = '{\"demo\":false}' WHERE act = 'book.created'",
            )
            assert not [one for one in office.verify_ledger().flaws if "账本资料" in one]
        else:
            assert office.verify_ledger().ok
        forge(office.book.database_file, database_key(office.book), statement)
        said = "\n".join(office.verify_ledger().flaws)
    finally:
        office.close()
    assert f"「{word}」" in said


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed book as a user makes one."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "project.toml").write_text(PROJECT_TOML, encoding="utf-8")
    project = read_project_file(folder / "project.toml")
    office, _ = create_office(
        folder / "book", project, passphrase=PASSPHRASE, clock=FixedClock(NOW)
    )
    set_passphrase(office.book, PASSPHRASE, cost=CHEAP)
    office.close()
    return folder / "book"
