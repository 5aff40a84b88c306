"""The log's second line of defence: numbers of people are masked, whatever wrote them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.errors import EnvironmentFault
from desktop.log import LOG_FILE, redact, start_logging


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("410000199001010018", "［证件号］"),
        ("身份证41000019900101001x有误", "身份证［证件号］有误"),
        ("410000 19900101 001X", "［证件号］"),
        ("410000-19900101-0018", "［证件号］"),
        ("４１００００１９９００１０１００１８", "［证件号］"),
        ("电话19900000001。", "电话［手机号］。"),
        ("199 0000 0001", "［手机号］"),
        ("199-0000-0001,18800000000", "［手机号］,［手机号］"),
        ("6222020000000000000", "［长号码］"),
        ("6222 0200 0000 0000", "［长号码］"),
        ("['19900000001']", "['［手机号］']"),
    ],
)
def test_numbers_of_people_are_masked(text: str, masked: str) -> None:
    assert redact(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "100001", "2026-11-24 16:00:00,123", "1764000000", "12900000000", "page 4096 of 12345678",
        "a3f519900000001bb0", "0371-00000001", "12345678901234567890123456",
        "6f2c8e0b-1b9d-4a3e-9f4d-8a7b6c5d4e3f",
    ],
)  # fmt: skip
def test_other_numbers_stay(text: str) -> None:
    assert redact(text) == text


@pytest.fixture
def handler(tmp_path: Path) -> Iterator[logging.Handler]:
    root = logging.getLogger()
    level = root.level
    handler = start_logging(tmp_path / "logs")
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)
    handler.close()


@pytest.mark.usefixtures("handler")
def test_messages_arguments_and_traces_are_masked_in_the_file(tmp_path: Path) -> None:
    log = logging.getLogger("sample")
    log.info("phone %s", "19900000001")
    try:
        raise ValueError("no person 41000019900101001X")
    except ValueError:
        log.exception("failed")
    text = (tmp_path / "logs" / LOG_FILE).read_text(encoding="utf-8")
    assert "19900000001" not in text and "41000019900101001X" not in text
    assert "phone ［手机号］" in text and "ValueError: no person ［证件号］" in text


def test_a_folder_that_cannot_be_made_is_the_environments_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(EnvironmentFault):
        start_logging(tmp_path / "file" / "logs")
