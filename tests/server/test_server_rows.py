"""A project's member sees and writes his project only, also with raw psql and whatever he sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from desktop.access.actor import Act, Actor, Role
from desktop.access.desk import Desk
from desktop.clock import FixedClock
from desktop.demo.people import invent_people
from desktop.people.roster_import import import_roster
from desktop.storage import server_rules, server_schema
from desktop.storage.book import open_book
from tests.conftest import NOW, PASSPHRASE
from tests.people.sheets import row_of, write_xlsx
from tests.punches.rig import proven
from tests.server.two_projects import PEOPLE, Two, two

__all__ = ["two"]

CLASSIFIED = {
    "project_id": {
        "alias", "audit_act", "biometric_removal", "board_item", "board_version",
        "collection_lease", "contract", "download", "edit_stamp", "explanation", "finding_answer",
        "floor_wage", "leave", "leaver_slip", "legal_hold", "month_version", "outage_note",
        "participation", "purge", "purge_step", "retention_dates", "retention_policy",
        "roster_import", "rule_pack", "segment", "staff", "stay", "stop_work", "team", "terminal",
        "tombstone",
    },
    "terminal": {"clock_reading", "punch", "punch_quarantine", "terminal_person"},
    "segment": {"punch_conflict", "punch_sighting"},
    "team": {"stay_team", "team_shift"},
    "explanation": {"explanation_cell"},
    "month_version": {"month_page", "month_row"},
}
"""Every table of the stations and what leads it to its project; a new one belongs here."""


def test_every_table_is_classified(two: Two) -> None:
    with two.server.superuser(two.database) as hand:
        tables = server_schema.tables(hand)
    derived: dict[str, set[str]] = {}
    for name, table in tables.items():
        if name in server_rules.SHARED | server_rules.MEMBERSHIP | {"project", "person"}:
            continue
        way = "project_id" if "project_id" in table.columns else server_rules._way(tables, name)[1]
        derived.setdefault(way, set()).add(name)
    assert derived == CLASSIFIED


def test_a_table_that_leads_nowhere_is_not_forgotten() -> None:
    lost = server_rules.Table("lost", frozenset({"id"}), (("company_id", "company"),))
    with pytest.raises(server_rules.UnknownTable):
        list(server_rules.policies({"lost": lost}))


def counts(link: Any, tables: list[str]) -> dict[str, int]:
    return {
        name: link.execute(
            sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))
        ).fetchone()[0]
        for name in tables
    }


TRICKS = (
    "SELECT 1",
    "SET ROLE two_projects_app",
    "SET sitemuster.project_id = '2'",
    "SET row_security = off",
    "SET search_path = public, sitemuster",
    "CREATE TEMP TABLE project_member AS SELECT current_user::name AS role_name, 2 AS project_id",
    "SET session_replication_role = replica",
    "SET SESSION AUTHORIZATION two_projects_p2",
    "SET ROLE two_projects_owner",
    "SET ROLE two_projects_office",
    "GRANT two_projects_owner TO CURRENT_USER",
    "INSERT INTO sitemuster.project_member VALUES (current_user, 2)",
    "INSERT INTO sitemuster.person_claim SELECT current_user, id FROM generate_series(1, 9) id",
    "ALTER TABLE sitemuster.punch NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE sitemuster.punch DISABLE ROW LEVEL SECURITY",
    "CREATE POLICY mine ON sitemuster.person USING (true)",
    "DROP POLICY member ON sitemuster.segment",
    "CREATE FUNCTION sitemuster.knows_person(text) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
)


@pytest.mark.parametrize("trick", TRICKS)
def test_nothing_a_session_can_say_shows_more(two: Two, trick: str) -> None:
    with two.server.superuser(two.database) as hand:
        tables = server_schema.tables(hand)
    bound = sorted(tables.keys() - server_rules.SHARED - server_rules.MEMBERSHIP)
    with two.psql(1) as link:
        plain = counts(link, bound)
        try:
            link.execute(trick)
        except psycopg.Error:
            link.execute("RESET ALL")
            link.execute("SET search_path = sitemuster")
        seen = {}
        for name in bound:
            try:
                found = link.execute(
                    sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("sitemuster", name))
                )
                seen[name] = found.fetchone()[0]
            except psycopg.Error:
                seen[name] = 0
        assert all(seen[name] <= plain[name] for name in bound), trick
        for name in bound:
            if "project_id" in tables[name].columns and seen[name]:
                projects = link.execute(
                    sql.SQL("SELECT DISTINCT project_id FROM {}").format(
                        sql.Identifier("sitemuster", name)
                    )
                ).fetchall()
                assert projects == [(1,)], (trick, name)


def test_each_sees_his_own_half(two: Two) -> None:
    """Together the two members see every row, and none of them twice."""
    with two.server.superuser(two.database) as hand:
        hand.execute("SET search_path = sitemuster")
        tables = server_schema.tables(hand)
        bound = sorted(tables.keys() - server_rules.SHARED - server_rules.MEMBERSHIP)
        whole = counts(hand, bound)
    with two.psql(1) as one, two.psql(2) as other:
        halves = counts(one, bound), counts(other, bound)
    assert {name: halves[0][name] + halves[1][name] for name in bound} == whole
    for name in ("punch", "punch_quarantine", "punch_sighting", "segment", "audit_act", "person",
                 "stay", "stay_team", "team", "terminal", "stop_work", "project", "team_shift"):
        assert halves[0][name] and halves[1][name], name


def test_nobody_writes_into_another_project(two: Two) -> None:
    with two.psql(2) as link:
        theirs = link.execute("SELECT min(id) FROM segment").fetchone()[0]
        gate = link.execute("SELECT min(id) FROM terminal").fetchone()[0]
        stranger = link.execute("SELECT min(id) FROM person").fetchone()[0]
    columns = (
        "epoch, seq, number, t_local + 5, day, method_raw, state_raw, method_class, accepted,"
        " source_format, received_at, raw"
    )
    own = "(SELECT min(id) FROM {})"
    refused = (
        f"INSERT INTO punch SELECT 9001, {theirs}, terminal_id, {columns} FROM punch LIMIT 1",
        f"INSERT INTO punch SELECT 9002, segment_id, {gate}, {columns} FROM punch LIMIT 1",
        "INSERT INTO segment SELECT 9003, 2, 99, kind, count, root, header, at, operator,"
        " '\\x01', '\\x02' FROM segment LIMIT 1",
        f"INSERT INTO audit_act SELECT 9004, project_id, {theirs}, at, actor, act, subject, why,"
        " facts FROM audit_act LIMIT 1",
        "INSERT INTO audit_act SELECT 9005, 2, segment_id, at, actor, act, subject, why, facts"
        " FROM audit_act LIMIT 1",
        f"INSERT INTO punch_sighting SELECT 9006, {own.format('punch')}, {theirs}, 'push'",
        "UPDATE stop_work SET project_id = 2",
        f"INSERT INTO stay_team (stay_id, team_id, from_day) SELECT {own.format('stay')},"
        f" {own.format('team')} + 4, 1",
        f"INSERT INTO stay SELECT 9007, 1, {stranger}, company_id, from_day, to_day, is_manager,"
        " trade, state FROM stay LIMIT 1",
        f"UPDATE stay SET person_id = {stranger}",
        "INSERT INTO project SELECT 3, name, 'X', address, permit_no, started_on,"
        " planned_completion_on, enclosed, pay_day, created_at FROM project",
    )
    with two.psql(1) as link:
        for statement in refused:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                link.execute(statement)
        for statement in (
            "UPDATE stop_work SET reason = 'x' WHERE project_id = 2",
            "DELETE FROM stop_work WHERE project_id = 2",
            f"UPDATE person SET name = 'x' WHERE id = {stranger}",
            f"DELETE FROM person WHERE id = {stranger}",
            f"SELECT * FROM person WHERE id = {stranger} FOR UPDATE",
        ):
            assert link.execute(statement).rowcount == 0, statement
    assert proven(two.first).ok and proven(two.second).ok


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE punch SET raw = raw",
        "UPDATE punch SET number = '1'",
        "UPDATE segment SET operator = 'x'",
        "DELETE FROM audit_act",
        "DELETE FROM punch",
        "TRUNCATE punch",
        "TRUNCATE segment CASCADE",
        "DROP TABLE punch CASCADE",
        "DROP TRIGGER punch_no_change ON punch",
        "ALTER TABLE punch DISABLE TRIGGER ALL",
        "ALTER TABLE punch ADD COLUMN more text",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN RETURN NEW; END'",
        "DROP INDEX uq_punch_key",
        "CREATE TABLE more (id integer)",
        "CREATE TRIGGER more BEFORE INSERT ON punch EXECUTE FUNCTION refuse_emptying()",
        "CREATE RULE more AS ON INSERT TO punch DO INSTEAD NOTHING",
        "INSERT INTO punch SELECT * FROM punch ON CONFLICT (id) DO UPDATE SET raw = '\\x00'",
        "ALTER ROLE CURRENT_USER SUPERUSER",
        "UPDATE alembic_version SET version_num = '9'",
        "SELECT setval('punch_id_seq', 1)",
        "LOCK TABLE punch IN ACCESS EXCLUSIVE MODE",
    ],
)
def test_the_ledger_is_closed_to_members(two: Two, statement: str) -> None:
    with two.psql(1) as link:
        before = counts(link, ["punch", "segment", "audit_act"])
        with pytest.raises(psycopg.Error):
            link.execute(statement)
        assert counts(link, ["punch", "segment", "audit_act"]) == before


def test_a_terminal_keeps_its_punches(two: Two) -> None:
    """What the foreign keys of the punches would say, a trigger says."""
    with two.psql(1) as link:
        for statement in ("DELETE FROM terminal", "UPDATE terminal SET id = 77"):
            with pytest.raises(psycopg.errors.ForeignKeyViolation):
                link.execute(statement)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            link.execute(
                "INSERT INTO punch SELECT 9100, 424242, terminal_id, epoch, seq, number, 5, day,"
                " method_raw, state_raw, method_class, accepted, source_format, received_at, raw"
                " FROM punch LIMIT 1"
            )


def test_the_triggers_hold_the_owner_too(two: Two) -> None:
    """Grants stop members; whoever takes the owner's role meets the triggers."""
    with two.server.superuser(two.database) as hand:
        hand.execute("SET ROLE two_projects_owner")
        for statement in (
            "UPDATE sitemuster.segment SET operator = 'x'", "DELETE FROM sitemuster.punch",
            "TRUNCATE sitemuster.audit_act",
        ):
            with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                hand.execute(statement)


def test_a_person_of_another_project_comes_in_by_the_id_number(two: Two, tmp_path: Path) -> None:
    """The gate of project 2 reads a card of somebody who works on project 1."""

    def report(person: int, **changes: str) -> Any:
        row = row_of(invent_people(10)[person], **changes)
        return import_roster(desk, write_xlsx(tmp_path / f"{person}.xlsx", [row]))

    def people() -> list[str]:
        with book.read() as session:
            found = session.connection().exec_driver_sql("SELECT name FROM person ORDER BY id")
            return list(found.scalars())

    folder = two.folder_of(2, tmp_path / "second")
    with open_book(folder, FixedClock(NOW), passphrase=PASSPHRASE) as book:
        desk = Desk(book, 2, Actor("门卫", Role.ADMINISTRATOR))
        assert people() == [one.name for one in PEOPLE[3:]]
        assert report(0).created == 1
        assert report(8).created == 1
        (rejected,) = report(9, 人员编号="100002").rejected
        assert rejected.code == "worker_no_taken"
        names = people()
        assert len(names) == 5 and PEOPLE[0].name in names and PEOPLE[1].name not in names
        with book.write() as session:
            desk.audit(session, Act.TERMINAL_CHANGED, "x")
        assert proven(desk).ok
