"""No freed page keeps what was erased: also what earlier edits left behind long before."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from desktop.access.desk import Desk
from desktop.storage import scrub
from tests.retention.site_over import decrypted_pages
from tests.storage.rig import add_terminal

pytestmark = pytest.mark.file_only

SECRET = "一段早已改掉的文字"


@pytest.fixture
def edited(desk: Desk) -> Desk:
    """Rows with the text were written, moved to the main file, changed and deleted."""
    with desk.book.write() as session:
        add_terminal(session)
        for number in range(300):
            session.execute(
                text(
                    "INSERT INTO terminal_person (terminal_id, number, name, card, read_at)"
                    " VALUES (1, :number, :name, 0, 0)"
                ),
                {"number": str(number), "name": SECRET * 5},
            )
    with desk.book.write() as session:
        session.execute(text("DELETE FROM terminal_person WHERE CAST(number AS INT) > 20"))
        session.execute(text("UPDATE terminal_person SET name = ''"))
    return desk


def test_free_pages_and_the_log_are_overwritten(edited: Desk) -> None:
    assert SECRET.encode() in decrypted_pages(edited), "deleting alone leaves it"
    assert scrub.scrub(edited.book)
    assert SECRET.encode() not in decrypted_pages(edited)
    with edited.book.read() as session:
        assert session.execute(text("SELECT count(*) FROM terminal_person")).scalar_one() == 21
    with edited.book.write() as session:
        session.execute(text("UPDATE terminal_person SET name = '新'"))


def test_a_reader_that_does_not_end_is_said(
    edited: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrub, "_ATTEMPTS", 2)
    with edited.book.read() as session:
        session.execute(text("SELECT count(*) FROM terminal_person")).scalar_one()
        with edited.book.write() as other:
            other.execute(text("UPDATE terminal_person SET name = '新'"))
        assert scrub.scrub(edited.book) is False
    assert scrub.scrub(edited.book)
    assert SECRET.encode() not in decrypted_pages(edited)
