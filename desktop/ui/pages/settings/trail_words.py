"""What the acts of the trail noted, in words; a note of a newer program stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desktop.access.matrix import ACT_NAMES, ROLE_NAMES
from desktop.retention.rules import CLASS_WORDS
from desktop.ui.i18n import tr
from desktop.ui.pages.settings.backup_list import REASONS

_DIGEST = 32
_MOST = 20

NAMES: Mapping[str, str] = {
    "account": "电脑账户校验值", "added": "新增", "after": "此段之后", "asked": "要做的事",
    "assessed_on": "影响评估日期", "bad_pages": "坏页", "before_completed_on": "原竣工日期",
    "before_settled_on": "原工资结清日期", "behind": "备份之后的段数", "by": "登录方式",
    "cells": "人日", "changed": "有变化", "closed": "办结", "code": "拒绝代码", "company": "单位编号",
    "compared": "核对过指纹", "completed_on": "竣工日期", "conflict": "与已存的不同",
    "count": "数量", "counts": "各表条数", "daily_at": "每天备份时间", "database": "数据库",
    "days": "天数", "demo": "演示账本", "did": "做了", "digest": "校验值", "direction": "方向",
    "documents": "附件", "draft": "草稿", "driver": "接入方式", "earlier": "原来的角色",
    "effective_from": "起用日期", "epoch": "第几次更换", "everywhere": "所有电脑",
    "exported": "复制带走", "failures": "连续失败", "fields": "改动的栏", "file": "文件校验值",
    "files": "文件", "filled_from": "补自备份", "fingerprint": "指纹", "flaws": "问题",
    "folder": "文件夹", "from_day": "起", "from_time": "起", "from_workstation": "原来的电脑",
    "generation": "第几把钥匙", "given_up": "没有办成", "half_days": "半天", "head": "段的校验值",
    "heads": "内容到", "held": "已保存", "keys": "项目", "kind": "类别", "lost": "丢失的段",
    "made": "新的打开方式", "made_at": "备份时间", "moved_from": "从", "moved_to": "到", "new": "新记录",
    "ok": "通过", "on": "日期", "open_findings": "未答复的异常", "opened": "新任务",
    "operator": "操作人", "origin": "来源", "owner_approved": "建设单位同意", "pages": "页数",
    "paper": "表", "password": "密码校验值", "pay_day": "发薪日", "people": "机上人数",
    "person_id": "人员编号", "persons": "人员编号", "personal": "含个人信息", "place": "服务器",
    "projects": "项目", "quarantined": "待核", "reason": "起因", "received": "收到",
    "received_at": "收到时间", "record_class": "记录种类", "records": "条数", "reimported": "重新导入",
    "relation": "与账本相比", "removed": "删去", "renewed_at": "上次续占", "role": "角色",
    "rows": "行数", "schema": "账本格式", "second_place": "有第二存放处", "seconds": "用时（秒）",
    "sequence": "回到第几段", "serial": "序列号", "settled_on": "工资结清日期", "sha256": "校验值",
    "shift": "班次", "since": "起", "size": "大小（字节）", "snapshot_kb": "照片大小（KB）",
    "snapshots": "照片", "stays": "用工", "team_id": "班组编号", "terminal_id": "考勤机编号",
    "to": "到", "to_day": "止", "to_time": "止", "until": "止", "values": "重新加密的值",
    "version": "第几版", "wait_s": "须等（秒）", "waited_s": "晚入账（秒）", "waiting_days": "等待天数",
    "way": "打开方式", "what": "做了", "with_personal": "含个人信息", "withdrawn": "撤回",
    "workstation": "电脑", "years": "年份",
}

_WAYS: Mapping[str, str] = {
    "keyring": "系统密钥环", "passphrase": "口令", "recovery": "恢复码", "company": "公司恢复钥匙",
}
_VALUES: Mapping[str, Mapping[str, str]] = {
    "asked": {act.value: name for act, name in ACT_NAMES.items()},
    "by": {"password": "密码", "account": "本机账户", **_WAYS},
    "did": {
        "added": "新增", "edited": "修改", "retired": "停用", "rebound": "更换设备", "ended": "结束对号",
        "confirmed": "确认", "people_read": "读机上人员", "biometric_only": "声明仅生物识别",
        "refreshed": "核对退场人员",
    },
    "earlier": {role.value: name for role, name in ROLE_NAMES.items()},
    "made": _WAYS,
    "origin": {"pull": "联机采集", "usb": "U盘"},
    "reason": REASONS,
    "record_class": {one.value: words for one, words in CLASS_WORDS.items()},
    "relation": {
        "same": "一致", "older": "较早", "newer": "较新", "other_chain": "不是同一条链",
        "unknown": "账本不在",
    },
    "removed": _WAYS,
    "role": {role.value: name for role, name in ROLE_NAMES.items()},
    "to": {"server": "服务器", "file": "本机文件"},
    "way": _WAYS,
    "what": {"contact": "改联系人", "removed": "删除"},
}


def noted(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Pairs of name and value for the panel of an act."""
    return [(tr(NAMES.get(key, key)), _shown(key, value)) for key, value in facts.items()]


def _shown(key: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return tr("是") if value else tr("否")
    if isinstance(value, list):
        more = "…" if len(value) > _MOST else ""
        return "、".join(_shown(key, one) for one in value[:_MOST]) + more
    if isinstance(value, dict):
        if key == "heads" and "sequence" in value:
            return tr("第{n}段", n=value["sequence"])
        return "，".join(f"{name} {_shown(name, one)}" for name, one in value.items())
    if isinstance(value, int):
        return f"{value:,}" if key == "size" else str(value)
    text = _VALUES.get(key, {}).get(str(value))
    if text is not None:
        return tr(text)
    text = str(value)
    if len(text) > _DIGEST and " " not in text:  # a digest: compared by eye, sixteen signs at a time
        return " ".join(text[at : at + 16] for at in range(0, len(text), 16))
    return text
