"""The log's second line of defence: numbers of people are masked, whatever wrote them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop import paths
from desktop.cli.main import app, run
from desktop.errors import EnvironmentFault
from desktop.log import LOG_FILE, command_log, redact, start_logging


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


@pytest.fixture
def broken_command() -> Iterator[str]:
    """A command with a bug, on the real command line."""

    @app.command("broken")
    def broken() -> None:
        raise ZeroDivisionError("person 41000019900101001X")

    yield "broken"
    app.registered_commands[:] = [one for one in app.registered_commands if one.name != "broken"]


def test_a_bug_is_one_chinese_sentence_and_a_note_in_the_log(
    broken_command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["--json", broken_command]) == 1
    out, err = capfd.readouterr()
    error = json.loads(out)["error"]
    assert error["code"] == "internal" and error["facts"] == {}
    assert err == error["message"] + "\n"
    assert "请重试" in err and LOG_FILE in err
    log = (paths.log_folder() / LOG_FILE).read_text(encoding="utf-8")
    assert "Traceback" in log and "ZeroDivisionError: person ［证件号］" in log
    assert run([broken_command]) == 1
    assert capfd.readouterr().out == ""


def test_a_command_writes_notes_to_the_file_only(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "logs"
    before = logging.getLogger().handlers[:]
    with command_log(folder) as file, command_log(folder):
        assert not folder.exists()
        logging.getLogger("sample").warning("phone %s", "19900000001")
    assert file.read_text(encoding="utf-8").count("phone ［手机号］") == 1
    assert logging.getLogger().handlers == before
    (tmp_path / "file").write_bytes(b"")
    with command_log(tmp_path / "file" / "logs"):
        logging.getLogger("sample").warning("nowhere to go")
    assert capfd.readouterr().err == ""
