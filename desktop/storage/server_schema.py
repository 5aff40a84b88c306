"""Makes and changes a book's tables on a server, and looks whether they stand as they should.

Building is the owner's work (a role nobody can log in as); :mod:`desktop.storage.server_admin`
takes that role for one transaction. Looking is done by every PC at opening, with its own login.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from desktop.errors import EnvironmentFault, Refused
from desktop.storage import erasing, guard, server_rules
from desktop.storage.guard import LEDGER_TABLES
from desktop.storage.migrations import VERSIONS
from desktop.storage.server_rules import Table

if TYPE_CHECKING:
    import sqlalchemy
    from psycopg import Connection

OLDEST_SERVER = 130_000
SCHEMA = "sitemuster"
_KEEPER = "keeper"
_FUNCTION = re.compile(r"REPLACE FUNCTION (\w+)\(")


# ── building ────────────────────────────────────────────────────────────────────────────────────


def build(
    connection: sqlalchemy.Connection, owner: str, members: str, *, to: str = VERSIONS[-1],
    fill: Callable[[Connection[Any]], None] | None = None,
) -> None:
    """Bring the schema to revision ``to`` and fit its guards, inside the caller's transaction.

    ``connection`` acts as ``owner``; ``members`` is the group the logins are in. Works on a new
    schema and on an older one. ``fill(link)`` puts the rows of a new one in before the row
    policies stand: PostgreSQL refuses COPY into a table that has them.
    """
    from desktop.storage import migrate

    migrate.run_steps(connection, to=to)
    link: Connection[Any] = driver(connection)
    for statement in server_rules.OWN_OBJECTS:
        link.execute(statement)
    if fill is not None:
        fill(link)
    fit(link, owner, members)


def driver(connection: sqlalchemy.Connection) -> Connection[Any]:
    """The psycopg connection under an SQLAlchemy one."""
    link: Any = connection.connection.driver_connection
    return link  # type: ignore[no-any-return]


def fit(link: Connection[Any], owner: str, members: str) -> None:
    """Rights and row policies of every table, as :mod:`server_rules` derives them, and the
    ledgers' triggers: made anew, whatever was there."""
    from psycopg import sql

    def run(text: str, **names: str) -> None:
        parts = {name: sql.Identifier(value) for name, value in names.items()}
        link.execute(sql.SQL(text).format(**parts))

    found = tables(link)
    for statement in _functions().values():
        link.execute(statement.encode())
    for table, name, function, _ in _expected_triggers():
        if (table, name) in server_rules.TRIGGERS:
            continue
        act, each = ("TRUNCATE", "STATEMENT") if name.endswith("truncate") else (
            "UPDATE OR DELETE", "ROW"
        )
        run("DROP TRIGGER IF EXISTS {name} ON {table}", name=name, table=table)
        run(
            f"CREATE TRIGGER {{name}} BEFORE {act} ON {{table}}"
            f" FOR EACH {each} EXECUTE FUNCTION {{function}}()",
            name=name, table=table, function=function,
        )
    for name, table in link.execute(
        "SELECT policyname, tablename FROM pg_policies WHERE schemaname = %s", (SCHEMA,)
    ).fetchall():
        run("DROP POLICY {name} ON {table}", name=name, table=table)
    for name in found:
        run("REVOKE ALL ON {table} FROM {members}, PUBLIC", table=name, members=members)
        if name in server_rules.SHARED:
            continue
        run("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY", table=name)
        run("ALTER TABLE {table} FORCE ROW LEVEL SECURITY", table=name)
        run(
            f"CREATE POLICY {_KEEPER} ON {{table}} TO {{owner}} USING (true) WITH CHECK (true)",
            table=name, owner=owner,
        )
    for policy in server_rules.policies(found):
        run(
            f"CREATE POLICY {policy.name} ON {{table}} FOR {policy.act} TO {{members}}"
            + ("" if policy.using is None else f" USING ({policy.using})")
            + ("" if policy.check is None else f" WITH CHECK ({policy.check})"),
            table=policy.table, members=members,
        )
    for rights, table in server_rules.grants(found):
        run(f"GRANT {rights} ON {{table}} TO {{members}}", table=table, members=members)
    run(f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {SCHEMA} FROM PUBLIC")
    for function in server_rules.FUNCTIONS:
        run(f"GRANT EXECUTE ON FUNCTION {function} TO {{members}}", members=members)
    run(f"GRANT USAGE ON SCHEMA {SCHEMA} TO {{members}}", members=members)
    run(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {SCHEMA} TO {{members}}", members=members)


def tables(link: Connection[Any]) -> dict[str, Table]:
    """The tables of the schema, out of the catalog."""
    columns: dict[str, set[str]] = {}
    for table, column in link.execute(
        "SELECT c.relname, a.attname FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p')",
        (SCHEMA,),
    ):
        columns.setdefault(table, set()).add(column)
    refs: dict[str, list[tuple[str, str]]] = {}
    for table, column, parent in link.execute(
        "SELECT c.relname, a.attname, p.relname FROM pg_constraint k"
        " JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class p ON p.oid = k.confrelid"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]"
        " WHERE k.contype = 'f' AND c.relnamespace = %s::regnamespace ORDER BY 1, 2",
        (SCHEMA,),
    ):
        refs.setdefault(table, []).append((column, parent))
    for table, watched in server_rules.WATCHED.items():
        refs.setdefault(table, []).extend(one for one in watched if one not in refs.get(table, ()))
    return {
        name: Table(name, frozenset(held), tuple(sorted(refs.get(name, ()))))
        for name, held in columns.items()
    }


# ── looking ─────────────────────────────────────────────────────────────────────────────────────


def refuse_old_server(link: Connection[Any], place: str) -> None:
    """Raise :class:`Refused` for a PostgreSQL before 13."""
    number = link.info.server_version
    if number < OLDEST_SERVER:
        raise Refused(
            "server_old",
            f"服务器（{place}）的 PostgreSQL 是 {number // 10_000} 版，至少要 13 版，未做任何改动。请先升级服务器。",
            server=place, version=number // 10_000,
        )


def version(link: Connection[Any]) -> str | None:
    """The schema's revision; None where there is no book."""
    held = link.execute(
        "SELECT 1 FROM pg_class WHERE relname = 'alembic_version'"
        " AND relnamespace = to_regnamespace(%s)",
        (SCHEMA,),
    ).fetchone()
    if held is None:
        return None
    row = link.execute(f"SELECT version_num FROM {SCHEMA}.alembic_version").fetchone()
    return None if row is None else str(row[0])


def check(link: Connection[Any], place: str) -> None:
    """Refuse to work where the guards do not stand.

    Raises :class:`EnvironmentFault` ``guards_missing`` naming the tables left open, and
    :class:`Refused` ``server_role_too_strong`` for a login that could remove them.
    """
    _refuse_strong_login(link, place)
    open_tables = sorted({*_without_triggers(link), *_without_policies(link), *_too_open(link)})
    if open_tables:
        raise EnvironmentFault(
            "guards_missing",
            f"服务器上账本的保护不完整（{'、'.join(open_tables)}），可能被其他程序改动过。账本未打开，未做任何改动。"
            "请管理员运行 book upgrade 修复，并核对账本（ledger verify）。",
            tables=open_tables,
        )


def _refuse_strong_login(link: Connection[Any], place: str) -> None:
    row = link.execute(
        "SELECT rolsuper OR rolbypassrls OR rolcreaterole"
        " OR pg_has_role(current_user, n.nspowner, 'MEMBER')"
        " FROM pg_roles, pg_namespace n WHERE rolname = current_user AND n.nspname = %s",
        (SCHEMA,),
    ).fetchone()
    if row is None or row[0]:
        raise Refused(
            "server_role_too_strong",
            f"登录服务器（{place}）的账号权限过大（超级用户、管理员或表的主人），能绕过防改保护，账本未打开，未做任何改动。"
            "请用 book member add 发的普通账号打开。",
            server=place,
        )


def _without_triggers(link: Connection[Any]) -> Iterator[str]:
    """Ledgers whose triggers are missing, switched off, or bound to another function."""
    held = {
        (table, name): (function, " ".join(source.split()))
        for table, name, function, source in link.execute(
            "SELECT c.relname, t.tgname, p.proname, p.prosrc FROM pg_trigger t"
            " JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid"
            " WHERE c.relnamespace = %s::regnamespace AND p.pronamespace = c.relnamespace"
            " AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgqual IS NULL",
            (SCHEMA,),
        )
    }
    for table, name, function, source in _expected_triggers():
        if held.get((table, name)) != (function, source):
            yield table


def _expected_triggers() -> Iterator[tuple[str, str, str, str]]:
    """Table, trigger, function and the function's body."""
    bodies = {
        name: " ".join(statement.split("$$")[1].split()) for name, statement in _functions().items()
    }
    for table in LEDGER_TABLES:
        erasable = table in erasing.ERASABLE
        function = erasing.server_function(table) if erasable else "refuse_change"
        yield table, f"{table}_no_change", function, bodies[function]
        yield table, f"{table}_no_truncate", "refuse_emptying", bodies["refuse_emptying"]
    for (table, name), function in server_rules.TRIGGERS.items():
        yield table, name, function, bodies[function]


def _functions() -> dict[str, str]:
    """The statements that make the ledgers' trigger functions, by name."""
    made = [
        *guard.server_triggers(()), *server_rules.OWN_OBJECTS,
        *(next(erasing.server_statements(table)) for table in erasing.ERASABLE),
    ]
    return {
        found[1]: statement
        for statement in made
        if (found := _FUNCTION.search(statement)) and found[1].startswith("refuse_")
    }


def _without_policies(link: Connection[Any]) -> Iterator[str]:
    """Tables whose rows are open to strangers: policies switched off, missing, or one too many."""
    found = tables(link)
    wanted: dict[str, set[str]] = {}
    for policy in server_rules.policies(found):
        wanted.setdefault(policy.table, {_KEEPER}).add(policy.name)
    forced = dict(
        link.execute(
            "SELECT relname, relrowsecurity AND relforcerowsecurity FROM pg_class"
            " WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p')",
            (SCHEMA,),
        ).fetchall()
    )
    held: dict[str, set[str]] = {}
    rows = link.execute(
        "SELECT tablename, policyname, qual, with_check FROM pg_policies WHERE schemaname = %s",
        (SCHEMA,),
    )
    for table, name, qual, check_ in rows:
        open_to_all = name != _KEEPER and "true" in (qual, check_)
        held.setdefault(table, set()).add("" if open_to_all else name)
    for table in found:
        if table not in server_rules.SHARED and not (
            forced.get(table) and held.get(table) == wanted[table]
        ):
            yield table


def _too_open(link: Connection[Any]) -> Iterator[str]:
    """Tables where this login may do more than it should."""
    for table in LEDGER_TABLES:
        row = link.execute(
            "SELECT has_table_privilege(%(name)s, 'UPDATE')"
            " OR has_table_privilege(%(name)s, 'DELETE')"
            " OR has_table_privilege(%(name)s, 'TRUNCATE')"
            " OR has_table_privilege(%(name)s, 'TRIGGER')",
            {"name": f"{SCHEMA}.{table}"},
        ).fetchone()
        if row is None or row[0]:
            yield table
    for table in server_rules.MEMBERSHIP:
        row = link.execute(
            "SELECT has_table_privilege(%s, 'INSERT, UPDATE, DELETE')", (f"{SCHEMA}.{table}",)
        ).fetchone()
        if row is None or row[0]:
            yield table
