"""Known vulnerabilities of what is locked, asked with pip-audit: ``python3 dev.py audit``.

A package that nobody could say anything about is no pass: pip-audit itself ends with 0 then. Exit
codes: 0 every locked package was looked up and none is known to be vulnerable; 1 some are; 3 some
(or all) could not be looked up. pip-audit gets an environment of its own inside ``out/``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
HOME = ROOT / "out" / "audit-venv"
_WAIT_S = 300


def main() -> int:
    """Ask, print a table, return the exit code."""
    tool = _tool()
    if tool is None:
        print("NOT AUDITED: pip-audit could not be installed from the configured index.")
        return 3
    document = _asked(tool)
    if document is None:
        print("NOT AUDITED: pip-audit gave no answer (no vulnerability service in reach).")
        return 3
    asked = {one["name"] for one in document["dependencies"]}
    pinned = re.findall(r"^([a-z0-9-]+)==", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    if elsewhere := [name for name in pinned if name not in asked]:
        print(f"Not asked on this system, being for another: {', '.join(elsewhere)}")
    return judged(document)


def judged(document: dict[str, Any]) -> int:
    """Print what pip-audit said and turn it into our exit code."""
    every = document["dependencies"]
    skipped = [one["name"] for one in every if "skip_reason" in one]
    hit = [one for one in every if one.get("vulns")]
    for one in hit:
        for known in one["vulns"]:
            fixed = ", ".join(known.get("fix_versions", [])) or "no fixed version"
            print(f"VULNERABLE {one['name']} {one['version']}: {known['id']} (fixed in: {fixed})")
    looked = len(every) - len(skipped)
    print(f"{looked} of {len(every)} locked packages were looked up, {len(hit)} are vulnerable.")
    if skipped:
        print(f"NOT AUDITED: {len(skipped)} could not be looked up: {', '.join(skipped)}")
    if hit:
        return 1
    return 3 if skipped or not every else 0


def _tool() -> Path | None:
    """pip-audit, installed where it is missing; None when the index does not have it."""
    name = "Scripts/pip-audit.exe" if os.name == "nt" else "bin/pip-audit"
    if not (HOME / name).is_file():
        print("environment of pip-audit:", HOME.relative_to(ROOT), flush=True)
        venv.EnvBuilder(with_pip=True, clear=True).create(HOME)
        pip = HOME / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        made = subprocess.run(
            [str(pip), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "pip-audit"],
            stderr=subprocess.DEVNULL, timeout=_WAIT_S,
        )
        if made.returncode:
            return None
    return HOME / name


def _asked(tool: Path) -> dict[str, Any] | None:
    try:
        made = subprocess.run(
            [str(tool), "--require-hashes", "--disable-pip", "--progress-spinner", "off",
             "--format", "json", "-r", str(LOCK)],
            capture_output=True, text=True, timeout=_WAIT_S,
        )
        document: dict[str, Any] = json.loads(made.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return document


if __name__ == "__main__":
    sys.exit(main())
