"""Freeze a month: rows, rule and digests into the chain; nothing frozen is ever changed.

A freeze is refused while blocking findings are open, unless the user gives a reason that is kept
and audited. Freezing again after new punches, explanations or stays makes the next version and
names the rows that changed; without a change it says so and writes nothing (invariant 7).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.attendance.findings import Finding, month_findings
from desktop.attendance.frame import month_bounds
from desktop.attendance.month import compute_month
from desktop.errors import Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.months import leaves
from desktop.months.frozen import FrozenMonth, frozen_month, load_frozen
from desktop.months.queries import latest_version
from desktop.months.tables import MonthRow, MonthVersion
from desktop.storage import chain

SHOWN = 12
"""Changed rows named in the sentence; all of them are in ``changed``."""

_WORDS = {
    "unresolved": "「?」待核",
    "terminal_incomplete": "考勤机月末未读全",
    "terminal_silent": "施工日整机无打卡",
    "team_silent": "施工日整班无打卡",
}


class BlockingFindings(Refused):
    """The month cannot be frozen yet. ``blocking`` and ``warnings`` list every finding.

    The message counts; names stand in the findings only, which are shown and never logged.
    """

    def __init__(self, month: str, blocking: list[Finding], warnings: list[Finding]) -> None:
        counts = Counter(_WORDS.get(finding.code, finding.code) for finding in blocking)
        listed = "、".join(f"{word} {count} 项" for word, count in counts.items())
        super().__init__(
            "blocking_findings",
            f"{month} 还有 {len(blocking)} 项未处理（{listed}），未冻结。"
            "请逐项处理（情况说明、采集或书面说明），或写明理由后带项冻结（--accept-open）。",
            month=month, blocking=len(blocking), warnings=len(warnings),
        )
        self.blocking = blocking
        self.warnings = warnings


@dataclass(frozen=True, slots=True)
class FreezeResult:
    """What a freeze did. ``unchanged``: the last version already says all of this."""

    month: str
    version: int
    digest: bytes
    rows: int
    blocking: list[Finding]
    warnings: list[Finding]
    changed: list[dict[str, Any]] = field(default_factory=list)
    unchanged: bool = False

    @property
    def sentence(self) -> str:
        """For people."""
        if self.unchanged:
            return f"{self.month} 自第 {self.version} 版冻结后没有变化，未生成新版本。"
        text = f"{self.month} 已冻结第 {self.version} 版，共 {self.rows} 行，摘要 {self.digest.hex()[:16]}…"
        if self.version > 1:
            names = "、".join(str(row["worker_no"]) for row in self.changed[:SHOWN])
            text += f"\n变动 {len(self.changed)} 行（人员编号）：{names}。只有这些行需要重新签字。"
        return text

    def as_json(self) -> dict[str, Any]:
        """The result of ``month freeze``."""
        return {
            "month": self.month, "version": self.version, "digest": self.digest.hex(),
            "rows": self.rows, "blocking": self.blocking, "warnings": self.warnings,
            "changed": self.changed, "unchanged": self.unchanged,
        }


def freeze_month(
    desk: Desk,
    month: str,
    accept_open: str | None = None,
    *,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> FreezeResult:
    """Freeze ``YYYY-MM`` as the next version.

    ``accept_open`` is the reason for freezing with open findings. Raises
    :class:`BlockingFindings` without one, :class:`Refused` for a month that cannot be.
    """
    desk.permit(Act.MONTH_FROZEN)
    reason = (accept_open or "").strip()
    if accept_open is not None and not reason:
        raise Refused("reason_needed", "带项冻结要写明理由，未冻结。")
    first, _ = month_bounds(month)
    if first > desk.clock.today():
        raise Refused("month_to_come", f"{month} 还没有开始，未冻结。请核对月份。", month=month)
    # One transaction from the first read to the last row: what is frozen is what was computed.
    with desk.book.write() as session:
        computed = compute_month(
            session, desk.project_id, month, progress=progress, cancel=cancel
        )
        if not computed.rows:
            raise Refused("empty_month", f"{month} 没有任何在场人员，未冻结。请先导入花名册。")
        findings = month_findings(session, computed, desk.clock.local())
        blocking = [finding for finding in findings if finding.blocking]
        warnings = [finding for finding in findings if not finding.blocking]
        if blocking and not reason:
            raise BlockingFindings(month, blocking, warnings)
        progress(0, 0, "冻结")
        frozen = frozen_month(session, computed, desk.book.ring.subkey_on)
        last = latest_version(session, desk.project_id, month)
        if last is not None and _erased(session, last):
            raise Refused(
                "month_erased",
                f"{month} 的个人信息已按保存期限清除，不再冻结新版本，原版本保持不变。",
                month=month,
            )
        digest = frozen.digest
        if last is not None and last.digest == digest:
            return FreezeResult(
                month, last.version, digest, frozen.rows, blocking, warnings, unchanged=True
            )
        changed = [] if last is None else changed_rows(
            load_frozen(session, last, desk.book.sealer), frozen
        )
        number = 1 if last is None else last.version + 1
        _store(session, desk, frozen, number, digest, findings, reason)
        desk.audit(
            session, Act.MONTH_FROZEN, f"month:{month}", why=reason, version=number,
            rows=frozen.rows, digest=digest.hex(), open_findings=len(blocking),
            changed=[row["worker_no"] for row in changed],
        )
    return FreezeResult(month, number, digest, frozen.rows, blocking, warnings, changed)


def _store(
    session: Session, desk: Desk, frozen: FrozenMonth, number: int, digest: bytes,
    findings: list[Finding], reason: str,
) -> None:
    heads = [{"number": sheet.number, **sheet.head} for sheet in frozen.sheets]
    version = MonthVersion(
        project_id=desk.project_id, month=frozen.month, version=number, rule=frozen.rule,
        rule_version=frozen.rule_version, digest=digest, head={**frozen.head, "sheets": heads},
        findings=[finding.key for finding in findings], accepted_open=reason,
        frozen_by=desk.actor.name, frozen_at=desk.clock.now(),
    )
    rows = [
        (sheet.number, position, row)
        for sheet in frozen.sheets
        for position, row in enumerate(sheet.rows, 1)
    ]
    chained = [
        leaves.version_leaf(version),
        *(leaves.row_leaf(sheet, place, row.person_id, row.leaf) for sheet, place, row in rows),
    ]
    segment = chain.append(
        session, desk.project_id, leaves.MONTH, chained,
        {"month": frozen.month, "version": number, "digest": digest.hex(), "rows": len(rows)},
        at=version.frozen_at, operator=desk.actor.name,
    )
    version.segment_id = segment.id
    session.add(version)
    session.flush()
    sealer = desk.book.sealer
    session.add_all(
        MonthRow(
            month_version_id=version.id, sheet=sheet, position=place, person_id=row.person_id,
            facts=row.facts, personal_sealed=sealer.seal(row.personal), salt=row.salt,
            leaf=row.leaf,
        )
        for sheet, place, row in rows
    )


def _erased(session: Session, version: MonthVersion) -> bool:
    """Has a row of the version lost its name, so that it can no longer be frozen anew?"""
    erased = select(MonthRow.id).where(
        MonthRow.month_version_id == version.id, MonthRow.salt.is_(None)
    )
    return session.scalar(erased.limit(1)) is not None


def changed_rows(before: FrozenMonth, after: FrozenMonth) -> list[dict[str, Any]]:
    """Rows that are new, gone or different: ``{sheet, worker_no, kind, days}``.

    ``kind`` is ``added``, ``removed`` or ``changed``; ``days`` names the changed cells.
    """
    old = {(s.number, r.person_id): r for s in before.sheets for r in s.rows}
    new = {(s.number, r.person_id): r for s in after.sheets for r in s.rows}
    changes: list[dict[str, Any]] = []
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        if was is not None and now is not None and (
            was.leaf == now.leaf or (was.erased and was.facts == now.facts)
        ):
            continue
        row = now or was
        assert row is not None
        days: list[int] = []
        kind = "added" if was is None else "removed" if now is None else "changed"
        if was is not None and now is not None:
            pairs = zip(was.facts["cells"], now.facts["cells"], strict=False)
            days = [day for day, (left, right) in enumerate(pairs, 1) if left != right]
        changes.append(
            {"sheet": key[0], "worker_no": row.worker_no, "kind": kind, "days": days}
        )
    return changes
