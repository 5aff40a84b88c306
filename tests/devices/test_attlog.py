"""Stick files in every variant of the notes, and what is none."""

from __future__ import annotations

import hashlib
import os
import random
import threading
import time
import tracemalloc
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.emulators.zk import StoredPunch, ZkEmulator
from devices.emulators.zk.records import attlog_line
from devices.errors import Cancelled, FileRefused
from devices.files.attlog import MAX_LINE, Attlog, AttlogPart
from devices.terminals.model import MethodClass, Punch, SourceFormat, Unusable
from tests.devices.rig import MORNING, hexed, some_punches, some_users

T = int((MORNING - datetime(1970, 1, 1)).total_seconds())
LINE = hexed(
    "20 20 20 38 38 30 30 30 31 09 32 30 32 36 2d 30 36 2d 30 35 20 30 37 3a 35 38 3a 31 31"
    "09 31 09 30 09 31 35 09 30 0d 0a"
)
TAB = b"880001\t2026-06-05 07:58:11\t1\t0\t15\t0"


def parse(path: Path, content: bytes, **options: int) -> tuple[AttlogPart, Attlog]:
    """The whole file in one part."""
    file = path / "1_attlog.dat"
    file.write_bytes(content)
    log = Attlog(file, **options)
    whole = AttlogPart([], [], [])
    for part in log.parts():
        for have, more in zip(whole, part, strict=True):
            have.extend(more)  # type: ignore[arg-type]
    return whole, log


def refused(path: Path, content: bytes, **options: int) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        parse(path, content, **options)
    return caught.value


def punch(raw: bytes, method: int = 15, state: int = 0, kind: int = MethodClass.BIOMETRIC) -> Punch:
    return Punch("880001", T, method, state, kind, 1, SourceFormat.ATTLOG, raw)


def test_the_line_of_the_notes(tmp_path: Path) -> None:
    part, log = parse(tmp_path, LINE)
    assert part.punches == [punch(LINE[:-2])]
    assert (part.unusable, part.rejected) == ([], [])
    summary = log.summary
    assert (summary.lines, summary.punches, summary.device_number) == (1, 1, 1)
    assert (summary.order, summary.first, summary.last) == ("number_first", T, T)


@pytest.mark.parametrize(
    ("line", "method", "state"),
    [
        (TAB, 15, 0),
        (b"   880001\t2026-06-05 07:58:11\t1\t0\t15\t0", 15, 0),
        (b"880001 2026-06-05 07:58:11 1 0 15 0", 15, 0),
        (b"   880001   2026-06-05   07:58:11  1   0  15 0", 15, 0),
        (b"880001,2026-06-05 07:58:11,1,0,15,0", 15, 0),
        (b"880001 | 2026-06-05 07:58:11 | 1 | 0 | 15", 15, 0),
        (b"880001\t2026-06-05\t07:58:11\t1\t0\t15\t0", 15, 0),
        (b"880001\t2026-06-05 07:58:11\t1\t1", -1, 1),
        (b"880001\t2026-06-05 07:58:11\t1\t1\t", -1, 1),
        (b"880001\t2026-06-05 07:58:11\t1\t0\t15", 15, 0),
        (b"880001\t2026-06-05 07:58:11\t1\t255\t15\t0\t0\t0\t0\t0", 15, 255),
        (b"2026-06-05 07:58:11\t880001\t1\t0\t15\t0", 15, 0),
        (b"2026-06-05 07:58:11 880001 1 0 15 0", 15, 0),
        (b"2026-06-05 07:58:11,880001,1,0,15,0", 15, 0),
        (b"880001\t2026/6/5 7:58:11\t1\t0\t15\t0", 15, 0),
    ],
)
@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"", b"\r\n\0\0\0\0", b"\n\x1a"])
def test_variants(tmp_path: Path, line: bytes, method: int, state: int, end: bytes) -> None:
    kind = MethodClass.BIOMETRIC if method == 15 else MethodClass.UNPROVEN
    for content in (line + end, b"\xef\xbb\xbf" + line + end):
        part, log = parse(tmp_path, content)
        assert part.rejected == []
        assert part.punches == [punch(line, method, state, kind)]
        assert log.summary.order == ("time_first" if line.startswith(b"2026") else "number_first")


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        (1, MethodClass.BIOMETRIC),
        (3, MethodClass.NOT_BIOMETRIC),
        (4, MethodClass.NOT_BIOMETRIC),
        (0, MethodClass.UNPROVEN),
        (200, MethodClass.UNPROVEN),
        (999, MethodClass.UNPROVEN),
    ],
)
def test_methods(tmp_path: Path, method: int, kind: MethodClass) -> None:
    line = b"880001\t2026-06-05 07:58:11\t1\t0\t%d\t0\n" % method
    part, _ = parse(tmp_path, line * 3)
    assert [(p.method_raw, p.method_class) for p in part.punches] == [(method, kind)] * 3


def test_numbers_stay_text(tmp_path: Path) -> None:
    content = (
        b"000000007\t2026-06-05 07:58:11\t1\t0\t15\t0\nA-17\t2026-06-05 07:58:12\t1\t0\t15\t0\n"
    )
    part, _ = parse(tmp_path, content)
    assert [p.number for p in part.punches] == ["000000007", "A-17"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"AC-No.\tTime\tDevice\tState\tMethod", "bad_time"),
        (b"880001\t2026-06-05 07:58\t1\t0\t15\t0", "bad_time"),
        (b"880001\tyesterday\t1\t0\t15\t0", "bad_time"),
        (b"880001\t2026-06-05 07:58:11", "too_few_fields"),
        (b"880001\t2026-06-05 07:58:11\t1", "too_few_fields"),
        (b"880001", "too_few_fields"),
        (b"\xff\xfe\x00", "too_few_fields"),
        (b"\t2026-06-05 07:58:11\t1\t0\t15\t0", "bad_number"),
        (b"88 0001\t2026-06-05 07:58:11\t1\t0\t15\t0", "bad_number"),
        (b"\xd5\xc5\t2026-06-05 07:58:11\t1\t0\t15\t0", "bad_number"),
        (b"8" * 25 + b"\t2026-06-05 07:58:11\t1\t0\t15\t0", "bad_number"),
        (b"880001\t2026-06-05 07:58:11\tx\t0\t15\t0", "bad_device"),
        (b"880001\t2026-06-05 07:58:11\t1\tin\t15\t0", "bad_state"),
        (b"880001\t2026-06-05 07:58:11\t1\t0\t-1\t0", "bad_method"),
        (b"880001\t2026-06-05 07:58:11\t1\t0\t70000\t0", "bad_method"),
        (b"7" * (MAX_LINE + 1), "line_too_long"),
        (b"7" * 600_000, "line_too_long"),
    ],
)
def test_one_bad_line_never_stops_the_rest(tmp_path: Path, line: bytes, code: str) -> None:
    part, log = parse(tmp_path, TAB + b"\r\n" + line + b"\r\n\r\n" + TAB + b"\r\n")
    assert len(part.punches) == 2
    assert [(bad.line, bad.code) for bad in part.rejected] == [(2, code)]
    assert len(part.rejected[0].raw) <= MAX_LINE
    assert (log.summary.lines, log.summary.rejected) == (3, 1)


@pytest.mark.parametrize(
    "when",
    [
        "2000-00-00 00:00:00",
        "0000-00-00 00:00:00",
        "2026-13-01 07:58:11",
        "2026-02-31 07:58:11",
        "2026-06-05 24:00:00",
        "2026-06-05 07:60:00",
        "2026-06-05 07:58:60",
    ],
)
def test_impossible_dates_are_listed_with_their_text(tmp_path: Path, when: str) -> None:
    line = f"880001\t{when}\t1\t0\t15\t0".encode()
    part, log = parse(tmp_path, TAB + b"\n" + line + b"\n" + TAB + b"\n")
    assert len(part.punches) == 2
    assert part.unusable == [
        Unusable(2, "impossible_date", "880001", when, SourceFormat.ATTLOG, line)
    ]
    assert log.summary.unusable == 1


def test_old_and_future_years_are_punches_here(tmp_path: Path) -> None:
    """What is too old or too new is judged where the time of receiving is known."""
    content = TAB.replace(b"2026", b"2000") + b"\n" + TAB.replace(b"2026", b"2099") + b"\n"
    part, _ = parse(tmp_path, content)
    assert len(part.punches) == 2


def test_duplicates_are_handed_on(tmp_path: Path) -> None:
    part, _ = parse(tmp_path, (TAB + b"\n") * 5)
    assert part.punches == [punch(TAB)] * 5


# ---- whole files refused -----------------------------------------------------------------


@pytest.mark.parametrize("at", [1, 500])
def test_lines_that_disagree_about_the_order(tmp_path: Path, at: int) -> None:
    lines = [TAB] * 600
    lines[at] = b"2026-06-05 07:58:11\t880001\t1\t0\t15\t0"
    error = refused(tmp_path, b"\n".join(lines))
    assert (error.reason, error.line) == ("mixed_order", at + 1)


def test_two_devices_in_one_file(tmp_path: Path) -> None:
    other = TAB.replace(b"\t1\t0", b"\t2\t0")
    error = refused(tmp_path, TAB + b"\n" + TAB + b"\n" + other)
    assert (error.reason, error.line, error.facts) == ("mixed_device", 3, (1, 2))


def test_encrypted(tmp_path: Path) -> None:
    for size in (64, 300, 5000, 200_000):
        noise = random.Random(size).randbytes(size)
        assert refused(tmp_path, noise).reason == "encrypted"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\r\n\r\n\0\0\0\x1a", "empty"),
        (b"\0" * 5000, "empty"),
        (b"hello\nworld\n", "not_attlog"),
        (("工号,时间\n880001,昨天\n" * 30).encode("utf-16"), "not_text"),
        (b"PK\x03\x04" + b"\0\x01\x02" * 30, "spreadsheet"),
    ],
)
def test_no_stick_file_at_all(tmp_path: Path, content: bytes, reason: str) -> None:
    assert refused(tmp_path, content).reason == reason


def test_too_large_and_not_there(tmp_path: Path) -> None:
    error = refused(tmp_path, LINE * 3, max_bytes=len(LINE) * 2)
    assert error.reason == "too_large"
    with pytest.raises(FileRefused) as caught:
        list(Attlog(tmp_path / "none.dat").parts())
    assert caught.value.reason == "unreadable"
    with pytest.raises(FileRefused):
        list(Attlog(tmp_path).parts())


def test_padding_without_end_takes_no_memory(tmp_path: Path) -> None:
    file = tmp_path / "padded.dat"
    file.write_bytes(LINE + b"\0" * (40 << 20))
    tracemalloc.start()
    try:
        assert sum(len(part.punches) for part in Attlog(file).parts()) == 1
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_the_file_is_only_read(tmp_path: Path) -> None:
    file = tmp_path / "1_attlog.dat"
    file.write_bytes(LINE * 10)
    file.chmod(0o444)
    before = (hashlib.sha256(file.read_bytes()).digest(), file.stat().st_mtime_ns)
    list(Attlog(file).parts())
    assert (hashlib.sha256(file.read_bytes()).digest(), file.stat().st_mtime_ns) == before


# ---- streams -----------------------------------------------------------------------------


def test_parts_are_bounded_and_complete(tmp_path: Path) -> None:
    file = tmp_path / "1_attlog.dat"
    stored = some_punches(30_000, 200)
    file.write_bytes(b"".join(attlog_line(one, 1) for one in stored))
    log = Attlog(file)
    seen: list[tuple[int, int, str]] = []
    parts = list(log.parts(1000, progress=lambda *facts: seen.append(facts)))
    assert len(parts) > 3
    assert sum(len(part.punches) for part in parts) == 30_000 == log.summary.lines
    assert seen[-1][:2] == (file.stat().st_size, file.stat().st_size)


def test_cancel(tmp_path: Path) -> None:
    file = tmp_path / "1_attlog.dat"
    file.write_bytes(LINE * 20_000)
    stop = threading.Event()
    parts = Attlog(file).parts(10, cancel=stop)
    next(parts)
    stop.set()
    with pytest.raises(Cancelled):
        list(parts)


def test_the_stick_of_a_terminal_equals_its_log(tmp_path: Path) -> None:
    bad = ((26 * 12 + 1) * 31 + 30) * 86400
    stored = [*some_punches(50), StoredPunch("880001", bad)]
    part, _ = parse(tmp_path, ZkEmulator(some_users(), stored).stick())
    epoch = datetime(1970, 1, 1)
    assert [
        (p.number, epoch + timedelta(seconds=p.t_local), p.method_raw, p.state_raw)
        for p in part.punches
    ] == [tuple(one) for one in stored[:-1]]
    assert part.unusable[0].time_text == "2026-02-31 00:00:00"


@pytest.mark.parametrize("separator", [b"\t", b" ", b","])
def test_fast(tmp_path: Path, separator: bytes) -> None:
    file = tmp_path / "1_attlog.dat"
    content = b"".join(attlog_line(one, 1) for one in some_punches(20_000, 200)) * 10
    file.write_bytes(content.replace(b"\t", separator))
    began = time.process_time()
    count = sum(len(part.punches) for part in Attlog(file).parts())
    assert count == 200_000
    assert time.process_time() - began < 4


lines = st.one_of(
    st.just(TAB),
    st.binary(max_size=60),
    st.builds(
        lambda number, when, rest: b"\t".join([number, when, *rest]),
        st.sampled_from([b"880001", b" 7", b"", b"x y"]),
        st.sampled_from([b"2026-06-05 07:58:11", b"2026-02-31 07:58:11", b"7:58", b""]),
        st.lists(st.sampled_from([b"1", b"0", b"15", b"", b"a"]), max_size=8),
    ),
)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(lines, max_size=12), st.sampled_from([b"\n", b"\r\n"]))
def test_anything(tmp_path: Path, rows: list[bytes], end: bytes) -> None:
    """Every line comes out exactly once, or the file is refused."""
    content = end.join(rows)
    try:
        part, log = parse(tmp_path, content)
    except FileRefused:
        return
    counted = len(part.punches) + len(part.unusable) + len(part.rejected)
    assert counted == log.summary.lines
    real = [row for row in content.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    assert counted == sum(bool(row.strip(b"\0\x1a\r\n").strip()) for row in real)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=3000))
def test_noise(tmp_path: Path, noise: bytes) -> None:
    try:
        parse(tmp_path, noise)
    except FileRefused as error:
        assert error.reason


@pytest.mark.parametrize("begin", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_a_spreadsheet_is_called_one(tmp_path: Path, begin: bytes) -> None:
    assert refused(tmp_path, begin + os.urandom(4000)).reason == "spreadsheet"
