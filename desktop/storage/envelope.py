"""Files and keys sealed to head office's public key, without network (decision 0022).

X25519 with a fresh key per envelope, HKDF-SHA256, AES-256-GCM in chunks; Ed25519 for who sent it.
It knows no book and no table: bytes in, bytes out, and never a whole file in memory.

Public face (stable; the roll-up, the company slot and the key desk stand on it)::

    new_company_keys(passphrase, *, name="", made_on="", cost=STANDARD_COST) -> (private, public)
        bytes of NAME.sitemuster-key (sealed by Argon2id) and of NAME.sitemuster-pub
    public_key(data) -> CompanyPublic            .name .made_on .raw .fingerprint .id .as_file()
    private_key(data, passphrase) -> CompanyPrivate                         .public
    SigningKey(seed)                             .public (32 bytes) .sign(message) -> 64 bytes
    signature_holds(public, message, signature) -> bool
    fingerprint(raw, name="") -> "12345 67890 …" eight groups of five digits, to read by telephone
    seal_stream(public, source, target, *, kind, facts=None, signer=None,
                total=0, progress=silent, cancel=None) -> Header
    open_stream(private, source, target, *, kind, signer=None, limit=LIMIT,
                total=0, progress=silent, cancel=None) -> Header
    verify_stream(source, *, kind, limit=LIMIT) -> Header   # signature only, needs no private key
    look(source) -> Header                       # nothing proven yet: only to choose the key
    seal_key(public, secret, associated) -> bytes · open_key(private, sealed, associated) -> bytes

``Header``: kind, recipient (id of the public key), signer (32 bytes or None), facts. ``facts``
stand in clear: no personal data. What ``open_stream`` wrote counts only after it has returned:
write to a temporary file, and rename then.

Layout: magic 8 ‖ u32 length ‖ header (JSON) ‖ frames ‖ signature 64 (only if the header names a
signer). Frame: u32 (top bit: last) ‖ ciphertext. Nonce = u88 counter ‖ last; associated data is
the SHA-256 of magic and header, so no frame can be cut, moved, repeated or put under another
header. The signature covers that digest and the SHA-256 of all frames.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from desktop.errors import Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.storage.company_keys import (
    CompanyPrivate,
    CompanyPublic,
    fingerprint,
    new_company_keys,
    private_key,
    public_key,
)
from desktop.storage.encode import document

__all__ = [
    "LIMIT", "CompanyPrivate", "CompanyPublic", "Header", "SigningKey", "fingerprint", "look",
    "new_company_keys", "open_key", "open_stream", "private_key", "public_key", "seal_key",
    "seal_stream", "signature_holds", "verify_stream",
]

LIMIT = 1 << 38
"""Plain bytes one envelope may hold unless the caller says less (256 GiB)."""

_MAGIC = b"SMENV\x00\x01\n"
_FORMAT = 1
_CHUNK = 1 << 18
_MOST_CHUNK = 1 << 22
_MOST_HEADER = 1 << 16
_LAST = 1 << 31
_TAG = 16
_SIGNATURE = 64
_STREAM = b"sitemuster envelope stream"
_KEY = b"sitemuster envelope key"
_SIGNED = b"sitemuster envelope signature\x00"


@dataclass(frozen=True, slots=True)
class Header:
    """What stands in clear at the head of an envelope; proven only after opening or verifying."""

    kind: str
    recipient: str
    signer: bytes | None
    facts: Mapping[str, Any] = field(default_factory=dict)


class SigningKey:
    """Ed25519 from a 32-byte seed, for example a book's own sub-key. Shows nothing of it."""

    __slots__ = ("_key", "public")

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """64 bytes; the same message gives the same signature."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return "SigningKey(…)"


def signature_holds(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the holder of ``public`` signed ``message``; anything malformed is a No."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


# ── sealing ─────────────────────────────────────────────────────────────────────────────────────


def seal_stream(
    public: CompanyPublic,
    source: BinaryIO,
    target: BinaryIO,
    *,
    kind: str,
    facts: Mapping[str, Any] | None = None,
    signer: SigningKey | None = None,
    total: int = 0,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> Header:
    """Write ``source`` to ``target`` so that only the holder of the private key can read it.

    ``kind`` says what is inside and is asked for again at opening; ``total`` (bytes, 0 unknown)
    is for ``progress``. Raises :class:`Cancelled`, and ValueError for facts that do not fit.
    """
    ephemeral = X25519PrivateKey.generate()
    header = Header(kind, public.id, None if signer is None else signer.public, dict(facts or {}))
    head = _packed(header, ephemeral.public_key().public_bytes_raw())
    target.write(head)
    associated, frames = hashlib.sha256(head).digest(), hashlib.sha256()
    cipher = AESGCM(_agreed(ephemeral, public.raw, public.raw, associated, _STREAM))
    done = 0
    for number, (chunk, last) in enumerate(_chunks(source)):
        if cancel is not None:
            cancel.raise_if_set()
        sealed = cipher.encrypt(_nonce(number, last), chunk, associated)
        frame = struct.pack(">I", len(sealed) | (_LAST if last else 0)) + sealed
        frames.update(frame)
        target.write(frame)
        done += len(chunk)
        progress(done, max(total, done) if total else 0, "加密封装")
    if signer is not None:
        target.write(signer.sign(_SIGNED + associated + frames.digest()))
    return header


def seal_key(public: CompanyPublic, secret: bytes, associated: bytes) -> bytes:
    """A short secret sealed to ``public``: ephemeral key 32 ‖ ciphertext ‖ tag.

    Opens only with the same ``associated`` data. The nonce is constant: the key is used once.
    """
    ephemeral = X25519PrivateKey.generate()
    wrapping = _agreed(ephemeral, public.raw, public.raw, associated, _KEY)
    return ephemeral.public_key().public_bytes_raw() + AESGCM(wrapping).encrypt(
        bytes(12), secret, associated
    )


def _packed(header: Header, ephemeral: bytes) -> bytes:
    body = document(
        {
            "format": _FORMAT,
            "kind": header.kind,
            "recipient": header.recipient,
            "ephemeral": ephemeral.hex(),
            "signer": None if header.signer is None else header.signer.hex(),
            "facts": header.facts,
        }
    )
    if len(body) > _MOST_HEADER:
        raise ValueError("envelope facts are too long")
    return _MAGIC + struct.pack(">I", len(body)) + body


def _chunks(source: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Chunks and whether each is the last; an empty source is one empty last chunk."""
    chunk = _full(source, _CHUNK)
    while True:
        following = _full(source, _CHUNK) if len(chunk) == _CHUNK else b""
        yield chunk, not following
        if not following:
            return
        chunk = following


def _full(source: BinaryIO, size: int) -> bytes:
    """``size`` bytes, fewer only at the end: pipes and compressed files give less at a time."""
    parts, missing = [], size
    while missing and (part := source.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _agreed(
    private: X25519PrivateKey, other: bytes, recipient: bytes, context: bytes, label: bytes
) -> bytes:
    """The key both sides derive; raises ValueError for a point that gives nothing away."""
    shared = private.exchange(X25519PublicKey.from_public_bytes(other))
    info = label + hashlib.sha256(context).digest()
    return HKDF(SHA256(), 32, salt=recipient, info=info).derive(shared)


# ── opening ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Head:
    header: Header
    ephemeral: bytes
    digest: bytes


def look(source: BinaryIO) -> Header:
    """The header of an envelope. Proves nothing. Raises :class:`Refused`."""
    return _head(source).header


def open_stream(
    private: CompanyPrivate,
    source: BinaryIO,
    target: BinaryIO,
    *,
    kind: str,
    signer: bytes | None = None,
    limit: int = LIMIT,
    total: int = 0,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> Header:
    """Write what ``source`` holds to ``target``; the content counts only after this returned.

    ``signer`` is the only sender that is accepted; without it any signature must still hold, and
    the caller judges ``Header.signer``. Raises :class:`Refused` ``envelope_…`` for a file that is
    no envelope, of another kind, for another key, cut, altered or larger than ``limit`` bytes.
    """
    head = _expected(source, kind, signer)
    if head.header.recipient != private.public.id:
        raise Refused(
            "envelope_other_key",
            "这个文件是用另一把公司公钥封装的，这把私钥打不开，未导入任何内容。请换用对应的私钥文件。",
        )
    try:
        key = _agreed(
            private.agreement, head.ephemeral, private.public.raw, head.digest, _STREAM
        )
    except ValueError as error:
        raise _altered() from error
    cipher, frames, done = AESGCM(key), hashlib.sha256(), 0
    for number, (frame, last) in enumerate(_frames(source, limit)):
        if cancel is not None:
            cancel.raise_if_set()
        frames.update(frame)
        try:
            chunk = cipher.decrypt(_nonce(number, last), frame[4:], head.digest)
        except InvalidTag as error:
            raise _altered() from error
        target.write(chunk)
        done += len(chunk)
        progress(done, max(total, done) if total else 0, "解开封装")
    _check_end(source, head, frames.digest())
    return head.header


def verify_stream(source: BinaryIO, *, kind: str, limit: int = LIMIT) -> Header:
    """Check a signed envelope from the outside, without the private key.

    Raises :class:`Refused` as :func:`open_stream` does, also for an envelope nobody signed.
    """
    head = _expected(source, kind, None)
    if head.header.signer is None:
        raise Refused(
            "envelope_unsigned", "这个文件没有签名，无法证明出自哪个账本，未导入任何内容。请让项目部重新导出。"
        )
    frames = hashlib.sha256()
    for frame, _ in _frames(source, limit):
        frames.update(frame)
    _check_end(source, head, frames.digest())
    return head.header


def open_key(private: CompanyPrivate, sealed: bytes, associated: bytes) -> bytes | None:
    """The secret of :func:`seal_key`, or None when key, bytes or ``associated`` do not fit."""
    try:
        wrapping = _agreed(
            private.agreement, sealed[:32], private.public.raw, associated, _KEY
        )
        return AESGCM(wrapping).decrypt(bytes(12), sealed[32:], associated)
    except (InvalidTag, ValueError):
        return None


def _head(source: BinaryIO) -> _Head:
    if _full(source, len(_MAGIC)) != _MAGIC:
        raise Refused(
            "envelope_unknown", "这不是实名台的加密文件（或不完整），未导入任何内容。请核对选择的文件。"
        )
    prefix = _full(source, 4)
    size = int.from_bytes(prefix, "big")
    if len(prefix) < 4 or size > _MOST_HEADER:
        raise _altered()
    body = _full(source, size)
    try:
        parsed = json.loads(body.decode("utf-8"))
        if int(parsed["format"]) > _FORMAT:
            raise Refused(
                "envelope_newer", "这个加密文件由更新版本的程序制作，未导入任何内容。请先升级程序。"
            )
        signer = None if parsed["signer"] is None else _of_hex(parsed["signer"])
        header = Header(
            str(parsed["kind"]), str(parsed["recipient"]), signer, dict(parsed["facts"])
        )
        ephemeral = _of_hex(parsed["ephemeral"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _altered() from error
    return _Head(header, ephemeral, hashlib.sha256(_MAGIC + prefix + body).digest())


def _of_hex(text: Any) -> bytes:
    raw = bytes.fromhex(text)
    if len(raw) != 32:
        raise ValueError("a key has 32 bytes")
    return raw


def _expected(source: BinaryIO, kind: str, signer: bytes | None) -> _Head:
    head = _head(source)
    if head.header.kind != kind:
        raise Refused(
            "envelope_kind", "这是实名台的另一种加密文件，不能在这里使用，未导入任何内容。请核对选择的文件。",
            kind=kind,
        )
    if signer is not None and head.header.signer != signer:
        raise Refused(
            "envelope_signer",
            "这个文件不是由所认定的账本签发的，未导入任何内容。请与项目部电话核对签名指纹。",
        )
    return head


def _frames(source: BinaryIO, limit: int) -> Iterator[tuple[bytes, bool]]:
    """Frames with their length field and whether each is the last one."""
    done, last = 0, False
    while not last:
        prefix = _full(source, 4)
        if len(prefix) < 4:
            raise _cut()
        word = int.from_bytes(prefix, "big")
        last, size = bool(word & _LAST), word & (_LAST - 1)
        # An empty frame in the middle could be repeated for ever without reaching any limit.
        if size < _TAG + (not last) or size > _MOST_CHUNK + _TAG:
            raise _altered()
        done += size - _TAG
        if done > limit:
            raise Refused(
                "envelope_too_large",
                f"这个加密文件的内容超过允许的大小（{limit}字节），已停止，未导入任何内容。请核对文件来源。",
                limit=limit,
            )
        sealed = _full(source, size)
        if len(sealed) < size:
            raise _cut()
        yield prefix + sealed, last


def _check_end(source: BinaryIO, head: _Head, frames: bytes) -> None:
    """The signature, and nothing after it."""
    if head.header.signer is not None:
        signature = _full(source, _SIGNATURE)
        if len(signature) < _SIGNATURE:
            raise _cut()
        if not signature_holds(head.header.signer, _SIGNED + head.digest + frames, signature):
            raise _altered()
    if source.read(1):
        raise _altered()


def _altered() -> Refused:
    return Refused(
        "envelope_altered",
        "这个加密文件被改动过或已损坏，核对不通过，未导入任何内容。请让对方重新导出并重新拷贝。",
    )


def _cut() -> Refused:
    return Refused(
        "envelope_cut", "这个加密文件不完整（后半部分缺失），未导入任何内容。请重新拷贝或让对方重新导出。"
    )
