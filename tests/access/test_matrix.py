"""Who may what, tried: every service with every role, on a real book of each role.

Services are found, not listed: the public functions of the stations whose first parameter is
``desk``. What a service asks for is read from its own text, what a role may from the tables, and
both are held against what happens. A service that asks for nothing fails here.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import inspect as inspect_engine

import desktop
from desktop.access.actor import ALLOWED, TRACE_ONLY, VISIBLE, Act, Actor, Role, View
from desktop.access.desk import Desk
from desktop.access.matrix import ACT_NAMES, ROLE_NAMES, VIEW_NAMES, permission_matrix
from desktop.clock import FixedClock
from desktop.errors import NotPermitted
from desktop.storage.book import Book, open_book
from tests.conftest import NOW, PASSPHRASE, Copy

STATIONS = (
    "access", "site", "people", "punches", "attendance", "board", "months", "retention", "rollup",
)

Asked = frozenset[Act | View]
"""What one question to the desk is about: any of these will do. Empty: an act its caller names."""


@dataclass(frozen=True)
class Service:
    """A use case, and what it asks for first."""

    name: str
    call: Callable[..., Any]
    asks: frozenset[Asked]

    def open_to(self, role: Role) -> bool:
        """Whether the tables let the role through everything that is asked for."""
        return all(not asked or asked & (ALLOWED[role] | VISIBLE[role]) for asked in self.asks)


def modules() -> Iterator[ModuleType]:
    for station in STATIONS:
        package = importlib.import_module(f"desktop.{station}")
        yield package
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            yield importlib.import_module(found.name)


@cache
def services() -> tuple[Service, ...]:
    """Public functions that are given a desk and can reach the book through it.

    A function that is also given a session is a piece of an act, whose permission was asked where
    the session was opened; one that only asks the desk who and when it is reaches nothing.
    """
    found = []
    for module in modules():
        for name, function in vars(module).items():
            if name.startswith("_") or not inspect.isfunction(inspect.unwrap(function)):
                continue
            plain = inspect.unwrap(function)
            if plain.__module__ != module.__name__:
                continue
            parameters = list(inspect.signature(plain).parameters)
            if parameters[:1] != ["desk"] or "session" in parameters:
                continue
            if reaches_the_book(plain):
                found.append(Service(f"{module.__name__}.{name}", function, asked_by(plain)))
    return tuple(found)


def reaches_the_book(function: Callable[..., Any]) -> bool:
    """Whether the desk is used for more than its actor, its clock and its project's number."""
    harmless = uses = 0
    for node in ast.walk(ast.parse(inspect.getsource(function))):
        uses += isinstance(node, ast.Name) and node.id == "desk"
        harmless += (
            isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            and node.value.id == "desk" and node.attr in ("actor", "clock", "project_id")
        )
    return uses > harmless


def asked_by(function: Callable[..., Any]) -> frozenset[Asked]:
    """What the function asks its desk for, outside of branches and before anything else matters."""
    tree = ast.parse(inspect.getsource(function)).body[0]
    assert isinstance(tree, ast.FunctionDef)
    asked: set[Asked] = set()
    for statement in tree.body:
        heads: list[ast.AST] = [statement]
        if isinstance(statement, ast.With):
            heads = [item.context_expr for item in statement.items]
        elif isinstance(statement, ast.If | ast.For | ast.While | ast.Try | ast.FunctionDef):
            continue
        for node in (one for head in heads for one in ast.walk(head)):
            asked |= _of_call(node)
    return frozenset(asked)


def _of_call(node: ast.AST) -> set[Asked]:
    """``desk.permit(Act.X)``, ``desk.permit_any(Act.X, Act.Y)``, ``desk.look(View.X)``; an act
    chosen by a condition counts with all it may be."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return set()
    owner = node.func.value
    if not (isinstance(owner, ast.Name) and owner.id == "desk") or not node.args:
        return set()
    if node.func.attr not in ("permit", "permit_any", "permit_view", "look"):
        return set()
    kinds: dict[str, type[Act] | type[View]] = {"Act": Act, "View": View}
    named = [
        kinds[one.value.id][one.attr] for argument in node.args for one in ast.walk(argument)
        if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name)
        and one.value.id in kinds
    ]
    return {frozenset(named)}


# ── the tables ──────────────────────────────────────────────────────────────────────────────────


def test_every_act_view_and_role_has_a_chinese_name() -> None:
    assert set(ACT_NAMES) == set(Act) and set(VIEW_NAMES) == set(View)
    assert set(ROLE_NAMES) == set(ALLOWED) == set(VISIBLE) == set(Role)
    assert len(set(ACT_NAMES.values())) == len(Act)
    shown = permission_matrix()
    assert len(shown) == len(View) + len(Act) - len(TRACE_ONLY)
    assert all(Role.ADMINISTRATOR in row.roles and row.name for row in shown)


def test_the_roles_are_what_the_office_calls_them() -> None:
    """The lines of the matrix a lawyer would ask about, by hand."""
    def who(act: Act) -> set[Role]:
        return {role for role in Role if act in ALLOWED[role]}

    chief, officer = Role.ADMINISTRATOR, Role.LABOUR_OFFICER
    manager, technician = Role.PROJECT_MANAGER, Role.TECHNICIAN
    assert who(Act.ROSTER_IMPORTED) == {chief, officer}
    assert who(Act.MONTH_FROZEN) == {chief, officer}
    assert who(Act.EXPLANATION_APPROVED) == {chief, officer, manager}
    assert who(Act.PERSONAL_DATA_SHOWN) == {chief, officer, manager}
    assert who(Act.PUNCHES_COLLECTED) == {chief, officer, technician}
    assert who(Act.NUMBERS_MATCHED) == {chief, officer}  # names stand on the terminal
    assert who(Act.PURGE_PROPOSED) & who(Act.PURGE_APPROVED) == {chief}
    assert who(Act.AUDIT_EXPORTED) == {chief, manager}
    for act in Act:
        if act.value.startswith(("user.", "account.", "key.")) and act not in TRACE_ONLY:
            assert who(act) == {chief}
    changing = ALLOWED[Role.INSPECTOR] - TRACE_ONLY
    assert changing == {Act.LEDGER_VERIFIED, Act.PASSWORD_CHANGED}
    assert not VISIBLE[technician] & {
        View.PEOPLE, View.ATTENDANCE, View.MONTHS, View.AUDIT, View.USERS, View.RETENTION
    }
    assert {View.USERS, View.KEYS}.isdisjoint(VISIBLE[manager] | VISIBLE[officer])


# ── the services ────────────────────────────────────────────────────────────────────────────────


def test_services_are_found() -> None:
    names = {one.name for one in services()}
    assert len(names) > 45
    for known in (
        "desktop.people.roster_import.import_roster", "desktop.months.freeze.freeze_month",
        "desktop.access.users.add_user", "desktop.board.poster.preview",
        "desktop.punches.collect.pull", "desktop.people.reveal.reveal",
    ):
        assert known in names


def test_every_service_asks_before_it_does() -> None:
    silent = [one.name for one in services() if not one.asks]
    assert silent == [], "a service must begin with desk.permit(Act.…) or desk.look(View.…)"


SOURCES = Path(desktop.__file__).parent
READS_UNASKED = {
    "bootstrap.py": "before anybody entered, and what the chain says",
    "cli/rollup.py": "another site's book, opened with the key of head office",
    "demo/build.py": "makes the invented site",
    "ui/pages/start/login.py": "before anybody entered",
    "ui/screenshots.py": "draws the invented site",
    "ui/shell/lock.py": "who may unlock the window",
}
"""Who may open a reading session of the book itself outside of the stations."""


def test_windows_and_commands_look_through_the_desk() -> None:
    found = {
        str(path.relative_to(SOURCES))
        for room in ("ui", "cli", "demo", "bootstrap.py")
        for path in ([SOURCES / room] if room.endswith(".py") else (SOURCES / room).rglob("*.py"))
        if "book.read()" in path.read_text("utf-8")
    }
    assert found <= set(READS_UNASKED), "read through desk.look(View.…)"


@pytest.fixture(scope="module")
def books(
    site_template: Path, tmp_path_factory: pytest.TempPathFactory, copy_for_good: Copy
) -> Iterator[Callable[[Role], Book]]:
    """An open book for each role."""
    opened: dict[Role, Book] = {}
    folder = tmp_path_factory.mktemp("matrix")

    def of(role: Role) -> Book:
        if role not in opened:
            copied = copy_for_good(site_template, folder / role.value)
            opened[role] = open_book(copied, FixedClock(NOW), passphrase=PASSPHRASE)
        return opened[role]

    yield of
    for book in opened.values():
        book.close()


def contents(book: Book) -> dict[str, tuple[int, str]]:
    """Every table: how many rows, and a digest of all of them."""
    with book.read() as session:
        link = session.connection()
        held = {}
        for name in inspect_engine(link).get_table_names():
            rows = sorted(repr(tuple(row)) for row in link.exec_driver_sql(f"SELECT * FROM {name}"))
            held[name] = (len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest())
    files = sorted(
        str(path.relative_to(book.path)) for path in book.path.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    )
    held["(files)"] = (len(files), "\n".join(files))
    return held


def tried(service: Service, desk: Desk) -> BaseException | None:
    """Call with nothing behind every other parameter; what was raised.

    Permission is asked before anything is looked at, so that is all a forbidden call needs. What a
    permitted call makes of it is not asked here: the services' own tests do.
    """
    needed = [
        one for one in list(inspect.signature(service.call).parameters.values())[1:]
        if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]
    given = [None for one in needed if one.kind is not one.KEYWORD_ONLY]
    named = {one.name: None for one in needed if one.kind is one.KEYWORD_ONLY}
    try:
        outcome = service.call(desk, *given, **named)
        if hasattr(outcome, "__enter__"):
            with outcome:
                pass
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is asked for
        return error
    return None


def was_refused(raised: BaseException | None) -> bool:
    """Whether the role was the reason."""
    return isinstance(raised, NotPermitted) and raised.code == "not_permitted"


def who_is(role: Role) -> Actor:
    return Actor(ROLE_NAMES[role], role)


@pytest.mark.parametrize("role", Role)
def test_forbidden_services_refuse_and_change_nothing(
    role: Role, books: Callable[[Role], Book]
) -> None:
    desk = Desk(books(role), 1, who_is(role))
    forbidden = [one for one in services() if not one.open_to(role)]
    assert bool(forbidden) is (role is not Role.ADMINISTRATOR)
    before = contents(desk.book)
    wrong = {
        one.name: repr(raised) for one in forbidden if not was_refused(raised := tried(one, desk))
    }
    assert wrong == {}
    assert contents(desk.book) == before


@pytest.mark.parametrize("role", Role)
def test_permitted_services_let_the_role_through(
    role: Role, books: Callable[[Role], Book], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine without a keyring: nothing of the tester's own is in reach."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    desk = Desk(books(role), 1, who_is(role))
    wrong = {
        one.name: repr(raised) for one in services()
        if one.open_to(role) and was_refused(raised := tried(one, desk))
    }
    assert wrong == {}


def test_a_refusal_says_who_may() -> None:
    with pytest.raises(NotPermitted) as refused:
        Desk(None, 1, Actor("王五", Role.TECHNICIAN)).permit(Act.MONTH_FROZEN)  # type: ignore[arg-type]
    assert refused.value.message == (
        "「王五」的角色是技术员，不能做「冻结月考勤」，此操作未执行。请由劳资专管员、管理员办理。"
    )
    assert refused.value.facts == {"act": "month.frozen", "role": "technician"}
