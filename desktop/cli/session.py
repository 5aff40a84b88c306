"""What all commands share: the common options, opening the book, output and the error border."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from desktop.errors import Refused, SiteMusterError
from desktop.jobs import Progress, silent

if TYPE_CHECKING:
    from desktop.bootstrap import LockedOffice, Office


@dataclass(slots=True)
class Common:
    """The options before the command; lives in ``typer.Context.obj``."""

    data_dir: Path
    as_json: bool
    passphrase_file: Path | None
    user: str | None = None
    password_file: Path | None = None

    @property
    def passphrase(self) -> str | None:
        """The secret of ``--passphrase-file``, or None."""
        return None if self.passphrase_file is None else secret_from(self.passphrase_file)

    @property
    def password(self) -> str | None:
        """The log-in password in ``--password-file``, or None."""
        return None if self.password_file is None else secret_from(self.password_file)


def secret_from(path: Path) -> str:
    """First line of a secret file, line end stripped (design §3)."""
    try:
        with path.open(encoding="utf-8-sig") as lines:
            secret = lines.readline().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused("secret_file", f"读不到口令文件「{path.name}」，未做任何改动。请检查路径与权限。") from error
    if not secret:
        raise Refused("secret_file", f"口令文件「{path.name}」第一行是空的，未做任何改动。")
    return secret


@contextmanager
def office(ctx: typer.Context) -> Iterator[Office]:
    """The open office of ``--data-dir``, entered by ``--user``; closed at the end whatever
    happens."""
    from desktop.bootstrap import open_office

    common: Common = ctx.obj
    opened = open_office(
        common.data_dir, passphrase=common.passphrase, user=common.user, password=common.password
    )
    say(opened.book.notices)
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def collecting_office(ctx: typer.Context) -> Iterator[Office]:
    """As :func:`office`; with the book's server away an office that can only collect, and says
    so."""
    from desktop.bootstrap import open_away, open_office
    from desktop.errors import EnvironmentFault
    from desktop.punches.spool import is_away

    common: Common = ctx.obj
    try:
        opened = open_office(
            common.data_dir, passphrase=common.passphrase, user=common.user,
            password=common.password,
        )
    except EnvironmentFault as fault:
        if not is_away(fault):
            raise
        opened = open_away(common.data_dir, fault, passphrase=common.passphrase)
        print(f"服务器连不上，现在只能采集，记录先存在本机。{fault.message}", file=sys.stderr)
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def locked_office(ctx: typer.Context) -> Iterator[LockedOffice]:
    """The open book of ``--data-dir`` before anybody entered it."""
    from desktop.bootstrap import open_locked

    common: Common = ctx.obj
    opened = open_locked(common.data_dir, passphrase=common.passphrase)
    say(opened.book.notices)
    try:
        yield opened
    finally:
        opened.close()


def say(notices: Sequence[str]) -> None:
    """What the opening found cut off and ended, on stderr: it is not the command's result."""
    for sentence in notices:
        print(sentence, file=sys.stderr)


def plain(value: Any) -> Any:
    """JSON-ready form: ISO dates, hex digests, paths as text, dataclasses as objects."""
    if hasattr(value, "as_json"):
        return plain(value.as_json())
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Path):
        return str(value)
    return value


def emit(ctx: typer.Context, result: Any, human: Callable[[], str]) -> None:
    """Print one JSON document under ``--json``, the human text otherwise."""
    common: Common = ctx.obj
    if common.as_json:
        print(json.dumps(plain(result), ensure_ascii=False))
    else:
        print(human())


@contextmanager
def progress(ctx: typer.Context) -> Iterator[Progress]:
    """A bar on a terminal, nothing under ``--json`` or in a pipe."""
    common: Common = ctx.obj
    if common.as_json or not sys.stderr.isatty():
        yield silent
        return
    from rich.progress import Progress as Bar

    with Bar(transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, text: bar.update(
            task, completed=done, total=total or None, description=text
        )


def report_error(error: SiteMusterError, *, as_json: bool) -> None:
    """The sentence on stderr; under ``--json`` the error object on stdout too."""
    print(error.message, file=sys.stderr)
    if as_json:
        body = {"code": error.code, "message": error.message, "facts": plain(error.facts)}
        print(json.dumps({"error": body}, ensure_ascii=False))
