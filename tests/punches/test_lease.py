"""A book in a file has one program: it holds every terminal, and nothing is written for it.

Leases between PCs need a server: ``tests/server/test_sharing_lease.py``.
"""

from __future__ import annotations

import pytest

from desktop.access.desk import Desk
from desktop.errors import Refused
from desktop.punches.collect import pull
from desktop.punches.lease import holders, server_now
from desktop.storage import workstation
from tests.punches.rig import QUICK, emulator, stored, table, terminal


@pytest.mark.file_only
def test_one_program_holds_everything(desk: Desk) -> None:
    with emulator(desk, stored(20)) as unit:
        terminal(desk, "东门", unit.address)
        (result,) = pull(desk, timing=QUICK)
    assert (result.error, result.new, result.warnings) == (None, 20, ())
    assert table(desk, "collection_lease") == table(desk, "workstation") == 0
    assert not (desk.book.path / workstation.FILE).exists()
    with desk.book.read() as session:
        assert holders(desk, session) == []
        assert server_now(desk, session) == desk.clock.now()


def test_a_pc_has_a_name_and_keeps_its_mark(desk: Desk) -> None:
    folder = desk.book.path
    made = workstation.here(folder)
    workstation.rename(folder, "  门卫室  一号 ")
    assert workstation.here(folder) == workstation.Here(made.mark, "门卫室 一号")
    for name in ("", "x" * 31, "a\nb\0"):
        with pytest.raises(Refused, match="电脑名称应为1到30个字"):
            workstation.rename(folder, name)
    with desk.book.write() as session:
        first = workstation.register(desk.book, session)
        assert workstation.register(desk.book, session) == first
    (folder / workstation.FILE).write_text("nonsense")
    assert workstation.here(folder).mark != made.mark
