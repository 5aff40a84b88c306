"""The certificate: what it must say, and that it names nobody who was erased."""

from __future__ import annotations

import json
from pathlib import Path

import pypdfium2
import pytest
from sqlalchemy import select

from desktop.access.actor import Act
from desktop.access.tables import AuditAct
from desktop.errors import Refused
from desktop.retention.certificate import certificate
from desktop.retention.purge import propose_purge
from desktop.retention.rules import RecordClass
from desktop.storage.tables import Segment
from tests.retention.site_over import MANAGER, OFFICER, Site, at


def words(path: Path) -> str:
    document = pypdfium2.PdfDocument(path)
    try:
        assert len(document) == 1
        return "".join(document[0].get_textpage().get_text_range().split())
    finally:
        document.close()


def test_paper_and_document_prove_the_erasure_and_name_nobody(
    erased: Site, tmp_path: Path
) -> None:
    desk = at(erased.desk, OFFICER)
    files = certificate(desk, 2, tmp_path / "out")
    said = words(files.pdf)
    facts = json.loads(files.document.read_text(encoding="utf-8"))
    with desk.book.read() as session:
        segments = session.scalars(
            select(Segment).where(Segment.kind == "tombstone").order_by(Segment.sequence)
        ).all()
        act = session.scalars(
            select(AuditAct).where(AuditAct.act == Act.ERASURE_CERTIFIED.value)
        ).one()
    own = segments[1:]
    for expected in (
        "个人信息清除证明", "样例花园一期工程", desk.book.book_id, "T-28c", "2030-06-30",
        OFFICER.name, MANAGER.name, "管理员", "人员1人", "月表行1条", "2027-03-10", "批准后等待7天",
        *(one.hash.hex()[:16] for one in own),
    ):
        assert expected in said, expected
    assert [one["hash"] for one in facts["segments"]] == [one.hash.hex() for one in own]
    assert facts["rule"]["clause"] == "T-28c" and facts["counts"]["person"] == 1
    assert facts["proposed"]["by"] != facts["approved"]["by"]
    text = said + files.document.read_text(encoding="utf-8")
    for needle in erased.needles:
        assert needle not in text
    assert act.subject == "purge:2" and act.facts == {"sha256": files.sha256}


def test_the_raw_data_have_one_too(erased: Site, tmp_path: Path) -> None:
    files = certificate(at(erased.desk, OFFICER), 1, tmp_path)
    said = words(files.pdf)
    assert "原始下载2条" in said and "已删除2份" in said and "P-2.2.3c" in said


def test_none_before_the_run_and_none_inside_the_book(site: Site, tmp_path: Path) -> None:
    number = propose_purge(at(site.desk, OFFICER), RecordClass.ATTENDANCE, "保存期满")
    for out, code in ((tmp_path, "purge_not_run"), (site.desk.book.path / "x", "out_in_book")):
        with pytest.raises(Refused) as refusal:
            certificate(site.desk, number, out)
        assert refusal.value.code == code
    assert not list(tmp_path.glob("清除证明*"))
