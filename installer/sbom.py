"""What the product is made of: CycloneDX list and licence table from the lock and what is installed.

    python installer/sbom.py OUT.json            the list, CycloneDX 1.5
    python installer/sbom.py --licences OUT.md   the table of docs/licences.md

Names, versions, markers and hashes come from ``requirements.lock``; licences and dependencies from
the metadata of the installed packages. It asks no network and knows no vulnerability: that is
``dev.py audit``. Same lock and same packages give the same bytes.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?:\s*;\s*([^\\]+?))?\s*\\?$")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")

_OF_CLASSIFIER = {
    "MIT License": "MIT", "BSD License": "BSD-3-Clause", "ISC License (ISCL)": "ISC",
    "Apache Software License": "Apache-2.0",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
}

STATED = {
    "sqlcipher3": ("Zlib AND BSD-3-Clause AND Apache-2.0",
                   "its metadata names none; binding zlib, SQLCipher BSD-3, OpenSSL Apache-2.0"),
    "colorama": ("BSD-3-Clause", "installed on Windows only"),
    "pywin32-ctypes": ("BSD-3-Clause", "installed on Windows only"),
    "tzdata": ("Apache-2.0", "installed on Windows only"),
}
"""Licences that cannot be read from the metadata here, with the reason."""

CHOSEN = {
    "pyside6-essentials": "LGPL-3.0-only",
    "shiboken6": "LGPL-3.0-only",
}
"""Where the owner offers several licences: the one we use it under."""


@dataclass(frozen=True)
class Part:
    """One locked package. ``licence`` is an SPDX expression; ``installed`` whether it is here."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]
    licence: str
    note: str
    needs: tuple[str, ...]
    installed: bool

    @property
    def purl(self) -> str:
        """Package URL, also its name inside the list."""
        return f"pkg:pypi/{self.name}@{self.version}"


class UnknownLicence(Exception):
    """A dependency whose licence nobody has written down."""


def parts(lock: Path = LOCK) -> list[Part]:
    """All packages of a lock, by name. Raises :class:`UnknownLicence`."""
    found = []
    for name, version, marker, hashes in _pins(lock.read_text(encoding="utf-8")):
        held = _metadata(name, version)
        licence, note = _licence(name, held)
        found.append(Part(
            name, version, marker, hashes, licence, note, _needs(held), held is not None
        ))
    return sorted(found, key=lambda part: part.name)


def _pins(text: str) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    pin: re.Match[str] | None = None
    hashes: list[str] = []
    for line in [*text.splitlines(), "end==0"]:
        following = _PIN.match(line)
        if following:
            if pin:
                yield _plain(pin[1]), pin[2], (pin[3] or "").strip(), tuple(hashes)
            pin, hashes = following, []
        hashes += _HASH.findall(line)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _metadata(name: str, version: str) -> Any:
    try:
        held = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return None
    if held.version != version:
        raise SystemExit(f"{name} {held.version} is installed, the lock says {version}: set up again.")
    return held.metadata


def _licence(name: str, metadata: Any) -> tuple[str, str]:
    if name in STATED:
        return STATED[name]
    if metadata is not None:
        text = metadata.get("License-Expression") or metadata.get("License") or ""
        if text and len(text) < 80 and "\n" not in text and text.strip() not in ("UNKNOWN", ""):
            expression = text.strip()
            expression = {"ISC License": "ISC", "BSD": "BSD-3-Clause"}.get(expression, expression)
            expression = _OF_CLASSIFIER.get(expression, expression)
            return CHOSEN.get(name, expression), (
                f"offered as {expression}" if name in CHOSEN else ""
            )
        for classifier in metadata.get_all("Classifier") or ():
            known = _OF_CLASSIFIER.get(classifier.rpartition(" :: ")[2])
            if classifier.startswith("License ::") and known:
                return known, "from its classifier"
    raise UnknownLicence(f"{name}: no licence in its metadata; look it up and add it to STATED")


def _needs(metadata: Any) -> tuple[str, ...]:
    if metadata is None:
        return ()
    lines = [line for line in metadata.get_all("Requires-Dist") or () if "extra ==" not in line]
    return tuple(sorted({_plain(re.split(r"[\s;<>=!~\[(]", line, maxsplit=1)[0]) for line in lines}))


def copyleft_only(licence: str) -> bool:
    """Whether an expression leaves no way around the GPL or AGPL (LGPL is one)."""
    choices = re.split(r"\s+OR\s+", licence)
    return all(re.search(r"(?<![A-Z])A?GPL", choice) for choice in choices)


def bill(lock: Path = LOCK) -> dict[str, Any]:
    """The CycloneDX document."""
    every = parts(lock)
    names = {part.name: part.purl for part in every}
    product = _product()
    top = {_plain(re.split(r"[\s;<>=!~\[(]", line, maxsplit=1)[0]) for line in _direct()}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, lock.read_text(encoding='utf-8'))}",
        "version": 1,
        "metadata": {"component": product},
        "components": [*map(_component, every), *_inside(every), *_fonts()],
        "dependencies": [
            {"ref": product["bom-ref"], "dependsOn": sorted(names[n] for n in top if n in names)},
            *({"ref": part.purl, "dependsOn": sorted(names[n] for n in part.needs if n in names)}
              for part in every),
        ],
    }


def _product() -> dict[str, Any]:
    text = (ROOT / "desktop" / "__init__.py").read_text(encoding="utf-8")
    version = re.search(r'__version__ = "([^"]+)"', text)
    assert version, "no version in desktop/__init__.py"
    return {
        "type": "application", "bom-ref": "sitemuster", "name": "sitemuster", "version": version[1],
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }


def _direct() -> list[str]:
    import tomllib

    with (ROOT / "pyproject.toml").open("rb") as file:
        listed: list[str] = tomllib.load(file)["project"]["dependencies"]
    return listed


def _component(part: Part) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": "library", "bom-ref": part.purl, "name": part.name, "version": part.version,
        "purl": part.purl, "licenses": [{"expression": part.licence}],
        "hashes": [{"alg": "SHA-256", "content": one} for one in part.hashes],
    }
    said = {"marker": part.marker, "licence note": part.note}
    properties = [
        {"name": f"sitemuster:{name}", "value": value} for name, value in said.items() if value
    ]
    return {**body, "properties": properties} if properties else body


def _inside(every: list[Part]) -> Iterator[dict[str, Any]]:
    """Native code that wheels carry and no index lists: asked for where it is installed."""
    names = {part.name for part in every}
    if "sqlcipher3" in names:
        from sqlcipher3 import dbapi2

        connection = dbapi2.connect(":memory:")
        connection.execute("PRAGMA key = 'any'")  # it tells its provider only once it has a key
        (cipher,) = connection.execute("PRAGMA cipher_version").fetchone()
        (provider,) = connection.execute("PRAGMA cipher_provider_version").fetchone()
        connection.close()
        yield _native("sqlcipher", cipher.split()[0], "BSD-3-Clause", "sqlcipher3")
        yield _native("sqlite", dbapi2.sqlite_version, "blessing", "sqlcipher3")
        yield _native("openssl", provider.split()[1], "Apache-2.0", "sqlcipher3")
    if "cryptography" in names:
        from cryptography.hazmat.backends.openssl import backend

        version = backend.openssl_version_text().split()[1]
        yield _native("openssl", version, "Apache-2.0", "cryptography")
    if "pyside6-essentials" in names:
        version = next(part.version for part in every if part.name == "pyside6-essentials")
        yield _native("qt", version, "LGPL-3.0-only", "pyside6-essentials")
    if "psycopg-binary" in names:
        import psycopg

        number = psycopg.pq.version()
        yield _native("libpq", f"{number // 10000}.{number % 10000}", "PostgreSQL", "psycopg-binary")


def _native(name: str, version: str, licence: str, inside: str) -> dict[str, Any]:
    return {
        "type": "library", "bom-ref": f"{inside}#{name}", "name": name, "version": version,
        "licenses": [{"expression": licence}],
        "properties": [{"name": "sitemuster:inside", "value": inside}],
    }


def _fonts() -> Iterator[dict[str, Any]]:
    for path in sorted((ROOT / "reports" / "fonts").glob("*.otf")):
        yield {
            "type": "file", "bom-ref": f"font#{path.name}", "name": path.name,
            "licenses": [{"expression": "OFL-1.1"}],
            "description": "cut from Noto CJK (installer/cut_fonts.py)",
        }


def licence_page() -> str:
    """The text of docs/licences.md."""
    document = bill()
    rows = [
        f"| {part.name} | {part.version} | {part.licence} | {_remark(part)} |" for part in parts()
    ]
    inner = [
        f"| {one['name']} | {one.get('version', '')} | {one['licenses'][0]['expression']} | "
        f"{one['properties'][0]['value'] if 'properties' in one else one['description']} |"
        for one in document["components"] if "purl" not in one
    ]
    return "\n".join([
        "# Licences of what the product contains",
        "",
        "Made by `python3 dev.py sbom` from `requirements.lock` and the metadata of the installed",
        "packages; a test compares. SiteMuster itself is under Apache-2.0. Nothing here is under the GPL",
        "alone: Qt, PySide6 and psycopg are used as separate, replaceable libraries under the LGPL.",
        "",
        "| Package | Version | Licence | Remark |",
        "| --- | --- | --- | --- |",
        *rows,
        "",
        "## Native code inside the packages, and fonts",
        "",
        "| What | Version | Licence | Inside |",
        "| --- | --- | --- | --- |",
        *inner,
        "",
    ])


def _remark(part: Part) -> str:
    return "; ".join(text for text in (part.note, part.marker.replace("|", "/")) if text)


def main(arguments: list[str]) -> int:
    """Write the list, or with ``--licences`` the page."""
    if len(arguments) not in (1, 2):
        print(__doc__)
        return 2
    target = Path(arguments[-1])
    if arguments[0] == "--licences":
        text = licence_page()
    else:
        text = json.dumps(bill(), indent=1, ensure_ascii=False) + "\n"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
