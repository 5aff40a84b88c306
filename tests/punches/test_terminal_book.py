"""The terminal book: what may be entered, what is only warned of, and what every change leaves."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.errors import NotPermitted, Refused
from desktop.punches.terminal_book import (
    Edit,
    TerminalView,
    add_terminal,
    declare_biometric_only,
    edit_terminal,
    list_terminals,
    rebind_terminal,
    retire_terminal,
)
from tests.punches.rig import proven, rows, terminal

GATE = "东门进"
DAY = date(2026, 11, 1)


def view(desk: Desk, place: int = 0) -> TerminalView:
    with desk.book.read() as session:
        return list_terminals(session, desk.project_id)[place]


def acts(desk: Desk) -> list[str]:
    return [row[0] for row in rows(desk, "SELECT facts FROM audit_act ORDER BY id")]


def test_a_terminal_is_entered_before_it_answers(desk: Desk) -> None:
    change = add_terminal(
        desk, " 东门  进 ", driver="zk", address=" 192.168.1.201:4370 ", direction="in",
        password="8888",
    )
    assert (change.name, change.warnings) == ("东门 进", ())
    state = view(desk)
    assert (state.address, state.direction, state.transport) == ("192.168.1.201:4370", "in", "tcp")
    assert (state.serial, state.epoch, state.held, state.has_password) == ("", 0, 0, True)
    assert (state.complete_until, state.last_contact_at, state.clock_offset_s) == (None,) * 3
    assert "8888" not in "".join(acts(desk))
    proven(desk)


def test_names_are_unique_addresses_only_warn(desk: Desk) -> None:
    terminal(desk, GATE, "10.0.0.1:4370")
    with pytest.raises(Refused) as taken:
        terminal(desk, f" {GATE} ")
    assert taken.value.code == "terminal_exists"
    second = add_terminal(desk, "东门出", driver="zk", address="10.0.0.1:4370", direction="out")
    assert GATE in second.warnings[0]
    retire_terminal(desk, GATE, DAY)
    retire_terminal(desk, "东门出", DAY)
    third = add_terminal(desk, "新东门", driver="zk", address="10.0.0.1:4370", direction="out")
    assert third.warnings == ()
    assert add_terminal(desk, "U盘", driver="zk", address="", direction="in").warnings == ()
    assert add_terminal(desk, "U盘二", driver="zk", address="", direction="in").warnings == ()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"name": "  "}, "terminal_name"),
        ({"name": "门" * 41}, "terminal_name"),
        ({"name": "东\x07门"}, "terminal_name"),
        ({"driver": "pyzk"}, "unknown_driver"),
        ({"direction": "up"}, "direction"),
        ({"transport": "http"}, "transport"),
        ({"address": "10.0.0.1:99999"}, "terminal_address"),
        ({"address": "10.0.0.1:0"}, "terminal_address"),
        ({"address": "10.0.0.1:"}, "terminal_address"),
        ({"address": "a b:1"}, "terminal_address"),
        ({"address": "fe80::1"}, "terminal_address"),
    ],
)
def test_what_cannot_be_is_refused(desk: Desk, options: dict[str, Any], code: str) -> None:
    wanted = {
        "name": GATE, "driver": "zk", "address": "10.0.0.1:4370", "direction": "in", **options,
    }
    with pytest.raises(Refused) as caught:
        add_terminal(desk, wanted.pop("name"), **wanted)
    assert caught.value.code == code
    assert "未做任何改动" in caught.value.message
    assert rows(desk, "SELECT 1 FROM terminal") == []


@pytest.mark.parametrize("address", ["gate.local", "10.0.0.1", "[fe80::1]:4370", "[fe80::1]"])
def test_other_ways_to_write_an_address(desk: Desk, address: str) -> None:
    terminal(desk, GATE, address)
    assert view(desk).address == address


def test_editing(desk: Desk) -> None:
    terminal(desk, GATE, "10.0.0.1:4370", password="1")
    terminal(desk, "西门")
    changed = edit_terminal(
        desk, GATE,
        Edit(name="北门进", address="10.0.0.2", transport="udp", password="", in_use_from=DAY),
    )
    assert changed.name == "北门进"
    state = view(desk)
    assert (state.name, state.address, state.transport) == ("北门进", "10.0.0.2", "udp")
    assert (state.has_password, state.in_use_from) == (False, DAY)
    with pytest.raises(Refused) as caught:
        edit_terminal(desk, "北门进", Edit(name="西门"))
    assert caught.value.code == "terminal_exists"
    with pytest.raises(Refused, match="原因"):
        edit_terminal(desk, "北门进", Edit(direction="out"))
    edit_terminal(desk, "北门进", Edit(direction="out"), why="闸机调头")
    assert view(desk).direction == "out"
    before = len(acts(desk))
    edit_terminal(desk, "北门进", Edit(direction="out", name="北门进", address="10.0.0.2"))
    assert len(acts(desk)) == before
    proven(desk)


def test_declared_biometric_only_needs_evidence(desk: Desk) -> None:
    terminal(desk, GATE)
    with pytest.raises(Refused, match="依据"):
        declare_biometric_only(desk, GATE, DAY, "  ")
    declare_biometric_only(desk, GATE, DAY, "设备照片与设置截图 2026-11-01")
    state = view(desk)
    assert (state.biometric_only_from, state.biometric_only_evidence) == (
        DAY, "设备照片与设置截图 2026-11-01",
    )
    assert rows(desk, "SELECT why FROM audit_act ORDER BY id DESC LIMIT 1") == [
        ("设备照片与设置截图 2026-11-01",)
    ]


def test_retiring_and_rebinding(desk: Desk) -> None:
    terminal(desk, GATE)
    retire_terminal(desk, GATE, DAY)
    assert view(desk).retired_on == DAY
    with pytest.raises(Refused):
        rebind_terminal(desk, GATE, "")
    with desk.book.write() as session:
        session.connection().exec_driver_sql("UPDATE terminal SET serial = 'A', cursor = '{\"held\":5}'")
    assert view(desk).held == 5
    rebind_terminal(desk, GATE, "换机")
    state = view(desk)
    assert (state.serial, state.epoch, state.held) == ("", 1, 0)


def test_unknown_names_say_which_there_are(desk: Desk) -> None:
    with pytest.raises(Refused, match="还没有登记任何考勤机"):
        retire_terminal(desk, GATE, DAY)
    terminal(desk, "东门")
    terminal(desk, "西门")
    with pytest.raises(Refused, match="东门、西门"):
        retire_terminal(desk, GATE, DAY)


def test_an_inspector_changes_nothing(desk: Desk) -> None:
    watching = Desk(desk.book, desk.project_id, Actor("检查员", Role.INSPECTOR))
    with pytest.raises(NotPermitted):
        terminal(watching)
