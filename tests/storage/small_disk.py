"""A disk that is soon full, or cannot be written: a small tmpfs where tests may mount one.

Elsewhere the size of files is limited inside :func:`scarce`, which the program meets in the same
places.
"""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def may_mount() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    """``place`` (made here) holds at most so much; what is in it is gone afterwards."""
    place.mkdir()
    if not may_mount():
        yield place
        return
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)]
    subprocess.run(mount, check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@contextmanager
def scarce(kilobytes: int = 100) -> Iterator[None]:
    """No file may grow beyond so much, where no small disk could be mounted."""
    if may_mount():
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes << 10, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def read_only(place: Path) -> Iterator[None]:
    """Nothing under ``place`` can be written; what is open elsewhere goes on."""
    if not may_mount():
        place.chmod(0o500)
        try:
            yield
        finally:
            place.chmod(0o700)
        return
    subprocess.run(["mount", "--bind", str(place), str(place)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=True)
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
