"""Head office's key pair as two files: the public one travels, the private one stays in the safe.

``NAME.sitemuster-pub`` is read by every site; ``NAME.sitemuster-key`` holds the private key sealed
under a passphrase. Whoever takes in a public file reads its fingerprint aloud to head office:
nothing else proves that the file was not exchanged on its way.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from desktop.errors import Refused
from desktop.storage.keys import STANDARD_COST, Argon2Cost, passphrase_secret, unwrap, wrap

PUBLIC_SUFFIX = ".sitemuster-pub"
PRIVATE_SUFFIX = ".sitemuster-key"
MOST_BYTES = 1 << 16
"""No key file is longer: read at most this much of what somebody hands over."""

SHORTEST_PASSPHRASE = 10
"""A stolen private file can be guessed at for ever, by machines."""

_FORMAT = 1
_PUBLIC = "company-public-key"
_PRIVATE = "company-private-key"
_GROUPS = 8
_MOST_NAME = 200


@dataclass(frozen=True, slots=True)
class CompanyPublic:
    """What sites seal to. ``made_on`` is an ISO date or empty; both texts are only labels."""

    name: str
    made_on: str
    raw: bytes

    @property
    def fingerprint(self) -> str:
        """Eight groups of five digits, see :func:`fingerprint`."""
        return fingerprint(self.raw, self.name)

    @property
    def id(self) -> str:
        """32 hex digits that tell one key from another in files."""
        return hashlib.sha256(b"sitemuster company key id" + self.raw).hexdigest()[:32]

    def as_file(self) -> bytes:
        """Content of the public file."""
        return _text({"format": _FORMAT, "kind": _PUBLIC, **self._labels()})

    def _labels(self) -> dict[str, str]:
        return {"name": self.name, "made_on": self.made_on, "x25519": self.raw.hex()}


class CompanyPrivate:
    """The key that opens. Its ``repr`` shows nothing."""

    __slots__ = ("agreement", "public")

    def __init__(self, public: CompanyPublic, raw: bytes) -> None:
        self.public = public
        self.agreement = X25519PrivateKey.from_private_bytes(raw)

    @classmethod
    def new(cls, name: str, made_on: str) -> tuple[Self, bytes]:
        """A fresh pair and the raw private bytes, which only :func:`new_company_keys` seals."""
        agreement = X25519PrivateKey.generate()
        raw = agreement.private_bytes_raw()
        return cls(CompanyPublic(name, made_on, agreement.public_key().public_bytes_raw()), raw), raw

    def __repr__(self) -> str:
        return "CompanyPrivate(…)"


def fingerprint(raw: bytes, name: str = "") -> str:
    """Forty digits (133 bits) over key and name, in groups that can be read by telephone."""
    digest = hashlib.sha512(b"sitemuster fingerprint" + raw + name.encode("utf-8")).digest()
    words = (int.from_bytes(digest[at : at + 8], "big") for at in range(0, 8 * _GROUPS, 8))
    return " ".join(f"{word % 100_000:05d}" for word in words)


def new_company_keys(
    passphrase: str, *, name: str = "", made_on: str = "", cost: Argon2Cost = STANDARD_COST
) -> tuple[bytes, bytes]:
    """Contents of the private and the public file of a new pair.

    Raises :class:`Refused` ``passphrase_short`` under ten characters, ``company_name`` for a
    label that is too long.
    """
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise Refused(
            "passphrase_short",
            f"公司私钥的口令至少要{SHORTEST_PASSPHRASE}个字符，没有生成钥匙。请换一个更长的口令。",
            shortest=SHORTEST_PASSPHRASE,
        )
    if len(name) > _MOST_NAME:
        raise Refused("company_name", f"公司名称不能超过{_MOST_NAME}个字，没有生成钥匙。请缩短名称。")
    private, raw = CompanyPrivate.new(name, made_on)
    labels = private.public._labels()
    sealed = wrap(raw, passphrase_secret(passphrase), cost, _associated(labels))
    body = {"format": _FORMAT, "kind": _PRIVATE, **labels, **sealed}
    return _text(body), private.public.as_file()


def public_key(data: bytes) -> CompanyPublic:
    """The key of a public file; raises :class:`Refused` ``company_key_file``."""
    return _labels(_parsed(data, _PUBLIC))


def private_key(data: bytes, passphrase: str) -> CompanyPrivate:
    """The key of a private file.

    Raises :class:`Refused` ``company_key_file`` for another or a damaged file,
    ``company_passphrase`` when the passphrase does not open it.
    """
    body = _parsed(data, _PRIVATE)
    public = _labels(body)
    try:
        raw = unwrap(body, passphrase_secret(passphrase), _associated(public._labels()))
    except (ValueError, KeyError, TypeError) as error:
        raise _no_key_file() from error
    if raw is None:
        raise Refused(
            "company_passphrase",
            "公司私钥的口令不对（或私钥文件被改动过），没有打开任何东西，未做任何改动。请重新输入口令。",
        )
    private = CompanyPrivate(public, raw)
    if private.agreement.public_key().public_bytes_raw() != public.raw:
        raise _no_key_file()
    return private


def _parsed(data: bytes, kind: str) -> Mapping[str, Any]:
    try:
        if len(data) > MOST_BYTES:
            raise ValueError("too long")
        body = json.loads(data.decode("utf-8"))
        if body["kind"] != kind:
            raise _no_key_file(_SWAPPED if body["kind"] in (_PUBLIC, _PRIVATE) else "")
        if int(body["format"]) > _FORMAT:
            raise Refused(
                "company_key_newer", "这个公司钥匙文件由更新版本的程序制作，未做任何改动。请先升级程序。"
            )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _no_key_file() from error
    return dict(body)


def _labels(body: Mapping[str, Any]) -> CompanyPublic:
    try:
        name, made_on, raw = body["name"], body["made_on"], bytes.fromhex(body["x25519"])
    except (ValueError, KeyError, TypeError) as error:
        raise _no_key_file() from error
    texts = isinstance(name, str) and isinstance(made_on, str)
    if not texts or len(name) > _MOST_NAME or len(made_on) > 10 or len(raw) != 32:
        raise _no_key_file()
    try:  # a forged point would make every envelope readable for everybody
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(raw))
    except ValueError as error:
        raise _no_key_file() from error
    return CompanyPublic(name, made_on, raw)


def _associated(labels: Mapping[str, str]) -> bytes:
    return json.dumps({"kind": _PRIVATE, **labels}, sort_keys=True).encode("ascii")


def _text(body: Mapping[str, Any]) -> bytes:
    return (json.dumps(body, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


_SWAPPED = "（公钥和私钥两个文件拿反了）"


def _no_key_file(why: str = "") -> Refused:
    return Refused(
        "company_key_file",
        f"选择的文件不是所需的公司钥匙文件，或已损坏{why}，未做任何改动。"
        f"请核对：公钥文件以 {PUBLIC_SUFFIX} 结尾，私钥文件以 {PRIVATE_SUFFIX} 结尾。",
    )
