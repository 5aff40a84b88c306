"""Freezing: refused while something is open, versions that name what changed, stable digests."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from desktop.access.desk import Desk
from desktop.attendance.answers import add_outage, answer_findings
from desktop.attendance.explain import Reason, add_explanation, approve_explanation
from desktop.clock import FixedClock
from desktop.errors import Refused
from desktop.months import leaves
from desktop.months.freeze import BlockingFindings, freeze_month
from desktop.months.frozen import load_frozen
from desktop.months.outlook import month_outlook
from desktop.months.queries import latest_version, month_status, versions
from desktop.storage import chain
from desktop.storage.book import open_book
from tests.attendance.crew import MONTH, Member, gates, hire, punched, whole_days
from tests.conftest import PASSPHRASE
from tests.storage.rig import database_key, forge

WORKDAYS = tuple(range(1, 31))


@pytest.fixture
def after_month(clock: FixedClock) -> None:
    """The second of December, eight in the morning on site."""
    clock.instant = datetime(2026, 12, 2, 0, 0, tzinfo=UTC)


@pytest.fixture
def crew(desk: Desk, after_month: None) -> tuple[Desk, dict[str, int], list[Member]]:
    """Two teams with a full month, both gates covered by a note."""
    places = gates(desk)
    members = [hire(desk, 1001, "钢筋班"), hire(desk, 1002, "钢筋班"), hire(desk, 1003, "木工班")]
    for team in ("架子班", "混凝土夜班"):
        hire(desk, 1100 + len(team), team, left=date(2026, 10, 5))
    for member in members:
        whole_days(desk, places, member, *WORKDAYS)
    for terminal_id in places.values():
        add_outage(
            desk, terminal_id, datetime(2026, 11, 30, 0), datetime(2026, 12, 1, 23), reason="断电",
            document="情况说明1",
        )
    return desk, places, members


def test_a_clean_month_freezes_and_the_chain_holds(
    crew: tuple[Desk, dict[str, int], list[Member]]
) -> None:
    desk, _, _ = crew
    result = freeze_month(desk, MONTH)
    assert (result.version, result.rows, result.blocking) == (1, 3, [])
    with desk.book.read() as session:
        readers = leaves.verify_readers(desk.book.sealer)
        leaf_ids = [segment for segment, _ in readers[leaves.MONTH](session, desk.project_id)]
        assert len(leaf_ids) == 1 + result.rows
        version = latest_version(session, desk.project_id, MONTH)
        assert version is not None and version.digest == result.digest
        frozen = load_frozen(session, version, desk.book.sealer)
        assert frozen.digest == result.digest
        assert [row.name for sheet in frozen.sheets for row in sheet.rows] == [
            "工友1001", "工友1002", "工友1003"
        ]
        state = month_status(session, desk.project_id, MONTH, date(2026, 12, 2))
        assert (state.version, state.due, state.days_left) == (1, date(2026, 12, 5), 3)


def test_every_open_cell_blocks_until_it_is_explained(
    crew: tuple[Desk, dict[str, int], list[Member]]
) -> None:
    desk, places, _ = crew
    late = hire(desk, 1004, "木工班", entered=date(2026, 11, 28))
    punched(desk, places["进"], late, "11-28 07:00")
    with pytest.raises(BlockingFindings) as refusal:
        freeze_month(desk, MONTH)
    assert [finding.code for finding in refusal.value.blocking] == ["unresolved"]
    assert "工友" not in refusal.value.message, "a message may be logged: it names nobody"
    with desk.book.read() as session:
        assert latest_version(session, desk.project_id, MONTH) is None
    added = add_explanation(
        desk, [(late.person_id, date(2026, 11, 28))], half_days=2, reason=Reason.FORGOTTEN,
        text="下班漏打", evidence="班组长证明",
    )
    approve_explanation(desk, added.number)
    assert freeze_month(desk, MONTH).version == 1


def test_open_findings_are_accepted_only_with_a_reason(
    crew: tuple[Desk, dict[str, int], list[Member]]
) -> None:
    desk, places, _ = crew
    punched(desk, places["进"], hire(desk, 1004, "木工班"), "11-03 07:00")
    with pytest.raises(Refused, match="理由"):
        freeze_month(desk, MONTH, accept_open="  ")
    result = freeze_month(desk, MONTH, accept_open="工友住院，下月补签")
    assert result.blocking and result.version == 1
    with desk.book.read() as session:
        version = latest_version(session, desk.project_id, MONTH)
        assert version is not None and version.accepted_open == "工友住院，下月补签"


def test_freezing_again_names_exactly_the_changed_rows(
    crew: tuple[Desk, dict[str, int], list[Member]]
) -> None:
    desk, _, members = crew
    first = freeze_month(desk, MONTH)
    same = freeze_month(desk, MONTH)
    assert same.unchanged and same.version == 1
    added = add_explanation(
        desk, [(members[1].person_id, date(2026, 11, 9))], half_days=1, reason=Reason.FIELD_WORK,
        text="上午外出送检", evidence="送检单",
    )
    approve_explanation(desk, added.number)
    second = freeze_month(desk, MONTH)
    assert second.version == 2 and second.digest != first.digest
    assert second.changed == [
        {"sheet": second.changed[0]["sheet"], "worker_no": 1002, "kind": "changed", "days": [9]}
    ]
    with desk.book.read() as session:
        assert [v.version for v in versions(session, desk.project_id, MONTH)] == [1, 2]


@pytest.mark.file_only
def test_the_same_book_elsewhere_gives_the_same_digest(
    crew: tuple[Desk, dict[str, int], list[Member]], tmp_path: Path, clock: FixedClock
) -> None:
    desk, _, _ = crew
    desk.book.close()
    shutil.copytree(desk.book.path, tmp_path / "elsewhere")
    digests = []
    for folder in (desk.book.path, tmp_path / "elsewhere"):
        clock.instant = datetime(2026, 12, 2 + len(digests), 3, 0, tzinfo=UTC)
        with open_book(folder, clock, passphrase=PASSPHRASE) as book:
            digests.append(freeze_month(Desk(book, 1, desk.actor), MONTH).digest)
    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE month_row SET facts = replace(facts, '√', '半') WHERE position = 1",
        "UPDATE month_row SET personal_sealed = x'00112233' WHERE position = 1",
        "UPDATE month_row SET position = position + 10 WHERE position = 1",
        "DELETE FROM month_row WHERE position = 1",
        "UPDATE month_version SET accepted_open = '同意'",
    ],
)
def test_a_forged_month_is_found(
    crew: tuple[Desk, dict[str, int], list[Member]], forgery: str
) -> None:
    desk, _, _ = crew
    freeze_month(desk, MONTH)
    forge(desk.book.database_file, database_key(desk.book), forgery)
    readers = {leaves.MONTH: leaves.verify_readers(desk.book.sealer)[leaves.MONTH]}
    with desk.book.read() as session:
        verdict = chain.verify(session, desk.project_id, readers)
        assert not verdict.ok
        assert any("月度冻结" in flaw.text for flaw in verdict.flaws), verdict.flaws


def test_a_month_without_anybody_is_refused(desk: Desk) -> None:
    with pytest.raises(Refused) as refusal:
        freeze_month(desk, "2026-08")
    assert refusal.value.code == "empty_month"
    with pytest.raises(Refused) as refusal:
        freeze_month(desk, "2026-13")
    assert refusal.value.code == "month"


def test_a_month_to_come_is_refused(desk: Desk, after_month: None) -> None:
    with pytest.raises(Refused) as refusal:
        freeze_month(desk, "2027-03", accept_open="试")
    assert refusal.value.code == "month_to_come"


def test_the_outlook_says_what_changed_since_the_freeze(
    crew: tuple[Desk, dict[str, int], list[Member]]
) -> None:
    desk, places, _ = crew
    assert month_outlook(desk, MONTH).status.version is None
    freeze_month(desk, MONTH)
    assert not month_outlook(desk, MONTH).changed
    late = hire(desk, 1004, "木工班", entered=date(2026, 11, 28))
    punched(desk, places["进"], late, "11-28 07:00")
    outlook = month_outlook(desk, MONTH)
    assert [row["kind"] for row in outlook.changed] == ["added"]
    assert [finding.code for finding in outlook.blocking] == ["unresolved"]
    assert outlook.as_json()["outdated"] and "1 行变动" in outlook.sentence


def test_a_question_that_is_answered_blocks_no_longer(
    crew: tuple[Desk, dict[str, int], list[Member]]
) -> None:
    desk, _, _ = crew
    hire(desk, 1005, "架子班", entered=date(2026, 11, 27))
    with pytest.raises(BlockingFindings) as refusal:
        freeze_month(desk, MONTH)
    assert {finding.code for finding in refusal.value.blocking} == {"team_silent"}
    answer_findings(desk, [f.key for f in refusal.value.blocking], "该班组待料，未进场作业")
    assert freeze_month(desk, MONTH).version == 1
