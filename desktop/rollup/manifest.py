"""What a roll-up says about itself, and how it stands at the head of the sealed content.

Content of the envelope (``storage.envelope``, kind :data:`KIND`): 4-byte length ‖ head (JSON:
manifest, its own signature, the key of the database) ‖ the database file. Nothing is compressed,
so a file can never grow when it is opened. The manifest is signed by itself as well, so that head
office can still show it to somebody after the envelope is gone.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Self

from desktop.errors import Refused
from desktop.storage.encode import document
from desktop.storage.envelope import SigningKey, fingerprint, signature_holds

KIND = "sitemuster-rollup"
"""Kind of the envelope that travels."""

KEPT_KIND = "sitemuster-rollup-kept"
"""Kind of the small envelope in which head office keeps the head of an import."""

SUFFIX = ".sitemuster-rollup"
MOST_HEAD = 1 << 20
FORMAT = 1
_SIGNED = b"sitemuster rollup manifest\x00"


@dataclass(frozen=True, slots=True)
class ProjectHead:
    """One project of the roll-up: identity, last segment (``hash`` hexadecimal), counts."""

    project_id: int
    code: str
    name: str
    sequence: int
    hash: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Manifest:
    """``exported_at`` ISO, UTC; ``signer`` and ``sha256`` (of the database file) hexadecimal."""

    book_id: str
    demo: bool
    schema: str
    exported_at: str
    exported_by: str
    with_personal: bool
    projects: tuple[ProjectHead, ...]
    sha256: str
    size: int
    signer: str

    @property
    def fingerprint(self) -> str:
        """The signing key as it is read by telephone."""
        return fingerprint(bytes.fromhex(self.signer))

    def heads(self) -> dict[int, tuple[int, str]]:
        """``(sequence, hash)`` by project."""
        return {one.project_id: (one.sequence, one.hash) for one in self.projects}

    def encoded(self) -> bytes:
        """Canonical bytes, which are signed."""
        return document({"format": FORMAT, **asdict(self)})

    @classmethod
    def decoded(cls, data: bytes) -> Self:
        """The inverse; raises :class:`Refused` ``rollup_newer`` or ``rollup_content``."""
        try:
            body = json.loads(data)
            if int(body.pop("format")) > FORMAT:
                raise Refused(
                    "rollup_newer", "这个汇总文件由更新版本的程序导出，未导入任何内容。请先升级程序。"
                )
            projects = tuple(ProjectHead(**one) for one in body.pop("projects"))
            manifest = cls(projects=projects, **body)
            manifest._check()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise content_refused() from error
        return manifest

    def _check(self) -> None:
        """Everything that later becomes a path, a number or a sentence has its own form."""
        texts = (self.schema, self.exported_at, self.exported_by)
        numbers = [self.size, *(n for one in self.projects for n in (one.project_id, one.sequence))]
        sound = (
            _is_book_id(self.book_id)
            and all(isinstance(text, str) and len(text) <= 200 for text in texts)
            and all(isinstance(number, int) and number >= 0 for number in numbers)
            and all(isinstance(flag, bool) for flag in (self.demo, self.with_personal))
            and len(bytes.fromhex(self.sha256)) == len(bytes.fromhex(self.signer)) == 32
            and datetime.fromisoformat(self.exported_at).tzinfo is not None
            and 0 < len(self.heads()) == len(self.projects)
            and all(_is_head(one) for one in self.projects)
        )
        if not sound:
            raise ValueError("manifest")


def _is_book_id(text: str) -> bool:
    """A UUID as ``creation`` makes it; it becomes the name of a folder."""
    import uuid

    return str(uuid.UUID(text)) == text


def _is_head(one: ProjectHead) -> bool:
    return (
        len(bytes.fromhex(one.hash)) == (32 if one.sequence else 0)
        and all(isinstance(text, str) and len(text) <= 500 for text in (one.code, one.name))
        and all(isinstance(number, int) for number in one.counts.values())
    )


@dataclass(frozen=True, slots=True)
class Head:
    """Manifest with its signature, and the key that opens the database. Shows no key."""

    manifest: Manifest
    signed: bytes
    signature: bytes
    key: bytes

    @classmethod
    def new(cls, manifest: Manifest, signer: SigningKey, key: bytes) -> Self:
        """Signed now."""
        signed = manifest.encoded()
        return cls(manifest, signed, signer.sign(_SIGNED + signed), key)

    def packed(self) -> bytes:
        """As it stands before the database."""
        body = document(
            {
                "manifest": self.signed.decode("utf-8"),
                "signature": self.signature.hex(),
                "key": self.key.hex(),
            }
        )
        return struct.pack(">I", len(body)) + body

    @classmethod
    def unpacked(cls, body: bytes, signer: bytes | None) -> Self:
        """The inverse, without the length. ``signer`` is who sealed the envelope.

        Raises :class:`Refused` when form, signature or signer do not hold.
        """
        try:
            parsed = json.loads(body)
            signed = parsed["manifest"].encode("utf-8")
            signature, key = bytes.fromhex(parsed["signature"]), bytes.fromhex(parsed["key"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise content_refused() from error
        manifest = Manifest.decoded(signed)
        public = bytes.fromhex(manifest.signer)
        if signer not in (None, public) or len(key) != 32:
            raise content_refused()
        if not signature_holds(public, _SIGNED + signed, signature):
            raise content_refused()
        return cls(manifest, signed, signature, key)

    def __repr__(self) -> str:
        return f"Head({self.manifest.book_id})"


def content_refused() -> Refused:
    """The envelope holds, what is in it does not."""
    return Refused(
        "rollup_content",
        "汇总文件的封装完好，但里面的内容不是实名台导出的汇总（清单、签名或数据库对不上），未导入任何内容。"
        "请让项目部用「rollup export」重新导出。",
    )
