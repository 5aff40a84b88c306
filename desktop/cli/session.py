"""What all commands share: the common options, opening the book, output and the error border."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from desktop.errors import Refused, SiteMusterError
from desktop.jobs import Progress, silent

if TYPE_CHECKING:
    from desktop.bootstrap import Office


@dataclass(slots=True)
class Common:
    """The options before the command; lives in ``typer.Context.obj``."""

    data_dir: Path
    as_json: bool
    passphrase_file: Path | None

    @property
    def passphrase(self) -> str | None:
        """The secret of ``--passphrase-file``, or None."""
        return None if self.passphrase_file is None else secret_from(self.passphrase_file)


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
    """The open office of ``--data-dir``; closed at the end whatever happens."""
    from desktop.bootstrap import open_office

    common: Common = ctx.obj
    opened = open_office(common.data_dir, passphrase=common.passphrase)
    try:
        yield opened
    finally:
        opened.close()


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
