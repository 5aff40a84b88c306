"""What a month puts into the chain, and how verification recomputes it.

Three kinds of segments: ``month`` (a freeze: the version and its rows), ``page`` (printed pages)
and ``slip`` (the sheet of one leaver). A row's leaf is recomputed from its stored facts and from
salt and personal fields; of erased ones the tombstone keeps the commitment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Text, select, type_coerce
from sqlalchemy.orm import Session

from desktop.errors import EnvironmentFault
from desktop.months import rules
from desktop.months.tables import LeaverSlip, MonthPage, MonthRow, MonthVersion
from desktop.storage import chain, tombstones
from desktop.storage.chain import LeafReader
from desktop.storage.encode import Layout, document
from desktop.storage.sealed import Sealer
from desktop.storage.types import Big

MONTH, PAGE, SLIP = "month", "page", "slip"
"""Kinds of the segments this station writes."""

_VERSION = Layout("MVER", 1, ints=5, texts=7)
_ROW = Layout("MROW", 1, ints=4, texts=1)
_PAGE = Layout("MPAG", 1, ints=5, texts=4)
_SLIP = Layout("SLIP", 1, ints=4, texts=2)


def version_leaf(version: MonthVersion) -> bytes:
    """Leaf of the freeze itself, before its rows."""
    return _version_leaf(
        version.project_id, version.version, version.rule_version,
        int(version.frozen_at.timestamp()), version.month, version.rule, version.digest,
        document(version.head).decode(), document(version.findings).decode(),
        version.accepted_open, version.frozen_by,
    )


def _version_leaf(
    project_id: int, version: int, rule_version: int, at_s: int, month: str, rule: str,
    digest: bytes, head: str, findings: str, accepted: str, operator: str,
) -> bytes:
    texts = [t.encode() for t in (month, rule, head, findings, accepted, operator)]
    return chain.leaf(
        _VERSION.pack((project_id, version, rule_version, at_s, rules.ROW_FORMAT), [*texts, digest])
    )


def row_leaf(sheet: int, position: int, person_id: int, row: bytes) -> bytes:
    """Chain leaf of one printed row; ``row`` is its commitment (``rules.row_leaf``)."""
    return chain.leaf(_ROW.pack((sheet, position, person_id, rules.ROW_FORMAT), [row]))


def page_leaf(
    sheet: int, page: int, first: int, last: int, version_id: int,
    kind: str, paper: str, code: str, digest: bytes,
) -> bytes:
    """Chain leaf of one printed page."""
    texts = [kind.encode(), paper.encode(), code.encode(), digest]
    return chain.leaf(_PAGE.pack((sheet, page, first, last, version_id), texts))


def slip_leaf(
    project_id: int, person_id: int, until_day: int, printed_s: int, month: str, digest: bytes
) -> bytes:
    """Chain leaf of a leaver's slip."""
    numbers = (project_id, person_id, until_day, printed_s)
    return chain.leaf(_SLIP.pack(numbers, [month.encode(), digest]))


def verify_readers(sealer: Sealer) -> dict[str, LeafReader]:
    """The readers of this station's kinds; ``sealer`` opens the personal fields of rows."""
    return {MONTH: _month_reader(sealer), PAGE: _pages, SLIP: _slips}


def _month_reader(sealer: Sealer) -> LeafReader:
    def read(session: Session, project_id: int) -> Iterator[tuple[int, bytes]]:
        columns = (
            MonthVersion.id, MonthVersion.segment_id, MonthVersion.project_id,
            MonthVersion.version, MonthVersion.rule_version,
            type_coerce(MonthVersion.frozen_at, Big), MonthVersion.month, MonthVersion.rule,
            MonthVersion.digest, type_coerce(MonthVersion.head, Text),
            type_coerce(MonthVersion.findings, Text), MonthVersion.accepted_open,
            MonthVersion.frozen_by,
        )
        versions = session.execute(
            _of_project(columns, MonthVersion.segment_id, MonthVersion.id, project_id)
        ).all()
        erased = tombstones.stones(session, MonthVersion.__tablename__)
        erased_rows = tombstones.stones(session, MonthRow.__tablename__)
        for version_id, segment_id, *fields in versions:
            yield segment_id, tombstones.leaf_of(_version_leaf(*fields), erased.get(version_id))
            for leaf in _row_leaves(session, sealer, version_id, erased_rows):
                yield segment_id, leaf
        # Rows of no version at all are forgeries; they belong to no segment either.
        known = {version_id for version_id, *_ in versions}
        stray = session.scalars(
            select(MonthRow.month_version_id)
            .where(MonthRow.month_version_id.not_in(select(MonthVersion.id)))
        )
        yield from ((0, chain.leaf(b"stray row")) for owner in stray if owner not in known)

    return read


def _row_leaves(
    session: Session, sealer: Sealer, version_id: int, erased: Mapping[int, tombstones.Stone]
) -> Iterator[bytes]:
    rows = session.execute(
        select(
            MonthRow.id, MonthRow.sheet, MonthRow.position, MonthRow.person_id,
            type_coerce(MonthRow.facts, Text), MonthRow.personal_sealed, MonthRow.salt,
            MonthRow.leaf,
        )
        .where(MonthRow.month_version_id == version_id)
        .order_by(MonthRow.sheet, MonthRow.position)
        .execution_options(yield_per=1000)
    )
    for ident, sheet, position, person_id, facts, personal, salt, stored in rows:
        if personal is not None and salt is not None:
            row = _recomputed(sealer, facts, personal, salt)
        elif personal is None and salt is None and ident in erased:
            row = rules.encoded_row_leaf(facts.encode(), erased[ident].kept)
        else:
            row = chain.leaf(b"erased without a tombstone")
        if row != stored:  # printed pages are digests over what is stored
            row = chain.leaf(b"another leaf is stored")
        yield row_leaf(sheet, position, person_id, row)


def _recomputed(sealer: Sealer, facts: str, personal: bytes, salt: bytes) -> bytes:
    try:
        fields = sealer.open(personal).encode()
    except EnvironmentFault:  # forged bytes are a row that does not fit, not a crash
        return chain.leaf(b"unreadable row")
    return rules.encoded_row_leaf(facts.encode(), rules.personal_commitment(salt, fields))


def _pages(session: Session, project_id: int) -> Iterator[tuple[int, bytes]]:
    columns = (
        MonthPage.segment_id, MonthPage.sheet, MonthPage.page, MonthPage.first, MonthPage.last,
        MonthPage.month_version_id, MonthPage.kind, MonthPage.paper, MonthPage.code,
        MonthPage.digest,
    )
    yield from _leaves(session, columns, MonthPage.id, project_id, page_leaf)


def _slips(session: Session, project_id: int) -> Iterator[tuple[int, bytes]]:
    columns = (
        LeaverSlip.segment_id, LeaverSlip.project_id, LeaverSlip.person_id,
        type_coerce(LeaverSlip.until_day, Big), type_coerce(LeaverSlip.printed_at, Big),
        LeaverSlip.month, LeaverSlip.digest,
    )
    yield from _leaves(session, columns, LeaverSlip.id, project_id, slip_leaf)


def _leaves(
    session: Session, columns: Sequence[Any], order: Any, project_id: int,
    encode: Callable[..., bytes],
) -> Iterator[tuple[int, bytes]]:
    statement = _of_project(columns, columns[0], order, project_id)
    for segment_id, *fields in session.execute(statement.execution_options(yield_per=1000)):
        yield segment_id, encode(*fields)


def _of_project(columns: Sequence[Any], segment: Any, order: Any, project_id: int) -> Any:
    return (
        select(*columns)
        .where(chain.own_or_orphan(segment, project_id))
        .order_by(segment, order)
    )
