"""The documents say what is there: commands parse, links lead somewhere, keys and labels exist."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from desktop.board.rules import ITEMS
from desktop.cli.main import app, run
from desktop.people.roster_sheet import Head, head_of
from desktop.site.project_file import (
    BOARD_TEXTS,
    CompanyEntry,
    FloorWageEntry,
    StaffEntry,
    TeamEntry,
    read_project_file,
)
from desktop.site.rules import RulePack, overridable, rule_pack
from desktop.ui.actions import PAGES, PageName

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES_OF_TEXT = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])
MANUAL = sorted((DOCS / "manual").glob("*.md"))
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))
FILES = (DOCS / "files.md").read_text(encoding="utf-8")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# ── commands ────────────────────────────────────────────────────────────────────────────────────


def _command_lines(start: str) -> Iterator[tuple[str, str]]:
    """(document, line) of every indented or inline command beginning with ``start``."""
    for path in PAGES_OF_TEXT:
        text = path.read_text(encoding="utf-8")
        for found in re.findall(rf"^    ({start} .+)$|`({start} [^`]+)`", text, re.MULTILINE):
            yield _name(path), (found[0] or found[1]).split("  #")[0].strip()


@cache
def _tree() -> Any:
    return typer.main.get_command(app)


def _parse(words: list[str]) -> str:
    """Parse without running; the path of the command that would run. Raises usage errors."""
    command, path = _tree(), []
    context = command.make_context("sitemuster", words)
    while hasattr(command, "commands"):
        rest = [*context._protected_args, *context.args]
        name, command, rest = command.resolve_command(context, rest)
        path.append(name)
        context = command.make_context(name, rest, parent=context)
    return " ".join(path)


COMMANDS = list(_command_lines("sitemuster"))


@pytest.mark.parametrize(("document", "line"), COMMANDS)
def test_a_shown_command_parses(document: str, line: str) -> None:
    assert _parse(shlex.split(line)[1:]), document


@pytest.mark.parametrize("line", ["ledger verify --quick", "month freeze", "terminal push 东门"])
def test_a_wrong_command_would_be_noticed(line: str) -> None:
    """Usage errors come before anything is opened; so they are what :func:`_parse` raises."""
    assert run(shlex.split(line)) == 2
    with pytest.raises(Exception, match=r"No such|Missing"):
        _parse(shlex.split(line))


def test_every_command_is_shown() -> None:
    def leaves(command: Any, path: str = "") -> Iterator[str]:
        for name, under in getattr(command, "commands", {}).items():
            here = f"{path} {name}".strip()
            yield from leaves(under, here) if hasattr(under, "commands") else [here]

    shown = {_parse(shlex.split(line)[1:]) for _, line in COMMANDS}
    assert set(leaves(_tree())) == shown


def test_commands_named_in_a_sentence_exist() -> None:
    groups = {name for name, under in _tree().commands.items() if hasattr(under, "commands")}
    for path in PAGES_OF_TEXT:
        for code in re.findall(r"`([^`\n]+)`", path.read_text(encoding="utf-8")):
            words = code.split()
            if len(words) > 1 and words[0] in groups:
                assert words[1] in _tree().commands[words[0]].commands, (_name(path), code)


def test_tasks_of_the_developer_exist() -> None:
    module = ast.parse((ROOT / "dev.py").read_text(encoding="utf-8"))
    tasks = next(
        {key.value for key in node.value.keys if isinstance(key, ast.Constant)}
        for node in module.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
    )
    shown = {line.split()[2] for _, line in _command_lines(r"python3 dev\.py")}
    assert shown and shown <= tasks


# ── links and pictures ──────────────────────────────────────────────────────────────────────────

_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def _drawn() -> set[str]:
    """Names of the pictures that ``dev.py screenshots`` draws."""
    sources = [ROOT / "desktop/ui" / name for name in ("screenshots.py", "custody_pictures.py")]
    return {
        node.value
        for source in sources
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


@pytest.mark.parametrize("path", PAGES_OF_TEXT, ids=_name)
def test_relative_links_lead_somewhere(path: Path) -> None:
    pages, drawn = {page.value for page in PageName}, _drawn()
    for target in _LINK.findall(path.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        place = (path.parent / target).resolve()
        if place.parent == DOCS / "screenshots":
            found = re.fullmatch(r"([a-z]+)(-[a-z]+)?-100-light\.png", place.name)
            assert found, target
            assert found[1] in {*pages, "start"}
            assert found[1] + (found[2] or "") in drawn, target
        else:
            assert place.exists(), target


def test_the_index_names_every_document() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    manual = (DOCS / "manual/README.md").read_text(encoding="utf-8")
    for path in DECISIONS:
        assert f"(decisions/{path.name})" in index
    for path in MANUAL:
        assert path.name == "README.md" or f"({path.name})" in manual


@pytest.mark.parametrize("path", PAGES_OF_TEXT, ids=_name)
def test_no_path_of_a_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.])/(work|tmp|home|root|Users)/", text)
    assert max(map(len, text.splitlines())) < 400


def test_decisions_are_numbered_and_whole() -> None:
    for number, path in enumerate(DECISIONS, 1):
        text = path.read_text(encoding="utf-8")
        assert path.name.startswith(f"{number:04d}-")
        assert text.startswith(f"# {number}. ")
        for part in ("Date: 2026-11-24", "**Question.**", "**Decision", "easons", "**Rejected.**"):
            assert part in text, (path.name, part)


# ── files.md ────────────────────────────────────────────────────────────────────────────────────


def _example() -> str:
    return FILES.split("```toml\n")[1].split("```")[0]


def test_the_example_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "project.toml"
    path.write_text(_example(), encoding="utf-8")
    file = read_project_file(path)
    assert file.warnings == () and file.companies and file.staff and file.teams
    assert set(file.board) == {*BOARD_TEXTS, "hotlines"}


def test_the_example_has_every_key_and_the_tables_name_it() -> None:
    example = tomllib.loads(_example())
    for table, entry in (
        ("company", CompanyEntry), ("staff", StaffEntry), ("team", TeamEntry),
    ):
        assert set(example[table][0]) == {field.name for field in fields(entry)}
    wage = example["project"].pop("floor_wage")
    assert set(wage) == {field.name for field in fields(FloorWageEntry)}
    for keys in (example["project"], wage, example["company"][0], example["staff"][0],
                 example["team"][0], example["board"]):
        for key in keys:
            assert f"`{key}`" in FILES, key


def test_every_item_of_the_board_is_named() -> None:
    assert [key for key in ITEMS if f"`{key}`" not in FILES] == []


def test_every_threshold_is_named_with_its_default() -> None:
    usual, worked = RulePack(), rule_pack({"basis": "workday"})
    rows = {
        key: line
        for line in FILES.splitlines() if line.startswith("| `")
        for key in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    for key in overridable():
        if key == "basis":
            continue
        numbers = re.findall(r"\d+", rows[key].split("|")[2])
        assert str(getattr(usual, key)) in numbers, key
        if getattr(worked, key) != getattr(usual, key):
            assert str(getattr(worked, key)) in numbers, key


def test_every_head_of_the_roster_is_named() -> None:
    part = FILES.split("## Roster spreadsheet")[1].split("## attlog.dat")[0]
    assert [head for head in Head if head not in part] == []
    rows = re.findall(r"^\| (\S+) \| (.+) \|$", part, re.MULTILINE)[1:]
    for head, others in rows:
        if head.startswith("-"):
            continue
        for other in others.split():
            assert head_of(other) == head, other
    assert len(rows) > 20


# ── the manual ──────────────────────────────────────────────────────────────────────────────────


@cache
def _said() -> str:
    """Every text of the program, one per line: literals of the sources and the code tables."""
    texts: list[str] = []
    for source in [*(ROOT / "desktop").rglob("*.py"), *(ROOT / "reports").rglob("*.py")]:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    texts += (path.read_text(encoding="utf-8") for path in (ROOT / "desktop").rglob("*.csv"))
    return "\n".join(texts)


@pytest.mark.parametrize("path", MANUAL, ids=_name)
def test_labels_of_the_manual_are_those_of_the_program(path: Path) -> None:
    quoted = re.findall(r"「([^「」]+)」", path.read_text(encoding="utf-8"))
    assert [text for text in quoted if text not in _said()] == []


def test_messages_of_the_manual_are_those_of_the_program() -> None:
    text = (DOCS / "manual/10-messages.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]
    phrases = [row for row in rows if row != "提示里有" and not row.startswith("---")]
    assert len(phrases) > 30
    assert [phrase for phrase in phrases if phrase not in _said()] == []


def test_the_manual_names_the_pages_as_the_rail_does() -> None:
    index = (DOCS / "manual/README.md").read_text(encoding="utf-8")
    assert "".join(f"「{declared.text}」" for declared in PAGES.values()) in index
