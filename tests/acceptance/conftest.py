"""What takes long to make is made once per run, also when several processes share the tests."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

Made = TypeVar("Made")
_WAIT_S = 280


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], Made]], Made]:
    """``once(name, make)`` is what ``make(folder)`` returned, to whichever process came first.

    Nobody may change what lies in the folder afterwards.
    """
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent

    def made(name: str, make: Callable[[Path], Made]) -> Made:
        folder, result = base / f"once-{name}", base / f"once-{name}.pickle"
        try:
            folder.mkdir()
        except FileExistsError:
            until = time.monotonic() + _WAIT_S
            while not result.exists():
                assert time.monotonic() < until, f"{name} was not made"
                time.sleep(0.2)
            known: Made | None = pickle.loads(result.read_bytes())
            assert known is not None, f"{name} could not be made; the other process says why"
            return known
        kept: Made | None = None
        try:
            kept = make(folder)
            return kept
        finally:
            beside = result.with_suffix(".new")
            beside.write_bytes(pickle.dumps(kept))
            beside.replace(result)

    return made
