"""Everything of a month the office must look at before, or despite, freezing it.

Blocking, exactly: every ``?``; a terminal without a complete reading after the month's end; a
construction day without any punch of a terminal or a whole team, until answered. All else is a
warning. A finding decides nothing: what a day is worth is ``rules``' affair alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime

from sqlalchemy.orm import Session

from desktop.attendance import queries, reasons, rules
from desktop.attendance.answers import SILENT_TEAM, silent_key
from desktop.attendance.device_findings import device_findings
from desktop.attendance.finding import Finding, spoken
from desktop.attendance.frame import Frame
from desktop.attendance.month import MonthAttendance, PersonMonth
from desktop.attendance.rules import Dropped, Standing, Walk
from desktop.attendance.turns import double_turns
from desktop.attendance.workers import Worker
from desktop.punches.queries import shown_number
from desktop.storage.types import day_number, day_of, local_time

__all__ = ["Finding", "month_findings"]

_LISTED_TIMES = 6


def month_findings(
    session: Session, attendance: MonthAttendance, now: datetime
) -> list[Finding]:
    """All findings of a month, blocking ones first, then by day. ``now``: local wall time.

    Days without punches are asked about once they have passed.
    """
    answers = queries.answers(session, attendance.frame.project_id)
    today = now.date()
    found = [
        *_unresolved(attendance, today),
        *device_findings(session, attendance.frame, answers, now),
        *_silent_teams(attendance, answers, today),
        *_on_stop_days(attendance),
        *_on_leave_days(attendance),
        *_double_turns(attendance),
        *_dropped(attendance),
        *_unmatched(attendance),
        *_managers(attendance, today),
        *_waiting(session, attendance.frame),
    ]
    return sorted(found, key=lambda one: (not one.blocking, one.day or date.max, one.code, one.key))


def _who(worker: Worker) -> str:
    return f"{worker.name}（人员编号{worker.worker_no}）"


def _unresolved(attendance: MonthAttendance, today: date) -> Iterator[Finding]:
    """Every ``?`` of a day that is over: who came in this morning has not gone out yet."""
    for row in attendance.rows:
        if rules.UNRESOLVED not in row.symbols:
            continue
        for place, symbol in enumerate(row.symbols):
            if symbol != rules.UNRESOLVED:
                continue
            day = day_of(attendance.frame.first_day + place)
            if day >= today:
                continue
            reason = queries.cell_reasons(attendance, row, place)[0]
            yield Finding(
                "unresolved", f"unresolved:{row.worker.person_id}:{day.isoformat()}", True,
                f"{_who(row.worker)}{spoken(day)}待核：{reason}",
                "向班组长核实后登记考勤说明（补、补半或×），经批准后消除。",
                person_id=row.worker.person_id, team_id=row.current.team_id, day=day,
            )


def _silent_teams(
    attendance: MonthAttendance, answers: dict[str, str], today: date
) -> Iterator[Finding]:
    """Teams whose members were expected on a construction day and of whom nobody came."""
    frame = attendance.frame
    expected: defaultdict[int, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
    seen: defaultdict[int, set[int]] = defaultdict(set)
    for row in attendance.rows:
        for team_id, number in _team_days(row, frame):
            if number in row.walk.kept:
                seen[team_id].add(number)
            elif not any(span.first <= number <= span.last for span in row.leave):
                expected[team_id][number] += 1
    for team_id, counts in expected.items():
        team = frame.teams[team_id]
        for number in frame.construction_days(team_id):
            day = day_of(number)
            if day >= today or number in seen[team_id] or not counts[number]:
                continue
            key = silent_key(SILENT_TEAM, team_id, day)
            answer = answers.get(key, "")
            yield Finding(
                SILENT_TEAM, key, not answer,
                f"班组「{team.name}」{spoken(day)}是施工日，应到{counts[number]}人，全班没有一次有效打卡。",
                "核实后答复原因；若当日停工，请登记停工日；若漏打，请登记考勤说明。",
                team_id=team_id, day=day, answer=answer,
            )


def _team_days(row: PersonMonth, frame: Frame) -> Iterator[tuple[int, int]]:
    """``(team, day)`` of the month's days inside a stay and a team; managers stand elsewhere."""
    for one in row.assignments:
        if one.team_id is not None and not one.is_manager:
            for number in range(max(one.first, frame.first_day), min(one.last, frame.last_day) + 1):
                yield one.team_id, number


def _on_stop_days(attendance: MonthAttendance) -> Iterator[Finding]:
    frame = attendance.frame
    if not frame.stops:
        return
    for row in attendance.rows:
        for team_id in {one.team_id for one in row.assignments}:
            for number, text in frame.stopped(team_id).items():
                own = row.worker.assignment_on(number)
                if number not in row.walk.kept or own is None or own.team_id != team_id:
                    continue
                day = day_of(number)
                yield Finding(
                    "stop_day_punched", f"stop_day_punched:{row.worker.person_id}:{day}", False,
                    f"{_who(row.worker)}在停工日{spoken(day)}（{text}）有打卡，"
                    f"按打卡记“{row.cells.symbols[number - frame.first_day]}”。",
                    "核实停工范围与日期；确有留守人员的无需处理。",
                    person_id=row.worker.person_id, team_id=team_id, day=day,
                )


def _on_leave_days(attendance: MonthAttendance) -> Iterator[Finding]:
    frame = attendance.frame
    for row in attendance.rows:
        for span in row.leave:
            if span.kind == "business":
                continue
            low, high = max(span.first, frame.first_day), min(span.last, frame.last_day)
            for number in range(low, high + 1):
                if number in row.walk.kept:
                    day = day_of(number)
                    yield Finding(
                        "leave_day_punched", f"leave_day_punched:{row.worker.person_id}:{day}",
                        False, f"{_who(row.worker)}{spoken(day)}登记为{span.text}，但有打卡。",
                        "核实假期起止；销假的请撤回请假记录后按实际重新登记。",
                        person_id=row.worker.person_id, day=day,
                    )


def _double_turns(attendance: MonthAttendance) -> Iterator[Finding]:
    for row in attendance.rows:
        for stretch in double_turns(row.walk, attendance.rule):
            if stretch.day not in attendance.frame.days:
                continue
            day = day_of(stretch.day)
            came, left = local_time(stretch.came), local_time(stretch.left)
            yield Finding(
                "double_turn", f"double_turn:{row.worker.person_id}:{day}", False,
                f"{_who(row.worker)}连班：{came:%m-%d %H:%M}至{left:%m-%d %H:%M}白班夜班连续在场。",
                "提醒班组长安排休息，核对是否代打卡。",
                person_id=row.worker.person_id, day=day,
            )


def _dropped(attendance: MonthAttendance) -> Iterator[Finding]:
    """One finding per person, day and reason, whatever the number of punches."""
    walks: list[tuple[Worker, Walk]] = [(row.worker, row.walk) for row in attendance.rows]
    for worker, made in [*walks, *attendance.outsiders]:
        grouped: defaultdict[tuple[int, Standing], list[Dropped]] = defaultdict(list)
        for dropped in made.dropped:
            if dropped.day in attendance.frame.days:
                grouped[dropped.day, dropped.why].append(dropped)
        for (number, why), some in grouped.items():
            yield _dropped_finding(attendance.frame, worker, number, why, some)


_NEXT_STEP = {
    Standing.NOT_ACCEPTED: "无需处理；多次出现请检查该人的人脸登记。",
    Standing.NOT_BIOMETRIC: "提醒本人刷脸或指纹；在考勤机上关闭刷卡和密码。",
    Standing.UNPROVEN: "该机若只开生物识别，请在设备页登记“仅生物识别”及依据。",
    Standing.REPEATED: "无需处理。",
    Standing.OUTSIDE_STAY: "核对进场、退场日期；退场人员请在考勤机上注销。",
}


def _dropped_finding(
    frame: Frame, worker: Worker, number: int, why: Standing, some: Iterable[Dropped]
) -> Finding:
    day, code = day_of(number), reasons.DROPPED_CODES[why]
    names = [reasons.named(dropped.punch, number, frame.gates) for dropped in some]
    shown = "、".join(names[:_LISTED_TIMES])
    if len(names) > _LISTED_TIMES:
        shown += f"等{len(names)}次"
    where = rules.terminal_of(next(iter(some)).punch)
    return Finding(
        code, f"{code}:{worker.person_id}:{day}", False,
        f"{_who(worker)}{spoken(day)}{shown}未计：{reasons.DROPPED_WORDS[why]}。", _NEXT_STEP[why],
        person_id=worker.person_id, terminal_id=frame.terminals[where].id, day=day,
    )


def _unmatched(attendance: MonthAttendance) -> Iterator[Finding]:
    names = {terminal.id: terminal.name for terminal in attendance.frame.terminals}
    for one in attendance.unmatched:
        first, last = local_time(one.first).date(), local_time(one.last).date()
        number = shown_number(one.number)
        yield Finding(
            "unmatched_number", f"unmatched_number:{one.terminal_id}:{number}", False,
            f"「{names[one.terminal_id]}」上的编号{number}有{one.punches}次打卡"
            f"（{spoken(first)}至{spoken(last)}），未对应到花名册上的人。",
            "到设备页“对号”中指认；不是本项目人员的，请在考勤机上注销。",
            terminal_id=one.terminal_id,
        )


def _managers(attendance: MonthAttendance, today: date) -> Iterator[Finding]:
    """The 80 %: missed when the month is over, or behind while it runs."""
    frame = attendance.frame
    working = frame.construction_days()
    left = sum(1 for day in working if day >= day_number(today))
    for row, presence in attendance.project_managers():
        passed = len(working) - left
        if presence.reached or presence.punched * 50 >= presence.required * passed:
            continue
        missing = (presence.required * len(working) + 99) // 100 - presence.punched / 2
        outlook = f"剩余{left}个施工日中还需带班{missing:g}天。" if left else ""
        yield Finding(
            "manager_below", f"manager_below:{row.worker.person_id}:{frame.month}", False,
            f"项目经理{_who(row.worker)}：{presence.sentence}。{presence.beside}{outlook}",
            "离开项目须经建设单位书面同意并委托负责人；漏打的请登记考勤说明。",
            person_id=row.worker.person_id,
        )


def _waiting(session: Session, frame: Frame) -> Iterator[Finding]:
    count = queries.waiting_explanations(session, frame.project_id, frame.first, frame.last)
    if count:
        yield Finding(
            "explanation_waiting", f"explanation_waiting:{frame.month}", False,
            f"本月有{count}份考勤说明尚未批准，暂不计入。", "由项目经理审批或撤回。",
        )
