"""Where everything on the board stands: two columns between a blue band and a foot.

The rule for many subcontractors, in this order: (1) everything at its size, enlarged up to 1.3
times while it fits; (2) phone numbers of the subcontractors in running size; (3) the list of
subcontractors moves to a second board hung beside the first, as many pages as it takes;
(4) only if the rest is still too long, all sizes shrink together. Nothing is ever cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reports.board import BAND_BLUE, TITLE, BoardInput, chinese_date
from reports.board_blocks import Block, Heading, Listing
from reports.board_boxes import Box, Look, Placed, Sizes, table_of
from reports.board_sections import Sections
from reports.errors import ReportError
from reports.paper import BLACK, NO_BORDER, RED, WHITE, Table, mm

MARGIN = mm(8)
GAP = mm(5)
LOWER = mm(7.2)
"""Free below the foot: Word's lower margin and what rounding to twips may add to forty rows."""
BAND_TOP = mm(6)
BAND_BOTTOM = mm(29)
BODY_TOP = mm(32)
FOOT = mm(8)
STRIP = mm(4)
"""Blue strip along the lower edge."""

TITLE_PT = 50.0
MARK_PT = 30.0
FOOT_PT = 10.5

_WHOLE, _COMPACT, _APART = range(3)
_ENLARGED = tuple(step / 100 for step in range(130, 99, -5))
_SHRUNK = tuple(step / 100 for step in range(95, 35, -5))


@dataclass(frozen=True, slots=True)
class _Plan:
    """What was decided: sizes, and which columns stand on which page."""

    sizes: Sizes
    pages: tuple[tuple[tuple[Block, ...], tuple[Block, ...]], ...]


class BoardLayout:
    """The board in model units; ``table(k)`` is everything printed on page ``k``."""

    def __init__(self, board: BoardInput, width: int, height: int) -> None:
        self._board = board
        self.width, self.height = width, height
        self.band_bottom = BAND_BOTTOM
        self.foot_top = height - STRIP
        self._body_bottom = height - LOWER - FOOT
        self._column = (width - 2 * MARGIN - GAP) // 2
        self._plan = self._decide()

    @property
    def pages(self) -> int:
        return len(self._plan.pages)

    @property
    def scale(self) -> float:
        """Chosen enlargement; below 1 the sizes of forms.md could not be kept."""
        return self._plan.sizes.scale

    # ── deciding ────────────────────────────────────────────────────────────────────────────────

    def _decide(self) -> _Plan:
        room = self._body_bottom - BODY_TOP
        for scale, mode in _attempts():
            sections = Sections(
                self._board, self._column, Sizes(scale),
                compact=mode == _COMPACT, apart=mode == _APART,
            )
            left, right = sections.left(), sections.right()
            if _height(left) <= room and _height(right) <= room:
                further = self._further(room, scale) if mode == _APART else ()
                return _Plan(sections.sizes, ((left, right), *further))
        raise ReportError("board_overflow", width=self.width, height=self.height)

    def _further(
        self, room: int, most: float
    ) -> tuple[tuple[tuple[Block, ...], tuple[Block, ...]], ...]:
        """The second board and so on: as few as possible, not larger than the first."""
        choices = [
            Sections(self._board, self._column, Sizes(scale), apart=True).apart_lists()
            for scale in _ENLARGED
            if scale <= max(most, 1.0)
        ]
        chosen = min(choices, key=lambda lists: _boards(_columns(lists, room)))
        best = _evened(chosen, room)
        if best == [()]:
            return ()
        if len(best) % 2:
            best.append(())
        return tuple(zip(best[::2], best[1::2], strict=True))

    # ── drawing ─────────────────────────────────────────────────────────────────────────────────

    def table(self, k: int) -> Table:
        """Page ``k`` as one table from band to foot."""
        left, right = self._plan.pages[k]
        right_from = MARGIN + self._column + GAP
        stretch = k == 0
        return table_of(
            [
                *self._band(k),
                *self._placed(left, MARGIN, stretch=stretch),
                *self._placed(right, right_from, stretch=stretch),
                *self._foot(k),
            ]
        )

    def _band(self, k: int) -> Iterator[Placed]:
        mark = mm(70)
        left, right = MARGIN, self.width - MARGIN
        title = TITLE if k == 0 else f"{TITLE}（续）"
        yield _plain(
            (left, BAND_TOP, left + mark, BAND_BOTTOM), "", Look(FOOT_PT, fill=BAND_BLUE)
        )
        yield _plain(
            (left + mark, BAND_TOP, right - mark, BAND_BOTTOM),
            title,
            Look(TITLE_PT, "hei", "center", BAND_BLUE, WHITE),
        )
        edge, top, low = right - mark, BAND_TOP + mm(3), BAND_BOTTOM - mm(5)
        if not self._board.draft:
            yield _plain((edge, BAND_TOP, right, BAND_BOTTOM), "", Look(FOOT_PT, fill=BAND_BLUE))
            return
        inner = edge + mm(26)
        blue = Look(FOOT_PT, fill=BAND_BLUE)
        yield _plain((edge, BAND_TOP, inner, BAND_BOTTOM), "", blue)
        yield _plain((inner, BAND_TOP, right, top), "", blue)
        yield _plain((inner, top, right, low), "临时牌", Look(MARK_PT, "hei", "center", WHITE, RED))
        yield _plain((inner, low, right, BAND_BOTTOM), "", blue)

    def _foot(self, k: int) -> Iterator[Placed]:
        board = self._board
        words = [f"制作日期：{chinese_date(board.made_on)}"]
        words.append(f"信息更新日期：{chinese_date(board.updated_on)}")
        if board.version:
            words.append(f"版本：第{board.version}版")
        if self.pages > 1:
            words.append(f"第{k + 1}页／共{self.pages}页")
        top, bottom = self._body_bottom + mm(1), self._body_bottom + FOOT
        middle = MARGIN + self._column + GAP
        basis = (
            "临时牌：请补齐标注「待补充」的内容，更换为正式告示牌。"
            if board.draft
            else "依据《保障农民工工资支付条例》第三十四条设立，内容变动时及时更换。"
        )
        look = Look(FOOT_PT, colour=RED if board.draft else BLACK)
        yield _plain((MARGIN, top, middle, bottom), basis, look)
        yield _plain(
            (middle, top, self.width - MARGIN, bottom), "　".join(words),
            Look(FOOT_PT, align="right"),
        )

    def _placed(
        self, blocks: Sequence[Block], x: int, *, stretch: bool
    ) -> Iterator[Placed]:
        """The blocks of a column one under the other; free height goes to their rows."""
        room = self._body_bottom - BODY_TOP
        spare = room - _height(blocks)
        grows = sum(block.height for block in blocks if not isinstance(block, Heading))
        if not stretch:
            spare = min(spare, round(grows * 0.15))
        given = used = 0
        y = BODY_TOP
        for block in blocks:
            tall = block.height
            if not isinstance(block, Heading) and grows:
                used += block.height
                share = spare * used // grows
                tall += share - given
                given = share
            yield from block.place(x, y, tall)
            y += tall


def _attempts() -> Iterator[tuple[float, int]]:
    """Scale and mode in the order they are tried (module docstring)."""
    for mode in (_WHOLE, _COMPACT, _APART):
        yield from ((scale, mode) for scale in _ENLARGED)
    for scale in _SHRUNK:
        yield from ((scale, mode) for mode in (_WHOLE, _COMPACT, _APART))


def _plain(where: tuple[int, int, int, int], text: str, look: Look) -> Placed:
    """A borderless cell of band or foot, its text on one line."""
    left, top, right, bottom = where
    fitted = Look(look.pt, look.role, look.align, look.fill, look.colour, NO_BORDER, one_line=True)
    cell = Box(left, right, text, fitted, Sizes(0.6)).cell()
    return Placed(left, top, right, bottom, cell)


def _height(blocks: Sequence[Block]) -> int:
    return sum(block.height for block in blocks)


def _boards(columns: Sequence[object]) -> int:
    return (len(columns) + 1) // 2


def _columns(lists: Sequence[Listing], room: int) -> list[tuple[Block, ...]]:
    """Lists filled into columns of ``room``; a head never stands last, each column has one."""
    columns: list[list[Block]] = [[]]
    for listing in lists:
        waiting: tuple[Heading, ...] = listing.heads
        for row in listing.rows:
            wanted = _height((*waiting, row))
            if columns[-1] and _height(columns[-1]) + wanted > room:
                columns.append([])
                waiting = waiting or (listing.again,)
            columns[-1] += [*waiting, row]
            waiting = ()
    return [tuple(column) for column in columns]


def _evened(lists: Sequence[Listing], room: int) -> list[tuple[Block, ...]]:
    """As many boards as needed, their columns as equal as the rows allow."""
    best = _columns(lists, room)
    boards = _boards(best)
    low, high = 0, room
    while high - low > 50:
        middle = (low + high) // 2
        tried = _columns(lists, middle)
        if _boards(tried) <= boards and all(_height(column) <= middle for column in tried):
            best, high = tried, middle
        else:
            low = middle
    return best
