"""清除证明 on paper: everything on one page, nothing cut, long texts shrink together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest

from reports.erasure_certificate import (
    CertificateHand,
    CertificateInput,
    CertificateTerm,
    certificate_document,
)
from reports.errors import ReportError
from reports.grid import lay_out
from reports.metrics import text_height, text_width
from reports.painter import write_pdf
from reports.paper import A4_PORTRAIT, Document, texts

CERTIFICATE = CertificateInput(
    number="QC-YL01-002", project="样例花园一期工程", contractor="河南样例建设集团有限公司",
    book="cb5dc8f7-0b1a-4220-9810-77bfdd26ea18", what="用工管理台账（花名册、合同、进退场）",
    period="2026-03-01至2027-03-10", counts=(("人员", "120人"), ("月表行", "1440条")),
    completed="2027-03-10（验收报告）", settled="2027-06-30（结清公示）",
    rule="2030-06-30起可清除：依 T-28c，自2027-06-30起算。",
    terms=(
        CertificateTerm("T-28c", "竣工且工资结清后保存不少于3年", "2027-06-30", "2030-06-30"),
        CertificateTerm("A-11", "同用工管理台账", "2027-06-30", "2030-06-30"),
    ),
    hands=(
        CertificateHand("提出", "甲", "2030-07-01 09:00"),
        CertificateHand("批准", "乙", "2030-07-02 09:00"),
        CertificateHand("执行", "丙", "2030-07-10 09:00"),
    ),
    waiting="批准后等待7天，2030-07-09起可执行", files="不涉及", pages="已整理重写",
    kept="人员编号和打卡时间", backups="没有清除之前的备份",
    segments=(("第48段", "6c69ae0a0c5aa3de d9540acbfbc566fe e5c7244ec141252d 2f05c7f9bb72bedc"),),
    head="第52段　bf3c6002d49d4d0d", made_on="2030年7月20日", made_on_iso="2030-07-20",
)
LONG = replace(
    CERTIFICATE, project="样例区棚户区改造项目安置房一期工程（含地下车库及配套公建）" * 4,
    contractor="河南省样例建设集团第一工程有限责任公司样例分公司" * 2,
    backups="清除前的备份仍含有上述内容：" + "本机备份20300701T010000Z-daily（2030-07-01）；" * 8,
    segments=CERTIFICATE.segments * 3,
)


def words(document: Document) -> str:
    return "".join(text for page in document.pages for text in texts(page))


@pytest.mark.parametrize("certificate", [CERTIFICATE, LONG], ids=["short", "long"])
def test_everything_stands_whole_on_one_page(certificate: CertificateInput) -> None:
    document = certificate_document(certificate)
    assert len(document.pages) == 1
    table = next(document.pages[0].tables())
    assert table.x + table.w <= A4_PORTRAIT[0] and table.y + table.h <= A4_PORTRAIT[1] - 1000
    for cell, _, _, w, h in lay_out(table).boxes:
        assert sum(text_height(len(part.lines), part.pt) for part in cell.parts) <= h, cell.text
        for part in cell.parts:
            assert all(text_width(line, part.pt, part.role) <= w - cell.pad for line in part.lines)
    said = words(document)
    for expected in (
        certificate.project, certificate.number, certificate.book, "T-28c", "2030-06-30",
        "提出：甲（2030-07-01 09:00）", "人员120人，月表行1440条", "提出人（签字）", "项目部（章）",
        "个人信息保护法",
    ):
        assert expected in said, expected


def test_absurd_texts_are_refused_not_cut() -> None:
    with pytest.raises(ReportError, match="certificate_overflow"):
        certificate_document(replace(CERTIFICATE, project="长" * 20_000))


def test_the_pdf_carries_the_words(tmp_path: Path) -> None:
    write_pdf(certificate_document(CERTIFICATE), tmp_path / "c.pdf", None, None)
    pdf = pypdfium2.PdfDocument(tmp_path / "c.pdf")
    said = "".join(pdf[0].get_textpage().get_text_range().split())
    pdf.close()
    for expected in ("个人信息清除证明", "样例花园一期工程", "6c69ae0a0c5aa3de", "清除记录第48段"):
        assert expected in said
