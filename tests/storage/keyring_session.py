"""Run inside ``dbus-run-session``: what a book does with a real keyring. Prints what it saw.

A program of its own, because the keyring belongs to a session and must never be the user's.
Arguments: an empty folder, and what to look at: ``locked`` a keyring that nobody unlocked,
``changes`` ways made, dropped and lost on it, ``killed`` a binding that dies at every step.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import keyring

from desktop.access import key_desk
from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.bootstrap import sealings
from desktop.clock import SystemClock
from desktop.errors import SiteMusterError
from desktop.storage import recovery_code, slot_change
from desktop.storage.book import Book, create_book, open_book
from desktop.storage.keys import Argon2Cost, KeySlots, SlotName
from desktop.storage.os_keyring import _SERVICE
from desktop.storage.rekey import NewWays
from tests.conftest import PASSPHRASE
from tests.sample_site import insert_project
from tests.storage import killing
from tests.storage.rig import snapshot

CHEAP = Argon2Cost(64, 1, 1)
CLOCK = SystemClock()
ADMINISTRATOR = Actor("管理员", Role.ADMINISTRATOR)


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


def unlock() -> None:
    subprocess.run(
        ["gnome-keyring-daemon", "--unlock", "--components=secrets"],
        input=b"pw", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, timeout=30,
    )


def with_project(folder: Path, passphrase: str | None) -> str:
    """A closed book with the sample project in ``folder``; returns its recovery code."""
    def fill(book: Book) -> None:
        with book.write() as session:
            insert_project(session, CLOCK, folder.parent)

    book, code = create_book(folder, CLOCK, passphrase=passphrase, fill=fill, cost=CHEAP)
    book.close()
    return code


def changes(room: Path) -> None:
    """Ways made and dropped; the last usable one stays; a new data key binds anew."""
    unlock()
    folder = room / "book"
    code = with_project(folder, "口令")
    with open_book(folder, CLOCK, passphrase="口令") as book:
        desk = Desk(book, 1, ADMINISTRATOR)
        print("unbound", code_of(lambda: key_desk.unbind_from_this_computer(desk)))
        print("last", code_of(lambda: key_desk.remove_passphrase(desk)))
        print("bound", code_of(lambda: key_desk.bind_to_this_computer(desk)))
        print("state", key_desk.key_status(desk).keyring)
        print("dropped", code_of(lambda: key_desk.remove_passphrase(desk)))
        print("last", code_of(lambda: key_desk.unbind_from_this_computer(desk)))
        first = entry(folder)
        renewed = recovery_code.new_code()
        print("rotated", *key_desk.rotate(desk, renewed, None, cost=CHEAP))
        print("first", keyring.get_password(*first))
        ways = NewWays(code, None, keyring=True)
        second = entry(folder)
        key_desk.rekey_book(desk, ways, sealings(book), lambda copy: None, cost=CHEAP)
        print("second", keyring.get_password(*second))
    print("new key", code_of(lambda: open_book(folder, CLOCK).close()))
    service, name = entry(folder)
    keyring.delete_password(service, name)
    with open_book(folder, CLOCK, recovery_code=code) as book:
        desk = Desk(book, 1, ADMINISTRATOR)
        print("state", key_desk.key_status(desk).keyring)
        print("recovered", key_desk.recover_access(desk, cost=CHEAP))
    print("open", code_of(lambda: open_book(folder, CLOCK).close()))
    lock_collection()
    print("locked", code_of(lambda: open_book(folder, CLOCK)))
    with open_book(folder, CLOCK, recovery_code=code) as book:
        desk = Desk(book, 1, ADMINISTRATOR)
        print("state", key_desk.key_status(desk).keyring)
        print("bind", code_of(lambda: key_desk.recover_access(desk, cost=CHEAP)))
        print("recovered", key_desk.recover_access(desk, "新的", cost=CHEAP))
    print("slots", *sorted(KeySlots.read(folder).slots))
    print("open", code_of(lambda: open_book(folder, CLOCK, passphrase="新的").close()))


def lock_collection() -> None:
    import secretstorage

    with closing(secretstorage.dbus_init()) as link:
        secretstorage.get_default_collection(link).lock()


def killed(room: Path) -> None:
    """A new entry of the keyring: at every kill the book opens by what the keyring holds."""
    unlock()
    template = room / "template"
    with_project(template, PASSPHRASE)
    with open_book(template, CLOCK, passphrase=PASSPHRASE) as book:
        slot_change.bind_keyring(book)
    steps = killing.forked("keyring", template, room / "0", None)
    # The finished act took the template's entry away: bind it again, for each kill its own.
    for number in range(1, len(steps) + 1):
        with open_book(template, CLOCK, passphrase=PASSPHRASE) as book:
            slot_change.bind_keyring(book)
        folder = room / str(number)
        killing.forked("keyring", template, folder, number)
        print(steps[number - 1].split()[0], code_of(lambda folder=folder: open_book(folder, CLOCK).close()))
        print("twice", code_of(lambda folder=folder: open_book(folder, CLOCK).close()))


def main(room: Path) -> None:
    unlock()
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
    looks = {"": main, "locked": locked, "changes": changes, "killed": killed}
    looks["".join(sys.argv[2:])](Path(sys.argv[1]))
