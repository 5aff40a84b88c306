"""What a run of a purge did, for people and for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from desktop.retention.backups import HoldingBackup
from desktop.retention.places import place_word

COUNT_WORDS: Mapping[str, str] = MappingProxyType({
    "person": "人员", "month_row": "月表行", "month_version": "冻结理由", "audit_act": "操作理由",
    "board_version": "告示牌版本", "explanation": "情况说明", "punch": "打卡编号",
    "punch_conflict": "冲突记录", "punch_quarantine": "隔离记录", "terminal_person": "考勤机人员",
    "text": "文字说明", "contact": "联系人", "contract": "合同编号", "download": "原始下载",
})
"""How counts are named on paper and in sentences."""


@dataclass(frozen=True, slots=True)
class PurgeResult:
    """What a run did. ``scrubbed``: no freed page of the file holds the old text any more."""

    number: int
    counts: Mapping[str, int]
    files: int
    bytes: int
    scrubbed: bool
    names_kept: Mapping[str, int]
    doubtful: int
    backups: Sequence[HoldingBackup]

    @property
    def sentence(self) -> str:
        """For people."""
        parts = [f"{COUNT_WORDS.get(kind, kind)}{n}" for kind, n in self.counts.items() if n]
        lines = [f"{self.number}号清除已执行：{'，'.join(parts) or '没有内容'}；删除文件{self.files}份。"]
        if not self.scrubbed:
            lines.append("数据库旧页尚未覆盖：请关闭其他窗口后再执行一次（retention run）。")
        if self.names_kept:
            places = "、".join(f"{place_word(one)}{n}处" for one, n in self.names_kept.items())
            lines.append(f"与被清除人同名而按规定保留的名称：{places}。")
        if self.doubtful:
            lines.append(f"有{self.doubtful}个姓名或号码与留存人员相同，文字说明里的未动。")
        if self.backups:
            lines.append(
                f"清除前做的备份里仍有这些内容，共{len(self.backups)}份。"
                "建议现在新做一份备份（backup create），核验后清理旧备份："
            )
            lines += [f"  · {backup.sentence}" for backup in self.backups]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """The result of ``retention run``."""
        return {
            "purge": self.number, "counts": dict(self.counts), "files": self.files,
            "bytes": self.bytes, "scrubbed": self.scrubbed, "names_kept": dict(self.names_kept),
            "doubtful": self.doubtful, "backups": list(self.backups),
        }
