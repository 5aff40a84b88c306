"""A USB stick's ``attlog.dat`` into the ledger (usb-files §5).

The file was alterable by hand and may be the only copy there is: it is never written to, a sealed
copy is made first, and it is read whole once before anything of it is stored, so that a file that
contradicts itself leaves nothing. A stick's punch never replaces one from the network; seen by
both ways it stands once, with two sightings.

A stick proves completeness until it was taken: as stated by the user, else the later of its newest
punch and the file's own time (never later than now).

With the book's server away the file is read and sealed all the same; its records wait on this PC
(see ``spool``) and are compared with the book when they come into it.
"""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.clock import CHINA
from desktop.errors import Cancelled, EnvironmentFault, Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.punches import known, originals, plausible, spool, words
from desktop.punches.ledger import CHUNK, Counts, Origin, Part
from desktop.punches.queries import resolver, shown_number
from desktop.punches.stick_intake import Intake, facts_of, refuse_other_terminal
from desktop.punches.tables import Download
from desktop.punches.terminal_book import terminal_named
from desktop.storage.types import local_time
from devices import errors as device_errors
from devices.files.attlog import MAX_BYTES, Attlog

UNKNOWN_PERCENT = 5
"""More unknown numbers than this part of all numbers deserve a question (usb-files §5.2)."""
_LISTED = 20


class RejectedLine(NamedTuple):
    """A line that is no punch record; ``line`` is 1-based, ``code`` as in ``devices.files``."""

    line: int
    code: str


@dataclass(frozen=True, slots=True)
class StickResult:
    """``lines`` (empty ones left out) = ``new`` + ``duplicate`` + ``quarantined`` + rejected,
    plus ``waiting``: records kept on this PC because the server is away.

    ``quarantine`` lists the lines that cannot be punches; ``already_imported``: the same file was
    taken before. ``unknown`` are numbers of nobody, masked where they look like an ID number.
    """

    terminal: str
    lines: int
    new: int
    duplicate: int
    quarantined: int
    rejected: tuple[RejectedLine, ...]
    quarantine: tuple[RejectedLine, ...] = ()
    conflict: int = 0
    sighting: int = 0
    first: datetime | None = None
    last: datetime | None = None
    device_number: int | None = None
    sha256: str = ""
    already_imported: bool = False
    unknown: tuple[tuple[str, int], ...] = ()
    warnings: tuple[str, ...] = ()
    waiting: int = 0

    def as_json(self) -> dict[str, Any]:
        """The result of ``punches import``."""
        return {
            "terminal": self.terminal,
            "lines": self.lines,
            "new": self.new,
            "duplicate": self.duplicate,
            "quarantined": self.quarantined,
            "rejected": [{"line": one.line, "code": one.code} for one in self.rejected],
            "quarantine": [{"line": one.line, "code": one.code} for one in self.quarantine],
            "conflict": self.conflict,
            "sighting": self.sighting,
            "first": self.first,
            "last": self.last,
            "device_number": self.device_number,
            "sha256": self.sha256,
            "already_imported": self.already_imported,
            "unknown": [{"number": number, "punches": n} for number, n in self.unknown],
            "warnings": list(self.warnings),
            "waiting": self.waiting,
        }


@dataclass(slots=True)
class _Survey:
    """What the first reading of the file found."""

    lines: int = 0
    records: int = 0
    rejected: list[RejectedLine] = field(default_factory=list)
    quarantine: list[RejectedLine] = field(default_factory=list)
    numbers: Counter[str] = field(default_factory=Counter)
    first: int | None = None
    last: int | None = None
    device_number: int | None = None


def import_stick(
    desk: Desk,
    path: Path,
    terminal_name: str,
    *,
    taken_at: datetime | None = None,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> StickResult:
    """Import ``path`` as what the named terminal wrote. ``taken_at`` naive site time.

    The same file again stores nothing and says so. Raises :class:`Refused` with the ledger
    untouched: unknown terminal, a file that is no punch file or contradicts itself, a file that
    was already imported for another terminal.
    """
    desk.permit(Act.PUNCHES_COLLECTED)
    target = _target(desk, terminal_name)
    try:
        original, modified = _copied(desk, path)
        try:
            result = _Import(desk, path, target, original, modified, taken_at).run(
                progress, cancel
            )
        finally:
            original.discard()
    except device_errors.FileRefused as refusal:
        raise Refused(
            f"stick_{refusal.reason}", words.of_file(refusal), line=refusal.line
        ) from refusal
    except device_errors.Cancelled as error:
        raise Cancelled from error
    return result


class _Target(NamedTuple):
    """The terminal the file is of; ``away``: known without the book."""

    id: int
    name: str
    away: bool = False


def _target(desk: Desk, name: str) -> _Target:
    try:
        with desk.book.read() as session:
            terminal = terminal_named(session, desk.project_id, name)
            return _Target(terminal.id, terminal.name)
    except EnvironmentFault as fault:
        held = known.recall(desk.book) if spool.is_away(fault) else None
        if held is None or held.project_id != desk.project_id:
            raise
        one = held.named(name)
        return _Target(one.id, one.name, away=True)


def _copied(desk: Desk, path: Path) -> tuple[originals.Original, datetime]:
    """A sealed copy, and when the file was last written (UTC)."""
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):  # a pipe would wait for ever, a device never ends
            raise device_errors.FileRefused("unreadable")
        with path.open("rb") as source:
            if facts.st_size > MAX_BYTES:
                raise device_errors.FileRefused("too_large")
            return originals.copy(desk.book, source), datetime.fromtimestamp(facts.st_mtime, UTC)
    except OSError as error:
        raise device_errors.FileRefused("unreadable") from error


@dataclass(slots=True)
class _Import:
    """One run over one file."""

    desk: Desk
    path: Path
    terminal: _Target
    original: originals.Original
    modified: datetime
    taken_at: datetime | None
    survey: _Survey = field(default_factory=_Survey)
    already: bool = False
    unknown: tuple[tuple[str, int], ...] = ()
    warnings: list[str] = field(default_factory=list)

    def run(self, progress: Progress, cancel: CancelToken | None) -> StickResult:
        desk = self.desk
        self.survey = _survey(self.path, self._believed_now(), progress, cancel)
        intake = Intake(desk, self.terminal.id, desk.clock.now(), self._facts())
        try:
            if self.terminal.away:
                return self._let_wait(intake, cancel)
            with desk.book.read() as session:
                self._compare_with_before(session)
                self.unknown = self._unknown(session)
            # The proof is in its place before the ledger names it.
            self.original.keep()
            records = self.survey.records
            return self._result(intake.store(self._parts(cancel), records, progress, cancel))
        except EnvironmentFault as fault:
            if not spool.must_wait(fault, desk.book):
                raise
            return self._let_wait(intake, cancel)

    def _believed_now(self) -> datetime:
        now = self.desk.clock.now()
        if self.terminal.away:
            return now
        with self.desk.book.read() as session:
            return plausible.believed_now(session, self.desk.project_id, now)

    def _let_wait(self, intake: Intake, cancel: CancelToken | None) -> StickResult:
        """The server is away: the records stay on this PC, safe on its disk."""
        actor, records = self.desk.actor, self.survey.records
        self.original.keep()
        spool.put(
            self.desk.book, Origin.USB.value,
            project_id=self.desk.project_id, terminal_id=self.terminal.id,
            terminal=self.terminal.name, operator=actor.name, role=actor.role.value,
            received_at=intake.at, facts=intake.facts, parts=self._parts(cancel), records=records,
        )
        self.warnings.append(
            f"服务器连不上或现在不能保存：文件里的{records}条记录已存在本机，服务器恢复后自动入账，不会丢失。"
            "请检查网络和服务器。"
        )
        return self._result(Counts(), waiting=records)

    def _result(self, counts: Counts, *, waiting: int = 0) -> StickResult:
        survey = self.survey
        return StickResult(
            terminal=self.terminal.name,
            lines=survey.lines,
            new=counts.new,
            duplicate=counts.duplicate,
            quarantined=counts.quarantined,
            rejected=tuple(survey.rejected),
            quarantine=tuple(survey.quarantine),
            conflict=counts.conflict,
            sighting=counts.sighting,
            first=None if survey.first is None else local_time(survey.first),
            last=None if survey.last is None else local_time(survey.last),
            device_number=survey.device_number,
            sha256=self.original.sha256.hex(),
            already_imported=self.already,
            unknown=self.unknown,
            warnings=tuple(self.warnings),
            waiting=waiting,
        )

    def _facts(self) -> dict[str, Any]:
        survey, original = self.survey, self.original
        return facts_of(
            original.sha256, original.size, survey.lines, len(survey.rejected),
            survey.device_number, self._complete_until(),
        )

    def _parts(self, cancel: CancelToken | None) -> Iterator[Part]:
        """The second reading; the last part is stored only if the file is still the same, because
        ``store_parts`` asks for the next one before it stores one."""
        again = Attlog(self.path)
        for part in again.parts(CHUNK, cancel=cancel):
            yield Part(part.punches, part.unusable)
        if again.summary.lines != self.survey.lines:
            raise Refused(
                "stick_changed",
                "文件在读取过程中变了，请确认U盘没有被其他程序改写后重新导入。已读出的打卡保留，不会重复。",
            )

    def _compare_with_before(self, session: Session) -> None:
        """The same file before; another device number before."""
        sha256, device = self.original.sha256, self.survey.device_number
        refuse_other_terminal(session, self.desk.project_id, self.terminal.id, sha256)
        earlier = session.execute(
            select(Download.terminal_id, Download.sha256, Download.counts, Download.at).where(
                Download.project_id == self.desk.project_id,
                Download.origin == Origin.USB.value,
                Download.complete.is_(True),
            )
        ).all()
        for terminal_id, digest, counts, at in earlier:
            if digest == sha256 and not self.already:
                self.already = True
                when = at.astimezone(CHINA)
                self.warnings.append(f"这个文件在{when:%Y-%m-%d %H:%M}已导入过，没有重复保存。")
            before = (counts or {}).get("device_number")
            mine = terminal_id == self.terminal.id
            if mine and device is not None and before not in (None, device):
                note = f"文件里的机号是{device}，此前「{self.terminal.name}」的文件是{before}，请核对是哪台机器。"
                if note not in self.warnings:
                    self.warnings.append(note)

    def _unknown(self, session: Session) -> tuple[tuple[str, int], ...]:
        owners = resolver(session, self.desk.project_id)
        numbers = self.survey.numbers
        unknown = [
            (number, punches)
            for number, punches in numbers.most_common()
            if not owners.knows(self.terminal.id, number)
        ]
        if len(unknown) * 100 > len(numbers) * UNKNOWN_PERCENT:
            self.warnings.append(
                f"文件里{len(numbers)}个编号中有{len(unknown)}个未对应到花名册，已保存并列出。"
                "请到设备页“对号”；若选错了考勤机，请核对。"
            )
        return tuple((shown_number(number), punches) for number, punches in unknown[:_LISTED])

    def _complete_until(self) -> datetime | None:
        """The instant (UTC) until when the stick holds everything, see the module."""
        now = self.desk.clock.now()
        if self.taken_at is not None:
            return min(self.taken_at.replace(tzinfo=CHINA).astimezone(UTC), now)
        newest = self.survey.last
        if newest is None:
            return None
        punched = local_time(newest).replace(tzinfo=CHINA).astimezone(UTC)
        return min(max(punched, self.modified.replace(microsecond=0)), now)


def _survey(
    path: Path, received_at: datetime, progress: Progress, cancel: CancelToken | None
) -> _Survey:
    """Read the whole file once; nothing is stored. Raises what the reader raises."""
    found = _Survey()
    latest = plausible.latest(received_at)
    unlikely: dict[bytes, str] = {}
    file = Attlog(path)

    def note(done: int, total: int, _: str) -> None:
        progress(done, total, "核对文件")

    for part in file.parts(progress=note, cancel=cancel):
        found.rejected += [RejectedLine(one.line, one.code) for one in part.rejected]
        found.quarantine += [RejectedLine(one.position, one.reason) for one in part.unusable]
        found.numbers.update([punch.number for punch in part.punches])
        found.records += len(part.punches) + len(part.unusable)
        times = [punch.t_local for punch in part.punches]
        if times and (min(times) < plausible.EARLIEST or max(times) > latest):
            for punch in part.punches:
                if punch.t_local < plausible.EARLIEST:
                    unlikely[punch.raw] = plausible.BEFORE_2015
                elif punch.t_local > latest:
                    unlikely[punch.raw] = plausible.FUTURE
            times = [t for t in times if plausible.EARLIEST <= t <= latest]
        if times:
            found.first = min(min(times), found.first if found.first is not None else min(times))
            found.last = max(max(times), found.last or 0)
    found.lines = file.summary.lines
    found.device_number = file.summary.device_number
    if unlikely:
        found.quarantine = sorted([*found.quarantine, *_placed(path, unlikely)])
    return found


def _placed(path: Path, reasons: Mapping[bytes, str]) -> Iterator[RejectedLine]:
    """The lines whose content is in ``reasons``: punches themselves do not know their line."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            reason = reasons.get(line.strip(b"\0\x1a\r\n"))
            if reason is not None:
                yield RejectedLine(number, reason)
