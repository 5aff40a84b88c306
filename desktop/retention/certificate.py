"""清除证明: a printed page and a document for machines about one finished purge, without any
personal data of those who were erased."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from desktop import delivery
from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.clock import CHINA
from desktop.errors import Refused
from desktop.retention.backups import HoldingBackup, holding
from desktop.retention.dates import ProjectDates, dates_of
from desktop.retention.result import COUNT_WORDS
from desktop.retention.rules import CLASS_WORDS, RecordClass
from desktop.retention.steps import PurgeView, Step, purge_of
from desktop.site import queries as site
from desktop.storage import chain
from reports.erasure_certificate import (
    TITLE,
    CertificateHand,
    CertificateInput,
    CertificateTerm,
    certificate_document,
)
from reports.paper import Document

_GENERAL_CONTRACTOR = "009"
_SHOWN = 4
"""Segments listed on the paper."""
_KEPT = {
    RecordClass.ATTENDANCE: "打卡记录（只有编号和时间）、下载的条数和校验值。",
    RecordClass.LEDGER: "人员编号、在场日期、工种、打卡时间、月表符号和天数，以及每条记录的校验值。",
}


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where the two files were written."""

    pdf: Path
    document: Path
    sha256: str
    """Of the PDF."""

    def as_json(self) -> dict[str, Any]:
        """The result of ``retention certificate``."""
        return {"pdf": self.pdf, "document": self.document, "sha256": self.sha256}


def certificate(desk: Desk, number: int, out: Path) -> CertificateFiles:
    """Write PDF and JSON of a purge that was run into the folder ``out``.

    Raises :class:`Refused` ``purge_not_run``, ``unknown_purge``, ``out_in_book``;
    :class:`EnvironmentFault` for the disk.
    """
    desk.permit(Act.ERASURE_CERTIFIED)
    from reports.painter import write_pdf

    out = delivery.destination(out, desk.book.path)
    with desk.book.read() as session:
        made = _made(session, desk, number)
    stem = f"清除证明-{made.number}"
    with delivery.working_folder(out) as folder:
        write_pdf(made.document, folder / f"{stem}.pdf", None, None)
        text = json.dumps(made.facts, ensure_ascii=False, indent=2, default=str) + "\n"
        (folder / f"{stem}.json").write_text(text, encoding="utf-8")
        digest = delivery.sha256_of(folder / f"{stem}.pdf")
        with desk.book.write() as session:
            desk.audit(session, Act.ERASURE_CERTIFIED, f"purge:{number}", sha256=digest)
            delivery.hand_over(folder, out, [f"{stem}.pdf", f"{stem}.json"])
    return CertificateFiles(out / f"{stem}.pdf", out / f"{stem}.json", digest)


@dataclass(frozen=True, slots=True)
class _Made:
    """One certificate before it is written."""

    number: str
    document: Document
    facts: dict[str, Any]


def _made(session: Session, desk: Desk, number: int) -> _Made:
    purge = purge_of(session, desk.project_id, number)
    if Step.RUN not in purge.steps:
        raise Refused(
            "purge_not_run", f"{number}号清除还没有执行，没有出具证明。请执行（retention run）后再办。"
        )
    project = site.project_view(session, desk.project_id)
    contractors = site.companies_of_kind(session, desk.project_id, _GENERAL_CONTRACTOR)
    run = purge.steps[Step.RUN].content
    last = chain.head(session, desk.project_id)
    assert last is not None
    own = [one for one in run["segments"] if one["project"] == desk.project_id]
    backups = holding(desk, max((one["sequence"] for one in own), default=0))
    today = desk.clock.today()
    shown = f"QC-{project.code}-{number:03d}"
    dates = dates_of(session, desk.project_id)
    made = CertificateInput(
        number=shown, project=project.name,
        contractor="、".join(company.name for company in contractors),
        book=desk.book.book_id, what=CLASS_WORDS[purge.record_class],
        period=_period(purge, project.started_on), counts=_counts(run["counts"]),
        completed=_dated(purge, "completed_on", dates),
        settled=_dated(purge, "wages_settled_on", dates),
        rule=purge.content["rule"]["says"], terms=_terms(purge), hands=_hands(purge),
        waiting=f"批准后等待{purge.content['waiting_days']}天，{purge.may_run_on}起可执行",
        files=_files(purge), pages=_pages(purge),
        kept=_KEPT[purge.record_class] + _namesakes(run),
        backups=_backups(backups),
        segments=_segments(own), head=f"第{last.sequence}段　{_grouped(last.hash.hex())}",
        made_on=f"{today.year}年{today.month}月{today.day}日", made_on_iso=today.isoformat(),
    )
    facts = {
        "form": TITLE, "number": shown, "project": project.name, "project_code": project.code,
        "book": desk.book.book_id, "class": purge.record_class.value, "period": made.period,
        "counts": run["counts"], "rule": purge.content["rule"], "dates": purge.content["dates"],
        "proposed": _hand(purge.proposed.name, purge.proposed_at),
        "approved": _step(purge, Step.APPROVED), "run": _step(purge, Step.RUN),
        "finished": _step(purge, Step.FINISHED), "waiting_days": purge.content["waiting_days"],
        "segments": run["segments"], "backups": [one.as_json() for one in backups],
        "head": {"sequence": last.sequence, "hash": last.hash.hex()},
        "made_on": today.isoformat(),
    }
    return _Made(shown, certificate_document(made), facts)


def _namesakes(run: dict[str, Any]) -> str:
    """Names that equal an erased one and are somebody else's, or something else's."""
    kept, doubtful = sum(run["names_kept"].values()), run["doubtful"]
    parts = [f"同名的单位、班组、账号等名称{kept}处"] if kept else []
    parts += [f"与留存人员相同的姓名或号码{doubtful}个"] if doubtful else []
    return f"另有{'、'.join(parts)}未动。" if parts else ""


def _period(purge: PurgeView, started: Any) -> str:
    first, last = purge.content.get("period", (None, None))
    if first is None:
        return f"{started or '开工'}至{purge.content['dates']['completed_on']}（全部在场期间）"
    return f"{first}至{last}"


def _counts(counts: dict[str, int]) -> list[tuple[str, str]]:
    return [
        (COUNT_WORDS.get(kind, kind), f"{n}{'人' if kind == 'person' else '条'}")
        for kind, n in counts.items() if n
    ]


def _segments(own: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Positions and hashes; of many the first and the last, all of them stand in the JSON."""
    shown = own if len(own) <= _SHOWN else [own[0], own[-1]]
    rows = [(f"第{one['sequence']}段", _grouped(one["hash"])) for one in shown]
    if len(own) > _SHOWN:
        rows.insert(1, ("", f"……（共{len(own)}段，全部列在同名 JSON 文件里）"))
    return rows


def _grouped(digest: str) -> str:
    """Sixteen signs at a time: a digest is compared by eye."""
    return " ".join(digest[start : start + 16] for start in range(0, len(digest), 16))


def _dated(purge: PurgeView, name: str, dates: ProjectDates) -> str:
    """The day the purge went by; with the document, if it is still the same day."""
    day = purge.content["dates"][name]
    held = dates.completed if name == "completed_on" else dates.settled
    if held is not None and str(held.day) == day:
        return f"{day}（{held.document}）"
    return str(day)


def _terms(purge: PurgeView) -> list[CertificateTerm]:
    return [
        CertificateTerm(term["clause"], term["says"], term["starts_on"], term["ends_on"])
        for term in purge.content["rule"]["terms"]
    ]


def _hands(purge: PurgeView) -> list[CertificateHand]:
    found = [CertificateHand("提出", purge.proposed.name, _moment(purge.proposed_at))]
    for step, word in ((Step.APPROVED, "批准"), (Step.RUN, "执行")):
        done = purge.steps[step]
        found.append(CertificateHand(word, done.by.name, _moment(done.at)))
    return found


def _files(purge: PurgeView) -> str:
    finished = purge.steps.get(Step.FINISHED)
    if purge.record_class is not RecordClass.ATTENDANCE:
        return "不涉及（原始下载已先行清除）"
    if finished is None:
        return "尚未删除完毕"
    return f"已删除{finished.content['files']}份，共{finished.content['bytes']}字节"


def _pages(purge: PurgeView) -> str:
    finished = purge.steps.get(Step.FINISHED)
    if finished is None:
        return "尚未覆盖"
    if finished.content["scrubbed"]:
        return "数据库文件已整理重写，旧页和日志不再含有被清除的内容"
    return "账本在数据库服务器上，旧行由服务器管理员按手册回收（VACUUM）"


def _backups(backups: list[HoldingBackup]) -> str:
    if not backups:
        return "没有清除之前的备份"
    listed = "；".join(backup.sentence for backup in backups[:4])
    more = f"等共{len(backups)}份" if len(backups) > 4 else ""
    return f"清除前的备份仍含有上述内容：{listed}{more}。"


def _hand(name: str, at: datetime) -> dict[str, str]:
    return {"by": name, "at": at.isoformat()}


def _step(purge: PurgeView, step: Step) -> dict[str, str] | None:
    done = purge.steps.get(step)
    return None if done is None else _hand(done.by.name, done.at)


def _moment(at: datetime) -> str:
    return f"{at.astimezone(CHINA):%Y-%m-%d %H:%M}"
