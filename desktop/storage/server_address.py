"""The address of a book on a PostgreSQL server, as ``book.json`` keeps it: never a password.

Names (and nothing else in clear) travel over the office network, so a server that is not this
computer is spoken to with TLS unless the address itself says ``sslmode=disable``. It opens no
connection.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from desktop.errors import Refused

SCHEME = "postgresql://"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OPTIONS = frozenset({"sslmode", "sslrootcert"})
_MODES = frozenset({"disable", "require", "verify-ca", "verify-full"})
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_PORT = 5432


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a book's tables are and as whom this computer goes there."""

    host: str
    port: int
    database: str
    user: str
    options: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, url: str) -> tuple[ServerAddress, str | None]:
        """The address of ``postgresql://user[:password]@host[:port]/database``, and the password.

        Raises :class:`Refused` ``server_url`` naming what does not fit; the text itself is not
        repeated, because a password may be in it.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or _PORT
            options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        except ValueError as error:
            raise _refused("端口或参数写法不对") from error
        if not url.startswith(SCHEME):
            raise _refused("开头应为 postgresql://")
        host, database = parts.hostname or "", unquote(parts.path.lstrip("/"))
        user = unquote(parts.username or "")
        if not host or not user:
            raise _refused("缺少登录名或服务器地址")
        if not _NAME.fullmatch(database):
            raise _refused("数据库名只能用小写字母、数字和下划线，以字母开头，不超过40个字符")
        if options.keys() - _OPTIONS or options.get("sslmode", "require") not in _MODES:
            raise _refused("参数只认识 sslmode（disable、require、verify-ca、verify-full）和 sslrootcert")
        if "sslmode" not in options and host not in _LOCAL:
            options["sslmode"] = "require"
        password = None if parts.password is None else unquote(parts.password)
        return cls(host, port, database, user, tuple(sorted(options.items()))), password

    def as_user(self, user: str) -> ServerAddress:
        """The same book, entered by another login."""
        return replace(self, user=user)

    @property
    def place(self) -> str:
        """How sentences name the server: ``host:port``."""
        return f"{self.host}:{self.port}"

    def __str__(self) -> str:
        """The form in ``book.json``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in self.options)
        user = quote(self.user, safe="")
        return f"{SCHEME}{user}@{host}:{self.port}/{self.database}{'?' if query else ''}{query}"


def _refused(reason: str) -> Refused:
    return Refused(
        "server_url",
        f"服务器地址写法不对：{reason}。未做任何改动。写法：postgresql://登录名@服务器:5432/数据库名",
    )
