"""The people file of a stick: found width, read names, hidden passwords."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.emulators.zk import StoredUser, ZkEmulator
from devices.errors import FileRefused
from devices.files.user_dat import parse_user_dat, read_user_dat


def stored(count: int, width: int) -> bytes:
    users = [StoredUser(str(880001 + at), "王芳", password="70911") for at in range(count)]
    return ZkEmulator(users, user_width=width).user_file()


@pytest.mark.parametrize("width", [28, 72])
@pytest.mark.parametrize("count", [1, 3, 7, 18, 36])
def test_both_widths_and_sizes_that_fit_both(width: int, count: int, tmp_path: Path) -> None:
    file = tmp_path / "user.dat"
    file.write_bytes(stored(count, width))
    found = read_user_dat(file)
    assert [p.number for p in found.persons] == [str(880001 + at) for at in range(count)]
    assert {p.name for p in found.persons} == {"王芳"}
    assert (found.encoding, found.reported) == ("gbk", count)
    assert "70911" not in repr(found)


def test_a_length_in_front_is_tolerated() -> None:
    data = stored(3, 72)
    assert len(data) == 216
    prefixed = len(data).to_bytes(4, "little") + data
    assert parse_user_dat(prefixed).persons == parse_user_dat(data).persons


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (bytes(4), "empty"),
        (stored(3, 72)[:-1], "not_users"),
        (random.Random(1).randbytes(72 * 5), "not_users"),
        (bytes(72 * 3), "not_users"),
        (bytes((16 << 20) + 1), "too_large"),
    ],
)
def test_refused(data: bytes, reason: str) -> None:
    with pytest.raises(FileRefused) as caught:
        parse_user_dat(data)
    assert caught.value.reason == reason


def test_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileRefused) as caught:
        read_user_dat(tmp_path / "user.dat")
    assert caught.value.reason == "unreadable"


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=1200))
def test_noise(noise: bytes) -> None:
    try:
        found = parse_user_dat(noise)
    except FileRefused:
        return
    assert found.persons
