"""Every device error becomes one Chinese sentence with a next step."""

from __future__ import annotations

import pytest

from desktop.punches import words
from devices import errors

ERRORS: list[errors.DeviceError] = [
    *(errors.DeviceNotFound("a", reason) for reason in (
        "refused", "unreachable", "no_answer", "name", "address", "else")),
    errors.DeviceBusy("a"),
    errors.AccessDenied("key_missing"),
    errors.AccessDenied("key_wrong"),
    errors.DeviceTimeout("punches", 15.0),
    errors.ConnectionCut("punches"),
    *(errors.BadResponse(what) for what in (
        "count", "transfer", "size", "checksum", "layout", "unsteady_log", "magic")),
    errors.NotSupported("pull"),
    errors.Cancelled(),
    errors.DeviceError(),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: str(error.args[:2]))
def test_terminals(error: errors.DeviceError) -> None:
    sentence = words.of_terminal(error, "东门进")
    assert sentence.startswith("考勤机「东门进」")
    assert "没有保存任何打卡记录" in sentence
    assert not any("a" <= sign <= "z" for sign in sentence)


@pytest.mark.parametrize(
    "reason",
    [
        "too_large", "spreadsheet", "encrypted", "not_text", "not_attlog", "mixed_order", "mixed_device", "empty",
        "unreadable", "not_users", "else",
    ],
)
def test_files(reason: str) -> None:
    sentence = words.of_file(errors.FileRefused(reason, line=7))
    assert "没有导入" in sentence
    assert "{" not in sentence
    assert ("第7行" in sentence) == reason.startswith("mixed")
