"""The services' own tests once more, with every book's tables on a private PostgreSQL.

One test per folder, each in a process of its own: what is asked there of a book in a file must
hold word for word on a server. What is about the file itself is marked ``file_only`` and left out.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("access", "site", "people", "punches", "attendance", "months", "board", "retention")

pytestmark = pytest.mark.file_only  # it would start itself


@pytest.mark.timeout(900)
@pytest.mark.parametrize("folder", FOLDERS)
def test_the_same_on_postgresql(folder: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", f"tests/{folder}", "--engine", "postgresql",
            "--basetemp", str(tmp_path / "run"), "--no-header", "--tb=short",
        ],
        cwd=ROOT, capture_output=True, text=True, timeout=850,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
