"""Where a month really stands: what is stored, what still blocks, what changed since the freeze."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from desktop.access.actor import View
from desktop.access.desk import Desk
from desktop.attendance.findings import Finding, month_findings
from desktop.attendance.month import compute_month
from desktop.months.freeze import changed_rows
from desktop.months.frozen import frozen_month, load_frozen
from desktop.months.queries import MonthStatus, latest_version, month_status


@dataclass(frozen=True, slots=True)
class MonthOutlook:
    """``changed`` rows differ from the newest version: freezing again would make the next one."""

    status: MonthStatus
    blocking: list[Finding]
    warnings: list[Finding]
    changed: list[dict[str, Any]]

    @property
    def sentence(self) -> str:
        """For people: state, then what is missing."""
        lines = [self.status.sentence]
        if self.blocking:
            lines.append(f"还有 {len(self.blocking)} 项须处理：")
            lines += [f"  · {finding.text} → {finding.next_step}" for finding in self.blocking]
        if self.changed:
            lines.append(f"冻结后有 {len(self.changed)} 行变动，需要再冻结一版并只重签这些行。")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """The result of ``month status``."""
        return {
            **self.status.as_json(), "blocking": self.blocking, "warnings": self.warnings,
            "changed": self.changed, "outdated": bool(self.changed),
        }


def month_outlook(desk: Desk, month: str) -> MonthOutlook:
    """Compute ``YYYY-MM`` anew and hold it against what is frozen. Nothing is stored."""
    with desk.look(View.MONTHS) as session:
        status = month_status(session, desk.project_id, month, desk.clock.today())
        computed = compute_month(session, desk.project_id, month)
        findings = month_findings(session, computed, desk.clock.local())
        version = latest_version(session, desk.project_id, month)
        changed = [] if version is None else changed_rows(
            load_frozen(session, version, desk.book.sealer),
            frozen_month(session, computed, desk.book.ring.subkey_on),
        )
    return MonthOutlook(
        status, [f for f in findings if f.blocking], [f for f in findings if not f.blocking],
        changed,
    )
