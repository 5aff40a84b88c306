"""pyzk in a throw-away environment of its own under the system's temporary folder.

It is a yardstick, never a dependency: nothing of it enters the project's environment, and the
program does not know it. The environment is kept between runs.
"""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.harness import SideFailed

PINNED = "pyzk==0.9"
_READY = "ready"


def python() -> str:
    """The interpreter of that environment, made on first use. Raises :class:`SideFailed`."""
    home = Path(tempfile.gettempdir()) / f"sitemuster-bench-pyzk-0.9-{getpass.getuser()}"
    interpreter = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (home / _READY).exists():
        shutil.rmtree(home, ignore_errors=True)
        _call(sys.executable, "-m", "venv", str(home))
        _call(str(interpreter), "-m", "pip", "install", "--quiet", PINNED)
        (home / _READY).touch()
    return str(interpreter)


def _call(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-5:])
        raise SideFailed(f"{PINNED} could not be installed beside the project\n{tail}")
