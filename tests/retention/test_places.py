"""Every table has a decision about the personal text in it; a new table asks for one."""

from __future__ import annotations

from desktop.retention import ledger_rows
from desktop.retention.places import PLACES, may_keep_name, place_word
from devices.terminals.model import SourceFormat
from tests.storage import stations


def test_every_table_is_decided_about() -> None:
    assert set(PLACES) == set(stations.METADATA.tables)


def test_the_one_source_format_that_is_text() -> None:
    assert ledger_rows.LINE_OF_A_STICK == SourceFormat.ATTLOG


def test_names_of_users_and_organisations_may_stay() -> None:
    for table, column in (
        ("audit_act", "actor"), ("segment", "operator"), ("alias", "confirmed_by"),
        ("company", "name"), ("team", "name"), ("edit_stamp", "editor"),
    ):
        assert may_keep_name(table, column)
    for table, column in (
        ("person", "name"), ("staff", "name"), ("team", "leader"), ("audit_act", "why"),
        ("explanation", "text"), ("board_version", "content"),
    ):
        assert not may_keep_name(table, column)
    assert place_word("team.name") == "班组名称" and place_word("segment.operator") == "办理人"
