"""Window settings survive, and nothing found in their file can stop the program."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from desktop.settings import Settings, Theme

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def test_settings_come_back(tmp_path: Path) -> None:
    file = tmp_path / "new" / "settings.json"
    settings = Settings(theme=Theme.DARK, rail_collapsed=True).with_book(Path("/a/账本"))
    settings = settings.with_window("main", "AAAA")
    settings.save(file)
    assert Settings.load(file) == settings


def test_the_last_books_stand_newest_first_and_once(tmp_path: Path) -> None:
    settings = Settings()
    for number in (*range(10), 4):
        settings = settings.with_book(tmp_path / str(number))
    assert [book.name for book in settings.recent_books] == list("49876532")
    assert len(settings.without_book(tmp_path / "9").recent_books) == 7


def test_a_missing_file_means_defaults(tmp_path: Path) -> None:
    assert Settings.load(tmp_path / "none") == Settings()
    assert Settings.load(tmp_path) == Settings()


@given(st.dictionaries(st.sampled_from(["theme", "recent_books", "windows", "rail_collapsed"]), JSON))
def test_any_document_gives_settings(tmp_path_factory, body: dict[str, object]) -> None:
    file = tmp_path_factory.getbasetemp() / "any.json"
    file.write_text(json.dumps(body), encoding="utf-8")
    again = Settings.load(file)
    again.save(file)
    assert Settings.load(file) == again


@given(st.binary(max_size=40))
def test_any_bytes_give_settings(tmp_path_factory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "bytes.json"
    file.write_bytes(content)
    assert isinstance(Settings.load(file), Settings)
    file.write_bytes(b"[" * 100_000)
    assert Settings.load(file) == Settings()
