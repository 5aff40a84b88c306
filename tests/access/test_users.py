"""Users are let in, changed and shut out; the book is never left without an administrator."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from desktop.access import queries, users
from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.access.login import log_in
from desktop.access.os_account import OsAccount
from desktop.access.password import fits, worn
from desktop.access.tables import AppUser
from desktop.errors import NotPermitted, Refused
from tests.access.rig import ADMINISTRATOR, PASSWORD, PEOPLE, trail, with_administrator


def stored(desk: Desk, name: str) -> AppUser:
    with desk.book.read() as session:
        return session.scalars(select(AppUser).where(AppUser.name == name)).one()


def test_a_book_begins_with_its_administrator_alone(desk: Desk) -> None:
    with desk.book.read() as session:
        assert not users.login_needed(session)
        first = users.first_administrator(session)
        (row,) = queries.users(session)
    assert (first.name, first.role, first.user_id) == (ADMINISTRATOR, Role.ADMINISTRATOR, None)
    assert (row.id, row.name, row.has_password) == (0, ADMINISTRATOR, False)


def test_the_second_user_waits_for_the_administrators_password(desk: Desk) -> None:
    with pytest.raises(Refused) as refused:
        users.add_user(desk, "李某", Role.LABOUR_OFFICER, PASSWORD)
    assert refused.value.code == "administrator_password"
    assert trail(desk, "user.added") == []
    with_administrator(desk)
    number = users.add_user(desk, PEOPLE[Role.LABOUR_OFFICER], Role.LABOUR_OFFICER, PASSWORD)
    with desk.book.read() as session:
        assert users.login_needed(session)
        assert [one.name for one in queries.users(session)] == [
            ADMINISTRATOR, PEOPLE[Role.LABOUR_OFFICER]
        ]
    (row,) = trail(desk, "user.added")
    assert (row.subject, row.facts["role"]) == (f"user:{number}", "labour_officer")
    assert PASSWORD not in str(row.facts) and PEOPLE[Role.LABOUR_OFFICER] not in str(row.facts)


def test_a_password_is_kept_as_argon2id_of_its_normal_form(desk: Desk) -> None:
    with_administrator(desk)
    kept = stored(desk, ADMINISTRATOR).password_hash
    assert kept is not None and kept.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    users.set_password(desk, ADMINISTRATOR, "ＡＢ１２ 围墙 三台机")
    kept = stored(desk, ADMINISTRATOR).password_hash
    assert fits(kept, "AB12 围墙 三台机") and not fits(kept, "ab12 围墙 三台机")
    assert kept is not None and not worn(kept)
    assert worn("$argon2id$v=19$m=8192,t=1,p=1$E9pqZG1wHPMgGW1V66TXEw$ku468III03xEHc7C35W6lqY6pwxK")


@pytest.mark.parametrize(
    "weak", ["七个字也不够啊", "12345678", "87654321", "aaaabbbb", "管理员管理员", "Password1", "x" * 257]
)
def test_a_poor_password_is_refused_in_words(desk: Desk, weak: str) -> None:
    with pytest.raises(Refused) as refused:
        users.set_password(desk, ADMINISTRATOR, weak)
    assert refused.value.code == "password_weak" and "8个以上" in refused.value.message
    assert weak not in refused.value.message
    assert trail(desk, "password.set") == []


@pytest.mark.parametrize("name", ["", "  ", "一" * 41, "响\x07铃", "零\u200b宽"])
def test_a_user_name_is_something_that_can_be_read(peopled: Desk, name: str) -> None:
    with pytest.raises(Refused) as refused:
        users.add_user(peopled, name, Role.INSPECTOR, PASSWORD)
    assert refused.value.code == "user_name"


def test_names_differ_in_more_than_width_case_and_blanks(peopled: Desk) -> None:
    users.add_user(peopled, "Wang  Wu", Role.INSPECTOR, PASSWORD)
    assert stored(peopled, "Wang Wu").active
    for same in ("ｗａｎｇ　ｗｕ", "WANG WU"):
        with pytest.raises(Refused) as refused:
            users.add_user(peopled, same, Role.INSPECTOR, PASSWORD)
        assert refused.value.code == "user_exists"


def test_the_last_administrator_stays(peopled: Desk) -> None:
    officer = PEOPLE[Role.LABOUR_OFFICER]
    for act in (
        lambda: users.set_role(peopled, ADMINISTRATOR, Role.INSPECTOR),
        lambda: users.set_active(peopled, ADMINISTRATOR, False),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.code == "last_administrator"
    users.set_role(peopled, officer, Role.ADMINISTRATOR)
    users.set_active(peopled, ADMINISTRATOR, False)
    with pytest.raises(Refused) as refused:
        users.set_role(peopled, officer, Role.TECHNICIAN)
    assert refused.value.code == "last_administrator"
    users.set_active(peopled, ADMINISTRATOR, True)
    assert [row.act for row in trail(peopled)][-3:] == [
        "user.role_set", "user.deactivated", "user.activated"
    ]


def test_changing_nothing_leaves_no_row(peopled: Desk) -> None:
    before = len(trail(peopled))
    users.set_role(peopled, PEOPLE[Role.LABOUR_OFFICER], Role.LABOUR_OFFICER)
    users.set_active(peopled, PEOPLE[Role.LABOUR_OFFICER], True)
    users.unbind_os_account(peopled, PEOPLE[Role.LABOUR_OFFICER])
    assert len(trail(peopled)) == before


def test_an_own_password_is_changed_by_who_knows_it(peopled: Desk) -> None:
    name = PEOPLE[Role.LABOUR_OFFICER]
    own = Desk(peopled.book, peopled.project_id, Actor(name, Role.LABOUR_OFFICER, 2))
    with pytest.raises(Refused) as refused:
        users.change_own_password(own, "not this one", "换一个全新的密码")
    assert refused.value.code == "login_failed"
    users.change_own_password(own, PASSWORD, "换一个全新的密码")
    assert log_in(peopled.book, 1, name, "换一个全新的密码").user_id == 2
    (row,) = trail(peopled, "password.changed")
    assert row.actor == name
    with pytest.raises(NotPermitted):
        users.set_password(own, ADMINISTRATOR, "换一个全新的密码")


def test_an_account_of_the_computer_belongs_to_one_user(peopled: Desk) -> None:
    here, officer = OsAccount("zhang", "uid:1001@aa"), PEOPLE[Role.LABOUR_OFFICER]
    assert users.bind_os_account(peopled, officer, here) == "zhang"
    with pytest.raises(Refused) as refused:
        users.bind_os_account(peopled, ADMINISTRATOR, OsAccount("renamed", "uid:1001@aa"))
    assert refused.value.code == "account_bound"
    with pytest.raises(Refused) as refused:
        users.add_user(peopled, "别人", Role.INSPECTOR, PASSWORD, os_account=here)
    assert refused.value.code == "account_bound"
    assert "zhang" not in str([row.facts for row in trail(peopled, "account.bound")])
    users.unbind_os_account(peopled, officer)
    assert users.bind_os_account(peopled, ADMINISTRATOR, here) == "zhang"
    with peopled.book.read() as session:
        assert [one.account for one in queries.users(session)] == ["zhang", "", ""]


@pytest.mark.parametrize("act", [
    lambda desk: users.set_role(desk, "无此人", Role.INSPECTOR),
    lambda desk: users.set_active(desk, "无此人", False),
    lambda desk: users.set_password(desk, "无此人", PASSWORD),
    lambda desk: users.bind_os_account(desk, "无此人"),
])
def test_an_unknown_user_is_refused_and_nothing_kept(
    desk: Desk, act: Callable[[Desk], object]
) -> None:
    before = len(trail(desk))
    with pytest.raises(Refused) as refused:
        act(desk)
    assert refused.value.code == "unknown_user"
    with desk.book.read() as session:
        assert len(trail(desk)) == before and session.scalars(select(AppUser)).all() == []


def test_who_was_shut_out_meanwhile_does_and_sees_nothing(peopled: Desk) -> None:
    """A log-in lasts for hours: what a role is worth is asked at each act."""
    name = PEOPLE[Role.LABOUR_OFFICER]
    own = Desk(peopled.book, peopled.project_id, Actor(name, Role.LABOUR_OFFICER, 2))
    from desktop.access.actor import View
    from desktop.site.teams import add_team

    users.set_role(peopled, name, Role.INSPECTOR)
    with pytest.raises(NotPermitted) as refused:
        add_team(own, "瓦工班", 3)
    assert refused.value.code == "user_changed"
    users.set_role(peopled, name, Role.LABOUR_OFFICER)
    add_team(own, "瓦工班", 3)
    users.set_active(peopled, name, False)
    with pytest.raises(NotPermitted), own.look(View.PEOPLE):
        pass
