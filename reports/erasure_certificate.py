"""清除证明: the page that proves what was erased when, under which rule, and by whose decision.

Office custom (no official form); what it must say follows from 个人信息保护法 47 and the clauses it
prints. One page of A4. It carries no personal data of anybody who was erased: kinds, counts,
periods, rules, and the positions in the ledger's chain that prove it. Those who decided are named,
because somebody has to answer for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reports.board_boxes import Box, Look, Placed, Sizes, table_of
from reports.one_page import Row, fitting, stacked
from reports.paper import A4_PORTRAIT, NO_BORDER, Align, Document, Meta, Page, Role, mm

LEFT, RIGHT, TOP = mm(22), mm(188), mm(16)
BOTTOM = mm(284)
LABEL_WIDTH = mm(36)
TITLE = "个人信息清除证明"
_LABEL_FILL = 0xF0F5FA


@dataclass(frozen=True, slots=True)
class CertificateTerm:
    """One clause: its id, what it says, from when it is counted and until when it ran."""

    clause: str
    says: str
    starts_on: str
    ends_on: str


@dataclass(frozen=True, slots=True)
class CertificateHand:
    """Who did what when: ``role`` as printed (提出、批准、执行)."""

    role: str
    name: str
    at: str


@dataclass(frozen=True, slots=True)
class CertificateInput:
    """What the page prints; every text is ready to be read.

    ``counts`` are (kind, number) pairs, ``segments`` (position, hash) of the erasure's records in
    the ledger, ``head`` the last segment when the certificate was made.
    """

    number: str
    project: str
    contractor: str
    book: str
    what: str
    period: str
    counts: Sequence[tuple[str, str]]
    completed: str
    settled: str
    rule: str
    terms: Sequence[CertificateTerm]
    hands: Sequence[CertificateHand]
    waiting: str
    files: str
    pages: str
    kept: str
    backups: str
    segments: Sequence[tuple[str, str]]
    head: str
    made_on: str
    made_on_iso: str = "2000-01-01"


def certificate_document(certificate: CertificateInput) -> Document:
    """The page; long texts shrink all sizes together until it is one."""
    cells = fitting(lambda scale: _Page(certificate, scale).placed(), "certificate_overflow")
    page = Page(*A4_PORTRAIT, (table_of(cells),))
    meta = Meta(subject=certificate.project, made_on=certificate.made_on_iso)
    return Document(f"{TITLE} {certificate.number}", (page,), meta)


class _Page:
    """The rows of the page at one scale."""

    def __init__(self, certificate: CertificateInput, scale: float) -> None:
        self._certificate, self._scale = certificate, scale
        self._sizes = Sizes(scale * 0.75)

    def placed(self) -> list[Placed] | None:
        """Every cell at its place, ``None`` if they need more than the page."""
        upper = [*self._head(), *self._what(), *self._rule(), *self._who(), *self._proof()]
        lower = list(self._signature())
        # The seal goes over the lower right corner: its lines stand at the foot of the page.
        foot = BOTTOM - sum(row.whole for row in lower)
        if TOP + sum(row.whole for row in upper) + mm(2) > foot:
            return None
        return [*stacked(upper, LEFT, TOP), *stacked(lower, LEFT, foot)]

    def _head(self) -> Iterator[Row]:
        one = self._certificate
        yield self._row(self._text(TITLE, 20, "hei", "center", one_line=True), 12, 1)
        yield self._row(self._text(f"编号：{one.number}", 10, align="right"), 6, 1)
        yield self._fact("工程名称", one.project)
        yield self._fact("施工总承包单位", one.contractor)
        yield self._fact("账本编号", one.book, after=2)

    def _what(self) -> Iterator[Row]:
        one = self._certificate
        yield self._fact("清除的内容", one.what)
        yield self._fact("记录期间", one.period)
        yield self._fact("清除数量", "，".join(f"{kind}{number}" for kind, number in one.counts))
        yield self._fact("保留的内容", one.kept, after=2)

    def _rule(self) -> Iterator[Row]:
        one = self._certificate
        yield self._fact("竣工日期", one.completed)
        yield self._fact("工资结清日期", one.settled)
        yield self._heads("条款", "规定", "起算日", "保存至")
        for term in one.terms:
            yield self._cells(term.clause, term.says, term.starts_on, term.ends_on)
        yield self._fact("结论（取最长）", one.rule, after=2)

    def _who(self) -> Iterator[Row]:
        one = self._certificate
        hands = tuple(f"{hand.role}：{hand.name}（{hand.at}）" for hand in one.hands)
        yield self._fact("两人办理", "　".join(hands), lines=hands)
        yield self._fact("等待期", one.waiting, after=2)

    def _proof(self) -> Iterator[Row]:
        one = self._certificate
        yield self._fact("原始文件", one.files)
        yield self._fact("数据库旧页", one.pages)
        yield self._fact("备份", one.backups)
        for position, digest in one.segments:
            yield self._fact(f"清除记录{position}", digest)
        yield self._fact("出具时账本末段", one.head)
        words = (
            "　　上述记录已过法定保存期限，按《个人信息保护法》第四十七条清除。清除后账本仍可逐段核对，"
            "被清除的记录只留校验值；账本和本证明不再含有被清除人的姓名、证件号和电话。"
        )
        yield self._row(self._text(words, 11), 12)

    def _signature(self) -> Iterator[Row]:
        one = self._certificate
        lines = "　　　".join(f"{hand.role}人（签字）：____________" for hand in one.hands[:2])
        yield self._row(self._text(lines, 12), 11, 2)
        yield self._row(self._text(f"{one.contractor}项目部（章）", 12, align="right"), 8)
        yield self._row(self._text(one.made_on, 12, align="right"), 8)

    # ── rows ────────────────────────────────────────────────────────────────────────────────────

    def _row(self, box: Box, height: float, after: float = 0) -> Row:
        return Row((box,), self._mm(height), self._mm(after))

    def _fact(
        self, label: str, text: str, after: float = 0, lines: tuple[str, ...] = ()
    ) -> Row:
        look = Look(self._pt(11), prose=True)
        boxes = (
            Box(0, LABEL_WIDTH, label, self._label(), self._sizes),
            Box(LABEL_WIDTH, RIGHT - LEFT, text, look, self._sizes, lines=lines),
        )
        return Row(boxes, self._mm(7), self._mm(after))

    def _heads(self, *texts: str) -> Row:
        return self._columns(texts, self._label(), 6)

    def _cells(self, *texts: str) -> Row:
        return self._columns(texts, Look(self._pt(10)), 6)

    def _columns(self, texts: Sequence[str], look: Look, height: float) -> Row:
        edges = (0, LABEL_WIDTH, mm(118), mm(142), RIGHT - LEFT)
        boxes = tuple(
            Box(edges[k], edges[k + 1], text, look, self._sizes) for k, text in enumerate(texts)
        )
        return Row(boxes, self._mm(height))

    def _label(self) -> Look:
        return Look(self._pt(11), "hei", "center", _LABEL_FILL)

    def _text(
        self, text: str, pt: float, role: Role = "song", align: Align = "left", *,
        one_line: bool = False,
    ) -> Box:
        look = Look(
            self._pt(pt), role, align, borders=NO_BORDER, one_line=one_line, prose=align == "left"
        )
        return Box(0, RIGHT - LEFT, text, look, self._sizes)

    def _pt(self, pt: float) -> float:
        return max(1.0, round(pt * self._scale * 2) / 2)

    def _mm(self, length: float) -> int:
        return round(mm(length) * self._scale)
