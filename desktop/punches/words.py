"""What device errors mean to the labour officer: what happened, what was kept, what to do next."""

from __future__ import annotations

from devices import errors

_NOTHING = "本次没有保存任何打卡记录，已有记录不受影响。"

_NOT_FOUND = {
    "refused": "地址通但端口没有应答，请核对端口，确认考勤机已开机、通讯功能已打开",
    "unreachable": "网络不通，请检查网线和交换机，核对IP地址",
    "no_answer": "没有应答，请检查考勤机电源、网线和IP地址",
    "name": "主机名找不到，请改用IP地址",
    "address": "地址格式不对，应为 IP:端口，例如 192.168.1.201:4370",
}
_BAD = {
    "count": "收到的记录数与考勤机自己的计数不一致",
    "transfer": "传输的长度与考勤机宣布的不一致",
    "size": "考勤机宣布的数据量不合理",
    "checksum": "数据校验不通过",
    "layout": "记录格式未知",
    "unsteady_log": "两次读取的旧记录互不相同",
}
_FILES = {
    "too_large": "文件太大（超过64 MB），不像考勤机导出的打卡文件",
    "spreadsheet": "这是电子表格（Excel、WPS）或压缩包，不是打卡文件，请选择U盘根目录下的 attlog.dat",
    "encrypted": "这是加密的导出文件，请在考勤机菜单中关闭导出加密后重新导出，或联网读取",
    "not_text": "这不是文本文件，请选择U盘根目录下的 attlog.dat",
    "not_attlog": "文件里没有一行像打卡记录，请选择U盘根目录下的 attlog.dat",
    "mixed_order": "各行的字段次序不一致（第{line}行），文件可能被人工改动过",
    "mixed_device": "文件里有两台以上考勤机的记录（第{line}行起机号不同），请按机分别导出",
    "empty": "文件是空的",
    "unreadable": "文件读不出来，请检查U盘后重试",
    "not_users": "这不是考勤机的人员文件",
}


def of_terminal(error: errors.DeviceError, name: str) -> str:
    """The sentence for a failed reading of the terminal called ``name``."""
    return f"考勤机「{name}」{_situation(error)}。{_NOTHING}"


def _situation(error: errors.DeviceError) -> str:
    if isinstance(error, errors.DeviceNotFound):
        return f"连接不上：{_NOT_FOUND.get(error.reason, _NOT_FOUND['no_answer'])}"
    if isinstance(error, errors.DeviceBusy):
        return "正被其他软件占用，请关闭占用它的考勤软件后重试"
    if isinstance(error, errors.AccessDenied):
        if error.remedy_id == "key_missing":
            return "设有通讯密码，请在设备页填写通讯密码后重试"
        return "拒绝了通讯密码，请在考勤机菜单中核对后改正；为避免锁定没有再试"
    if isinstance(error, errors.DeviceTimeout):
        return "长时间没有数据，已放弃等待，请检查网络后重试"
    if isinstance(error, errors.ConnectionCut):
        return "在传输中断开（断电、重启或网线松动），请稍后重试"
    if isinstance(error, errors.BadResponse):
        what = _BAD.get(error.what, "的回答不符合协议")
        return f"{what}，数据不可信，请稍后重试；一再出现请换用U盘导出，并联系考勤机厂家"
    if isinstance(error, errors.NotSupported):
        return "不支持这项操作，请换用U盘导出"
    if isinstance(error, errors.Cancelled):
        return "的采集已取消"
    return "读取失败，请重试"


def of_file(error: errors.FileRefused) -> str:
    """The sentence for a stick file that is not taken."""
    reason = _FILES.get(error.reason, "文件不能识别").format(line=error.line)
    return f"没有导入：{reason}。账本未做任何改动，U盘上的文件也未改动。"
