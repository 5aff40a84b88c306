"""Where a book may live, and how small files are replaced."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from desktop.delivery import working_folder
from desktop.errors import EnvironmentFault, Refused
from desktop.paths import (
    default_book_folder,
    disk_fault,
    log_folder,
    refuse_unsafe_folder,
    remote_mount,
    settings_file,
    write_atomically,
)

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
proc /proc proc rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/local ext4 rw 0 0
//server/share /mnt/公司\\040共享 cifs rw 0 0
me@host:/ /mnt/ssh fuse.sshfs rw 0 0
C:\\134 /mnt/c 9p rw,trans=fd 0 0
dav /mnt/dav davfs rw 0 0
/dev/fuse /mnt/usb fuseblk rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv/book", None),
        ("/home/me/book", "nfs4"),
        ("/home", "nfs4"),
        ("/homes/book", None),
        ("/home/local/book", None),
        ("/mnt/公司 共享/book", "cifs"),
        ("/mnt/ssh/book", "fuse.sshfs"),
        ("/mnt/c/Users/me", "9p"),
        ("/mnt/dav", "davfs"),
        ("/mnt/usb/book", None),
    ],
)
def test_network_mounts_are_known_by_the_nearest_mount(folder: str, kind: str | None) -> None:
    assert remote_mount(Path(folder), MOUNTS) == kind


def test_a_later_mount_on_the_same_point_covers_the_earlier() -> None:
    mounts = "none / ext4 rw 0 0\nx /data nfs rw 0 0\n/dev/sdb /data ext4 rw 0 0\n\nshort line\n"
    assert remote_mount(Path("/data/book"), mounts) is None


def test_the_root_of_a_sandbox_is_its_own_disk() -> None:
    assert remote_mount(Path("/work/book"), "none / 9p rw 0 0\n") is None
    assert remote_mount(Path("/work/book"), "server:/ / nfs rw 0 0\n") == "nfs"


@pytest.mark.parametrize(
    "name", ["OneDrive", "onedrive - 河南样例公司", "坚果云", "我的坚果云", "百度网盘", "百度网盘同步空间",
             "BaiduNetdiskWorkspace", "WPS云盘", "WPS 云盘", "Nutstore", "Dropbox"],
)  # fmt: skip
def test_synchronised_folders_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused) as caught:
        refuse_unsafe_folder(tmp_path / name / "项目" / "账本")
    assert caught.value.code == "folder_unsafe" and name in caught.value.message


@pytest.mark.parametrize("name", ["账本", "onedriven", "坚果", "百度", "WPS文件", "我的文档"])
def test_ordinary_names_are_not(tmp_path: Path, name: str) -> None:
    refuse_unsafe_folder(tmp_path / name)


def test_a_link_into_a_synchronised_folder_is_seen_through(tmp_path: Path) -> None:
    (tmp_path / "坚果云").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "坚果云")
    with pytest.raises(Refused):
        refuse_unsafe_folder(tmp_path / "link" / "book")


def test_the_default_places_are_local_application_data() -> None:
    for place in (default_book_folder(), settings_file(), log_folder()):
        assert place.is_absolute() and "SiteMuster" in place.parts
        assert "Documents" not in place.parts


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "设置.json"
    write_atomically(file, b"one")
    write_atomically(file, b"two", private=True)
    assert file.read_bytes() == b"two" and file.stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["设置.json"]


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_bytes(b"old")
    (tmp_path / ".settings.json.new").mkdir()
    with pytest.raises(EnvironmentFault):
        write_atomically(file, b"new")
    assert file.read_bytes() == b"old"
    with pytest.raises(EnvironmentFault):
        write_atomically(tmp_path / "missing" / "x", b"new")
    if os.path.exists("/dev/full"):
        link = tmp_path / ".full.new"
        link.symlink_to("/dev/full")
        with pytest.raises(EnvironmentFault) as caught:
            write_atomically(tmp_path / "full", b"x")
        assert caught.value.code == "disk_full"


def test_a_file_where_a_folder_is_wanted_is_told_in_chinese(tmp_path: Path) -> None:
    out = tmp_path / "表格"
    out.write_bytes(b"")
    for folder in (out, out / "十月"):
        with pytest.raises(EnvironmentFault) as fault, working_folder(folder):
            pass
        assert fault.value.code == "not_a_folder"
        assert "「表格」是一个文件，不是文件夹" in fault.value.message
    said = disk_fault(OSError(errno.EIO, "Input/output error"), tmp_path).message
    assert "读写失败" in said and "Input" not in said


def test_a_working_folder_that_was_left_is_removed_and_one_in_use_is_not(tmp_path: Path) -> None:
    """Of a killed export; it may hold names."""
    with working_folder(tmp_path) as busy:
        (busy / "half").write_text("甲")
        left = tmp_path / ".writing-left"
        left.mkdir()
        (left / ".held").touch()
        (left / "half").write_text("乙")
        with working_folder(tmp_path):
            assert not left.exists() and (busy / "half").exists()
    assert list(tmp_path.iterdir()) == []
