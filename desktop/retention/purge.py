"""Purging in two persons: one proposes, another approves, after a waiting time it is run.

Everything is asked again when it is run: terms, holds, who is concerned. The database part is one
transaction; files are removed and freed pages overwritten after it, and a run that was interrupted
there is finished by running it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

from sqlalchemy.orm import Session

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.errors import Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.paths import disk_fault
from desktop.punches import originals
from desktop.retention import people
from desktop.retention.backups import holding
from desktop.retention.biometric import removal_tasks
from desktop.retention.dates import dates_of, policy_of
from desktop.retention.erase import Erased, erase_downloads, erase_persons
from desktop.retention.holds import refuse_held
from desktop.retention.result import PurgeResult
from desktop.retention.rules import (
    PURGED_HERE,
    Decision,
    RecordClass,
    decide,
    two_persons,
)
from desktop.retention.scope import (
    Original,
    Persons,
    digests,
    originals_of,
    persons_due,
    refuse_half_sight,
    refuse_not_due,
    refuse_originals,
)
from desktop.retention.steps import PurgeView, Step, add_purge, add_step, hands_of, purge_of
from desktop.storage.scrub import scrub

_NOT_HERE: Mapping[RecordClass, str] = MappingProxyType({
    RecordClass.CONTRACT: "劳动合同随本人的台账（ledger）一并清除",
    RecordClass.PAYROLL: "账本里没有工资支付台账",
    RecordClass.ASSESSMENT: "影响评估是纸质档案，到期自行销毁",
    RecordClass.BIOMETRIC: "人脸、指纹模板不进账本，请办理考勤机上的删除任务（retention tasks）",
})


# ── proposing ───────────────────────────────────────────────────────────────────────────────────


def propose_purge(
    desk: Desk, record_class: RecordClass, why: str, *, workers: Sequence[int] | None = None
) -> int:
    """Propose to purge what is due today; returns the purge's number.

    ``workers``: these persons only (class ``ledger``). Raises :class:`Refused` with the reason:
    ``purge_why``, ``why_names``, ``class_not_purged``, ``dates_missing``, ``not_due``, ``held``,
    ``removals_open``, ``originals_first``, ``not_eligible``, ``nothing_due``.
    """
    desk.permit(Act.PURGE_PROPOSED)
    if record_class not in PURGED_HERE:
        raise Refused("class_not_purged", f"{_NOT_HERE[record_class]}，没有提出清除。")
    today = desk.clock.today()
    with desk.book.write() as session:
        _check_why(session, desk, why)
        decision = decide(record_class, dates_of(session, desk.project_id).facts)
        refuse_not_due(decision, today)
        if record_class is RecordClass.ATTENDANCE:
            content = _downloads_content(_downloads(session, desk))
        else:
            content = _persons_content(_persons(session, desk, today, workers), workers)
        content |= _rule_content(session, desk, decision, today)
        number = add_purge(session, desk, record_class, why.strip(), content)
        desk.audit(
            session, Act.PURGE_PROPOSED, f"purge:{number}", why=why.strip(),
            record_class=record_class.value, counts=content["counts"],
        )
        return number


def _check_why(session: Session, desk: Desk, why: str) -> None:
    """The reason stays for ever: it may name nobody who is erased one day."""
    if not why.strip():
        raise Refused("purge_why", "办理清除须写明理由，未做任何改动。请填写理由。")
    everybody = people.needles_for(session, desk.book.sealer, people.everybody(session))
    if everybody.in_text(why):
        raise Refused(
            "why_names", "理由会永久留存，请不要写姓名、证件号或电话，未做任何改动。请改用人员编号。"
        )


def _downloads(session: Session, desk: Desk) -> list[Original]:
    refuse_held(session, desk.project_id, None)
    _refuse_open_removals(session, desk, None)
    found = originals_of(session, desk.book.path, desk.project_id)
    if not found:
        raise Refused("nothing_due", "没有需要清除的原始下载，未做任何改动。")
    return found


def _refuse_open_removals(session: Session, desk: Desk, workers: set[int] | None) -> None:
    """What terminals showed is the only way to see that a template is gone."""
    waiting = [
        task for task in removal_tasks(session, desk.project_id, desk.clock.today())
        if workers is None or task.worker_no in workers
    ]
    if waiting:
        raise Refused(
            "removals_open",
            f"还有{len(waiting)}项考勤机人脸、指纹删除任务没有确认，清除后将无从核对，没有清除任何内容。"
            "请先办理（retention tasks）。",
            tasks=len(waiting),
        )


def _persons(
    session: Session, desk: Desk, today: date, workers: Sequence[int] | None
) -> Persons:
    refuse_half_sight(session, desk.book.dialect)
    refuse_held(session, desk.project_id, set())
    scope = persons_due(session, desk.project_id, today, workers)
    if workers is not None and len(scope.numbers) != len(set(workers)):
        unknown = len(set(workers)) - len(scope.numbers) - sum(scope.skipped.values())
        reason = "，".join(
            filter(None, (scope.skipped_sentence, f"不在花名册{unknown}人" if unknown else ""))
        )
        raise Refused(
            "not_eligible", f"所列人员不能全部清除（{reason}），没有清除任何内容。请改名单后再提。",
            skipped=dict(scope.skipped),
        )
    if not scope.numbers:
        reason = scope.skipped_sentence or "没有人员"
        raise Refused(
            "nothing_due", f"没有可清除的人员（{reason}），未做任何改动。", skipped=dict(scope.skipped)
        )
    refuse_originals(session, desk.book.path, scope.projects)
    _refuse_open_removals(session, desk, set(scope.numbers.values()))
    return scope


def _downloads_content(found: Sequence[Original]) -> dict[str, Any]:
    days = [one.at for one in found]
    return {
        "counts": {"download": len(found)}, "bytes": sum(one.size for one in found),
        "downloads": [one.download_id for one in found],
        "period": [min(days).isoformat(), max(days).isoformat()],
    }


def _persons_content(scope: Persons, workers: Sequence[int] | None) -> dict[str, Any]:
    passed_over = sum(count for why, count in scope.skipped.items() if why != "erased")
    return {
        "counts": {"person": len(scope.numbers)}, "workers": sorted(scope.numbers.values()),
        "whole": workers is None and not passed_over, "skipped": dict(scope.skipped),
        "projects": sorted(scope.projects),
        "due_on": None if scope.due_on is None else scope.due_on.isoformat(),
    }


def _rule_content(
    session: Session, desk: Desk, decision: Decision, today: date
) -> dict[str, Any]:
    """The rule as it stood when it was proposed."""
    dates = dates_of(session, desk.project_id).facts
    assert decision.decided_by is not None and decision.earliest is not None
    return {
        "rule": {
            "class": decision.record_class.value, "clause": decision.decided_by.clause.id,
            "earliest": decision.earliest.isoformat(), "says": decision.explanation,
            "terms": [
                {
                    "clause": term.clause.id, "says": term.clause.says,
                    "starts_on": str(term.starts_on), "ends_on": str(term.ends_on),
                }
                for term in decision.terms
            ],
        },
        "dates": {
            "completed_on": str(dates.completed_on), "wages_settled_on": str(dates.settled_on),
        },
        "waiting_days": policy_of(session, desk.project_id, today).waiting_days,
    }


# ── approving and withdrawing ───────────────────────────────────────────────────────────────────


def approve_purge(desk: Desk, number: int, *, why: str = "同意清除") -> date:
    """The second person agrees; returns the first day of the run.

    Raises :class:`Refused` ``same_person``, ``purge_state``, ``why_names``, ``held``.
    """
    desk.permit(Act.PURGE_APPROVED)
    with desk.book.write() as session:
        purge = purge_of(session, desk.project_id, number)
        _refuse_state(purge, "proposed", "批准")
        _check_why(session, desk, why)
        if not two_persons(purge.proposed, hands_of(desk)):
            raise Refused(
                "same_person",
                f"{number}号清除由「{purge.proposed.name}」提出，须由另一名用户批准，没有批准。"
                "只有一名管理员的账本请先添加第二名用户（user add），并由用户账号提出。",
            )
        concerned = None if purge.record_class is RecordClass.ATTENDANCE else set(
            people.ids_of(session, purge.content["workers"])
        )
        refuse_held(session, desk.project_id, concerned)
        add_step(session, desk, number, Step.APPROVED, {}, why=why.strip())
        desk.audit(session, Act.PURGE_APPROVED, f"purge:{number}", why=why.strip())
        first = purge_of(session, desk.project_id, number).may_run_on
        assert first is not None
        return first


def withdraw_purge(desk: Desk, number: int, why: str) -> None:
    """Take a purge back before it was run; who may propose or approve may do that."""
    act = desk.permit_any(Act.PURGE_PROPOSED, Act.PURGE_APPROVED)
    with desk.book.write() as session:
        purge = purge_of(session, desk.project_id, number)
        if purge.state not in ("proposed", Step.APPROVED):
            _refuse_state(purge, "proposed", "撤回")
        _check_why(session, desk, why)
        add_step(session, desk, number, Step.WITHDRAWN, {}, why=why.strip())
        desk.audit(session, act, f"purge:{number}", why=why.strip(), withdrawn=True)


_STATE_WORDS = {
    "proposed": "已提出、待批准", "approved": "已批准", "withdrawn": "已撤回",
    "run": "已执行", "finished": "已执行完毕",
}


def _refuse_state(purge: PurgeView, wanted: str, act: str) -> None:
    if purge.state != wanted:
        raise Refused(
            "purge_state",
            f"{purge.number}号清除{_STATE_WORDS[purge.state]}，不能{act}，未做任何改动。"
            "请用 retention list 查看。",
            state=purge.state,
        )


# ── running ─────────────────────────────────────────────────────────────────────────────────────


def run_purge(
    desk: Desk, number: int, *, progress: Progress = silent, cancel: CancelToken | None = None
) -> PurgeResult:
    """Erase what was approved; also finishes a run that was interrupted after its transaction.

    Raises :class:`Refused` ``purge_state``, ``purge_waiting``, ``purge_changed``, ``held`` and what
    proposing raises; then nothing was erased.
    """
    desk.permit(Act.PURGE_RUN)
    with desk.book.write() as session:
        purge = purge_of(session, desk.project_id, number)
        if purge.state != Step.RUN:
            erased = _run(session, desk, purge, progress, cancel)
            add_step(session, desk, number, Step.RUN, erased.as_json())
            desk.audit(
                session, Act.PURGE_RUN, f"purge:{number}", counts=dict(erased.counts),
                record_class=purge.record_class.value,
            )
    return _finish(desk, number, progress)


def _run(
    session: Session, desk: Desk, purge: PurgeView, progress: Progress,
    cancel: CancelToken | None,
) -> Erased:
    _refuse_state(purge, Step.APPROVED, "执行")
    today, first = desk.clock.today(), purge.may_run_on
    approved = purge.steps[Step.APPROVED]
    assert first is not None
    if not two_persons(purge.proposed, approved.by):
        raise Refused(
            "same_person", f"{purge.number}号清除的提出人与批准人不能确认为两个人，没有执行。请重新办理。"
        )
    if today < first:
        raise Refused(
            "purge_waiting",
            f"{purge.number}号清除批准后须等待{purge.content['waiting_days']}天，{first}起才能执行，没有执行。",
            may_run_on=first.isoformat(),
        )
    refuse_not_due(decide(purge.record_class, dates_of(session, desk.project_id).facts), today)
    if purge.record_class is RecordClass.ATTENDANCE:
        found = _downloads(session, desk)
        _refuse_changed([one.download_id for one in found], purge.content["downloads"])
        return erase_downloads(session, desk, purge.number, found)
    scope = _persons(session, desk, today, purge.content["workers"])
    _refuse_changed(sorted(scope.projects), purge.content["projects"])
    return erase_persons(
        session, desk, purge.number, scope, whole=purge.content["whole"], progress=progress,
        cancel=cancel,
    )


def _refuse_changed(now: list[int], then: list[int]) -> None:
    """More may have come in since; what was approved was the list of then."""
    if now != then:
        raise Refused(
            "purge_changed",
            "批准之后清单有了变化（新的下载或在场记录），没有执行。请撤回后重新提出。",
        )


def _finish(desk: Desk, number: int, progress: Progress) -> PurgeResult:
    """Remove the files, overwrite freed pages, and say which backups still hold it."""
    with desk.book.read() as session:
        purge = purge_of(session, desk.project_id, number)
    done = purge.steps[Step.RUN].content
    files, size = _remove_files(desk, purge)
    progress(0, 0, "覆盖数据库旧页")
    scrubbed = scrub(desk.book)
    if scrubbed or desk.book.dialect != "sqlite":
        with desk.book.write() as session:
            result = {"files": files, "bytes": size, "scrubbed": scrubbed}
            add_step(session, desk, number, Step.FINISHED, result)
    last = max(
        (one["sequence"] for one in done["segments"] if one["project"] == desk.project_id),
        default=0,
    )
    return PurgeResult(
        number, done["counts"], files, size, scrubbed, done["names_kept"], done["doubtful"],
        holding(desk, last),
    )


def _remove_files(desk: Desk, purge: PurgeView) -> tuple[int, int]:
    """Unlink purged originals that no other project still keeps; how many, how large."""
    if purge.record_class is not RecordClass.ATTENDANCE:
        return 0, 0
    with desk.book.read() as session:
        wanted, kept = digests(session, purge.content["downloads"])
    files = size = 0
    for digest in sorted(wanted - kept):
        path = desk.book.path / originals.FOLDER / digest.hex()
        try:
            size += path.stat().st_size
            path.unlink()
            files += 1
        except FileNotFoundError:
            continue
        except OSError as error:
            raise disk_fault(error, path.parent) from error
    return files, size
