"""Book folders as earlier releases left them; ``unpack`` lays one out."""

from __future__ import annotations

import tarfile
from pathlib import Path

FOLDER = Path(__file__).parent


def unpack(release: str, target: Path) -> None:
    """Unpack the book of ``release`` into ``target``.

    The filter is set where it is known: Debian 12's Python 3.11.2 does not take it as argument.
    """
    with tarfile.open(FOLDER / f"{release}.tar.xz") as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(target)
