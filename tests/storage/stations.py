"""All mapped classes of all stations, found by their file name: storage itself may not know them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import desktop
from desktop.storage.tables import Base

for _file in sorted(Path(desktop.__path__[0]).glob("*/tables.py")):
    importlib.import_module(f"desktop.{_file.parent.name}.tables")

METADATA = Base.metadata


def mappers() -> Iterator[Any]:
    """The mapper of every class."""
    return iter(Base.registry.mappers)
