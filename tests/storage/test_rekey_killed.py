"""Kill -9 at every step of changing a key: the old book or the new one, and never neither."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.clock import FixedClock
from desktop.errors import Refused
from desktop.storage.book import open_book
from tests.conftest import NOW, PASSPHRASE
from tests.storage.killing import CODE, NEW_PASSPHRASE
from tests.storage.rekey_site import Template, build, open_office, whole

pytestmark = pytest.mark.file_only  # on a server: tests/server/test_rekey_on_server.py
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, site_template: Path) -> Template:
    return build(tmp_path_factory.mktemp("rekey") / "book", site_template)


def test_killed_at_every_step_it_is_the_old_book_or_the_new_one(
    template: Template, tmp_path: Path
) -> None:
    folder, old_code, kept = template
    generations = []
    for number, step in killed("rekey", folder, tmp_path):
        killed_book = tmp_path / number
        left = {path.name for path in killed_book.iterdir()}
        again = Path(shutil.copytree(killed_book, tmp_path / f"{number}-again"))
        papers = opens(killed_book, recovery_code=old_code), opens(killed_book, recovery_code=CODE)
        assert papers in ((True, False), (False, True)), step
        renewed = papers[1]
        generations.append(2 if renewed else 1)
        secret = NEW_PASSPHRASE if renewed else PASSPHRASE
        with open_office(again, passphrase=secret, clock=FixedClock(NOW)) as book:
            assert book.ring.generation == generations[-1]
            said = "".join(book.notices)
            if {".rekey", ".rekey.new"} & left:
                assert ("补做完成" if renewed else "仍用原来的钥匙") in said, step
            names = {path.name for path in book.path.iterdir()}
            assert not any(name.startswith((".rekey", "keyslots.json.")) for name in names), step
            whole(book, kept)
    assert generations == sorted(generations) and set(generations) == {1, 2}


@pytest.mark.parametrize("act", ["passphrase", "recovery"])
def test_killed_while_changing_a_slot_the_old_or_both_ways_open(
    template: Template, tmp_path: Path, act: str
) -> None:
    folder, old_code, _ = template
    old = {"passphrase": PASSPHRASE} if act == "passphrase" else {"recovery_code": old_code}
    new = {"passphrase": NEW_PASSPHRASE} if act == "passphrase" else {"recovery_code": CODE}
    seen = set()
    for number, step in killed(act, folder, tmp_path):
        book = tmp_path / number
        ways = opens(book, **old), opens(book, **new)
        assert any(ways), step
        if all(ways):  # proven by use: the earlier one is gone now
            assert not opens(book, **old), step
        seen.add(ways)
    assert seen == {(True, False), (True, True)}


def killed(act: str, template: Path, room: Path) -> list[tuple[str, str]]:
    """Books in ``room`` killed in ``act``: number and step of each."""
    dense = "os.rename .rekey.new" if act == "rekey" else "write .keyslots.json.old.new"
    program = [sys.executable, "-m", "tests.storage.killing", act, str(template), str(room), dense]
    done = subprocess.run(program, capture_output=True, text=True, timeout=250, check=True, cwd=ROOT)
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in done.stdout.splitlines()]


def opens(folder: Path, **way: str) -> bool:
    try:
        open_book(folder, FixedClock(NOW), **way).close()
    except Refused as refusal:
        assert refusal.code in ("wrong_passphrase", "wrong_recovery_code", "key_renewed")
        return False
    return True
