"""Stick files: kept first, read whole before anything is stored, once however often they come."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.access.desk import Desk
from desktop.errors import Cancelled, Refused
from desktop.jobs import CancelToken
from desktop.punches import originals
from desktop.punches.collect import pull
from desktop.punches.queries import downloads
from desktop.punches.stick import StickResult, import_stick
from desktop.punches.terminal_book import list_terminals
from devices.emulators.zk import StoredPunch
from tests.punches.rig import (
    MORNING,
    QUICK,
    emulator,
    proven,
    rows,
    segments,
    site_time,
    stored,
    table,
    terminal,
)

GATE = "东门进"


def line(number: str, moment: datetime | str, device: int = 1, method: int = 15) -> bytes:
    text = moment if isinstance(moment, str) else f"{moment:%Y-%m-%d %H:%M:%S}"
    return f"{number:>9}\t{text}\t{device}\t0\t{method}\t0\r\n".encode()


def lines(punches: Sequence[StoredPunch]) -> bytes:
    return b"".join(line(one.number, one.when) for one in punches)  # type: ignore[arg-type]


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    return tmp_path / "1_attlog.dat"


def take(desk: Desk, path: Path, content: bytes | None = None, **options: Any) -> StickResult:
    """Import with a file time of the evening before the desk's still clock."""
    if content is not None:
        path.write_bytes(content)
        evening = (desk.clock.now() - timedelta(hours=12)).timestamp()
        os.utime(path, (evening, evening))
    return import_stick(desk, path, options.pop("name", GATE), **options)


def complete_until(desk: Desk) -> datetime | None:
    with desk.book.read() as session:
        return list_terminals(session, desk.project_id)[0].complete_until


def refusal(desk: Desk, path: Path, content: bytes, **options: Any) -> Refused:
    """The refusal, which must have left no trace."""
    before = table(desk, "punch"), table(desk, "download"), table(desk, "segment"), held(desk)
    with pytest.raises(Refused) as caught:
        take(desk, path, content, **options)
    after = table(desk, "punch"), table(desk, "download"), table(desk, "segment"), held(desk)
    assert before == after
    assert path.read_bytes() == content
    return caught.value


def held(desk: Desk) -> list[str]:
    folder = desk.book.path / originals.FOLDER
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_lines_are_stored_and_every_other_line_is_named(desk: Desk, stick: Path) -> None:
    terminal(desk, GATE)
    content = b"".join(
        [
            line("100001", MORNING), line("100001", MORNING), b"\r\n", b"garbage\r\n",
            line("100002", "2026-02-31 07:00:00"), line("100002", "2000-01-01 00:00:00"),
            line("100003", MORNING + timedelta(days=400)), line("100003", MORNING),
            line("1\u00e9", MORNING),
        ]
    )
    result = take(desk, stick, content)
    assert (result.lines, result.new, result.duplicate, result.quarantined) == (8, 2, 1, 3)
    assert [tuple(one) for one in result.rejected] == [(4, "too_few_fields"), (9, "bad_number")]
    assert [tuple(one) for one in result.quarantine] == [
        (5, "impossible_date"), (6, "before_2015"), (7, "future"),
    ]
    assert result.lines == (
        result.new + result.duplicate + result.quarantined + len(result.rejected)
    )
    assert (result.first, result.last, result.device_number) == (MORNING, MORNING, 1)
    verdict = proven(desk)
    assert (verdict.punches, verdict.quarantined) == (2, 3)


def test_the_same_file_again_stores_nothing_and_says_so(desk: Desk, stick: Path) -> None:
    terminal(desk, GATE)
    content = lines(stored(50)) + line("100002", "2026-02-31 07:00:00") + b"garbage\r\n"
    first = take(desk, stick, content)
    again = take(desk, stick)
    assert (first.new, first.already_imported) == (50, False)
    assert (again.lines, again.new, again.duplicate, again.quarantined) == (52, 0, 50, 1)
    assert again.rejected == first.rejected
    assert again.already_imported
    assert "已导入过" in again.warnings[0]
    assert (segments(desk), proven(desk).punches, len(held(desk))) == (1, 50, 1)


def test_pull_then_stick_and_stick_then_pull(desk: Desk, stick: Path) -> None:
    with emulator(desk, stored(80)) as unit:
        terminal(desk, GATE, unit.address)
        pull(desk, timing=QUICK)
        result = take(desk, stick, unit.stick())
        assert (result.new, result.duplicate, result.sighting) == (0, 80, 80)
        unit.add(stored(5, start=MORNING + timedelta(days=2)))
        later = take(desk, stick, unit.stick())
        assert (later.new, later.duplicate, later.sighting) == (5, 80, 0)
        (read,) = pull(desk, timing=QUICK)
        assert (read.new, read.duplicate, read.sighting) == (0, 85, 5)
    assert rows(desk, "SELECT origin, count(*) FROM punch_sighting GROUP BY origin") == [
        ("pull", 5), ("usb", 80),
    ]
    assert proven(desk).punches == 85


def test_the_original_is_kept_sealed(desk: Desk, stick: Path) -> None:
    terminal(desk, GATE)
    content = lines(stored(3000))
    result = take(desk, stick, content)
    digest = bytes.fromhex(result.sha256)
    assert b"".join(originals.read(desk.book, digest)) == content
    for path in desk.book.path.rglob("*"):
        if path.is_file():
            assert b"100001\t2026" not in path.read_bytes()
            assert b"  100001" not in path.read_bytes()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "stick_empty"),
        (b"hello\r\nworld\r\n", "stick_not_attlog"),
        (os.urandom(4000), "stick_encrypted"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(128, 200)) * 9, "stick_not_text"),
        (lines(stored(3)) + line("1", MORNING, device=2), "stick_mixed_device"),
        (lines(stored(3)) + b"2026-11-02 06:30:00\t7\t1\t0\t15\t0\r\n", "stick_mixed_order"),
    ],
    ids=["empty", "no_punches", "encrypted", "binary", "two_devices", "two_orders"],
)
def test_a_file_that_is_not_taken_leaves_nothing(
    desk: Desk, stick: Path, content: bytes, code: str
) -> None:
    terminal(desk, GATE)
    refused = refusal(desk, stick, content)
    if code in ("stick_encrypted", "stick_not_text"):
        assert refused.code in ("stick_encrypted", "stick_not_text")
    else:
        assert refused.code == code
    assert "没有导入" in refused.message


def test_a_contradiction_far_down_a_long_file_leaves_nothing(
    desk: Desk, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.punches.stick.CHUNK", 100)
    terminal(desk, GATE)
    refused = refusal(desk, stick, lines(stored(9000)) + line("1", MORNING, device=2))
    assert refused.facts["line"] == 9001


def test_a_missing_file_and_an_unknown_terminal(desk: Desk, stick: Path) -> None:
    terminal(desk, GATE)
    with pytest.raises(Refused, match="读不出来"):
        import_stick(desk, stick, GATE)
    assert refusal(desk, stick, lines(stored(2)), name="北门").code == "unknown_terminal"


def test_a_file_of_another_terminal_is_refused(desk: Desk, stick: Path) -> None:
    terminal(desk, GATE)
    terminal(desk, "西门进")
    content = lines(stored(20))
    take(desk, stick, content)
    refused = refusal(desk, stick, content, name="西门进")
    assert refused.code == "stick_of_other_terminal"
    assert GATE in refused.message


def test_another_device_number_than_before_is_warned_of(desk: Desk, stick: Path) -> None:
    terminal(desk, GATE)
    take(desk, stick, line("100001", MORNING, device=1))
    result = take(desk, stick, line("100001", MORNING + timedelta(1), device=2))
    assert result.new == 1
    assert any("机号是2" in text for text in result.warnings)


def test_unknown_numbers_are_kept_listed_and_masked(desk: Desk, stick: Path) -> None:
    terminal(desk, GATE)
    result = take(desk, stick, line("7", MORNING) * 2 + line("410000199001010013", MORNING))
    assert result.new == 2
    assert result.unknown == (("7", 2), ("4100**********0013", 1))
    assert any("未对应到花名册" in text for text in result.warnings)
    assert "410000199001010013" not in str(result.as_json())


@pytest.mark.parametrize(
    ("newest", "written", "taken", "until"),
    [
        # The file's own time, when it is later than its newest punch.
        (MORNING, datetime(2026, 11, 20, 3), None, datetime(2026, 11, 20, 3)),
        # A stick formatted in the past: the newest punch.
        (MORNING, datetime(2010, 1, 1), None, MORNING - timedelta(hours=8)),
        # A file time that has not come yet: now.
        (MORNING, datetime(2027, 1, 1), None, datetime(2026, 11, 24, 8)),
        # What the user says.
        (MORNING, datetime(2026, 11, 20), datetime(2026, 11, 3, 12), datetime(2026, 11, 3, 4)),
        (MORNING, datetime(2026, 11, 20), datetime(2027, 11, 3), datetime(2026, 11, 24, 8)),
    ],
)
def test_until_when_a_stick_is_complete(
    desk: Desk, stick: Path, newest: datetime, written: datetime, taken: datetime | None,
    until: datetime,
) -> None:
    terminal(desk, GATE)
    stick.write_bytes(line("100001", newest) + line("100002", datetime(2055, 1, 1)))
    seconds = written.replace(tzinfo=UTC).timestamp()
    os.utime(stick, (seconds, seconds))
    import_stick(desk, stick, GATE, taken_at=taken)
    assert complete_until(desk) == until.replace(tzinfo=UTC)


def test_an_older_stick_takes_nothing_back(desk: Desk, stick: Path) -> None:
    terminal(desk, GATE)
    take(desk, stick, line("100001", MORNING), taken_at=MORNING + timedelta(days=9))
    take(desk, stick, line("100001", MORNING - timedelta(1)), taken_at=MORNING)
    assert complete_until(desk) == site_time(MORNING + timedelta(days=9))


def test_a_file_of_nothing_but_bad_dates_completes_nothing(desk: Desk, stick: Path) -> None:
    terminal(desk, GATE)
    result = take(desk, stick, line("100001", "2026-13-01 00:00:00"))
    assert (result.new, result.quarantined, result.last) == (0, 1, None)
    assert complete_until(desk) is None


def test_the_collection_is_in_the_log(desk: Desk, stick: Path) -> None:
    terminal(desk, GATE)
    take(desk, stick, lines(stored(5)) + b"x\r\n")
    with desk.book.read() as session:
        (entry,) = downloads(session, desk.project_id)
    assert (entry.origin, entry.complete, entry.counts["new"], entry.counts["rejected"]) == (
        "usb", True, 5, 1,
    )


def test_cancelled_before_the_first_part(desk: Desk, stick: Path) -> None:
    terminal(desk, GATE)
    cancel = CancelToken()
    cancel.set()
    with pytest.raises(Cancelled):
        take(desk, stick, lines(stored(5)), cancel=cancel)
    assert (table(desk, "punch"), held(desk)) == (0, [])


def test_a_file_no_terminal_could_have_written(
    desk: Desk, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal(desk, GATE)
    monkeypatch.setattr("desktop.punches.stick.MAX_BYTES", 100)
    assert refusal(desk, stick, lines(stored(5))).code == "stick_too_large"


def test_a_long_file_is_complete_only_with_its_last_part(
    desk: Desk, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.punches.stick.CHUNK", 100)
    terminal(desk, GATE)
    cancel = CancelToken()

    def stop(done: int, total: int, text: str) -> None:
        if text == "保存打卡记录":
            cancel.set()

    content = lines(stored(20_000))
    with pytest.raises(Cancelled):
        take(desk, stick, content, cancel=cancel, progress=stop)
    part = table(desk, "punch")
    assert 0 < part < 20_000
    assert (complete_until(desk), table(desk, "download"), len(held(desk))) == (None, 0, 1)
    assert take(desk, stick).new == 20_000 - part
    assert complete_until(desk) is not None


def test_a_file_that_changes_under_our_hands(desk: Desk, stick: Path) -> None:
    terminal(desk, GATE)

    def meddle(done: int, total: int, text: str) -> None:
        if text == "核对文件" and done == total:
            stick.write_bytes(lines(stored(3)))

    with pytest.raises(Refused) as caught:
        take(desk, stick, lines(stored(5)), progress=meddle)
    assert caught.value.code == "stick_changed"
    proven(desk)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.sampled_from(
            [
                line("100001", MORNING), line("100002", MORNING), line("7", "2026-02-30 01:01:01"),
                b"\r\n", b"abc\r\n", b"\0\0", b"\x1a", b"\xef\xbb\xbf", b"1\t2\r\n",
                b"100001,2026-11-02 06:30:00,1,0,15\n", b"100001|2026-11-02 06:30:00|1|1\n",
                b"9" * 2000 + b"\n",
            ]
        )
        | st.binary(max_size=40),
        max_size=12,
    )
)
def test_hostile_files(desk: Desk, tmp_path: Path, pieces: list[bytes]) -> None:
    """No crash, no partial write: a file is taken with every line accounted for, or refused."""
    stick = tmp_path / "stick.dat"
    stick.write_bytes(b"".join(pieces))
    name = f"门{len(rows(desk, 'SELECT 1 FROM terminal'))}"
    terminal(desk, name)
    before = table(desk, "punch")
    try:
        result = import_stick(desk, stick, name)
    except Refused:
        assert table(desk, "punch") == before
        return
    assert result.lines == (
        result.new + result.duplicate + result.quarantined + len(result.rejected)
    )
    assert table(desk, "punch") == before + result.new


def test_a_pipe_or_a_device_is_never_opened(desk: Desk, tmp_path: Path) -> None:

    terminal(desk)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(Refused):
            import_stick(desk, path, GATE)
    assert not list((desk.book.path / "originals").glob("*"))
