#!/usr/bin/env python3
"""The short list of what a developer does: ``python3 dev.py TASK``.

demo          build the demo site into out/ and open its window (no window without a display)
test          lint, types, import contracts, all tests
lint          ruff, mypy and the import contracts only
campaign      200 kills and every other fault, under 30 minutes; docs/security.md gets the table
bench         the side-by-side measurements of benchmarks/
screenshots   draw every page of the demo site into docs/screenshots/
sbom          what the product is made of: out/sbom.json (CycloneDX) and docs/licences.md
audit         ask for known vulnerabilities of what is locked (pip-audit; needs the service)

Each task first installs what is missing (installer/setup_dev.py).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "installer"))

import setup_dev  # noqa: E402


def run(*command: str, **environment: str) -> int:
    """Run a program of the project's environment in the project's folder."""
    print("›", " ".join(command), flush=True)
    return subprocess.run(
        [str(setup_dev.python()), *command], cwd=ROOT, env={**os.environ, **environment}
    ).returncode


def on_screen(*command: str, **environment: str) -> int:
    """The same on a virtual screen where there is no real one."""
    if os.environ.get("DISPLAY") or os.name == "nt" or not shutil.which("xvfb-run"):
        return run(*command, **environment)
    print("›", " ".join(command), "(virtual screen)", flush=True)
    return subprocess.run(
        ["xvfb-run", "-a", "-s", "-screen 0 1920x1200x24", str(setup_dev.python()), *command],
        cwd=ROOT, env={**os.environ, **environment},
    ).returncode


def demo(arguments: list[str]) -> int:
    return run("-m", "desktop", "demo", "--out", str(ROOT / "out"), *arguments)


def lint(_: list[str]) -> int:
    steps = (
        ("-m", "ruff", "check", "."),
        ("-m", "mypy"),
        ("-c", "from importlinter.cli import lint_imports_command as c; c()"),
    )
    return max(run(*step) for step in steps)


def test(arguments: list[str]) -> int:
    if not arguments and (code := lint([])):
        return code
    return on_screen("-m", "pytest", "-n", "2", *arguments)


def campaign(arguments: list[str]) -> int:
    return run("-m", "tests.faults.campaign", *arguments)


def bench(arguments: list[str]) -> int:
    return on_screen("-m", "benchmarks", *arguments)


def screenshots(arguments: list[str]) -> int:
    return on_screen("-m", "desktop.demo.screenshots", str(ROOT / "docs" / "screenshots"), *arguments)


def sbom(_: list[str]) -> int:
    program = str(ROOT / "installer" / "sbom.py")
    return run(program, str(ROOT / "out" / "sbom.json")) or run(
        program, "--licences", str(ROOT / "docs" / "licences.md")
    )


def audit(_: list[str]) -> int:
    return run(str(ROOT / "installer" / "audit.py"))


TASKS = {
    "demo": demo, "test": test, "lint": lint, "campaign": campaign, "bench": bench,
    "screenshots": screenshots, "sbom": sbom, "audit": audit,
}


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] not in TASKS:
        print(__doc__)
        return 2
    task, arguments = sys.argv[1], sys.argv[2:]
    try:
        setup_dev.prepare(with_tests=task != "demo")
    except setup_dev.SetupFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return TASKS[task](arguments)


if __name__ == "__main__":
    sys.exit(main())
