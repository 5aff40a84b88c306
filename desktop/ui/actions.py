"""Every page and every act of the window, declared once: rail, menu, shortcut, command bar.

``keys`` are what somebody may type in the command bar besides the Chinese words: full pinyin and
initials.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from desktop.access.actor import Act, View


class PageName(enum.Enum):
    """The pages of the rail, in the order of the user's work."""

    TODAY = "today"
    ROSTER = "roster"
    TERMINALS = "terminals"
    ATTENDANCE = "attendance"
    MONTH = "month"
    BOARD = "board"
    SETTINGS = "settings"


class Command(enum.Enum):
    """Acts that can be called from more than one place."""

    IMPORT_ROSTER = "import_roster"
    EXPORT_ROSTER = "export_roster"
    ADD_TERMINAL = "add_terminal"
    PULL_ALL = "pull_all"
    IMPORT_STICK = "import_stick"
    MATCH_NUMBERS = "match_numbers"
    EXPLAIN = "explain"
    STOP_WORK = "stop_work"
    LEAVE = "leave"
    FREEZE = "freeze"
    EXPORT_PAPERS = "export_papers"
    EXPORT_BOARD = "export_board"
    COMMAND_BAR = "command_bar"
    REFRESH = "refresh"
    PREVIOUS_MONTH = "previous_month"
    NEXT_MONTH = "next_month"
    VERIFY_LEDGER = "verify_ledger"
    BACK_UP = "back_up"
    LOCK = "lock"
    CHANGE_PASSWORD = "change_password"
    LOG_OUT = "log_out"
    OPEN_BOOK = "open_book"
    SWITCH_LOOK = "switch_look"
    COLLAPSE_RAIL = "collapse_rail"
    QUIT = "quit"


@dataclass(frozen=True, slots=True)
class Declared:
    """How a page or an act appears. ``page`` says where it is carried out, ``view`` what somebody
    must be allowed to see for the page to be there, ``needs`` what he must be allowed to do."""

    text: str
    icon: str
    shortcut: str = ""
    keys: str = ""
    page: PageName | None = None
    in_bar: bool = True
    view: View = View.PROJECT
    needs: Act | None = None


PAGES: Mapping[PageName, Declared] = {
    PageName.TODAY: Declared("今日", "today", "Ctrl+1", "jinri jr"),
    PageName.ROSTER: Declared(
        "花名册", "roster", "Ctrl+2", "huamingce hmc", view=View.PEOPLE
    ),
    PageName.TERMINALS: Declared(
        "设备", "terminals", "Ctrl+3", "shebei sb", view=View.TERMINALS
    ),
    PageName.ATTENDANCE: Declared(
        "考勤", "attendance", "Ctrl+4", "kaoqin kq", view=View.ATTENDANCE
    ),
    PageName.MONTH: Declared("月结", "month", "Ctrl+5", "yuejie yj", view=View.MONTHS),
    PageName.BOARD: Declared("告示牌", "board", "Ctrl+6", "gaoshipai gsp", view=View.BOARD),
    PageName.SETTINGS: Declared("设置", "settings", "Ctrl+7", "shezhi sz"),
}

_R, _T, _A, _M, _B, _S = (
    PageName.ROSTER, PageName.TERMINALS, PageName.ATTENDANCE, PageName.MONTH, PageName.BOARD,
    PageName.SETTINGS,
)

COMMANDS: Mapping[Command, Declared] = {
    Command.IMPORT_ROSTER: Declared("导入花名册", "import", "", "daoruhuamingce drhmc", _R, needs=Act.ROSTER_IMPORTED),
    Command.EXPORT_ROSTER: Declared("导出花名册", "export", "", "daochuhuamingce dchmc", _R, needs=Act.ROSTER_EXPORTED),
    Command.ADD_TERMINAL: Declared("添加考勤机", "plus", "", "tianjiakaoqinji tjkqj", _T, needs=Act.TERMINAL_CHANGED),
    Command.PULL_ALL: Declared("采集全部考勤机", "pull", "F6", "caijiquanbukaoqinji cj", _T, needs=Act.PUNCHES_COLLECTED),
    Command.IMPORT_STICK: Declared("导入U盘打卡文件", "usb", "", "daoruupan dru", _T, needs=Act.PUNCHES_COLLECTED),
    Command.MATCH_NUMBERS: Declared("对号", "link", "", "duihao dh", _T, needs=Act.NUMBERS_MATCHED),
    Command.EXPLAIN: Declared("填写情况说明", "note", "", "qingkuangshuoming qksm", _A, needs=Act.EXPLANATION_ADDED),
    Command.STOP_WORK: Declared("登记停工", "stop", "", "dengjitinggong djtg", _A, needs=Act.CALENDAR_CHANGED),
    Command.LEAVE: Declared("登记请假", "calendar", "", "dengjiqingjia djqj", _A, needs=Act.CALENDAR_CHANGED),
    Command.FREEZE: Declared("冻结当月", "freeze", "", "dongjie dj", _M, needs=Act.MONTH_FROZEN),
    Command.EXPORT_PAPERS: Declared("导出当月表册", "export", "", "daochubiaoce dcbc", _M, needs=Act.MONTH_EXPORTED),
    Command.EXPORT_BOARD: Declared("导出告示牌", "export", "", "daochugaoshipai dcgsp", _B, needs=Act.BOARD_EXPORTED),
    Command.COMMAND_BAR: Declared("搜索人员、页面或操作", "search", "Ctrl+K", in_bar=False),
    Command.REFRESH: Declared("刷新本页", "refresh", "F5", "shuaxin sx"),
    Command.PREVIOUS_MONTH: Declared("上一月", "left", "Alt+Left", "shangyiyue syy"),
    Command.NEXT_MONTH: Declared("下一月", "right", "Alt+Right", "xiayiyue xyy"),
    Command.VERIFY_LEDGER: Declared("校验账本", "shield", "", "jiaoyanzhangben jyzb"),
    Command.BACK_UP: Declared("立即备份", "shield", "", "lijibeifen bf", _S, needs=Act.BACKUP_CREATED),
    Command.LOCK: Declared("锁定窗口", "lock", "Ctrl+L", "suodingchuangkou sd"),
    Command.CHANGE_PASSWORD: Declared("修改我的登录密码…", "key", "", "xiugaimima xgmm", _S),
    Command.LOG_OUT: Declared("退出登录，换人使用…", "person", "", "tuichudenglu tcdl"),
    Command.OPEN_BOOK: Declared("打开或新建账本…", "book", "Ctrl+O", "dakaizhangben dkzb"),
    Command.SWITCH_LOOK: Declared("切换浅色 / 深色", "moon", "", "qiehuanshense qhss"),
    Command.COLLAPSE_RAIL: Declared("收起或展开侧栏", "collapse", "Ctrl+B", "shouqicelan sqcl"),
    Command.QUIT: Declared("退出", "close", "Ctrl+Q", "tuichu tc"),
}

MENU: tuple[Command | None, ...] = (
    Command.LOCK, Command.CHANGE_PASSWORD, Command.LOG_OUT, None,
    Command.OPEN_BOOK, Command.VERIFY_LEDGER, Command.BACK_UP, None,
    Command.SWITCH_LOOK, Command.COLLAPSE_RAIL, Command.REFRESH, None, Command.QUIT,
)
"""The menu at the right end of the header; None draws a line."""
