"""What must not be lost while the book's server is away: received records wait on this PC.

``waiting/`` in the book's folder holds one sealed file per batch, written and synced before anyone
is told that the records were received, and removed after the book holds them. A book in a file never
waits. Nothing here talks to a terminal or to the book; see ``late`` for the way in.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.clock import CHINA
from desktop.errors import EnvironmentFault, SiteMusterError
from desktop.paths import disk_fault, sync_folder
from desktop.punches.ledger import Part
from desktop.punches.originals import Place
from desktop.storage import sealed_file
from desktop.storage.reseal import SealedFiles
from desktop.storage.sealed_file import Damaged, Kind
from devices.terminals.model import Punch, Unusable

if TYPE_CHECKING:
    from desktop.storage.book import Book

FOLDER = "waiting"
MOST_BYTES = 2 << 30
"""More than any site collects in the longest outage; terminals hold their logs besides."""

AWAY = frozenset({"server_away", "server_outcome_unknown"})
"""The server cannot be reached. A batch whose outcome is unknown is stored again without harm."""
_UNABLE = frozenset({"server_full", "server_read_only", "book_busy"})
"""The server answers and cannot take anything now."""

_KIND = Kind(b"SMWB1", b"sitemuster waiting batch v1")

SEALED = SealedFiles(FOLDER, FOLDER, _KIND)
"""What a change of the data key seals anew."""

_SUFFIX, _UNFINISHED = ".batch", ".new"
_FORMAT = 1
_FULL_BLOCK = 700_000
_MOST_RECORD = 200_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """One batch that waits. ``facts`` are what its way in needs, plain JSON."""

    path: Path
    id: str
    kind: str
    """``pull`` or ``usb``."""
    project_id: int
    terminal_id: int
    terminal: str
    operator: str
    role: str
    received_at: datetime
    records: int
    size: int
    facts: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Summary:
    """What waits on this PC. ``damaged`` files are kept and can not be read."""

    batches: tuple[Waiting, ...] = ()
    damaged: tuple[Path, ...] = ()

    @property
    def records(self) -> int:
        return sum(one.records for one in self.batches)

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return sum(one.size for one in self.batches)

    @property
    def since(self) -> datetime | None:
        """When the oldest batch was read."""
        return min((one.received_at for one in self.batches), default=None)

    @property
    def terminals(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one.terminal for one in self.batches))

    def sentence(self) -> str:
        """For the message bar and the command line."""
        said = []
        if self.batches:
            assert self.since is not None
            names = "、".join(f"「{name}」" for name in self.terminals)
            said.append(
                f"本机有{len(self.batches)}批共{self.records}条打卡记录等待入账（{names}，"
                f"最早{self.since.astimezone(CHINA):%Y-%m-%d %H:%M}采集，占用{_megabytes(self.size)}）。"
                "连上服务器后自动入账，请勿删除账本文件夹。"
            )
        if self.damaged:
            said.append(
                f"另有{len(self.damaged)}个等待文件已损坏、读不出来，程序没有删除它们。请重新采集对应的考勤机。"
            )
        return "".join(said) or "没有等待入账的打卡记录。"


def is_away(error: BaseException) -> bool:
    """Whether ``error`` says that the server cannot be reached."""
    return isinstance(error, SiteMusterError) and error.code in AWAY


def must_wait(error: SiteMusterError, book: Book) -> bool:
    """Whether ``error`` means that records must wait here: the server of ``book`` is gone, or
    takes nothing. A book in a file never makes anything wait."""
    return book.dialect != "sqlite" and (error.code in AWAY or error.code in _UNABLE)


def waiting(place: Place) -> Summary:
    """All batches, the oldest first; only looks."""
    batches, damaged = [], []
    for path in sorted((place.path / FOLDER).glob(f"*{_SUFFIX}")):
        try:
            batches.append(_look(place, path))
        except FileNotFoundError:
            continue  # stored in this moment
        except (Damaged, OSError, ValueError, KeyError, TypeError):
            damaged.append(path)
    return Summary(tuple(batches), tuple(damaged))


def put(
    place: Place,
    kind: str,
    *,
    project_id: int,
    terminal_id: int,
    terminal: str,
    operator: str,
    role: str,
    received_at: datetime,
    facts: dict[str, Any],
    parts: Iterable[Part],
    records: int,
) -> Waiting:
    """Keep a batch; when this returns it survives a power cut. ``records`` are all in ``parts``.

    Raises :class:`EnvironmentFault` when the disk is full or cannot be written, or too much waits
    already; then nothing of it is kept. Whatever ``parts`` raises passes through, nothing kept.
    """
    folder = place.path / FOLDER
    batch_id = secrets.token_hex(16)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        beside = _free_place(folder, terminal)
        head = {
            "format": _FORMAT, "id": batch_id, "kind": kind, "project_id": project_id,
            "terminal_id": terminal_id, "terminal": terminal, "operator": operator, "role": role,
            "received_at": int(received_at.timestamp()), "records": records, "facts": facts,
        }
        try:
            _write(place, beside, head, parts)
            final = folder / f"{_next_number(folder):08d}-{batch_id[:8]}{_SUFFIX}"
            os.replace(beside, final)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        sync_folder(folder)
    except OSError as error:
        raise _disk_fault(error, folder, terminal) from error
    return _look(place, final)


def parts(place: Place, batch: Waiting) -> Iterator[Part]:
    """The records of a batch as they were put, in parts of some thousand.

    Raises :class:`EnvironmentFault` ``waiting_damaged`` when the file is not what was written.
    """
    try:
        with batch.path.open("rb") as source:
            blocks = sealed_file.read(source, _KIND, place.subkey(FOLDER))
            next(blocks)
            for block in blocks:
                yield _part(json.loads(block))
    except (Damaged, OSError, ValueError, KeyError, TypeError) as error:
        raise EnvironmentFault(
            "waiting_damaged",
            f"「{batch.terminal}」的一批等待记录已损坏、读不出来，没有入账，文件保留未动。请重新采集这台考勤机。",
        ) from error


def remove(batch: Waiting) -> None:
    """The book holds it now."""
    try:
        batch.path.unlink(missing_ok=True)
        sync_folder(batch.path.parent)
    except OSError as error:
        raise disk_fault(error, batch.path.parent) from error


def cursor_after(place: Place, terminal_id: int) -> dict[str, Any] | None:
    """Where the newest waiting pull of a terminal ends: the next one goes on from there."""
    for batch in reversed(waiting(place).batches):
        if batch.terminal_id == terminal_id and batch.kind == "pull":
            return dict(batch.facts["cursor_after"])
    return None


# ── files ───────────────────────────────────────────────────────────────────────────────────────


def _free_place(folder: Path, terminal: str) -> Path:
    """A name to write under; sweeps what a killed program left half-written."""
    used = 0
    own = f"{os.getpid()}-"
    for path in folder.iterdir():
        if path.name.endswith(_UNFINISHED) and not path.name.startswith(own):
            path.unlink(missing_ok=True)
        else:
            with suppress(FileNotFoundError):
                used += path.stat().st_size
    if used > MOST_BYTES:
        raise EnvironmentFault(
            "waiting_full",
            f"等待入账的记录已占用{_megabytes(used)}，「{terminal}」这一批没有再存；考勤机里的记录还在。"
            "请先让本机连上服务器，等记录入账后再采集。",
            bytes=used,
        )
    return folder / f"{own}{secrets.token_hex(8)}{_UNFINISHED}"


def _next_number(folder: Path) -> int:
    """Batches of one terminal stand in the order in which they were read."""
    names = [path.name[:8] for path in folder.glob(f"*{_SUFFIX}")]
    return max((int(name) for name in names if name.isdigit()), default=0) + 1


def _write(place: Place, path: Path, head: dict[str, Any], parts: Iterable[Part]) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as target:
        sealed_file.write(target, _KIND, place.subkey(FOLDER), _blocks(head, parts))
        target.flush()
        os.fsync(target.fileno())


def _blocks(head: dict[str, Any], parts: Iterable[Part]) -> Iterator[bytes]:
    """The head, then the records as JSON, about :data:`_FULL_BLOCK` bytes at a time."""
    yield json.dumps(head).encode()
    left = head["records"]
    for part in parts:
        left -= len(part.punches) + len(part.unusable)
        places = iter(part.seqs or ())
        lines = [("p", [*one[:-1], one.raw.hex(), next(places, None)]) for one in part.punches]
        lines += [("u", [*one[:-1], one.raw.hex()]) for one in part.unusable]
        body: dict[str, list[str]] = {"p": [], "u": []}
        size = 0
        for kind, values in lines:
            text = json.dumps(values)
            if len(text) > _MOST_RECORD:
                raise ValueError("a record of no terminal")
            body[kind].append(text)
            size += len(text)
            if size >= _FULL_BLOCK:
                yield _joined(body)
                body, size = {"p": [], "u": []}, 0
        if size:
            yield _joined(body)
    if left:
        raise ValueError("the number of records was not what was announced")


def _joined(body: dict[str, list[str]]) -> bytes:
    return "".join(
        ('{"p":[', ",".join(body["p"]), '],"u":[', ",".join(body["u"]), "]}")
    ).encode()


def _part(body: dict[str, Any]) -> Part:
    punches = [Punch._make([*one[:7], bytes.fromhex(one[7])]) for one in body["p"]]
    unusable = [Unusable._make([*one[:5], bytes.fromhex(one[5])]) for one in body["u"]]
    seqs = [one[8] for one in body["p"]]
    return Part(punches, unusable, None if None in seqs else seqs or None)


def _look(place: Place, path: Path) -> Waiting:
    head = json.loads(sealed_file.first(path, _KIND, place.subkey(FOLDER)))
    return Waiting(
        path=path,
        id=head["id"],
        kind=head["kind"],
        project_id=head["project_id"],
        terminal_id=head["terminal_id"],
        terminal=head["terminal"],
        operator=head["operator"],
        role=head["role"],
        received_at=datetime.fromtimestamp(head["received_at"], UTC),
        records=head["records"],
        size=path.stat().st_size,
        facts=head["facts"],
    )


def _megabytes(size: int) -> str:
    return f"{size / (1 << 20):.1f} MB"


def _disk_fault(error: OSError, folder: Path, terminal: str) -> EnvironmentFault:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return EnvironmentFault(
            "disk_full",
            f"服务器连不上，本机磁盘空间也已满：「{terminal}」的记录没有存下来，考勤机里的记录还在。"
            "请清理磁盘后重新采集，不要清空考勤机。",
        )
    return disk_fault(error, folder)
