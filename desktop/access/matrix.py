"""Who may what, in words: the Chinese names of roles, acts and views, and the table of them.

Data for the matrix page, for ``user matrix`` and for refusals. It decides nothing: the tables
that decide are in :mod:`desktop.access.actor`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from desktop.access.actor import ALLOWED, TRACE_ONLY, VISIBLE, Act, Role, View

ROLE_NAMES: Mapping[Role, str] = {
    Role.ADMINISTRATOR: "管理员",
    Role.LABOUR_OFFICER: "劳资专管员",
    Role.PROJECT_MANAGER: "项目经理",
    Role.INSPECTOR: "检查人员（只读）",
    Role.TECHNICIAN: "技术员",
}

ACT_NAMES: Mapping[Act, str] = {
    Act.BOOK_CREATED: "建立账本",
    Act.PROJECT_CHANGED: "修改项目、单位和班组",
    Act.CALENDAR_CHANGED: "修改日历、停工和请假",
    Act.ROSTER_IMPORTED: "导入花名册、调整班组",
    Act.ROSTER_EXPORTED: "导出花名册",
    Act.PERSONAL_DATA_SHOWN: "查看完整证件号码等隐私信息",
    Act.TERMINAL_CHANGED: "登记和修改考勤机",
    Act.NUMBERS_MATCHED: "核对考勤机上的人员编号",
    Act.PUNCHES_COLLECTED: "采集打卡记录",
    Act.EXPLANATION_ADDED: "登记考勤情况说明",
    Act.EXPLANATION_APPROVED: "批准考勤情况说明",
    Act.EXPLANATION_WITHDRAWN: "撤回考勤情况说明",
    Act.FINDING_ANSWERED: "处理考勤异常",
    Act.MONTH_FROZEN: "冻结月考勤",
    Act.MONTH_EXPORTED: "导出月考勤表、公示和确认单",
    Act.BOARD_CHANGED: "修改维权信息告示牌",
    Act.BOARD_EXPORTED: "导出维权信息告示牌",
    Act.LEDGER_VERIFIED: "核验台账",
    Act.LIST_EXPORTED: "导出列表",
    Act.PAPER_PRINTED: "打印",
    Act.USER_ADDED: "添加用户",
    Act.USER_ROLE_SET: "更改用户角色",
    Act.USER_ACTIVATED: "启用用户",
    Act.USER_DEACTIVATED: "停用用户",
    Act.PASSWORD_SET: "给用户设登录密码",
    Act.PASSWORD_CHANGED: "更改自己的登录密码",
    Act.PASSWORD_RESET: "用恢复码重设登录密码",
    Act.ACCOUNT_BOUND: "绑定电脑账户",
    Act.ACCOUNT_UNBOUND: "解除电脑账户绑定",
    Act.LOGGED_IN: "登录",
    Act.LOGIN_FAILED: "登录失败",
    Act.LOGIN_HELD: "登录失败多次，暂停登录",
    Act.SCREEN_LOCKED: "锁定窗口",
    Act.SCREEN_UNLOCKED: "解锁窗口",
    Act.OLD_PASSWORD_GIVEN: "改密码前核对原密码",
    Act.AUDIT_EXPORTED: "导出操作记录",
    Act.PASSPHRASE_CHANGED: "更改账本口令",
    Act.RECOVERY_CODE_RENEWED: "更换恢复码",
    Act.COMPUTER_BOUND: "把钥匙存到这台电脑",
    Act.BOOK_REKEYED: "更换账本钥匙并重新加密",
    Act.COMPANY_SLOT_ADDED: "添加公司钥匙",
    Act.COMPANY_SLOT_REMOVED: "移除公司钥匙",
    Act.BOOK_RECOVERED: "用恢复码或公司钥匙打开账本",
    Act.BACKUP_CREATED: "做备份",
    Act.BACKUP_COPIED: "把备份复制到第二处或导出",
    Act.BACKUP_VERIFIED: "核验备份",
    Act.BACKUP_THINNED: "清理旧备份",
    Act.BACKUP_SETTINGS_CHANGED: "修改备份设置",
    Act.BOOK_RESTORED: "从备份恢复账本",
    Act.RESTORE_DRILLED: "恢复演练",
    Act.BOOK_SALVAGED: "抢救损坏的账本",
    Act.BOOK_MIGRATED: "升级账本格式",
    Act.RETENTION_CHANGED: "修改保存期限和竣工、结清日期",
    Act.HOLD_ADDED: "加上留存冻结",
    Act.HOLD_LIFTED: "解除留存冻结",
    Act.PURGE_PROPOSED: "提出到期清除",
    Act.PURGE_APPROVED: "批准到期清除",
    Act.PURGE_RUN: "执行到期清除",
    Act.ERASURE_CERTIFIED: "出具清除证明",
    Act.BIOMETRICS_REMOVED: "确认考勤机上的人脸、指纹已删除",
    Act.BOOK_MOVED: "把账本移到服务器或移回",
    Act.MEMBERS_CHANGED: "修改服务器上的项目成员",
    Act.LEASE_TAKEN: "接管考勤机采集",
    Act.LEASE_RELEASED: "交出考勤机采集",
    Act.WAITING_DROPPED: "放弃等待入账的打卡记录",
    Act.ROLLUP_EXPORTED: "导出上报公司的汇总",
}

VIEW_NAMES: Mapping[View, str] = {
    View.PROJECT: "项目信息",
    View.PEOPLE: "花名册和人员",
    View.TERMINALS: "考勤机",
    View.ATTENDANCE: "考勤和打卡记录",
    View.MONTHS: "月度考勤表",
    View.BOARD: "维权信息告示牌",
    View.AUDIT: "操作记录",
    View.USERS: "用户",
    View.KEYS: "钥匙",
    View.BACKUPS: "备份",
    View.RETENTION: "保存期限和清除",
    View.SHARING: "多台电脑协作",
    View.ROLLUP: "公司汇总",
}


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One line of the matrix: ``kind`` is ``view`` or ``act``, ``roles`` who may."""

    kind: str
    code: str
    name: str
    roles: frozenset[Role]


def permission_matrix() -> list[MatrixRow]:
    """What every role may see and do, views first; acts that ask for a secret instead of a role
    are left out."""
    views = [
        MatrixRow("view", view.value, VIEW_NAMES[view], _seeing(view)) for view in View
    ]
    acts = [
        MatrixRow("act", act.value, ACT_NAMES[act], _doing(act))
        for act in Act if act not in TRACE_ONLY
    ]
    return views + acts


def roles_of(act: Act) -> str:
    """The roles that may do ``act``, for a sentence: ``劳资专管员、管理员``."""
    return _names(_doing(act))


def roles_seeing(view: View) -> str:
    """The roles that may see ``view``, for a sentence."""
    return _names(_seeing(view))


def _doing(act: Act) -> frozenset[Role]:
    return frozenset(role for role in Role if act in ALLOWED[role])


def _seeing(view: View) -> frozenset[Role]:
    return frozenset(role for role in Role if view in VISIBLE[role])


def _names(roles: frozenset[Role]) -> str:
    """The administrator last: he is whom to ask when nobody else is there."""
    ordered = [role for role in Role if role in roles and role is not Role.ADMINISTRATOR]
    return "、".join(ROLE_NAMES[role] for role in [*ordered, Role.ADMINISTRATOR])
