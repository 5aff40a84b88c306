"""Packets, key and packed time against the bytes of the protocol notes."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.errors import AccessDenied, BadResponse
from devices.terminals.zk import frame, key, packed_time
from tests.devices.rig import hexed

PACKETS = {
    "connect": ("e8 03 17 fc 00 00 00 00", 1000, 0, 0, ""),
    "key needed": ("d5 07 fb 9c 2f 5b 00 00", 2005, 0x5B2F, 0, ""),
    "auth": ("4e 04 28 7f 2f 5b 01 00 26 7f 32 a2", 1102, 0x5B2F, 1, "26 7f 32 a2"),
    "get time": ("c9 00 05 a4 2f 5b 02 00", 201, 0x5B2F, 2, ""),
    "time": ("d0 07 55 28 2f 5b 02 00 08 42 a1 32", 2000, 0x5B2F, 2, "08 42 a1 32"),
    "read punches": (
        "df 05 eb 91 2f 5b 05 00 01 0d 00 00 00 00 00 00 00 00 00",
        1503,
        0x5B2F,
        5,
        "01 0d 00 00 00 00 00 00 00 00 00",
    ),
    "announced": (
        "d0 07 92 a2 2f 5b 05 00 00 04 09 3d 00 04 09 3d 00 4d 3c 2b 1a",
        2000,
        0x5B2F,
        5,
        "00 04 09 3d 00 04 09 3d 00 4d 3c 2b 1a",
    ),
    "chunk": (
        "e0 05 29 9f 2f 5b 06 00 00 00 00 00 c0 ff 00 00",
        1504,
        0x5B2F,
        6,
        "00 00 00 00 c0 ff 00 00",
    ),
    "prepare": (
        "dc 05 34 9f 2f 5b 06 00 c0 ff 00 00 f8 ff 00 00",
        1500,
        0x5B2F,
        6,
        "c0 ff 00 00 f8 ff 00 00",
    ),
    "end of chunk": ("d0 07 68 f8 c0 ff 06 00", 2000, 0xFFC0, 6, ""),
    "punch event": (
        "f4 01 0a 4c 01 00 00 00 38 38 30 30 30 31" + " 00" * 18 + " 0f 00 1a 06 05 07 3a 0b",
        500,
        1,
        0,
        "38 38 30 30 30 31" + " 00" * 18 + " 0f 00 1a 06 05 07 3a 0b",
    ),
    "ack of event": ("d0 07 00 9d 2f 5b 00 00", 2000, 0x5B2F, 0, ""),
    "tamper": ("f4 01 d4 fb 00 02 00 00 37 00 00 00", 500, 512, 0, "37 00 00 00"),
}


@pytest.mark.parametrize("name", PACKETS)
def test_packets_of_the_notes(name: str) -> None:
    wire, code, session, number, data = PACKETS[name]
    assert frame.encode(code, session, number, hexed(data)) == hexed(wire)
    assert frame.decode(hexed(wire)) == frame.Packet(code, session, number, hexed(data))


def test_tcp_head_of_the_notes() -> None:
    wrapped = frame.wrap(hexed("e8 03 17 fc 00 00 00 00"))
    assert wrapped == hexed("50 50 82 7d 08 00 00 00 e8 03 17 fc 00 00 00 00")
    assert frame.announced_length(wrapped[:8]) == 8


@pytest.mark.parametrize("length", [0, 1, 7, frame.LONGEST + 1, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_mad_length_is_refused_before_anything_is_allocated(length: int) -> None:
    with pytest.raises(BadResponse) as caught:
        frame.announced_length(frame.TCP_HEAD.pack(frame.MAGIC, length))
    assert (caught.value.what, caught.value.got) == ("frame_length", length)


@pytest.mark.parametrize("length", [8, 9, frame.LONGEST])
def test_allowed_lengths(length: int) -> None:
    assert frame.announced_length(frame.TCP_HEAD.pack(frame.MAGIC, length)) == length


def test_a_lost_stream_is_noticed() -> None:
    with pytest.raises(BadResponse) as caught:
        frame.announced_length(b"\x50\x50\x82\x7c\x08\0\0\0")
    assert caught.value.what == "magic"


@pytest.mark.parametrize("data", [b"", b"\0" * 7, b"\x01" * 7])
def test_short_packets(data: bytes) -> None:
    with pytest.raises(BadResponse):
        frame.decode(data)


packets = st.builds(
    frame.encode,
    st.integers(0, 65535),
    st.integers(0, 65535),
    st.integers(0, 65535),
    st.binary(max_size=300),
)


@settings(max_examples=200, deadline=None)
@given(packets)
def test_round_trip_and_the_receivers_rule(packet: bytes) -> None:
    code, session, number, data = frame.decode(packet)
    assert frame.encode(code, session, number, data) == packet
    padded = packet + bytes(len(packet) % 2)
    words = [int.from_bytes(padded[at : at + 2], "little") for at in range(0, len(padded), 2)]
    assert sum(words) % 65535 == 0


@settings(max_examples=200, deadline=None)
@given(packets, st.data())
def test_every_single_flipped_bit_is_found(packet: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(packet) * 8 - 1))
    damaged = bytearray(packet)
    damaged[at // 8] ^= 1 << at % 8
    with pytest.raises(BadResponse):
        frame.decode(damaged)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=64))
def test_noise_is_refused_or_sound(noise: bytes) -> None:
    try:
        packet = frame.decode(noise)
    except BadResponse as error:
        assert error.what in ("frame_length", "checksum")
    else:
        # The checksum 0 and 65535 are the same number to the receiver's rule.
        again = frame.encode(*packet)
        assert again == noise or {again[2:4], noise[2:4]} == {b"\0\0", b"\xff\xff"}


@pytest.mark.parametrize(
    ("number", "session", "answer"),
    [
        (123456, 0x5B2F, "26 7f 32 a2"),
        (0, 0x5B2F, "61 7d 32 22"),
        (1, 1, "61 fd 32 79"),
        (999999, 65000, "22 81 32 94"),
    ],
)
def test_key_of_the_notes(number: int, session: int, answer: str) -> None:
    assert key.scramble(number, session) == hexed(answer)


@pytest.mark.parametrize(("text", "number"), [("", 0), (" 0 ", 0), ("123456", 123456)])
def test_key_digits(text: str, number: int) -> None:
    assert key.parse(text) == number


@pytest.mark.parametrize("text", ["secret", "-1", "１２３", "4294967296", "12 34"])
def test_a_key_that_is_no_number_is_never_sent(text: str) -> None:
    with pytest.raises(AccessDenied) as caught:
        key.parse(text)
    assert text not in str(caught.value)


@pytest.mark.parametrize(
    ("moment", "packed"),
    [
        (datetime(2000, 1, 1), "00 00 00 00"),
        (datetime(2026, 6, 5, 8, 30), "08 42 a1 32"),
        (datetime(2026, 6, 5, 7, 58, 11), "93 3a a1 32"),
        (datetime(2026, 12, 31, 23, 59, 59), "ff 99 b9 33"),
    ],
)
def test_packed_time_of_the_notes(moment: datetime, packed: str) -> None:
    number = int.from_bytes(hexed(packed), "little")
    assert packed_time.pack(moment) == number
    assert packed_time.moment(number) == moment
    assert packed_time.text(number) == str(moment)


@settings(max_examples=200, deadline=None)
@given(st.datetimes(datetime(2000, 1, 1), datetime(2133, 1, 1)))
def test_packed_time_round_trip(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    packed = packed_time.pack(moment)
    assert packed_time.moment(packed) == moment
    assert packed_time.local_seconds(packed) == (moment - datetime(1970, 1, 1)).total_seconds()
    days = packed_time.DayBases()
    assert days[packed // 86400] + packed % 86400 == packed_time.local_seconds(packed)


@pytest.mark.parametrize(("month", "day"), [(2, 29), (2, 30), (2, 31), (4, 31), (11, 31)])
def test_dates_that_do_not_exist(month: int, day: int) -> None:
    packed = ((26 * 12 + month - 1) * 31 + day - 1) * 86400 + 7
    assert packed_time.local_seconds(packed) is None
    assert packed_time.moment(packed) is None
    assert packed_time.text(packed) == f"2026-{month:02}-{day} 00:00:07"


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 0xFFFFFFFF))
def test_no_packed_time_breaks_anything(packed: int) -> None:
    assert len(packed_time.text(packed)) == 19
    seconds = packed_time.local_seconds(packed)
    assert (seconds is None) == (packed_time.DayBases()[packed // 86400] < 0)
