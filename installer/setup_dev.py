"""Set up a developer's machine: system packages, virtual environment, locked requirements.

Standard library only, because it runs before anything is installed. Every step looks first and
acts only on what is missing; a second run compares two stamps and is done.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements-dev.lock"

# What a window needs beside the PySide6 wheels (storage-notes: proven on a fresh Debian 12).
RUN_PACKAGES = (
    "libgl1", "libegl1", "libxkbcommon0", "libglib2.0-0", "libfontconfig1", "libdbus-1-3",
    "libxkbcommon-x11-0", "libxcb-cursor0", "libxcb-icccm4", "libxcb-image0", "libxcb-keysyms1",
    "libxcb-render-util0", "libxcb-shape0", "libxcb-xkb1", "fonts-noto-cjk",
)
# What the tests check with: a real screen, office suite, key store and database server.
TEST_PACKAGES = (
    "xvfb", "xauth", "libreoffice-writer", "libreoffice-calc", "poppler-utils",
    "dbus", "gnome-keyring", "libsecret-1-0", "postgresql",
)


class SetupFailed(Exception):
    """A step that could not be done, in one sentence with the next step."""


def python() -> Path:
    """The interpreter of the project's environment."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def prepare(*, with_tests: bool) -> None:
    """Install what is missing; raise :class:`SetupFailed` with a sentence when that fails."""
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        raise SetupFailed(f"Python 3.11 to 3.13 is needed, this is {sys.version.split()[0]}.")
    if shutil.which("apt-get") and shutil.which("dpkg-query"):
        wanted = [*RUN_PACKAGES, *(TEST_PACKAGES if with_tests else ())]
        if not _can_make_venv():
            wanted.append("python3-venv")
        _install_system_packages(wanted)
    _make_environment()


def _can_make_venv() -> bool:
    """Debian's Python comes without ensurepip until python3-venv is installed."""
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        return False
    return True


def _install_system_packages(wanted: list[str]) -> None:
    listing = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n"],
        capture_output=True, text=True, check=True,
    ).stdout
    present = {line.split()[0] for line in listing.splitlines() if line.endswith(" installed")}
    # Newer releases renamed a few libraries when time became 64 bits wide.
    missing = [name for name in wanted if name not in present and f"{name}t64" not in present]
    if not missing:
        return
    prefix = [] if os.geteuid() == 0 else ["sudo"]
    if prefix and not shutil.which("sudo"):
        raise SetupFailed("Missing system packages: " + " ".join(missing) + ". Install them as root.")
    print("system packages:", " ".join(missing), flush=True)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    keep = ["env", "DEBIAN_FRONTEND=noninteractive"] if prefix else []
    steps = (
        [*prefix, *keep, "apt-get", "-qq", "update"],
        [*prefix, *keep, "apt-get", "-qq", "-y", "install", "--no-install-recommends", *missing],
    )
    for step in steps:
        if subprocess.run(step, env=env, stdout=subprocess.DEVNULL).returncode:
            raise SetupFailed(f"'{' '.join(step[:6])} …' failed; see the lines above.")


def _stamp() -> str:
    digest = hashlib.sha256(LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes())
    return f"{sys.version_info[0]}.{sys.version_info[1]} {digest.hexdigest()}"


def _make_environment() -> None:
    stamp = VENV / "sitemuster.stamp"
    if stamp.is_file() and stamp.read_text() == _stamp() and python().is_file():
        return
    if not python().is_file():
        print("virtual environment: .venv", flush=True)
        try:
            venv.EnvBuilder(with_pip=True, clear=VENV.exists()).create(VENV)
        except (OSError, subprocess.CalledProcessError) as error:
            raise SetupFailed(f".venv could not be made ({error}); is python3-venv installed?") from error
    print("locked requirements", flush=True)
    pip = [str(python()), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    for arguments in (
        ["--require-hashes", "-r", str(LOCK)],
        ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)],
    ):
        if subprocess.run([*pip, *arguments]).returncode:
            raise SetupFailed("pip could not install the locked requirements; see the lines above.")
    stamp.write_text(_stamp())
