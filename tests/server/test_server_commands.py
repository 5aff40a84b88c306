"""``init --database``, ``book member``, ``join``, ``move`` as an office would type them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.cli.main import run
from desktop.storage import creation, keys, server_invite
from desktop.storage.server_address import ServerAddress
from desktop.storage.server_connection import Login, open_connection
from tests.conftest import CHEAP
from tests.sample_site import write_project_file
from tests.server.rig import ADMIN, Server

Call = Callable[..., tuple[int, Any, str]]
DATABASE = "office_book"


@pytest.fixture
def call(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Call]:
    """``call(folder, *arguments)`` → exit code, result, stderr."""
    for function in (creation.create_book, server_invite.join, server_invite.write_invitation):
        monkeypatch.setitem(function.__kwdefaults__, "cost", CHEAP)
    assert keys.STANDARD_COST != CHEAP
    for name in ("pass", "pass2"):
        (tmp_path / name).write_text(f"口令{name}\n", encoding="utf-8")
    (tmp_path / "admin").write_text(server.password(ADMIN) + "\n")

    def typed(folder: str, *arguments: str, secret: str = "pass") -> tuple[int, Any, str]:
        common = ["--data-dir", str(tmp_path / folder), "--passphrase-file", str(tmp_path / secret)]
        code = run([*common, "--json", *arguments])
        out = capsys.readouterr()
        return code, json.loads(out.out) if out.out else None, out.err

    yield typed
    server.forget(DATABASE)


def admin_options(tmp_path: Path, server: Server, option: str = "--database") -> list[str]:
    """The administrator as typed: no password in the command line."""
    return [
        option, f"postgresql://{ADMIN}@127.0.0.1:{server.port}/{DATABASE}",
        "--database-password-file", str(tmp_path / "admin"),
    ]


def good(answer: tuple[int, Any, str]) -> Any:
    code, result, said = answer
    assert code == 0, said
    return result


def test_a_book_on_a_server_and_a_second_computer(
    call: Call, server: Server, tmp_path: Path
) -> None:
    admin = admin_options(tmp_path, server)
    project = str(write_project_file(tmp_path / "project.toml"))
    made = good(call("one", "init", "--project", project, *admin))
    assert len(made["recovery_code"]) == 55
    assert not (tmp_path / "one" / "book.db").exists()
    everything = b"".join(
        path.read_bytes() for path in (tmp_path / "one").rglob("*") if path.is_file()
    )
    assert server.password(ADMIN).encode() not in everything
    invitation = tmp_path / "gate.json"
    invited = good(call("one", "book", "member", "add", "gate", "--out", str(invitation), *admin))
    assert invited["login"] == f"{DATABASE}_gate"
    (tmp_path / "code").write_text(invited["join_code"] + "\n")
    assert invited["join_code"] not in invitation.read_text()

    (tmp_path / "wrong").write_text(made["recovery_code"] + "\n")
    arguments = ("book", "join", str(invitation), "--code-file")
    code, refused, _ = call("two", *arguments, str(tmp_path / "wrong"), secret="pass2")
    assert (code, refused["error"]["code"]) == (1, "wrong_join_code")
    assert not (tmp_path / "two").exists()
    joined = good(call("two", *arguments, str(tmp_path / "code"), secret="pass2"))
    assert joined["login"] == f"{DATABASE}_gate"
    # The invitation was used: the password in it is no longer the login's.
    code, refused, _ = call("three", *arguments, str(tmp_path / "code"), secret="pass2")
    assert (code, refused["error"]["code"]) == (1, "server_login")

    good(call("two", "terminal", "add", "东门进", "--driver", "zk", "--address", "127.0.0.1:1",
              secret="pass2"))
    assert [one["terminal"] for one in good(call("one", "terminal", "list"))] == ["东门进"]
    assert good(call("two", "ledger", "verify", secret="pass2"))["ok"]

    listed = good(call("one", "book", "member", "list", *admin))
    assert listed == [
        {"login": f"{DATABASE}_gate", "projects": [1], "everywhere": False},
        {"login": f"{DATABASE}_office", "projects": [1], "everywhere": True},
    ]
    code, refused, _ = call("one", "book", "member", "remove", "office", *admin)
    assert refused["error"]["code"] == "own_login"
    good(call("one", "book", "member", "remove", "gate", *admin))
    code, refused, said = call("two", "terminal", "list", secret="pass2")
    assert (code, refused["error"]["code"]) == (1, "server_login") and "停用" in said
    audit = good(call("one", "audit", "list"))
    assert str(audit).count("sharing.members_changed") == 2


def test_moving_there_and_back(call: Call, server: Server, tmp_path: Path) -> None:
    project = str(write_project_file(tmp_path / "project.toml"))
    good(call("one", "init", "--project", project))
    good(call("one", "terminal", "add", "东门进", "--driver", "zk", "--address", "127.0.0.1:1"))
    code, refused, _ = call("one", "book", "move", "--to-file", str(tmp_path / "x"))
    assert refused["error"]["code"] == "already_in_file"
    there = good(call("one", "book", "move", *admin_options(tmp_path, server, "--to")))
    head = good(call("one", "ledger", "verify"))["head"]
    assert there["heads"][0]["hash"] == head and there["rows"] > 40
    assert not (tmp_path / "one" / "book.db").exists()
    (retired,) = (tmp_path / "one" / "retired").iterdir()
    code, refused, said = call(f"one/retired/{retired.name}", "terminal", "list")
    assert (code, refused["error"]["code"]) == (1, "book_moved") and "已搬到服务器" in said
    assert len(list((tmp_path / "one" / "backups").glob("2*-move"))) == 1
    code, refused, _ = call("one", "book", "move", *admin_options(tmp_path, server, "--to"))
    assert refused["error"]["code"] == "already_on_server"

    back = good(call("one", "book", "move", "--to-file", str(tmp_path / "back")))
    verdict = good(call("back", "ledger", "verify"))
    assert verdict["ok"] and verdict["head"] == back["heads"][0]["hash"] != head
    code, refused, _ = call("one", "terminal", "list")
    assert (code, refused["error"]["code"]) == (1, "book_moved")
    assert [one["terminal"] for one in good(call("back", "terminal", "list"))] == ["东门进"]
    code, refused, _ = call("back", "book", "move", *admin_options(tmp_path, server, "--to"))
    assert refused["error"]["code"] == "server_occupied"


def test_the_office_login_is_kept_sealed(call: Call, server: Server, tmp_path: Path) -> None:
    """Nobody reads the login's password out of the folder without the data key."""
    project = str(write_project_file(tmp_path / "project.toml"))
    good(call("one", "init", "--project", project, *admin_options(tmp_path, server)))
    address, _ = ServerAddress.parse(json.loads((tmp_path / "one" / "book.json").read_text())["database"])
    sealed = (tmp_path / "one" / "server.sealed").read_bytes()
    for guess in ("", sealed.hex(), sealed.decode("latin-1")[:40].replace("\x00", "x")):
        with pytest.raises(Exception, match="password"):
            open_connection(Login(address, guess)).close()
    for name in ("UPPER", "a b", "x" * 50, "名"):
        code, refused, _ = call(
            "one", "book", "member", "add", name, "--out", str(tmp_path / "i"),
            *admin_options(tmp_path, server),
        )
        assert (code, refused["error"]["code"]) == (1, "login_name")
    assert not (tmp_path / "i").exists()
