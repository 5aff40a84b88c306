"""Records of punches and users, byte by byte, and how their layout is found."""

from __future__ import annotations

import struct
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.emulators.zk.records import (
    StoredPunch,
    StoredUser,
    log_bytes,
    punch_bytes,
    user_bytes,
)
from devices.errors import BadResponse
from devices.terminals.model import MethodClass, Punch, SourceFormat, Unusable
from devices.terminals.zk import codes, counts, layout, people
from devices.terminals.zk.records import PunchDecoder
from tests.devices.rig import MORNING, hexed, some_punches

T = int((MORNING - datetime(1970, 1, 1)).total_seconds())
FORTY = hexed(
    "07 00 38 38 30 30 30 31 00 00 00 00 00 00 00 00"
    "00 00 00 00 00 00 00 00 00 00 0f 93 3a a1 32 00"
    "00 00 00 00 ff 00 00 00"
)
SIXTEEN = hexed("81 6d 0d 00 93 3a a1 32 0f 00 00 00 00 00 00 00")
EIGHT = hexed("07 00 01 93 3a a1 32 00")
EIGHT_MA300 = hexed("07 00 01 00 93 3a a1 32")
USER_72 = hexed(
    "07 00 00 00 00 00 00 00 00 00 00 d5 c5 ce b0 00"
    "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
    "00 00 00 78 56 34 12 01 00 00 00 00 00 00 00 00"
    "38 38 30 30 30 31 00 00 00 00 00 00 00 00 00 00"
    "00 00 00 00 00 00 00 00"
)
USER_28 = hexed(
    "07 00 00 00 00 00 00 00 d5 c5 ce b0 00 00 00 00 78 56 34 12 00 01 00 00 81 6d 0d 00"
)


def decoded(raw: bytes, width: int, form: SourceFormat, numbers: dict[int, str] | None = None):
    return PunchDecoder(raw, width, form, numbers)(0, len(raw) // width)


@pytest.mark.parametrize(
    ("raw", "form", "method", "kind"),
    [
        (FORTY, SourceFormat.ZK40, 15, MethodClass.BIOMETRIC),
        (FORTY + bytes(9), SourceFormat.ZK49, 15, MethodClass.BIOMETRIC),
        (FORTY + bytes(4), SourceFormat.ZK_WIDE, 15, MethodClass.BIOMETRIC),
        (SIXTEEN, SourceFormat.ZK16, 15, MethodClass.BIOMETRIC),
        (EIGHT, SourceFormat.ZK8, 1, MethodClass.BIOMETRIC),
        (EIGHT_MA300, SourceFormat.ZK8_MA300, 1, MethodClass.BIOMETRIC),
    ],
)
def test_punches_of_the_notes(raw: bytes, form: SourceFormat, method: int, kind: int) -> None:
    records = decoded(raw, len(raw), form, {7: "880001"})
    assert records.punches == [Punch("880001", T, method, 0, kind, 1, form, raw)]
    assert records.unusable == []
    assert type(records.punches[0]) is Punch


@pytest.mark.parametrize("width", [8, 16, 40, 49, 64])
def test_one_bad_date_never_stops_the_rest(width: int) -> None:
    bad = ((26 * 12 + 1) * 31 + 30) * 86400 + 28691
    good = some_punches(3)
    stored = [good[0], StoredPunch("880002", bad, 15, 1), good[2]]
    indexes = {"880001": 1, "880002": 2, "880003": 3}
    raw = log_bytes(stored, width, indexes)
    form = layout.choose(raw, 3, 3, {at: pin for pin, at in indexes.items()})[1]
    records = decoded(raw, width, form, {at: pin for pin, at in indexes.items()})
    assert [punch.number for punch in records.punches] == ["880001", "880003"]
    assert records.unusable == [
        Unusable(
            1,
            "impossible_date",
            "880002",
            "2026-02-31 07:58:11",
            form,
            raw[width : 2 * width],
        )
    ]


def test_an_unreadable_pin_is_kept_apart() -> None:
    broken = FORTY[:2] + b"\x00" * 24 + FORTY[26:]
    odd = FORTY[:2] + b"88\x0701".ljust(24, b"\0") + FORTY[26:]
    records = decoded(FORTY + broken + odd, 40, SourceFormat.ZK40)
    assert len(records.punches) == 1
    assert [(bad.position, bad.reason, bad.number) for bad in records.unusable] == [
        (1, "undecodable", ""),
        (2, "undecodable", ""),
    ]


def test_rubbish_behind_the_nul_of_a_pin_is_no_pin() -> None:
    raw = FORTY[:2] + b"880001\0OLD\xff".ljust(24, b"\0") + FORTY[26:]
    assert decoded(raw, 40, SourceFormat.ZK40).punches[0].number == "880001"


def test_an_index_without_user_is_kept_with_its_time() -> None:
    records = decoded(EIGHT, 8, SourceFormat.ZK8, {1: "1"})
    assert records.punches == []
    assert records.unusable[0].reason == "undecodable"
    assert records.unusable[0].time_text == "2026-06-05 07:58:11"


def test_parts_of_a_log_equal_the_whole() -> None:
    raw = log_bytes(some_punches(103), 40, {})
    decode = PunchDecoder(raw, 40, SourceFormat.ZK40)
    whole = decode(0, 103).punches
    assert [p for at in range(0, 103, 10) for p in decode(at, min(at + 10, 103)).punches] == whole
    assert decode(5, 5).punches == []
    assert b"".join(punch.raw for punch in whole) == raw


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([8, 16, 40, 49, 50]), st.binary(max_size=2000))
def test_any_bytes_decode_into_as_many_records(width: int, noise: bytes) -> None:
    raw = noise[: len(noise) // width * width]
    forms = {8: SourceFormat.ZK8, 16: SourceFormat.ZK16, 40: SourceFormat.ZK40}
    records = decoded(raw, width, forms.get(width, SourceFormat.ZK_WIDE), {1: "1"})
    assert len(records.punches) + len(records.unusable) == len(raw) // width
    assert all(punch.number and punch.t_local >= 0 for punch in records.punches)


# ---- layout ------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [8, 16, 40, 44, 49])
def test_width_by_dividing(width: int) -> None:
    raw = log_bytes(some_punches(200), width, {str(880001 + at): at + 1 for at in range(5)})
    numbers = {at + 1: str(880001 + at) for at in range(5)}
    assert layout.choose(raw, 200, 200, numbers)[0] == width


@pytest.mark.parametrize("width", [8, 16, 40, 49])
def test_width_by_sense_where_the_terminal_does_not_count(width: int) -> None:
    """2,000 records of 40 bytes are also 5,000 of 16 and 10,000 of 8."""
    raw = log_bytes(some_punches(2000), width, {str(880001 + at): at + 1 for at in range(5)})
    numbers = {at + 1: str(880001 + at) for at in range(5)}
    assert layout.choose(raw, 0, 0, numbers)[0] == width


def test_a_sample_of_a_40_byte_log_never_looks_like_16() -> None:
    raw = log_bytes(some_punches(40_000), 40, {})
    for records in (100_000, 99_995, 50_005):
        part = raw[: records * 16]
        with pytest.raises(BadResponse) as caught:
            layout.choose(part, records, records, None)
        assert caught.value.what in ("layout", "count")
        assert caught.value.raw == part


def test_a_growing_small_log() -> None:
    raw = log_bytes(some_punches(12), 40, {})
    assert layout.choose(raw, 10, 30, None) == (40, SourceFormat.ZK40)


def test_a_wrong_count_is_named_as_such() -> None:
    raw = log_bytes(some_punches(90), 40, {})
    with pytest.raises(BadResponse) as caught:
        layout.choose(raw, 100, 100, None)
    assert (caught.value.what, caught.value.expected, caught.value.got) == ("count", 100, 90)


@pytest.mark.parametrize("width", [8, 16, 40, 49])
@pytest.mark.parametrize("counted", [10, 20, 30, 40, 80, 120])
def test_a_count_that_fits_another_width_makes_no_other_records(width: int, counted: int) -> None:
    """60 of 40 bytes are also 30 of 80, 40 of 60 and 150 of 16."""
    numbers = {at + 1: str(880001 + at) for at in range(5)}
    raw = log_bytes(some_punches(60), width, {pin: at for at, pin in numbers.items()})
    with pytest.raises(BadResponse) as caught:
        layout.choose(raw, counted, counted, numbers)
    assert (caught.value.what, caught.value.got) == ("count", 60)


def test_small_pins_in_16_bytes_never_become_indexes() -> None:
    numbers = {at: str(at) for at in range(1, 201)}
    punches = [StoredPunch(str(at), MORNING) for at in range(1, 201)]
    raw = log_bytes(punches, 16, {})
    with pytest.raises(BadResponse) as caught:
        layout.choose(raw, 400, 400, numbers)
    assert caught.value.what == "count"


def test_a_true_record_of_80_bytes() -> None:
    raw = log_bytes(some_punches(60), 80, {})
    assert layout.choose(raw, 60, 60, None) == (80, SourceFormat.ZK_WIDE)


def test_ma300_order_is_found_by_its_times() -> None:
    numbers = {at + 1: str(880001 + at) for at in range(5)}
    indexes = {pin: at for at, pin in numbers.items()}
    usual = log_bytes(some_punches(50), 8, indexes)
    other = log_bytes(some_punches(50), 8, indexes, ma300=True)
    assert layout.choose(usual, 50, 50, numbers)[1] is SourceFormat.ZK8
    assert layout.choose(other, 50, 50, numbers)[1] is SourceFormat.ZK8_MA300


@pytest.mark.parametrize("width", [8, 16, 40])
def test_a_dead_clock_does_not_hide_the_layout(width: int) -> None:
    punches = [
        StoredPunch("880001", datetime(2000, 1, 1) + timedelta(seconds=at)) for at in range(30)
    ]
    raw = log_bytes(punches, width, {"880001": 1})
    assert layout.choose(raw, 30, 30, {1: "880001"})[0] == width


@pytest.mark.parametrize(
    ("size", "count", "bound", "fine"),
    [
        (4_000_004, 100_000, 20_000_000, True),
        (4_000_044, 100_000, 20_000_000, True),
        (4_000_003, 100_000, 20_000_000, False),
        (4_000_004, 200_000, 20_000_000, True),
        (4_000_004, 200_001, 20_000_000, False),
        (30_000_004, 100_000, 20_000_000, False),
        (2_400_004, 100_000, 20_000_000, True),
        (0, 0, 100, True),
        (4, 0, 100, True),
        (101, 0, 100, False),
    ],
)
def test_announced_sizes(size: int, count: int, bound: int, fine: bool) -> None:
    if fine:
        layout.check_announced(size, count, bound)
        return
    with pytest.raises(BadResponse) as caught:
        layout.check_announced(size, count, bound)
    assert caught.value.what == "size"


# ---- people ------------------------------------------------------------------------------


@pytest.mark.parametrize(("raw", "width"), [(USER_72, 72), (USER_28, 28)])
def test_users_of_the_notes(raw: bytes, width: int) -> None:
    persons, encoding = people.decode(raw, width)
    assert encoding == "gbk"
    person = persons[0]
    assert (person.slot, person.number, person.name) == (7, "880001", "张伟")
    assert (person.card, person.group, person.privilege, person.enabled) == (305419896, 1, 0, True)


def test_no_password_comes_out() -> None:
    raw = user_bytes(StoredUser("880001", "张伟", password="70911"), 72, 1, "gbk")
    assert b"70911" in raw
    assert "70911" not in repr(people.decode(raw, 72))


def test_disabled_and_privileged() -> None:
    raw = user_bytes(StoredUser("1", "a", privilege=15), 72, 1, "gbk")
    person = people.decode(raw, 72)[0][0]
    assert (person.privilege, person.enabled) == (14, False)


@pytest.mark.parametrize(
    ("names", "encoding"),
    [
        (["Li Ming", "Wang"], ""),
        (["Li Ming", "张伟"], "gbk"),
        (["买买提·阿卜杜拉", "王"], "gbk"),
    ],
)
def test_gbk_is_taken_where_utf8_does_not_fit(names: list[str], encoding: str) -> None:
    raw = b"".join(
        user_bytes(StoredUser(str(at), name), 72, at, "gbk") for at, name in enumerate(names, 1)
    )
    persons, chosen = people.decode(raw, 72)
    assert chosen == encoding
    assert [person.name for person in persons] == names


def test_utf8_names_and_one_cut_by_the_firmware() -> None:
    long_name = "阿卜杜热合曼买买提江"
    raw = b"".join(
        user_bytes(StoredUser(str(at), name), 72, at, "utf-8")
        for at, name in enumerate(("王芳", "x" + long_name, "李𬭎"), 1)
    )
    persons, chosen = people.decode(raw, 72)
    assert chosen == "utf-8"
    assert [person.name for person in persons] == ["王芳", "x阿卜杜热合曼买\ufffd", "李𬭎"]


def test_gbk_name_cut_inside_a_character() -> None:
    raw = user_bytes(StoredUser("1", b"a" + "买买提阿卜杜拉江艾力克孜".encode("gbk")), 72, 1, "gbk")
    name = people.decode(raw, 72)[0][0].name
    assert name == "a买买提阿卜杜拉江艾力克\ufffd"


def test_a_stored_choice_is_used() -> None:
    raw = user_bytes(StoredUser("1", "plain"), 72, 1, "gbk")
    assert people.decode(raw, 72, "gbk")[1] == "gbk"


def test_garbage_behind_the_name_is_dropped() -> None:
    raw = user_bytes(StoredUser("1", "张伟".encode("gbk") + b"\0old\xff\xfe"), 72, 1, "gbk")
    assert people.decode(raw, 72)[0][0].name == "张伟"


@pytest.mark.parametrize("width", [28, 72])
def test_a_size_divisible_by_both_widths(width: int) -> None:
    count = 504 // width
    raw = b"".join(
        user_bytes(StoredUser(str(100 + at), "王芳"), width, at, "gbk")
        for at in range(1, count + 1)
    )
    assert people.choose_width(raw, count, count) == width
    assert people.choose_width(raw, 1, 504) == width


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([28, 72]), st.binary(max_size=1000))
def test_any_bytes_are_people_of_some_kind(width: int, noise: bytes) -> None:
    raw = noise[: len(noise) // width * width]
    persons, _ = people.decode(raw, width)
    assert len(persons) == len(raw) // width
    assert all(person.name.isprintable() for person in persons)


# ---- counts and methods ------------------------------------------------------------------


def test_counts_at_their_offsets() -> None:
    data = struct.pack("<23I", *range(23))
    health = counts.parse(data)
    assert (health.users, health.fingerprints, health.punches, health.operations) == (4, 6, 8, 10)
    assert (health.administrators, health.passwords) == (12, 13)
    assert (health.fingerprint_capacity, health.user_capacity) == (14, 15)
    assert (health.punch_capacity, health.free_punches) == (16, 19)
    assert (health.faces, health.face_capacity) == (20, 22)
    assert counts.parse(data[:80]).faces == 0
    assert counts.parse(data + bytes(20)) == health


def test_short_counts_and_minus_one() -> None:
    with pytest.raises(BadResponse):
        counts.parse(bytes(79))
    assert counts.parse(b"\xff" * 80).punches == 0


def test_fill() -> None:
    numbers = [0] * 20
    numbers[8], numbers[16] = 90_001, 100_000
    assert counts.parse(struct.pack("<20I", *numbers)).punch_fill_percent == 90
    numbers[16] = 0
    assert counts.parse(struct.pack("<20I", *numbers)).punch_fill_percent == 0


def test_method_classes_of_the_notes() -> None:
    biometric = {1, 8, 9, 10, 12, 13, 14, 15, *range(16, 30)}
    not_biometric = {2, 3, 4, 7, 11}
    for code in range(-1, 300):
        expected = (
            MethodClass.BIOMETRIC
            if code in biometric
            else MethodClass.NOT_BIOMETRIC
            if code in not_biometric
            else MethodClass.UNPROVEN
        )
        assert codes.method_class(code) == expected


def test_the_emulator_writes_the_bytes_of_the_notes() -> None:
    punch = StoredPunch("880001", MORNING, 15, 0)
    assert punch_bytes(punch, 40, 7) == FORTY
    assert punch_bytes(punch, 16, 7) == SIXTEEN
    assert punch_bytes(punch._replace(method=1), 8, 7) == EIGHT
    user = StoredUser("880001", "张伟", card=305419896)
    assert user_bytes(user, 72, 7, "gbk") == USER_72
    assert user_bytes(user, 28, 7, "gbk") == USER_28
