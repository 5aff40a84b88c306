"""Who may see and write which rows on a server: derived from the tables themselves.

A login is a member of projects (table ``project_member``). Every table that leads to a project,
by a column ``project_id`` or through its foreign keys, gets a row policy by ``current_user`` and
that table; nothing a session can set takes part. A table that leads nowhere must be named in
:data:`SHARED`, so that a new table cannot be forgotten. Persons are shared within a book but a
login sees only those of its projects, and can bring in another's only by knowing the ID number's
keyed index (``claim_person``).

Pure: catalog facts in, SQL out. Rows written must hang on parents of the same login, else somebody
could put records into the chain of a project that is not his.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from desktop.storage.erasing import ERASABLE
from desktop.storage.guard import LEDGER_TABLES

SHARED = frozenset(
    {
        "company", "holiday", "book_info", "app_user", "login_guard", "change_count",
        "workstation", "alembic_version", "write_receipt",
    }
)
"""Of the whole book: companies and holidays are public, the rest is about programs and users."""

MEMBERSHIP = frozenset({"project_member", "person_claim"})
"""Written by the owner's functions only."""

EVERY_PROJECT = 0
"""In ``project_member``: a login that is a member of every project, also of later ones."""

_PERSON, _STAY, _PROJECT = "person", "stay", "project"
_LARGE = frozenset({"segment", "punch", "stay"})
"""Where a table has two ways to its project, the way through these is the longer one to look up."""
_SMALL = frozenset({"terminal", "team", "month_version"})
"""So few rows that all of a login's are looked up once per statement; others once per row."""

WATCHED = {"punch": (("segment_id", "segment"), ("terminal_id", "terminal"))}
"""References that a trigger watches once per statement instead of a foreign key once per row: in
a table that grows by tens of thousands of rows at a time the foreign keys cost more than all else.
"""

_MINE = "SELECT m.project_id FROM project_member m WHERE m.role_name = CURRENT_USER"
_EVERYWHERE = f"EXISTS ({_MINE} AND m.project_id = {EVERY_PROJECT})"


class UnknownTable(LookupError):
    """A table leads to no project and is not named in :data:`SHARED`."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the schema: its name, columns, and where its foreign keys lead."""

    name: str
    columns: frozenset[str]
    refs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """One row policy: ``using`` for rows that are read, ``check`` for rows that are written."""

    name: str
    table: str
    act: str
    using: str | None
    check: str | None


def policies(tables: Mapping[str, Table]) -> Iterator[Policy]:
    """The policies of the members; raises :class:`UnknownTable`."""
    for name in sorted(tables):
        if name in SHARED:
            continue
        if name in MEMBERSHIP:
            yield Policy("own_rows", name, "SELECT", "role_name = CURRENT_USER", None)
        elif name == _PROJECT:
            mine = f"id IN ({_MINE}) OR {_EVERYWHERE}"
            yield Policy("member", name, "ALL", mine, mine)
        elif name == _PERSON:
            yield from _person()
        else:
            yield Policy("member", name, "ALL", _sees(tables, name), _writes(tables, name))


def _person() -> Iterator[Policy]:
    seen = (
        f"{_EVERYWHERE} OR entered_by = CURRENT_USER"
        " OR EXISTS (SELECT 1 FROM stay s WHERE s.person_id = person.id)"
        " OR EXISTS (SELECT 1 FROM person_claim c WHERE c.person_id = person.id)"
    )
    yield Policy("member_sees", _PERSON, "SELECT", seen, None)
    yield Policy("member_adds", _PERSON, "INSERT", None, "entered_by = CURRENT_USER")
    yield Policy("member_changes", _PERSON, "UPDATE", seen, seen)
    yield Policy("member_removes", _PERSON, "DELETE", seen, None)


def _sees(tables: Mapping[str, Table], name: str) -> str:
    if "project_id" in tables[name].columns:
        return f"project_id IN ({_MINE})"
    column, parent = _way(tables, name)
    return _visible(name, column, parent)


def _writes(tables: Mapping[str, Table], name: str) -> str:
    """As :func:`_sees`, and no other parent may be a stranger's."""
    parts = [_sees(tables, name)]
    for column, parent in () if name in WATCHED else sorted(tables[name].refs):
        bound = parent not in SHARED and parent not in (_PROJECT, _PERSON, name)
        condition = _visible(name, column, parent)
        if bound and condition not in parts:
            parts.append(f"({name}.{column} IS NULL OR {condition})")
    if name == _STAY:
        parts.append("knows_person(person_id)")
    return " AND ".join(parts)


def _visible(name: str, column: str, parent: str) -> str:
    """The parent's own policy decides."""
    if parent in _SMALL:
        return f"{column} IN (SELECT p.id FROM {parent} p)"
    return f"EXISTS (SELECT 1 FROM {parent} p WHERE p.id = {name}.{column})"


def _way(tables: Mapping[str, Table], name: str) -> tuple[str, str]:
    """The foreign key over which a table without ``project_id`` is reached."""
    ways = [
        (distance, parent in _LARGE or parent == _PERSON, column, parent)
        for column, parent in tables[name].refs
        if parent != name and (distance := _distance(tables, parent, frozenset({name}))) is not None
    ]
    if not ways:
        raise UnknownTable(name)
    _, _, column, parent = min(ways, key=lambda way: (way[1], way[0], way[2]))
    return column, parent


def _distance(tables: Mapping[str, Table], name: str, seen: frozenset[str]) -> int | None:
    """Steps from a table to a project, None where there is no way."""
    if name in SHARED or name in seen:
        return None
    if name in (_PROJECT, _PERSON) or "project_id" in tables[name].columns:
        return 0 if name == _PROJECT else 1
    further = [
        distance
        for _, parent in tables[name].refs
        if (distance := _distance(tables, parent, seen | {name})) is not None
    ]
    return 1 + min(further) if further else None


def grants(tables: Mapping[str, Table]) -> Iterator[tuple[str, str]]:
    """``(rights, table)`` of the members: ledgers are read and added to, never changed.

    What may be erased after its term may be updated in exactly those columns; the triggers ask
    for the tombstone.
    """
    for name in sorted(tables):
        if name in MEMBERSHIP or name == "alembic_version":
            yield "SELECT", name
        elif name in LEDGER_TABLES:
            yield "SELECT, INSERT", name
            if name in ERASABLE:
                yield f"UPDATE ({', '.join(sorted(ERASABLE[name]))})", name
        else:
            yield "SELECT, INSERT, UPDATE, DELETE", name


# ── what only a server has ──────────────────────────────────────────────────────────────────────

_DEFINER = "LANGUAGE plpgsql SECURITY DEFINER SET search_path = sitemuster, pg_temp AS"

OWN_OBJECTS = (
    "CREATE TABLE IF NOT EXISTS project_member (role_name name NOT NULL,"
    " project_id integer NOT NULL, PRIMARY KEY (role_name, project_id))",
    "CREATE TABLE IF NOT EXISTS person_claim (role_name name NOT NULL,"
    " person_id integer NOT NULL REFERENCES person (id) ON DELETE CASCADE,"
    " PRIMARY KEY (person_id, role_name))",
    "CREATE TABLE IF NOT EXISTS write_receipt (id bytea PRIMARY KEY,"
    " at timestamptz NOT NULL DEFAULT now())",
    "ALTER TABLE person ADD COLUMN IF NOT EXISTS entered_by name NOT NULL DEFAULT CURRENT_USER",
    # Members of every project are members of a new one from its first row on.
    "CREATE OR REPLACE FUNCTION admit_to_project() RETURNS trigger " + _DEFINER + " $$ BEGIN "
    "INSERT INTO project_member SELECT role_name, NEW.id FROM project_member"
    f" WHERE project_id = {EVERY_PROJECT} ON CONFLICT DO NOTHING; RETURN NULL; END $$",
    "DROP TRIGGER IF EXISTS project_admits ON project",
    "CREATE TRIGGER project_admits AFTER INSERT ON project"
    " FOR EACH ROW EXECUTE FUNCTION admit_to_project()",
    # The following run as the owner, so they ask for the login and not for the current user.
    "CREATE OR REPLACE FUNCTION knows_person(wanted integer) RETURNS boolean STABLE "
    + _DEFINER + " $$ BEGIN RETURN EXISTS (SELECT 1 FROM project_member m"
    f" WHERE m.role_name = SESSION_USER AND m.project_id = {EVERY_PROJECT})"
    " OR EXISTS (SELECT 1 FROM person p WHERE p.id = wanted AND p.entered_by = SESSION_USER)"
    " OR EXISTS (SELECT 1 FROM person_claim c WHERE c.person_id = wanted"
    " AND c.role_name = SESSION_USER)"
    " OR EXISTS (SELECT 1 FROM stay s JOIN project_member m USING (project_id)"
    " WHERE s.person_id = wanted AND m.role_name = SESSION_USER); END $$",
    "CREATE OR REPLACE FUNCTION claim_person(kind text, known bytea) RETURNS integer "
    + _DEFINER + " $$ DECLARE found integer; BEGIN"
    " SELECT id INTO found FROM person WHERE id_kind = kind AND id_index = known;"
    " IF found IS NOT NULL AND NOT knows_person(found) THEN"
    " INSERT INTO person_claim VALUES (SESSION_USER, found) ON CONFLICT DO NOTHING; END IF;"
    " RETURN found; END $$",
    "CREATE OR REPLACE FUNCTION taken_worker_numbers(wanted bigint[]) RETURNS SETOF integer STABLE "
    + _DEFINER + " $$ BEGIN RETURN QUERY SELECT worker_no FROM person"
    " WHERE worker_no = ANY (wanted); END $$",
    "CREATE OR REPLACE FUNCTION last_worker_number(below bigint) RETURNS integer STABLE "
    + _DEFINER + " $$ BEGIN RETURN (SELECT max(worker_no) FROM person"
    " WHERE worker_no <= below); END $$",
    # In place of punch's foreign keys, see WATCHED. The parents must be the login's own: it is
    # asked with its own eyes.
    "CREATE OR REPLACE FUNCTION refuse_stray_punches() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN IF EXISTS (SELECT 1 FROM (SELECT DISTINCT segment_id, terminal_id FROM added) AS a"
    " LEFT JOIN sitemuster.segment s ON s.id = a.segment_id"
    " LEFT JOIN sitemuster.terminal t ON t.id = a.terminal_id"
    " WHERE s.id IS NULL OR t.id IS NULL) THEN RAISE EXCEPTION 'punch without segment or terminal'"
    " USING ERRCODE = 'insufficient_privilege'; END IF; RETURN NULL; END $$",
    "DROP TRIGGER IF EXISTS punch_parents ON punch",
    "CREATE TRIGGER punch_parents AFTER INSERT ON punch REFERENCING NEW TABLE AS added"
    " FOR EACH STATEMENT EXECUTE FUNCTION refuse_stray_punches()",
    "CREATE OR REPLACE FUNCTION refuse_leaving_punches() RETURNS trigger " + _DEFINER + " $$ BEGIN "
    "IF EXISTS (SELECT 1 FROM punch WHERE terminal_id = OLD.id) THEN"
    " RAISE EXCEPTION 'punches are of this terminal' USING ERRCODE = 'foreign_key_violation';"
    " END IF; RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END; END $$",
    "DROP TRIGGER IF EXISTS terminal_punches ON terminal",
    "CREATE TRIGGER terminal_punches BEFORE DELETE OR UPDATE OF id ON terminal"
    " FOR EACH ROW EXECUTE FUNCTION refuse_leaving_punches()",
    "ALTER TABLE punch DROP CONSTRAINT IF EXISTS fk_punch_segment_id",
    "ALTER TABLE punch DROP CONSTRAINT IF EXISTS fk_punch_terminal_id",
    # Ids of a batch in one go; the sequence moves for everybody, so nobody sees whose they are.
    "CREATE OR REPLACE FUNCTION take_ids(place text, wanted integer) RETURNS bigint "
    + _DEFINER + " $$ DECLARE first bigint; BEGIN"
    " IF place NOT IN ('punch', 'punch_sighting', 'punch_conflict', 'punch_quarantine')"
    " OR wanted NOT BETWEEN 1 AND 1000000 THEN"
    " RAISE EXCEPTION 'no ids of this kind' USING ERRCODE = 'insufficient_privilege'; END IF;"
    " first := nextval(place || '_id_seq');"
    " PERFORM setval(place || '_id_seq', first + wanted - 1);"
    " RETURN first; END $$",
    "CREATE OR REPLACE FUNCTION refuse_emptying() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$",
    *(
        statement
        for table in LEDGER_TABLES
        for statement in (
            f"DROP TRIGGER IF EXISTS {table}_no_truncate ON {table}",
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_emptying()",
        )
    ),
)
"""Statements that may be run again: tables, functions and triggers beside the book's own."""

TRIGGERS = {
    ("punch", "punch_parents"): "refuse_stray_punches",
    ("terminal", "terminal_punches"): "refuse_leaving_punches",
}
"""Table and trigger → function: what must stand beside the ledgers' own triggers."""

FUNCTIONS = (
    "knows_person(integer)", "claim_person(text, bytea)", "taken_worker_numbers(bigint[])",
    "last_worker_number(bigint)", "take_ids(text, integer)",
)
"""What members may call."""
