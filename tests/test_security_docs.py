"""What is shipped is known: licences, the bill of materials, and what the security page claims."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
ALLOWED = {
    "MIT", "MIT-0", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "ISC", "PSF-2.0", "Zlib",
    "LGPL-3.0-only", "OFL-1.1", "blessing", "PostgreSQL", "MPL-2.0", "0BSD", "Unlicense",
}


def tool(name: str) -> ModuleType:
    """A script of installer/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "installer" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


sbom, audit = tool("sbom"), tool("audit")


def test_every_locked_package_has_a_licence_that_may_be_shipped() -> None:
    every = sbom.parts()
    assert len(every) > 35
    for part in every:
        assert not sbom.copyleft_only(part.licence), (part.name, part.licence)
        for word in re.split(r"\s+(?:AND|OR)\s+", part.licence):
            assert word in ALLOWED, (part.name, part.licence)
        assert part.hashes, part.name


def test_nothing_is_mistaken_for_free_of_the_gpl() -> None:
    copyleft = ("GPL-3.0-only", "AGPL-3.0-or-later", "GPL-2.0-only OR GPL-3.0-only")
    free = ("LGPL-3.0-only", "GPL-2.0-only OR MIT", "MIT")
    assert all(map(sbom.copyleft_only, copyleft)) and not any(map(sbom.copyleft_only, free))


def test_a_dependency_without_a_licence_stops_the_list(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"nobody-knows==1.0 \\\n    --hash=sha256:{'0' * 64}\n")
    with pytest.raises(sbom.UnknownLicence, match="nobody-knows"):
        sbom.parts(lock)


def test_the_bill_of_materials_is_cyclonedx(tmp_path: Path) -> None:
    assert sbom.main([str(tmp_path / "sbom.json")]) == 0
    document: dict[str, Any] = json.loads((tmp_path / "sbom.json").read_text(encoding="utf-8"))
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", document["serialNumber"])
    components = document["components"]
    references = [one["bom-ref"] for one in components] + ["sitemuster"]
    assert len(references) == len(set(references)), "a bom-ref names one thing"
    pins = re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert {one["name"] for one in components if "purl" in one} == {
        re.sub(r"[-_.]+", "-", name).lower() for name in pins
    }
    for one in components:
        assert one["type"] in ("library", "file") and one["licenses"]
        assert all(re.fullmatch(r"[0-9a-f]{64}", h["content"]) for h in one.get("hashes", ()))
    for node in document["dependencies"]:
        assert node["ref"] in references and set(node["dependsOn"]) <= set(references)
    inside = {one["name"] for one in components if "purl" not in one}
    assert {"sqlcipher", "sqlite", "openssl", "qt"} <= inside
    assert sbom.bill() == document, "the same twice"


def test_the_licence_page_is_of_this_lock() -> None:
    """Made anew by ``dev.py sbom``; native versions differ from one system to another."""
    def packages(text: str) -> list[str]:
        return re.findall(r"^\| ([a-z0-9-]+ \| [^|]+ \| [^|]+) \|", text.split("## Native")[0], re.MULTILINE)

    page = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    assert packages(page) == packages(sbom.licence_page())


def test_an_audit_that_asked_nobody_is_no_pass(capsys: pytest.CaptureFixture[str]) -> None:
    """pip-audit itself ends with 0 when it could look nothing up."""
    skipped = {"name": "a", "skip_reason": "not found"}
    clean = {"name": "b", "version": "1", "vulns": []}
    hit = {"name": "c", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
    for dependencies, code in (
        ([clean], 0), ([skipped, clean], 3), ([skipped], 3), ([], 3), ([hit, skipped], 1),
    ):
        assert audit.judged({"dependencies": dependencies}) == code
    said = capsys.readouterr().out
    assert "NOT AUDITED" in said and "VULNERABLE c 1: PYSEC-1 (fixed in: 2)" in said
