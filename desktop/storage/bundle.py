"""A backup as it lies there: one folder per backup, its manifest, and where its files are.

A *bundle* holds the database, the key slots, the card and a manifest with the digest of each.
Kept files (raw downloads, later photo months) lie once in the *store* beside the bundles, named by
their digest; where the disk can, a bundle also links to them, so that its folder copied by hand is
whole. Nothing here makes, changes or opens a bundle; what a manifest says is believed only after
its seal was proven with the key (:func:`sealed_by`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from desktop.errors import EnvironmentFault, Refused
from desktop.paths import disk_fault
from desktop.storage.card import BACKUPS, CARD_FILE, DATABASE_FILE, DEMO_PASSPHRASE_FILE
from desktop.storage.encode import document
from desktop.storage.keys import SLOTS_FILE
from desktop.storage.reseal import MARK_FILE

MANIFEST_FILE = "manifest.json"
STORE = "store"
"""Folder beside the bundles: one file per digest, whatever bundle it belongs to."""

PARTS = (SLOTS_FILE, CARD_FILE)
"""Small files of every bundle beside the database."""
OPTIONAL_PARTS = (DEMO_PASSPHRASE_FILE, MARK_FILE)
"""A demo's passphrase; under which data key the kept files lie."""

FORMAT = 2
REGULAR = frozenset({"manual", "daily", "opening", "closing"})
"""Reasons of backups that are thinned by the calendar; every other one was made before an act."""

_SEAL = b"sitemuster backup manifest v1"
_NAME = re.compile(r"(\d{8}T\d{6}Z)-([A-Za-z0-9-]+)")
_KEPT = re.compile(r"(?:originals)(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)+")
_HEX = re.compile(r"[0-9a-f]{64}")
_MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Head:
    """Where a project's chain stood: the last segment's sequence and hash."""

    project: int
    sequence: int
    hash: bytes

    def as_json(self) -> dict[str, Any]:
        return {"project": self.project, "sequence": self.sequence, "hash": self.hash.hex()}


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file of the book beside its database. ``path`` relative, with ``/``; ``changed_ns`` its
    time of change when it was copied, by which the next backup knows it again."""

    path: str
    sha256: str
    size: int
    changed_ns: int = 0


@dataclass(frozen=True, slots=True)
class Contents:
    """What a copy of the database must contain: revision, chain heads, rows per table."""

    schema: str | None
    heads: tuple[Head, ...]
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle says of itself. ``size`` and ``sha256`` are of the database file.

    ``salt`` is that of the book's own file when it was copied, ``parts`` the digests of the small
    files. Of the first release (``format`` 1) only the first five and the heads are there.
    """

    book_id: str
    at: datetime
    reason: str
    sha256: str
    contents: Contents
    size: int = 0
    files: tuple[KeptFile, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)
    salt: bytes = b""
    program: str = ""
    format: int = FORMAT
    seal: str = ""

    def as_json(self) -> dict[str, Any]:
        """The document of ``manifest.json``, without its seal."""
        contents = self.contents
        return {
            "format": self.format,
            "book_id": self.book_id,
            "at": self.at.isoformat(),
            "reason": self.reason,
            "program": self.program,
            "schema": contents.schema,
            "heads": [head.as_json() for head in contents.heads],
            "counts": dict(contents.counts),
            "sha256": self.sha256,
            "size": self.size,
            "salt": self.salt.hex(),
            "parts": dict(self.parts),
            "files": [
                {
                    "path": one.path, "sha256": one.sha256, "size": one.size,
                    "changed_ns": one.changed_ns,
                }
                for one in self.files
            ],
        }

    def text(self, key: bytes) -> bytes:
        """``manifest.json``, sealed with the ``key`` of the database file."""
        body = self.as_json()
        body["seal"] = _seal(body, key)
        return (json.dumps(body, indent=1, ensure_ascii=False) + "\n").encode("utf-8")

    @classmethod
    def of_json(cls, body: Mapping[str, Any]) -> Manifest:
        """The inverse; raises ValueError, KeyError, TypeError or AttributeError."""
        heads = tuple(
            Head(int(one["project"]), int(one["sequence"]), bytes.fromhex(one["hash"]))
            for one in body["heads"]
        )
        counts = {str(name): int(rows) for name, rows in body.get("counts", {}).items()}
        at = datetime.fromisoformat(body["at"])
        if at.tzinfo is None or not _HEX.fullmatch(body["sha256"]):
            raise ValueError("manifest")
        return cls(
            book_id=str(body["book_id"]),
            at=at.astimezone(UTC),
            reason=str(body["reason"]),
            sha256=body["sha256"],
            contents=Contents(body["schema"], heads, counts),
            size=int(body.get("size", 0)),
            files=tuple(_kept(one) for one in body.get("files", ())),
            parts={str(name): str(value) for name, value in body.get("parts", {}).items()},
            salt=bytes.fromhex(body.get("salt", "")),
            program=str(body.get("program", "")),
            format=int(body.get("format", 1)),
            seal=str(body.get("seal", "")),
        )


def _kept(body: Mapping[str, Any]) -> KeptFile:
    """An entry of a manifest; its path must not lead out of the book."""
    path, digest = str(body["path"]), str(body["sha256"])
    if not _KEPT.fullmatch(path) or not _HEX.fullmatch(digest):
        raise ValueError("path")
    return KeptFile(path, digest, int(body["size"]), int(body.get("changed_ns", 0)))


def _seal(body: Mapping[str, Any], key: bytes) -> str:
    plain = {name: value for name, value in body.items() if name != "seal"}
    return hmac.digest(key, _SEAL + document(plain), "sha256").hex()


def sealed_by(manifest: Manifest, key: bytes) -> bool:
    """Whether the holder of the database ``key`` wrote exactly this manifest.

    The first release sealed nothing: its manifests count as proven by what is in the database.
    """
    if manifest.format == 1:
        return True
    return hmac.compare_digest(_seal(manifest.as_json(), key), manifest.seal)


def manifest_of(bundle: Path) -> Manifest:
    """The manifest of a folder. Raises :class:`Refused` where there is none or a newer one,
    :class:`EnvironmentFault` ``bundle_damaged`` where it cannot be read."""
    try:
        with (bundle / MANIFEST_FILE).open("rb") as source:
            text = source.read(_MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Refused(
            "no_bundle",
            f"「{bundle.name}」不是备份（没有 {MANIFEST_FILE}），未做任何改动。"
            "请选择 backups 文件夹里的某一份备份，或第二处备份里的某一份。",
        ) from error
    except OSError as error:
        raise disk_fault(error, bundle) from error
    try:
        body = json.loads(text)
        newer = int(body.get("format", 1)) > FORMAT
        manifest = None if newer else Manifest.of_json(body)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(bundle, f"清单 {MANIFEST_FILE} 读不出来") from error
    if manifest is None:
        raise Refused(
            "bundle_newer",
            f"备份「{bundle.name}」由更新版本的程序做成，本程序不认识它的格式，未做任何改动。请先升级程序。",
        )
    return manifest


def damaged(bundle: Path, what: str) -> EnvironmentFault:
    """A bundle that is not what was written; ``what`` is a Chinese clause."""
    return EnvironmentFault(
        "bundle_damaged",
        f"备份「{bundle.name}」已损坏：{what}。没有使用它，账本和其他备份未做任何改动。请换另一份备份。",
        bundle=bundle.name,
    )


def digest_of(bundle: Path) -> str:
    """SHA-256 of the manifest: it names everything else by digest, so it stands for the bundle."""
    return hashlib.sha256((bundle / MANIFEST_FILE).read_bytes()).hexdigest()


def place_of(bundle: Path, kept: KeptFile) -> Path | None:
    """Where a kept file of a bundle lies: linked in the bundle itself, else in the store."""
    for place in (bundle / kept.path, bundle.parent / STORE / kept.sha256):
        try:
            if place.stat().st_size == kept.size:
                return place
        except OSError:
            continue
    return None


# ── the shelf ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class BackupInfo:
    """One backup of a shelf. ``ok``: None as long as nobody looked inside, False when something is
    visibly missing, True right after it was verified. ``size`` bytes of the database."""

    path: Path
    name: str
    at: datetime
    reason: str
    ok: bool | None
    size: int
    heads: tuple[Head, ...]
    schema: str | None
    digest: str = ""
    book_id: str = ""
    trouble: str = ""
    """Chinese clause: what is visibly wrong."""
    removed: tuple[str, ...] = ()
    """Older backups that were thinned out when this one was made."""
    second_ok: bool | None = None
    """Whether it reached the second place, None where none is set; ``second`` says it in words."""
    second: str = ""

    @property
    def regular(self) -> bool:
        """Whether the calendar thins it."""
        return self.reason in REGULAR

    @property
    def reach(self) -> int:
        """How much of the chains it holds; of two copies of one book the newer reaches further."""
        return sum(head.sequence for head in self.heads)

    def as_json(self) -> dict[str, Any]:
        """An element of ``backup list``."""
        return {
            "name": self.name, "path": self.path, "at": self.at, "reason": self.reason,
            "ok": self.ok, "size": self.size, "schema": self.schema, "digest": self.digest,
            "heads": [head.as_json() for head in self.heads], "trouble": self.trouble,
            "removed": list(self.removed), "second_ok": self.second_ok, "second": self.second,
        }


def shelf(folder: Path) -> list[BackupInfo]:
    """The backups in a book's folder, newest first. Opens none: names, manifests, sizes."""
    return bundles_in(folder / BACKUPS)


def bundles_in(place: Path) -> list[BackupInfo]:
    """The same for any folder of bundles. A folder without a manifest's name is none of ours."""
    try:
        found = sorted(one for one in place.iterdir() if _NAME.match(one.name) and one.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise disk_fault(error, place) from error
    infos = [info_of(bundle) for bundle in found]
    return sorted(infos, key=lambda one: (one.at, one.reach, one.name), reverse=True)


def info_of(bundle: Path) -> BackupInfo:
    """What can be said of a bundle without opening it; one that cannot be read is not ``ok``."""
    try:
        manifest = manifest_of(bundle)
    except (EnvironmentFault, Refused) as trouble:
        named = _NAME.match(bundle.name)
        at = _moment(named[1]) if named else datetime.fromtimestamp(0, UTC)
        reason = named[2] if named else ""
        return BackupInfo(
            bundle, bundle.name, at, reason, False, 0, (), None, trouble=trouble.message
        )
    missing = next(_missing(bundle, manifest), "")
    return BackupInfo(
        path=bundle,
        name=bundle.name,
        at=manifest.at,
        reason=manifest.reason,
        ok=False if missing else None,
        size=manifest.size or (bundle / DATABASE_FILE).stat().st_size if not missing else 0,
        heads=manifest.contents.heads,
        schema=manifest.contents.schema,
        digest=digest_of(bundle),
        book_id=manifest.book_id,
        trouble=missing,
    )


def _missing(bundle: Path, manifest: Manifest) -> Iterator[str]:
    for name in (DATABASE_FILE, *PARTS):
        if not (bundle / name).is_file():
            yield f"缺少 {name}"
    file = bundle / DATABASE_FILE
    if file.is_file() and manifest.size and file.stat().st_size != manifest.size:
        yield f"{DATABASE_FILE} 的大小与清单不符"


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)


def furthest(infos: Sequence[BackupInfo]) -> BackupInfo | None:
    """The last good one: of those not visibly broken the one that holds the most of the chains.

    By the chain, not by the clock: the clock may have been wrong when it was made.
    """
    good = [one for one in infos if one.ok is not False]
    return max(good, key=lambda one: (one.reach, one.at, one.name), default=None)
