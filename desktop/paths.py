"""Where things live, which folders a book may live in, and how small files are replaced.

A book belongs on a local disk: on network shares and in folders that a sync program watches, two
writers or a half-copied file can ruin a database (storage-notes §8). No folder is made here.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import platformdirs

from desktop.errors import EnvironmentFault, Refused

_NAME = "SiteMuster"

_REMOTE_TYPES = frozenset(
    {
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "davfs", "afs", "ceph", "glusterfs", "lustre",
        "fuse.sshfs", "fuse.davfs2", "fuse.rclone", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs",
        "fuse.gvfsd-fuse", "fuse.curlftpfs", "fuse.smbnetfs",
    }
)
_SYNCED = re.compile(
    r"(onedrive|坚果云|我的坚果云|nutstore|百度网盘|百度云同步盘|baidunetdisk|baidunetdiskworkspace|baidusyncdisk|"
    r"wps\s?云盘|wps\s?网盘|wps\s?drive|wps\s?cloud ?files|dropbox|icloud ?drive)(?![a-z])",
    re.IGNORECASE,
)
_DRIVE_REMOTE = 4


def default_book_folder() -> Path:
    """The book of ``--data-dir``'s default: local application data, never the documents folder."""
    return Path(platformdirs.user_data_dir(_NAME, appauthor=False)) / "book"


def settings_file() -> Path:
    """Window settings of this computer; they hold no secret and nothing of a book."""
    return Path(platformdirs.user_config_dir(_NAME, appauthor=False)) / "settings.json"


def log_folder() -> Path:
    """Where the rotating program log is kept."""
    return Path(platformdirs.user_log_dir(_NAME, appauthor=False))


def refuse_unsafe_folder(folder: Path) -> None:
    """Raise :class:`Refused` ``folder_unsafe`` for a network share or a synchronised folder."""
    real = Path(os.path.realpath(folder))
    reason = _synced(real) or _remote(real)
    if reason is not None:
        raise Refused(
            "folder_unsafe",
            f"账本不能放在{reason}里，多处同时写入会损坏数据。未做任何改动。请改用本机硬盘上的文件夹。",
            reason=reason,
        )


def _synced(real: Path) -> str | None:
    for part in real.parts:
        if _SYNCED.match(part):
            return f"同步盘文件夹「{part}」"
    return None


def _remote(real: Path) -> str | None:
    if sys.platform == "win32":
        return _remote_on_windows(str(real))
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    kind = remote_mount(real, mounts)
    return None if kind is None else f"网络盘（{kind}）"


def remote_mount(real: Path, mounts: str) -> str | None:
    """File-system type of the network mount that holds ``real``, or None for a local one.

    ``mounts`` is the text of ``/proc/mounts``. A 9p *root* is the own disk of a sandbox.
    """
    best, kind = -1, None
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[1])
        if len(point) >= best and (real == Path(point) or Path(point) in real.parents):
            best = len(point)
            kind = None if (point, fields[2]) == ("/", "9p") else fields[2]
    return kind if kind in _REMOTE_TYPES else None


def _remote_on_windows(real: str) -> str | None:
    if real.startswith("\\\\") and not real.startswith("\\\\?\\"):
        return "网络共享"
    import ctypes

    drive = os.path.splitdrive(real.removeprefix("\\\\?\\"))[0] + "\\"
    windll = getattr(ctypes, "windll")  # noqa: B009 (exists on Windows only)
    if windll.kernel32.GetDriveTypeW(drive) == _DRIVE_REMOTE:
        return "网络驱动器"
    return None


def write_atomically(path: Path, data: bytes, *, private: bool = False) -> None:
    """Replace ``path`` by ``data``: beside, sync, rename; the old file stays until the last step.

    ``private`` sets owner-only rights before the content. Raises :class:`EnvironmentFault` with
    the old file untouched.
    """
    beside = path.with_name(f".{path.name}.new")
    try:
        try:
            handle = os.open(
                beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if private else 0o644
            )
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise disk_fault(error, path.parent) from error
    sync_folder(path.parent)


def read_regular(path: Path, limit: int) -> bytes:
    """At most ``limit`` + 1 bytes of a file; :class:`OSError` also for what is no plain file.

    A pipe would wait for ever and a device never ends: neither is opened.
    """
    import stat

    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(f"not a regular file: {path.name}")
    with path.open("rb") as stream:
        return stream.read(limit + 1)


def sync_folder(folder: Path) -> None:
    """Make a rename inside ``folder`` survive a power cut, where the system can."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        pass  # some file systems cannot; the rename itself is still atomic
    finally:
        os.close(handle)


def disk_fault(error: OSError, folder: Path) -> EnvironmentFault:
    """The sentence for what the system said about a folder."""
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return EnvironmentFault(
            "disk_full",
            "磁盘空间已满，这一步没有完成，原有内容保持不变。请清理磁盘后重试。",
        )
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return EnvironmentFault(
            "read_only",
            f"文件夹「{folder.name}」不可写（只读介质或没有权限），未做任何改动。请换到本机硬盘上可写的文件夹。",
        )
    if isinstance(error, FileExistsError | NotADirectoryError):
        in_the_way = next((one for one in (folder, *folder.parents) if one.is_file()), None)
        if in_the_way is not None:
            return EnvironmentFault(
                "not_a_folder",
                f"「{in_the_way.name}」是一个文件，不是文件夹，未做任何改动。请换一个文件夹，或先移走该文件。",
            )
    said = {
        errno.EIO: "读写失败", errno.ENAMETOOLONG: "名称过长", errno.ENOENT: "找不到文件或文件夹",
        errno.EISDIR: "同名的是一个文件夹", errno.EEXIST: "已有同名文件", errno.ENOTDIR: "不是文件夹",
    }
    return EnvironmentFault(
        "disk_error",
        f"读写文件夹「{folder.name}」时系统报错（{said.get(error.errno or 0, f'错误号 {error.errno}')}），"
        "原有内容保持不变。请检查磁盘后重试。",
    )


if sys.platform == "win32":
    import msvcrt

    def take_lock(handle: int) -> None:
        """Lock an open file for this process alone; :class:`OSError` when another holds it.

        The system lets go when the handle is closed or the process dies.
        """
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def take_lock(handle: int) -> None:
        """Lock an open file for this process alone; :class:`OSError` when another holds it.

        The system lets go when the handle is closed or the process dies.
        """
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
