"""Run inside ``dbus-run-session``: what a book does with a real keyring. Prints what it saw.

A program of its own, because the keyring belongs to a session and must never be the user's.
Arguments: an empty folder; ``locked`` for a keyring that nobody unlocked.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keyring

from desktop.clock import SystemClock
from desktop.errors import SiteMusterError
from desktop.storage import slot_change
from desktop.storage.book import create_book, open_book
from desktop.storage.keys import Argon2Cost, KeySlots, SlotName
from desktop.storage.os_keyring import _SERVICE
from tests.storage.rig import snapshot

CHEAP = Argon2Cost(64, 1, 1)
CLOCK = SystemClock()


def code_of(act: Callable[[], object]) -> str:
    try:
        act()
    except SiteMusterError as error:
        return error.code
    return "done"


def entry(folder: Path) -> tuple[str, str]:
    slots = KeySlots.read(folder)
    return _SERVICE.format(slots.book_id), slots.slots[SlotName.KEYRING].entry


def locked(room: Path) -> None:
    """A keyring that would ask, and no display to ask on."""
    subprocess.run(
        ["gnome-keyring-daemon", "--start", "--components=secrets"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, timeout=30,
    )
    print(code_of(lambda: create_book(room / "b", CLOCK, passphrase=None, cost=CHEAP)))
    print("left", sorted(path.name for path in room.iterdir()))


def main(room: Path) -> None:
    unlocker = subprocess.run(
        ["gnome-keyring-daemon", "--unlock", "--components=secrets"],
        input=b"pw", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, timeout=30,
    )
    assert unlocker.returncode == 0
    folder = room / "book"
    book, code = create_book(folder, CLOCK, passphrase=None, cost=CHEAP)
    book.close()
    print("slots", *sorted(KeySlots.read(folder).slots))
    service, name = entry(folder)
    print("entry", len(keyring.get_password(service, name) or ""))
    print("open", code_of(lambda: open_book(folder, CLOCK).close()))
    print("passphrase", code_of(lambda: open_book(folder, CLOCK, passphrase="x")))

    with open_book(folder, CLOCK) as book:
        slot_change.bind_keyring(book)
    print("old entry", keyring.get_password(service, name))
    print("bound anew", code_of(lambda: open_book(folder, CLOCK).close()))

    service, name = entry(folder)
    before = snapshot(folder)
    for wrong in ("00" * 32, "no hex", ""):
        keyring.set_password(service, name, wrong)
        print("overwritten", code_of(lambda: open_book(folder, CLOCK)))
    keyring.delete_password(service, name)
    print("deleted", code_of(lambda: open_book(folder, CLOCK)))
    print("untouched", snapshot(folder) == before)
    with open_book(folder, CLOCK, recovery_code=code) as book:
        slot_change.bind_keyring(book)
    print("recovered", code_of(lambda: open_book(folder, CLOCK).close()))

    def fail(book: object) -> None:
        raise SiteMusterError("sample", "样例")

    print("failed", code_of(lambda: create_book(room / "no", CLOCK, passphrase=None, fill=fail, cost=CHEAP)))
    print("left", sorted(path.name for path in room.iterdir()))


if __name__ == "__main__":
    (locked if sys.argv[2:] == ["locked"] else main)(Path(sys.argv[1]))
