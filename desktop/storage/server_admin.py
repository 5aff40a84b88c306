"""What the administrator of a server does for a book: the database, its owner, its logins.

Needs a login with CREATEROLE (and CREATEDB for a new database); it is used for the moment and kept
nowhere. The owner of the tables is a role nobody can log in as: the administrator takes it for one
transaction. Logins are members of the group ``<database>_app`` and of projects.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy
from psycopg import Connection, sql

from desktop.errors import Refused
from desktop.storage import server_connection, server_faults, server_schema
from desktop.storage.migrations import VERSIONS
from desktop.storage.server_address import ServerAddress
from desktop.storage.server_connection import Login
from desktop.storage.server_rules import EVERY_PROJECT
from desktop.storage.server_schema import SCHEMA

ARRIVING = "arriving"
"""In ``book_info``: the tables are being filled and no folder points at them yet."""

_MAINTENANCE = "postgres"
"""The database every server has; there the book's own is made and dropped."""


@dataclass(frozen=True, slots=True)
class Member:
    """A login and the projects it may see; ``everywhere``: all of the book, also later ones."""

    login: str
    projects: tuple[int, ...]
    everywhere: bool


def owner_of(database: str) -> str:
    """The role that owns the tables of a book made in ``database``."""
    return f"{database}_owner"


def group_of(database: str) -> str:
    """The group all logins of a book made in ``database`` are in."""
    return f"{database}_app"


class Administrator:
    """An administrator's login at one book's database; every method is one whole step."""

    def __init__(self, login: Login) -> None:
        self.login = login
        self.address: ServerAddress = login.address

    # ── the database ────────────────────────────────────────────────────────────────────────────

    def prepare(self) -> bool:
        """Make database, owner and group where they are missing; whether the database is new.

        Raises :class:`Refused` ``server_occupied`` when a book is there already.
        """
        with server_faults.translated(self.address.place):
            made = self._make_database()
            with self._link() as link:
                server_schema.refuse_old_server(link, self.address.place)
                with _acting_as(link, self._roles(link)[0]):  # nobody else may look into it
                    known = server_schema.version(link)
                if known is not None and not self._is_leftover(link):
                    raise Refused(
                        "server_occupied",
                        f"服务器（{self.address.place}）的数据库 {self.address.database} 里已经有一个账本，未做任何改动。"
                        "要加入它请用 book join；要另建请换一个数据库名。",
                        server=self.address.place, database=self.address.database,
                    )
            return made

    def _make_database(self) -> bool:
        name = self.address.database
        with self._link(_MAINTENANCE, autocommit=True) as link:
            for role in (owner_of(name), group_of(name)):
                if not _role_exists(link, role):
                    _run(link, "CREATE ROLE {} NOLOGIN", role)
            known = link.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
            if known.fetchone() is not None:
                return False
            _run(link, "CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0", name)
            return True

    def _is_leftover(self, link: Connection[Any]) -> bool:
        """Tables of a creation or move that was killed; nobody works with them: they go."""
        owner, _ = self._roles(link)
        with _acting_as(link, owner):
            found = link.execute(
                f"SELECT 1 FROM {SCHEMA}.book_info WHERE name = %s", (ARRIVING,)
            ).fetchone()
            if found is not None:
                _run(link, "DROP SCHEMA {} CASCADE", SCHEMA)
        return found is not None

    def remove(self, *, database: bool) -> None:
        """Take back what :meth:`prepare` and :meth:`build` made; ``database``: that as well."""
        name = self.address.database
        with server_faults.translated(self.address.place):
            if database:
                with self._link(_MAINTENANCE, autocommit=True) as link:
                    _run(link, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
            else:
                with self._link() as link:
                    with _acting_as(link, owner_of(name)):
                        _run(link, "DROP SCHEMA IF EXISTS {} CASCADE", SCHEMA)
                    _run(
                        link, "REVOKE ALL ON DATABASE {} FROM {}, {}",
                        name, owner_of(name), group_of(name),
                    )
            with self._link(_MAINTENANCE, autocommit=True) as link:
                for (role,) in link.execute(
                    "SELECT m.rolname FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member"
                    " JOIN pg_roles g ON g.oid = a.roleid"
                    " WHERE g.rolname = %s AND m.rolname <> current_user",
                    (group_of(name),),
                ).fetchall():
                    _drop_role(link, role)
                for role in (group_of(name), owner_of(name)):
                    _drop_role(link, role)

    @contextmanager
    def building(self) -> Iterator[sqlalchemy.Connection]:
        """One transaction as the owner of the (new or existing) schema; committed at the end."""
        with server_faults.translated(self.address.place), self._link() as link:
            engine = server_connection.engine_over(link)
            with engine.begin() as connection:
                owner, group = self._roles(link)
                link.execute("SELECT pg_advisory_xact_lock(%s)", (server_connection.LOCK,))
                _run(link, "GRANT {} TO CURRENT_USER", owner)
                known = link.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (SCHEMA,))
                if known.fetchone() is None:
                    _run(link, "CREATE SCHEMA {} AUTHORIZATION {}", SCHEMA, owner)
                database = link.info.dbname
                _run(link, "REVOKE ALL ON DATABASE {} FROM PUBLIC", database)
                _run(link, "GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}, {}", database, owner, group)
                with _acting_as(link, owner):
                    yield connection
            engine.dispose()

    def build(
        self, *, facts: Mapping[str, str] | None = None, to: str = VERSIONS[-1],
        fill: Callable[[Connection[Any]], None] | None = None,
    ) -> None:
        """Make the tables and their guards, or bring older ones up to date and repair guards.

        ``facts`` of a new book go into ``book_info``; ``fill`` as in ``server_schema.build``.
        """
        with self.building() as connection:
            link = server_schema.driver(connection)
            server_schema.build(connection, *self._roles(link), to=to, fill=fill)
            for name, value in (facts or {}).items():
                link.execute(f"INSERT INTO {SCHEMA}.book_info VALUES (%s, %s)", (name, value))

    def _roles(self, link: Connection[Any]) -> tuple[str, str]:
        """Owner and group: of the schema that is there, else those a new one gets."""
        row = link.execute(
            "SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = %s", (SCHEMA,)
        ).fetchone()
        owner = owner_of(self.address.database) if row is None else str(row[0])
        return owner, owner.removesuffix("_owner") + "_app"

    # ── members ─────────────────────────────────────────────────────────────────────────────────

    def add_member(self, login: str, projects: tuple[int, ...], *, everywhere: bool) -> Login:
        """Make a login, or give one a new password and further projects; returns the way in."""
        password = secrets.token_urlsafe(24)
        with server_faults.translated(self.address.place), self._link() as link:
            owner, group = self._roles(link)
            hashed = link.pgconn.encrypt_password(
                password.encode(), login.encode(), b"scram-sha-256"
            ).decode()
            if _role_exists(link, login):
                _refuse_foreign(link, login, group)
                order = "ALTER ROLE {} LOGIN PASSWORD "
            else:
                order = "CREATE ROLE {} LOGIN NOCREATEDB NOCREATEROLE PASSWORD "
            link.execute(sql.SQL(order).format(sql.Identifier(login)) + sql.Literal(hashed))
            _run(link, "GRANT {} TO {}", group, login)
            with _acting_as(link, owner):
                link.execute(
                    f"INSERT INTO {SCHEMA}.project_member SELECT %(login)s, id"
                    f" FROM {SCHEMA}.project WHERE %(all)s OR id = ANY (%(projects)s)"
                    f" UNION ALL SELECT %(login)s, {EVERY_PROJECT} WHERE %(all)s"
                    " ON CONFLICT DO NOTHING",
                    {"login": login, "all": everywhere, "projects": list(projects)},
                )
        return Login(self.address.as_user(login), password)

    def members(self) -> list[Member]:
        """All logins of the book."""
        with server_faults.translated(self.address.place), self._link() as link:
            owner, group = self._roles(link)
            found: dict[str, set[int]] = {
                name: set()
                for (name,) in link.execute(
                    "SELECT m.rolname FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member"
                    " JOIN pg_roles g ON g.oid = a.roleid"
                    " WHERE g.rolname = %s",
                    (group,),
                )
            }
            with _acting_as(link, owner):
                for name, project in link.execute(
                    f"SELECT role_name, project_id FROM {SCHEMA}.project_member"
                ).fetchall():
                    found.setdefault(name, set()).add(project)
        return [
            Member(name, tuple(sorted(held - {EVERY_PROJECT})), EVERY_PROJECT in held)
            for name, held in sorted(found.items())
        ]

    def remove_member(self, login: str) -> None:
        """Lock a login out for good; its open connections are cut.

        Raises :class:`Refused` ``no_such_member``.
        """
        if all(member.login != login for member in self.members()):
            raise Refused(
                "no_such_member",
                f"服务器上的这个账本没有登录名「{login}」，未做任何改动。请用 book member list 查看。",
                login=login,
            )
        with server_faults.translated(self.address.place), self._link() as link:
            owner, group = self._roles(link)
            _refuse_foreign(link, login, group)
            with _acting_as(link, owner):
                for table in ("project_member", "person_claim"):
                    link.execute(
                        sql.SQL("DELETE FROM {} WHERE role_name = %s").format(
                            sql.Identifier(SCHEMA, table)
                        ),
                        (login,),
                    )
            _run(link, "ALTER ROLE {} NOLOGIN PASSWORD NULL", login)
            _run(link, "GRANT {} TO CURRENT_USER", login)
            link.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s",
                (login,),
            )
            _run(link, "REVOKE {} FROM CURRENT_USER", login)
            link.commit()
            link.autocommit = True
            _drop_role(link, login)

    def _link(self, database: str | None = None, *, autocommit: bool = False) -> Connection[Any]:
        return server_connection.open_connection(
            self.login, database=database, autocommit=autocommit
        )


@contextmanager
def _acting_as(link: Connection[Any], role: str) -> Iterator[None]:
    """Take a role nobody can log in as, for a part of one transaction."""
    _run(link, "GRANT {} TO CURRENT_USER", role)
    _run(link, "SET LOCAL ROLE {}", role)
    yield
    link.execute("RESET ROLE")
    _run(link, "REVOKE {} FROM CURRENT_USER", role)


def _run(link: Connection[Any], order: str, *names: str) -> None:
    link.execute(sql.SQL(order).format(*map(sql.Identifier, names)))


def _role_exists(link: Connection[Any], role: str) -> bool:
    return link.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone() is not None


def _refuse_foreign(link: Connection[Any], login: str, group: str) -> None:
    """A login that belongs to something else on this server is left alone."""
    row = link.execute(
        "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR NOT pg_has_role(oid, %s, 'MEMBER')"
        " FROM pg_roles WHERE rolname = %s",
        (group, login),
    ).fetchone()
    if row is None or row[0]:
        raise Refused(
            "login_taken",
            f"服务器上已有登录名「{login}」，它不属于这个账本，未做任何改动。请换一个名字。",
            login=login,
        )


def _drop_role(link: Connection[Any], role: str) -> None:
    """Remove a role if nothing in another database still hangs on it."""
    try:
        _run(link, "DROP ROLE IF EXISTS {}", role)
    except psycopg.errors.DependentObjectsStillExist:
        return
