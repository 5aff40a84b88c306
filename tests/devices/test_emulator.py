"""The emulated terminal by itself: scripts, its own process, its manners."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from devices.emulators.zk import ZkEmulator
from devices.emulators.zk.__main__ import from_script
from devices.emulators.zk.server import checksum
from devices.emulators.zk.unit import key_answer
from tests.devices.rig import driver, hexed, some_punches, some_users

SCRIPT = {
    "key": 123456,
    "serial": "TEST0001",
    "users": [["880001", "张伟"]],
    "punches": [["880001", "2026-06-05T07:58:11", 15, 0], ["880001", 7]],
    "faults": {"sessions": 0, "drop": [], "events_in_bulk": 1},
}


def test_its_own_checksum_and_key_give_the_bytes_of_the_notes() -> None:
    assert checksum(hexed("e8 03 00 00 00 00 00 00")) == 0xFC17
    assert key_answer(123456, 0x5B2F) == hexed("26 7f 32 a2")
    assert key_answer(999999, 65000) == hexed("22 81 32 94")


def test_a_script_of_its_own_process(tmp_path: Path) -> None:
    file = tmp_path / "script.json"
    file.write_text(json.dumps(SCRIPT), encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "devices.emulators.zk", "--script", str(file)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            zk = driver(address, password="123456")
            assert zk.people().persons[0].name == "张伟"
            batch = zk.pull()
            assert (batch.serial, batch.received) == ("TEST0001", 2)
            assert len(batch.records().punches) == 2
        finally:
            process.terminate()


def test_a_misspelt_script_is_an_error() -> None:
    with pytest.raises(ValueError):
        from_script({"punchs": []})
    with pytest.raises(TypeError):
        from_script({"faults": {"stal_at": 1}})


def test_it_leaves_no_thread_and_no_port() -> None:
    before = threading.active_count()
    with ZkEmulator(some_users(), some_punches(5)) as terminal:
        address = terminal.address
        for transport in ("tcp", "udp"):
            assert driver(address, transport=transport).pull().received == 5
    assert threading.active_count() == before
    with ZkEmulator(some_users(), [], port=int(address.rpartition(":")[2])) as again:
        assert again.address == address


def test_terminals_side_by_side() -> None:
    """One lane per terminal: ten at once do not disturb each other."""
    counts: list[int] = []

    def pull(count: int) -> None:
        with ZkEmulator(some_users(), some_punches(count)) as terminal:
            counts.append(driver(terminal.address).pull().received)

    threads = [threading.Thread(target=pull, args=(100 * at,)) for at in range(1, 11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(counts) == [100 * at for at in range(1, 11)]
