"""Letting in: one sentence for every failure, waits that no clock shortens, all of it audited."""

from __future__ import annotations

import os
import time
from datetime import timedelta

import pytest

from desktop.access import login, users
from desktop.access.actor import Role
from desktop.access.desk import Desk
from desktop.access.os_account import OsAccount, current
from desktop.access.tables import AppUser
from desktop.bootstrap import LockedOffice, Office
from desktop.clock import FixedClock, SystemClock
from desktop.errors import Refused, SiteMusterError
from desktop.storage.book import open_book
from tests.access.rig import ADMINISTRATOR, PASSWORD, PEOPLE, RunningClock, after_failures, trail
from tests.conftest import PASSPHRASE

OFFICER, OFFICER_ID = PEOPLE[Role.LABOUR_OFFICER], 2
TWO = (OFFICER, PEOPLE[Role.TECHNICIAN])


def attempt(desk: Desk, name: str = OFFICER, password: str = "no, not this one") -> SiteMusterError:
    """The refusal of one attempt that must fail."""
    with pytest.raises(Refused) as refused:
        login.log_in(desk.book, desk.project_id, name, password)
    return refused.value


def running(desk: Desk) -> RunningClock:
    """Give the open book a clock that can be set and a computer that runs on."""
    clock = RunningClock(desk.book.clock)  # type: ignore[arg-type]
    desk.book.clock = clock
    return clock


def make_wait(desk: Desk) -> None:
    """The officer waits 30 s."""
    after_failures(desk, login.FREE_FAILURES - 1, OFFICER_ID)
    assert attempt(desk).facts == {"wait_s": 30}


def test_name_and_password_give_the_actor(peopled: Desk) -> None:
    actor = login.log_in(peopled.book, 1, "　劳资员甲 ", PASSWORD)
    assert (actor.name, actor.role, actor.user_id) == (OFFICER, Role.LABOUR_OFFICER, OFFICER_ID)
    (row,) = trail(peopled, "login.done")
    assert (row.actor, row.subject, row.facts) == (OFFICER, f"user:{OFFICER_ID}", {"by": "password"})


def test_every_failure_says_the_same(peopled: Desk) -> None:
    users.add_user(peopled, "停用者", Role.INSPECTOR, PASSWORD)
    users.set_active(peopled, "停用者", False)
    said = [
        attempt(peopled, "无此人"), attempt(peopled), attempt(peopled, "停用者", PASSWORD),
    ]
    assert {(one.code, one.message) for one in said} == {(said[0].code, said[0].message)}
    rows = trail(peopled, "login.failed")
    assert [row.subject for row in rows] == ["user:0", f"user:{OFFICER_ID}", "user:0"]
    assert {row.actor for row in rows} == {"（未登录）"}
    assert "无此人" not in str([(row.why, row.facts) for row in rows])


def test_every_failure_costs_the_same(peopled: Desk) -> None:
    def cost(name: str) -> float:
        began = time.process_time()
        attempt(peopled, name)
        return time.process_time() - began

    unknown = min(cost("无此人") for _ in range(2))
    known = min(cost(OFFICER) for _ in range(2))
    assert 0.5 < unknown / known < 2 and unknown > 0.05


def test_five_failures_begin_a_wait_that_doubles_to_a_quarter_of_an_hour(peopled: Desk) -> None:
    clock = running(peopled)
    waits = []
    for _ in range(12):
        refusal = attempt(peopled)
        waits.append(refusal.facts["wait_s"])
        clock.pass_by(refusal.facts["wait_s"])
    assert waits == [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]
    held = trail(peopled, "login.held")
    assert [row.facts["wait_s"] for row in held] == waits[4:]
    assert trail(peopled, "login.failed")[-1].facts["failures"] == 12
    assert login.log_in(peopled.book, 1, OFFICER, PASSWORD).user_id == OFFICER_ID
    assert attempt(peopled).facts["wait_s"] == 0  # a success forgets


def test_while_waiting_not_even_the_right_password_is_looked_at(peopled: Desk) -> None:
    clock = running(peopled)
    make_wait(peopled)
    clock.pass_by(29)
    refusal = attempt(peopled, OFFICER, PASSWORD)
    assert (refusal.code, refusal.facts) == ("login_held", {"wait_s": 1})
    assert "1秒" in refusal.message
    clock.pass_by(1)
    assert login.log_in(peopled.book, 1, OFFICER, PASSWORD)
    assert login.log_in(peopled.book, 1, ADMINISTRATOR, PASSWORD)  # others never waited


@pytest.mark.parametrize("jump", [timedelta(days=-365), timedelta(hours=-1), timedelta(days=365)])
def test_a_clock_that_is_set_shortens_no_wait(peopled: Desk, jump: timedelta) -> None:
    clock = running(peopled)
    make_wait(peopled)
    clock.instant += jump
    assert attempt(peopled, OFFICER, PASSWORD).facts == {"wait_s": 30}
    clock.instant -= jump
    assert attempt(peopled, OFFICER, PASSWORD).facts == {"wait_s": 30}
    clock.instant += jump
    clock.pass_by(30)
    assert login.log_in(peopled.book, 1, OFFICER, PASSWORD)


def test_after_a_restart_the_clock_counts_and_never_backwards(peopled: Desk) -> None:
    clock = running(peopled)
    make_wait(peopled)
    clock.boot, clock.up = "second run", 5
    clock.instant -= timedelta(days=365)
    assert attempt(peopled, OFFICER, PASSWORD).facts == {"wait_s": 30}
    clock.pass_by(10)
    assert attempt(peopled, OFFICER, PASSWORD).facts == {"wait_s": 20}
    clock.boot, clock.up = "third run", 5
    clock.pass_by(20)
    assert login.log_in(peopled.book, 1, OFFICER, PASSWORD)


def test_the_wait_outlives_the_program(peopled: Desk, clock: FixedClock) -> None:
    """Where runs of the computer cannot be told apart, the stored clock does."""
    make_wait(peopled)
    peopled.book.close()
    with open_book(peopled.book.path, clock, passphrase=PASSPHRASE) as again:
        other = Desk(again, 1, peopled.actor)
        assert attempt(other, OFFICER, PASSWORD).code == "login_held"
        clock.instant -= timedelta(days=1)
        assert attempt(other, OFFICER, PASSWORD).facts == {"wait_s": 30}
        clock.instant += timedelta(seconds=30)
        assert login.log_in(again, 1, OFFICER, PASSWORD)


def test_guesses_at_names_nobody_has_wait_together(peopled: Desk) -> None:
    waits = [attempt(peopled, f"无此人{place}").facts["wait_s"] for place in range(5)]
    assert waits == [0, 0, 0, 0, 30]
    assert attempt(peopled, "又一个").code == "login_held"
    assert attempt(peopled).code == "login_failed"


def test_an_old_hash_is_made_anew_at_the_next_log_in(peopled: Desk) -> None:
    from argon2 import PasswordHasher

    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    with peopled.book.write() as session:
        session.get_one(AppUser, OFFICER_ID).password_hash = cheap
    login.log_in(peopled.book, 1, OFFICER, PASSWORD)
    with peopled.book.read() as session:
        kept = session.get_one(AppUser, OFFICER_ID).password_hash
    assert kept is not None and "m=65536,t=3,p=1" in kept
    assert "password" in trail(peopled, "login.done")[-1].facts


def test_the_account_of_the_computer_lets_its_user_in(peopled: Desk) -> None:
    here, other = OsAccount("zhang", "uid:1001@aa"), OsAccount("zhang", "uid:1001@bb")
    users.bind_os_account(peopled, OFFICER, here)
    found = login.log_in_by_os_account(peopled.book, 1, lambda: OsAccount("renamed", "uid:1001@aa"))
    assert found is not None and found.user_id == OFFICER_ID
    assert login.log_in_by_os_account(peopled.book, 1, lambda: other) is None
    assert login.log_in_by_os_account(peopled.book, 1, lambda: None) is None
    assert trail(peopled, "login.done")[-1].facts == {"by": "account"}
    users.set_active(peopled, OFFICER, False)
    assert login.log_in_by_os_account(peopled.book, 1, lambda: here) is None


def test_the_present_account_is_a_name_and_an_identity() -> None:
    here = current()
    assert here is not None and here == current()
    assert here.identity.startswith(f"uid:{os.getuid()}@") and " " not in here.identity
    assert here.stored == f"{here.identity} {here.name}"


def test_the_computers_uptime_only_grows() -> None:
    clock = SystemClock()
    (boot, before), (again, after) = clock.uptime(), clock.uptime()
    assert boot == again and 0 < before <= after


# ── the office ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def locked(peopled: Desk) -> LockedOffice:
    return LockedOffice(peopled.book, 1)


def test_one_administrator_enters_without_log_in(desk: Desk) -> None:
    locked = LockedOffice(desk.book, 1)
    assert not locked.needs_login and locked.user_names == []
    for user in (None, ADMINISTRATOR):
        assert locked.enter(user, None).desk.actor == users.FIRST_ADMINISTRATOR
    with pytest.raises(Refused) as refused:
        locked.enter("别人", None)
    assert refused.value.code == "password_needed"


def test_with_users_nobody_enters_unnamed(locked: LockedOffice) -> None:
    assert locked.needs_login and locked.user_names == [ADMINISTRATOR, *TWO]
    for user, password, code in (
        (None, None, "login_needed"), (OFFICER, None, "password_needed"),
        (None, PASSWORD, "user_missing"), (OFFICER, "wrong wrong", "login_failed"),
    ):
        with pytest.raises(Refused) as refused:
            locked.enter(user, password)
        assert refused.value.code == code
    with pytest.raises(Refused):
        locked.without_login()
    assert locked.enter(OFFICER, PASSWORD).desk.actor.role is Role.LABOUR_OFFICER


def test_a_bound_account_enters_by_itself(locked: LockedOffice, peopled: Desk) -> None:
    assert locked.log_in_by_account() is None
    users.bind_os_account(peopled, OFFICER)
    assert locked.enter(None, None).desk.actor.name == OFFICER
    assert locked.enter(OFFICER, None).desk.actor.name == OFFICER
    with pytest.raises(Refused) as refused:
        locked.enter(ADMINISTRATOR, None)
    assert refused.value.code == "password_needed"


def test_the_recovery_code_gives_a_new_password(locked: LockedOffice, peopled: Desk) -> None:
    from desktop.storage.slot_change import renew_recovery_code
    from tests.conftest import CHEAP

    code = renew_recovery_code(peopled.book, cost=CHEAP)
    other = renew_recovery_code(peopled.book, cost=CHEAP)
    make_wait(peopled)
    with pytest.raises(Refused) as refused:
        locked.reset_password(OFFICER, "忘了又想起来的密码", code)
    assert refused.value.code == "wrong_recovery_code"
    assert trail(peopled, "login.failed")[-1].facts["asked"] == "password.reset"
    locked.reset_password(OFFICER, "忘了又想起来的密码", other)
    assert locked.log_in(OFFICER, "忘了又想起来的密码")  # and the wait is forgotten
    (row,) = trail(peopled, "password.reset")
    assert row.actor == "（未登录）"
    users.set_active(peopled, OFFICER, False)
    with pytest.raises(Refused) as refused:
        locked.reset_password(OFFICER, "忘了又想起来的密码", other)
    assert refused.value.code == "user_inactive"


def test_a_window_is_unlocked_by_who_locked_it(desk: Desk, locked: LockedOffice) -> None:
    office = Office(desk.book, desk)
    assert office.lockable  # by the passphrase of the book
    office.note_locked()
    office.check_password(PASSPHRASE)
    with pytest.raises(Refused) as refused:
        office.check_password("another one")
    assert refused.value.code == "wrong_passphrase"
    assert [row.act for row in trail(desk)][-2:] == ["screen.locked", "screen.unlocked"]
    own = locked.log_in(OFFICER, PASSWORD)
    own.check_password(PASSWORD)
    with pytest.raises(Refused) as refused:
        own.check_password(PASSPHRASE)
    assert refused.value.code == "login_failed"
    assert [row.actor for row in trail(own.desk, "screen.unlocked")] == [OFFICER]
