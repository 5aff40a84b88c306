"""A private PostgreSQL: own folder, own port, own passwords, gone with the test run.

Nothing of a server that the machine may run is touched. PostgreSQL refuses to run as root, so as
root it runs as the user ``postgres`` of the package. The server is a child of the test run and
dies with it, also when the run is killed.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

import psycopg
from psycopg import sql

SUPERUSER = "postgres"
ADMIN = "site_admin"
"""A login that may make roles and databases and is no superuser: what an office would be given."""

_ACCOUNT = "postgres"
_MEMORY, _MEMORY_NEEDED = Path("/dev/shm"), 2 << 30
"""Databases are made and dropped by the hundred: in memory that is ten times as fast."""
_START_S = 60


def programs() -> Path:
    """Folder of ``initdb`` and its kin: the newest of Debian's, or the one on the path."""
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: int(one.parent.name))
    if packaged:
        return packaged[-1]
    found = shutil.which("initdb")
    assert found is not None, "PostgreSQL is missing: python3 dev.py test installs it"
    return Path(found).resolve().parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _place(durable: bool) -> Path | None:
    """Where a server's folder goes; None is the usual place for temporary files."""
    if durable or not os.access(_MEMORY, os.W_OK):
        return None
    return _MEMORY if shutil.disk_usage(_MEMORY).free > _MEMORY_NEEDED else None


class Server:
    """One private server. ``durable``: with fsync, for tests that kill it."""

    running: ClassVar[dict[int, Server]] = {}
    """Those of this process, by port."""

    def __init__(self, *, durable: bool = False) -> None:
        self.room = Path(tempfile.mkdtemp(prefix="sitemuster-pg-", dir=_place(durable)))
        self.data = self.room / "data"
        self.port = free_port()
        self._passwords = {name: secrets.token_hex(12) for name in (SUPERUSER, ADMIN)}
        self._bin = programs()
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._make(durable)
            self.start()
            with self.superuser() as link:
                self._role(link, ADMIN, "CREATEROLE CREATEDB")
            self.running[self.port] = self
        except BaseException:
            self.close()
            raise

    def _make(self, durable: bool) -> None:
        pwfile = self.room / "password"
        pwfile.write_text(self._passwords[SUPERUSER])
        if os.geteuid() == 0:
            shutil.chown(self.room, _ACCOUNT, _ACCOUNT)
            shutil.chown(pwfile, _ACCOUNT, _ACCOUNT)
        self._call(
            "initdb", "-D", str(self.data), "-U", SUPERUSER, "--pwfile", str(pwfile), "--no-sync",
            "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8",
        )
        pwfile.unlink()
        options = {
            "listen_addresses": "'127.0.0.1'", "port": self.port,
            "unix_socket_directories": f"'{self.room}'", "max_connections": 80,
            "shared_buffers": "64MB", "fsync": "on" if durable else "off",
            "full_page_writes": "on" if durable else "off", "max_wal_size": "2GB",
            "checkpoint_timeout": "15min", "log_min_messages": "fatal",
        }
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{name} = {value}\n" for name, value in options.items())

    def _as_account(self, *command: str) -> list[str]:
        """The command as the server's account, told to die with this process."""
        prefix = ["setpriv", "--pdeathsig", "QUIT"]
        if os.geteuid() == 0:
            prefix += [f"--reuid={_ACCOUNT}", f"--regid={_ACCOUNT}", "--clear-groups"]
        return [*prefix, *command]

    def _call(self, program: str, *arguments: str) -> None:
        subprocess.run(
            self._as_account(str(self._bin / program), *arguments), check=True, cwd=self.room,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=120,
        )

    # ── life ────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Start and wait until it answers."""
        # The parent-death signal is bound to the thread that starts the process.
        assert threading.current_thread() is threading.main_thread()
        with (self.room / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._as_account(str(self._bin / "postgres"), "-D", str(self.data)),
                cwd=self.room, stdout=log, stderr=log,
            )
        self.wait()

    def wait(self) -> None:
        """Until it answers."""
        until = time.monotonic() + _START_S
        while True:
            try:
                self.superuser().close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)

    def stop(self, mode: str = "fast") -> None:
        """``fast`` ends politely, ``immediate`` is a crash; both cut every connection."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._call("pg_ctl", "stop", "-D", str(self.data), "-m", mode, "-w")
        self._process.wait(60)
        self._process = None

    def restart(self, mode: str = "fast") -> None:
        self.stop(mode)
        self.start()

    def close(self) -> None:
        """The end: the server and everything it held."""
        self.running.pop(self.port, None)
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(3)  # SIGQUIT: an immediate shutdown
            self._process.wait(60)
        shutil.rmtree(self.room, ignore_errors=True)

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # ── ways in ─────────────────────────────────────────────────────────────────────────────────

    def url(self, role: str = ADMIN, database: str = "postgres", *, port: int | None = None) -> str:
        """A way in with the password in it; ``port`` of a relay before the server."""
        password = self._passwords[role]
        return f"postgresql://{role}:{password}@127.0.0.1:{port or self.port}/{database}"

    def password(self, role: str) -> str:
        """The password of a login this rig made."""
        return self._passwords[role]

    def login(self, name: str, attributes: str = "") -> str:
        """Make a further login; returns its name."""
        with self.superuser() as link:
            self._role(link, name, attributes)
        return name

    def _role(self, link: Any, name: str, attributes: str) -> None:
        password = self._passwords.setdefault(name, secrets.token_hex(12))
        link.execute(
            sql.SQL("CREATE ROLE {} LOGIN " + attributes + " PASSWORD {}").format(
                sql.Identifier(name), password
            )
        )

    def superuser(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """A connection that may do anything, in autocommit: the hand of whoever owns the server."""
        return psycopg.connect(self.url(SUPERUSER, database), autocommit=True, connect_timeout=5)

    def clone(self, template: str, name: str) -> None:
        """A new database with what ``template`` holds; nobody may be connected to that."""
        with self.superuser() as link:
            # Copying files is faster than logging pages; it became a choice with version 15.
            how = " STRATEGY file_copy" if link.info.server_version >= 150_000 else ""
            link.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}" + how).format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )

    def drop(self, name: str) -> None:
        """Remove a database, also under those who use it."""
        with self.superuser() as link:
            link.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def forget(self, name: str) -> None:
        """Remove a database and the roles that were made for it."""
        self.drop(name)
        with self.superuser() as link:
            roles = link.execute(
                "SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)", (f"{name}_",)
            ).fetchall()
            for (role,) in roles:
                link.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
