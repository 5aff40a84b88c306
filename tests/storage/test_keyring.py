"""The OS keyring: a real one in a session of its own, and the back ends that must be refused."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.errors import InitError, KeyringLocked, PasswordDeleteError

from desktop.clock import FixedClock
from desktop.errors import EnvironmentFault
from desktop.storage import os_keyring
from desktop.storage.book import create_book, open_book
from desktop.storage.keys import KeySlots, SlotName
from tests.conftest import CHEAP, NOW

ROOT = Path(__file__).parents[2]
CLOCK = FixedClock(NOW)


def session(tmp_path: Path, *words: str) -> list[str]:
    """Lines of :mod:`tests.storage.keyring_session` in a session bus and home of its own."""
    home, room = tmp_path / "home", tmp_path / "room"
    runtime = home / "run"
    runtime.mkdir(parents=True, mode=0o700)
    room.mkdir()
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "PYTHON_KEYRING_BACKEND"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_RUNTIME_DIR": str(runtime),
    }
    program = [sys.executable, "-m", "tests.storage.keyring_session", str(room), *words]
    done = subprocess.run(
        ["dbus-run-session", "--", *program],
        capture_output=True, text=True, timeout=120, check=False, cwd=ROOT, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_book_and_a_real_keyring(tmp_path: Path) -> None:
    assert session(tmp_path) == [
        "slots keyring recovery",
        "entry 64",
        "open done",
        "passphrase no_passphrase_slot",
        "old entry None",
        "bound anew done",
        "overwritten keyring_entry_missing",
        "overwritten keyring_entry_missing",
        "overwritten keyring_entry_missing",
        "deleted keyring_entry_missing",
        "untouched True",
        "recovered done",
        "failed sample",
        "left ['book']",
    ]


def test_a_real_keyring_that_is_locked(tmp_path: Path) -> None:
    assert session(tmp_path, "locked") == ["keyring_unusable", "left []"]


def test_ways_made_dropped_and_lost_on_a_real_keyring(tmp_path: Path) -> None:
    assert session(tmp_path, "changes") == [
        "unbound no_keyring_slot",
        "last last_way",
        "bound done",
        "state fits",
        "dropped done",
        "last last_way",
        "rotated recovery keyring",
        "first None",
        "second None",
        "new key done",
        "state missing",
        "recovered keyring",
        "open done",
        "locked keyring_unusable",
        "state unusable",
        "bind keyring_unusable",
        "recovered passphrase",
        "slots passphrase recovery",
        "open done",
    ]


def test_a_binding_killed_at_every_step_never_shuts_the_owner_out(tmp_path: Path) -> None:
    said = session(tmp_path, "killed")
    assert len(said) >= 8 and {line.partition(" ")[2] for line in said} == {"done"}


class Memory(KeyringBackend):
    """A keyring that works, for what cannot be provoked in a real one."""

    priority: ClassVar[float] = 1

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.held.pop((service, username), None) is None:
            raise PasswordDeleteError("none")


class Plaintext(Memory):
    """Stands for ``keyrings.alt``'s file in clear."""


Plaintext.__name__ = "PlaintextKeyring"


class Forgetful(Memory):
    """Accepts everything and stores nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        return


class Failing(Memory):
    """Raises what a locked or broken keyring raises."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def get_password(self, service: str, username: str) -> str | None:
        raise self.error

    def set_password(self, service: str, username: str, password: str) -> None:
        raise self.error

    def delete_password(self, service: str, username: str) -> None:
        raise self.error


@pytest.fixture
def ordinary() -> Iterator[None]:
    """Puts the process's keyring back afterwards."""
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


UNUSABLE = [
    null.Keyring(),
    fail.Keyring(),
    Plaintext(),
    Forgetful(),
    Failing(InitError("no display")),
    Failing(KeyringLocked("locked")),
    Failing(RuntimeError("bus")),
    Failing(OSError("bus")),
]


@pytest.mark.usefixtures("ordinary")
@pytest.mark.parametrize("backend", UNUSABLE, ids=lambda backend: type(backend).__name__)
def test_an_unusable_keyring_is_a_state_with_a_sentence(
    tmp_path: Path, backend: KeyringBackend
) -> None:
    keyring.set_keyring(backend)
    with pytest.raises(EnvironmentFault) as caught:
        create_book(tmp_path / "b", CLOCK, passphrase=None, cost=CHEAP)
    assert caught.value.code == "keyring_unusable"
    assert "--passphrase-file" in caught.value.message
    assert list(tmp_path.iterdir()) == []
    create_book(tmp_path / "b", CLOCK, passphrase="p", cost=CHEAP)[0].close()


@pytest.mark.usefixtures("ordinary")
def test_a_book_bound_to_a_keyring_that_is_gone_asks_for_the_recovery_code(tmp_path: Path) -> None:
    keyring.set_keyring(Memory())
    book, code = create_book(tmp_path / "b", CLOCK, passphrase=None, cost=CHEAP)
    book.close()
    keyring.set_keyring(fail.Keyring())
    with pytest.raises(EnvironmentFault) as caught:
        open_book(tmp_path / "b", CLOCK)
    assert "恢复码" in caught.value.message
    open_book(tmp_path / "b", CLOCK, recovery_code=code).close()


@pytest.mark.usefixtures("ordinary")
def test_passphrase_and_keyring_together(tmp_path: Path) -> None:
    keyring.set_keyring(Memory())
    create_book(tmp_path / "b", CLOCK, passphrase="p", keyring=True, cost=CHEAP)[0].close()
    assert set(KeySlots.read(tmp_path / "b").slots) == set(SlotName)
    open_book(tmp_path / "b", CLOCK).close()
    open_book(tmp_path / "b", CLOCK, passphrase="p").close()


@pytest.mark.usefixtures("ordinary")
def test_a_prompt_that_nobody_answers_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    class Waiting(Memory):
        def get_password(self, service: str, username: str) -> str | None:
            answered.wait(30)
            return None

    keyring.set_keyring(Waiting())
    monkeypatch.setattr(os_keyring, "_WAIT_S", 0.2)
    try:
        with pytest.raises(os_keyring.KeyringUnusable, match="没有应答"):
            os_keyring.fetch("book", "entry")
    finally:
        answered.set()
