"""The chain: the tree is RFC 6962's, and every forgery of a foreign hand is found and named."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from desktop.access import audit
from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.clock import Clock
from desktop.errors import Cancelled
from desktop.jobs import CancelToken
from desktop.storage import chain
from desktop.storage.book import open_book
from desktop.storage.chain import Checkpoint, Verdict
from tests.conftest import PASSPHRASE
from tests.storage.rig import (
    KIND,
    PROJECT,
    add_segment,
    add_terminal,
    database_key,
    forge,
    read_sample,
    sample_leaf,
)

READERS = {KIND: read_sample, audit.KIND: audit.leaves}


def rfc_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word: split at the largest power of two below the size."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return chain.node(rfc_root(leaves[:split]), rfc_root(leaves[split:]))


def test_leaves_and_nodes_are_told_apart() -> None:
    assert chain.leaf(b"ab") == hashlib.sha256(b"\x00ab").digest()
    assert chain.node(b"a", b"b") == hashlib.sha256(b"\x01ab").digest()


@given(st.integers(0, 70))
def test_small_trees_are_those_of_the_rfc(count: int) -> None:
    leaves = [chain.leaf(bytes([number])) for number in range(count)]
    assert chain.merkle_root(iter(leaves)) == rfc_root(leaves)


@pytest.mark.parametrize("count", [4095, 4096, 4097, 8192, 12289, 20000])
def test_trees_over_several_blocks_are_those_of_the_rfc(count: int) -> None:
    leaves = [chain.leaf(number.to_bytes(4, "big")) for number in range(count)]
    assert chain.merkle_root(leaves) == rfc_root(leaves)


class Ledger:
    """A closed book with three segments of four rows between two acts; reopened to verify."""

    def __init__(self, desk: Desk) -> None:
        self.folder: Path = desk.book.path
        self.clock: Clock = desk.clock
        self.key = database_key(desk.book)
        with desk.book.write() as session:
            add_terminal(session)
            desk.audit(session, Act.TERMINAL_CHANGED, "terminal 1")
        self.ids = []
        for number in range(3):
            rows = [(str(number * 10 + at), bytes([number, at])) for at in range(4)]
            with desk.book.write() as session:
                self.ids.append(add_segment(session, desk.clock, rows))
        with desk.book.write() as session:
            last = desk.audit(session, Act.LEDGER_VERIFIED, "ledger")
            self.checkpoint = Checkpoint(last.sequence, last.hash)
            self.first = last.sequence - 3
        desk.book.close()

    def forge(self, *statements: str) -> None:
        forge(self.folder / "book.db", self.key, *statements)

    def verify(self, checkpoint: Checkpoint | None = None) -> Verdict:
        book = open_book(self.folder, self.clock, passphrase=PASSPHRASE)
        with book, book.read() as session:
            return chain.verify(session, PROJECT, READERS, checkpoints=[checkpoint] if checkpoint else [])


@pytest.fixture
def ledger(desk: Desk) -> Ledger:
    return Ledger(desk)


def codes(verdict: Verdict) -> list[tuple[str, int | None]]:
    return [(flaw.code, flaw.sequence) for flaw in verdict.flaws]


def test_an_untouched_ledger_holds(ledger: Ledger) -> None:
    verdict = ledger.verify(ledger.checkpoint)
    assert verdict.ok and verdict.first_bad is None
    assert verdict.counts[KIND] == 12
    assert verdict.head == ledger.checkpoint.hash


@pytest.mark.parametrize(
    ("statement", "code", "offset", "words"),
    [
        ("UPDATE punch_quarantine SET raw = x'ff' WHERE number = '11'", "record_changed", 1, "改动过"),
        ("DELETE FROM punch_quarantine WHERE number = '11'", "record_removed", 1, "少了1条"),
        ("DELETE FROM punch_quarantine WHERE segment_id = {1}", "record_removed", 1, "少了4条"),
        (
            "INSERT INTO punch_quarantine SELECT NULL, segment_id, terminal_id, source_format, reason,"
            " '99', time_text, received_at, x'99' FROM punch_quarantine WHERE number = '11'",
            "record_added", 1, "多出1条",
        ),
        ("UPDATE segment SET operator = '他人' WHERE id = {1}", "header_changed", 1, "段首"),
        ("UPDATE segment SET at = at + 1 WHERE id = {1}", "header_changed", 1, "段首"),
        ("UPDATE segment SET header = 'not json' WHERE id = {1}", "header_changed", 1, "段首"),
        ("UPDATE segment SET at = 1 << 62 WHERE id = {1}", "header_changed", 1, "时间无效"),
        ("UPDATE segment SET kind = 'other' WHERE id = {1}", "header_changed", 1, "段首"),
        ("UPDATE segment SET count = 5 WHERE id = {1}", "header_changed", 1, "段首"),
    ],
)  # fmt: skip
def test_a_change_is_found_and_named(
    ledger: Ledger, statement: str, code: str, offset: int, words: str
) -> None:
    ledger.forge(statement.format(*ledger.ids))
    verdict = ledger.verify()
    assert not verdict.ok
    assert (code, ledger.first + offset) in codes(verdict)
    assert verdict.first_bad is not None and f"第{ledger.first + offset}段" in verdict.first_bad
    assert any(words in flaw.text for flaw in verdict.flaws)


def test_swapped_rows_are_found(ledger: Ledger) -> None:
    """The second row of a segment now stands before the first; no content changed."""
    ledger.forge("UPDATE punch_quarantine SET id = -1 WHERE number = '11'")
    verdict = ledger.verify()
    assert codes(verdict) == [("record_changed", ledger.first + 1)]
    assert verdict.first_bad is not None and "次序" in verdict.first_bad


def test_rows_swapped_between_segments_are_found(ledger: Ledger) -> None:
    ledger.forge(
        f"UPDATE punch_quarantine SET segment_id = CASE number WHEN '11' THEN {ledger.ids[0]}"
        f" ELSE {ledger.ids[1]} END WHERE number IN ('11', '1')"
    )
    assert codes(ledger.verify()) == [
        ("record_changed", ledger.first),
        ("record_changed", ledger.first + 1),
    ]


def test_a_row_of_no_segment_is_found(ledger: Ledger) -> None:
    ledger.forge("UPDATE punch_quarantine SET segment_id = 4711 WHERE number = '11'")
    verdict = ledger.verify()
    assert ("record_removed", ledger.first + 1) in codes(verdict)
    assert ("record_without_segment", None) in codes(verdict)


def test_a_row_hidden_in_a_segment_of_another_kind_is_found(ledger: Ledger) -> None:
    ledger.forge(
        "UPDATE punch_quarantine SET segment_id = (SELECT id FROM segment WHERE kind = 'act' LIMIT 1)"
        " WHERE number = '11'"
    )
    assert "record_added" in [code for code, _ in codes(ledger.verify())]


def test_a_dropped_segment_in_the_middle_is_found(ledger: Ledger) -> None:
    ledger.forge(
        "DELETE FROM segment WHERE id = {1}".format(*ledger.ids),
        "DELETE FROM punch_quarantine WHERE segment_id = {1}".format(*ledger.ids),
    )
    verdict = ledger.verify()
    assert codes(verdict)[0] == ("segment_missing", ledger.first + 1)
    assert verdict.first_bad == f"账本缺少第{ledger.first + 1}段：被整段删除。"


def test_a_dropped_segment_closed_up_by_renumbering_is_found(ledger: Ledger) -> None:
    ledger.forge(
        "DELETE FROM segment WHERE id = {1}".format(*ledger.ids),
        "DELETE FROM punch_quarantine WHERE segment_id = {1}".format(*ledger.ids),
        f"UPDATE segment SET sequence = sequence - 1 WHERE sequence > {ledger.first + 1}",
    )
    found = codes(ledger.verify())
    assert ("link_broken", ledger.first + 1) in found
    assert ("header_changed", ledger.first + 1) in found


def test_a_dropped_first_segment_is_found(ledger: Ledger) -> None:
    ledger.forge("DELETE FROM segment WHERE sequence = 1")
    assert codes(ledger.verify())[0] == ("segment_missing", 1)


def test_a_dropped_last_segment_shows_only_against_a_head_kept_elsewhere(ledger: Ledger) -> None:
    ledger.forge(
        f"DELETE FROM audit_act WHERE segment_id = (SELECT id FROM segment WHERE sequence = {ledger.checkpoint.sequence})",
        f"DELETE FROM segment WHERE sequence = {ledger.checkpoint.sequence}",
    )
    assert ledger.verify().ok
    verdict = ledger.verify(ledger.checkpoint)
    assert codes(verdict) == [("segment_missing", ledger.checkpoint.sequence)]


def test_a_rewritten_chain_shows_only_against_a_head_kept_elsewhere(ledger: Ledger) -> None:
    """Whoever holds the key can change a row and recompute everything after it."""
    book = open_book(ledger.folder, ledger.clock, passphrase=PASSPHRASE)
    with book, book.read() as session:
        links = chain._links(session, PROJECT)
    rows = [("10", b"\x01\x00"), ("11", b"\xff"), ("12", b"\x01\x02"), ("13", b"\x01\x03")]
    root = chain.merkle_root(sample_leaf(number, raw) for number, raw in rows)
    statements = ["UPDATE punch_quarantine SET raw = x'ff' WHERE number = '11'"]
    previous = chain.GENESIS
    for link in links:
        own_root = root if link.id == ledger.ids[1] else link.root
        link = replace(link, root=own_root, previous_hash=previous)
        previous = chain._hash(link, book.book_id)
        statements.append(
            f"UPDATE segment SET root = x'{link.root.hex()}', hash = x'{previous.hex()}',"
            f" previous_hash = x'{link.previous_hash.hex()}' WHERE id = {link.id}"
        )
    ledger.forge(*statements)
    assert ledger.verify().ok
    assert codes(ledger.verify(ledger.checkpoint)) == [
        ("chain_rewritten", ledger.checkpoint.sequence)
    ]


def test_a_changed_act_is_found(ledger: Ledger) -> None:
    ledger.forge("UPDATE audit_act SET facts = '{\"n\":' WHERE subject = 'terminal 1'")
    assert codes(ledger.verify()) == [("record_changed", ledger.first - 1)]


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE audit_act SET why = CAST(x'ff41' AS TEXT)", "record_changed"),
        ("UPDATE segment SET operator = CAST(x'ff41' AS TEXT) WHERE id = 2", "header_changed"),
    ],
)
def test_bytes_that_are_no_text_are_a_flaw_not_a_crash(
    ledger: Ledger, statement: str, code: str
) -> None:
    ledger.forge(statement)
    assert code in [found for found, _ in codes(ledger.verify())]


def test_a_kind_nobody_can_check_is_a_flaw(desk: Desk) -> None:
    with desk.book.write() as session:
        for leaves in ([], [chain.leaf(b"x")]):
            chain.append(
                session, PROJECT, "later", leaves, {}, at=desk.clock.now(), operator="试"
            )
    with desk.book.read() as session:
        verdict = chain.verify(session, PROJECT, {audit.KIND: audit.leaves})
    assert [flaw.code for flaw in verdict.flaws] == ["unknown_kind"]


def test_equal_headers_of_two_books_have_other_hashes() -> None:
    link = chain._Link(0, 1, 1, "act", 0, b"", "{}", 0, "", chain.GENESIS, b"")
    assert chain._hash(link, "one") != chain._hash(link, "other")


def test_verifying_a_long_segment_streams_reports_and_stops(desk: Desk) -> None:
    """200,000 leaves in one segment need no list of leaves; cancel works inside it."""
    count = 200_000

    def stream(session: Session, project_id: int) -> Iterator[tuple[int, bytes]]:
        return ((segment_id, number.to_bytes(32, "big")) for number in range(count))

    with desk.book.write() as session:
        leaves = (number.to_bytes(32, "big") for number in range(count))
        segment_id = chain.append(
            session, PROJECT, "stream", leaves, {}, at=desk.clock.now(), operator="试"
        ).id
    readers = {audit.KIND: audit.leaves, "stream": stream}
    seen: list[tuple[int, int]] = []
    with desk.book.read() as session:
        tracemalloc.start()
        verdict = chain.verify(
            session, PROJECT, readers, lambda done, total, text: seen.append((done, total))
        )
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert verdict.ok and verdict.counts["stream"] == count
        assert peak < 4_000_000
        assert seen[-1][0] == seen[-1][1] and len(seen) > 40
        token = CancelToken()
        with pytest.raises(Cancelled):
            chain.verify(session, PROJECT, readers, lambda *_: token.set(), token)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=8))
def test_rows_that_come_back_later_are_additions(order: list[int]) -> None:
    """A reader's groups may come in any order, but a segment's rows stand together."""
    links = [
        chain._Link(number, 1, number + 1, "k", 1, chain.leaf(b"x"), "{}", 0, "", b"", b"")
        for number in range(10)
    ]
    records = chain._Records(links, lambda *_: None, None)
    records.read("k", ((number, chain.leaf(b"x")) for number in order))
    runs = [number for at, number in enumerate(order) if at == 0 or order[at - 1] != number]
    flaws = records.missing({"k": lambda session, project_id: iter(())})
    doubled = len(runs) - len(set(runs))
    assert sum("别处又出现" in flaw.text for flaw in flaws) == doubled
