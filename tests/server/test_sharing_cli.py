"""The commands of a PC whose server is away: they collect, say what waits, and bring it in."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from desktop.cli.main import run
from devices.emulators.zk import ZkEmulator
from tests.conftest import PASSPHRASE
from tests.punches.rig import stored
from tests.server.pcs import Pcs, pcs

__all__ = ["pcs"]

PAST = datetime(2024, 6, 3, 6, 30)
"""Commands live in the real time; this is past in every year the tests are run."""


class Commands:
    """Command lines on one folder, with ``--json``."""

    def __init__(self, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
        secret = place.parent / "secret"
        secret.write_text(f"{PASSPHRASE}\n", encoding="utf-8")
        self._before = ["--data-dir", str(place), "--passphrase-file", str(secret)]
        self._capsys = capsys
        self.err = ""

    def __call__(self, *arguments: str, code: int = 0) -> Any:
        self._capsys.readouterr()
        got = run([*self._before, "--json", *arguments])
        said = self._capsys.readouterr()
        self.err = said.err
        assert got == code, said
        return json.loads(said.out)

    def text(self, *arguments: str) -> str:
        self._capsys.readouterr()
        assert run([*self._before, *arguments]) == 0
        return self._capsys.readouterr().out


def test_the_server_is_away(pcs: Pcs, capsys: pytest.CaptureFixture[str]) -> None:
    place = pcs.setup("门卫室")
    do = Commands(place, capsys)
    with ZkEmulator(punches=stored(50, start=PAST)) as unit:
        do("terminal", "add", "东门", "--driver", "zk", "--address", unit.address)
        do("terminal", "add", "后门", "--driver", "zk")
        stick = pcs.folder / "1_attlog.dat"
        stick.write_bytes(unit.stick())
        do("terminal", "pull")
        unit.add(stored(7, start=datetime(2024, 7, 1, 6, 30)))
        pcs.server.stop()
        try:
            refused = do("board", "show", code=1)
            assert refused["error"]["code"] == "server_away"
            (pulled,) = do("terminal", "pull", code=1)
            assert (pulled["waiting"], pulled["new"], pulled["error"]["code"]) == (7, 0, "server_away")
            assert "服务器连不上，现在只能采集，记录先存在本机。" in do.err
            imported = do("punches", "import", str(stick), "--terminal", "后门")
            assert (imported["lines"], imported["waiting"]) == (50, 50)
            waits = do("punches", "waiting")
            assert (waits["away"], waits["records"], waits["damaged"]) == (True, 57, 0)
            assert [one["kind"] for one in waits["batches"]] == ["pull", "usb"]
            assert waits["bytes"] > 1000 and waits["since"].startswith("20")
            assert "本机有2批共57条打卡记录等待入账（「东门」、「后门」" in do.text("punches", "waiting")
        finally:
            pcs.server.start()
        done = do("punches", "waiting")
        assert (done["away"], done["records"], done["batches"]) == (False, 0, [])
        assert "存在本机的57条记录已全部入账（「东门」、「后门」），其中新增57条。" in do.err
        assert do("ledger", "verify")["punches"] == 107
        assert do("terminal", "pull")[0]["new"] == 0
