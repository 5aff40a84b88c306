"""Head office's folder: one sub-folder per book, imports beside each other, a list of what came.

    FOLDER/<book id>/site.json      pinned signing key, every import ever taken in, conflicts
    FOLDER/<book id>/0001/book.db   the copy, under a key of its own
    FOLDER/<book id>/0001/head      that key and the signed manifest, sealed to the company's key

``site.json`` is replaced last and decides: a folder it does not name is an unfinished import and
is removed by the next one. It holds names of projects, counts and heads, no person.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from desktop.errors import EnvironmentFault, Refused
from desktop.paths import disk_fault, read_regular, refuse_unsafe_folder, write_atomically
from desktop.rollup.manifest import Manifest, ProjectHead
from desktop.storage.envelope import fingerprint
from desktop.storage.lock import FolderLock

SITE_FILE = "site.json"
HEAD_FILE = "head"
DATABASE_FILE = "book.db"
INCOMING = ".incoming"
_FORMAT = 1
_MOST = 16 << 20


class State(StrEnum):
    """What became of an import."""

    CURRENT = "current"
    REPLACED = "replaced"
    """A later roll-up of the same chain holds everything of it; its copy is gone."""
    CONFLICT = "conflict"
    """Kept beside, waiting for a person."""
    SET_ASIDE = "set_aside"
    """Was current until a conflict was accepted; its copy is kept."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One import. ``kind`` and ``sentence`` say why it is a conflict, ``why`` who accepted it."""

    name: str
    taken_at: str
    exported_at: str
    sha256: str
    signer: str
    schema: str
    with_personal: bool
    projects: tuple[ProjectHead, ...]
    state: State
    kind: str = ""
    sentence: str = ""
    why: str = ""

    @classmethod
    def of(cls, manifest: Manifest, name: str, sha256: str, taken_at: str) -> Self:
        """A new entry; ``sha256`` is that of the file that was received."""
        return cls(
            name, taken_at, manifest.exported_at, sha256, manifest.signer, manifest.schema,
            manifest.with_personal, manifest.projects, State.CURRENT,
        )

    @property
    def fingerprint(self) -> str:
        """The signing key as it is read by telephone."""
        return fingerprint(bytes.fromhex(self.signer))

    def as_json(self) -> dict[str, Any]:
        """For lists."""
        return {**asdict(self), "state": self.state.value, "fingerprint": self.fingerprint}


@dataclass(frozen=True, slots=True)
class Site:
    """All imports of one book; ``signer`` is the key that is trusted."""

    book_id: str
    demo: bool
    signer: str
    entries: tuple[Entry, ...] = field(default=())

    @property
    def current(self) -> Entry | None:
        """The import that counts; None while the first one is a conflict."""
        return next((one for one in self.entries if one.state is State.CURRENT), None)

    @property
    def conflicts(self) -> list[Entry]:
        """Those waiting for a person."""
        return [one for one in self.entries if one.state is State.CONFLICT]

    def next_name(self) -> str:
        """Folder of the next import."""
        return f"{len(self.entries) + 1:04d}"

    def having(self, entry: Entry) -> Site:
        """With ``entry`` in place of the one of its name, or at the end."""
        others = tuple(one for one in self.entries if one.name != entry.name)
        entries = sorted((*others, entry), key=lambda one: one.name)
        return replace(self, entries=tuple(entries))

    def label(self) -> str:
        """How sentences call the site."""
        known = self.current or (self.entries[-1] if self.entries else None)
        return "、".join(one.name for one in known.projects) if known else self.book_id[:8]


class Shelf:
    """The folder, held by one program at a time while something is changed."""

    def __init__(self, folder: Path) -> None:
        """Does not touch the folder."""
        self.folder = folder.expanduser().absolute()

    def taken(self) -> FolderLock:
        """Make the folder if need be and lock it; raises :class:`Refused`, EnvironmentFault."""
        refuse_unsafe_folder(self.folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise disk_fault(error, self.folder) from error
        lock = FolderLock(self.folder)
        for left in self.folder.glob(f"{INCOMING}-*"):
            shutil.rmtree(left, ignore_errors=True)
        return lock

    def place(self, book_id: str, entry: str = "") -> Path:
        """Folder of a book, or of one of its imports."""
        return self.folder / book_id / entry if entry else self.folder / book_id

    def site(self, book_id: str) -> Site | None:
        """What is known of a book; raises :class:`EnvironmentFault` when the list is damaged."""
        file = self.place(book_id) / SITE_FILE
        try:
            body = json.loads(read_regular(file, _MOST).decode("utf-8"))
            newer = int(body["format"]) > _FORMAT
            entries = tuple(map(_entry, body["entries"]))
            site = Site(str(body["book_id"]), bool(body["demo"]), str(body["signer"]), entries)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise disk_fault(error, file.parent) from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise EnvironmentFault(
                "shelf_damaged",
                f"汇总文件夹里「{file.parent.name}」的清单 {SITE_FILE} 已损坏，未做任何改动。"
                "请从备份里把它复制回来，或移走这个子文件夹后重新导入。",
            ) from error
        if newer or site.book_id != book_id:
            raise Refused(
                "shelf_newer", "这个汇总文件夹由更新版本的程序使用过，未做任何改动。请先升级程序。"
            )
        return site

    def write(self, site: Site) -> None:
        """Replace the list of a book: the moment at which an import counts."""
        body = {
            "format": _FORMAT, "book_id": site.book_id, "demo": site.demo, "signer": site.signer,
            "entries": [asdict(one) for one in site.entries],
        }
        text = json.dumps(body, indent=1, ensure_ascii=False) + "\n"
        write_atomically(self.place(site.book_id) / SITE_FILE, text.encode("utf-8"), private=True)

    def sweep(self, site: Site) -> None:
        """Remove copies the list does not need: unfinished ones and replaced ones."""
        kept = {one.name for one in site.entries if one.state is not State.REPLACED}
        for path in self.place(site.book_id).iterdir():
            if path.is_dir() and path.name not in kept:
                shutil.rmtree(path, ignore_errors=True)

    def sites(self) -> list[Site]:
        """All books, by the names of their projects."""
        return sorted(self._sites(), key=lambda site: (site.label(), site.book_id))

    def _sites(self) -> Iterator[Site]:
        if not self.folder.is_dir():
            raise Refused(
                "no_shelf", f"没有汇总文件夹「{self.folder.name}」。请先用「rollup import」导入一份汇总，或核对路径。"
            )
        for path in sorted(self.folder.iterdir()):
            if path.is_dir() and (path / SITE_FILE).is_file():
                site = self.site(path.name)
                if site is not None:
                    yield site

    def find(self, word: str) -> Site:
        """The one book whose id begins with ``word`` or whose project has that code or name."""
        found = [
            site for site in self.sites()
            if (len(word) >= 4 and site.book_id.startswith(word.lower()))
            or any(word in (one.code, one.name) for entry in site.entries for one in entry.projects)
        ]
        if len(found) != 1:
            what = "没有" if not found else f"有{len(found)}个"
            raise Refused(
                "site_not_found",
                f"汇总文件夹里{what}「{word}」，什么也没有做。请用「rollup list」查看项目编号或账本编号后重试。",
            )
        return found[0]


def _entry(body: dict[str, Any]) -> Entry:
    known = dict(body)
    known["projects"] = tuple(ProjectHead(**one) for one in known["projects"])
    known["state"] = State(known["state"])
    entry = Entry(**known)
    bytes.fromhex(entry.signer)
    if not entry.name.isdigit():
        raise ValueError("entry")
    return entry
