"""The account of Windows or Unix this program runs under: a name and an identity nobody chooses.

On Windows the identity is the SID, elsewhere the number of the user together with a mark of the
computer, since the same number means somebody else on the next one. Nothing is stored here.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_MARKS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


@dataclass(frozen=True, slots=True)
class OsAccount:
    """``name`` is shown, ``identity`` is compared."""

    name: str
    identity: str

    @property
    def stored(self) -> str:
        """One text for both; the name last, as it may hold anything."""
        return f"{self.identity} {self.name}"


AccountPort = Callable[[], OsAccount | None]
"""Tells the present account, or None where it cannot be told."""


def named(stored: str) -> str:
    """The name in the stored form of an account."""
    return stored.partition(" ")[2]


def identity(stored: str) -> str:
    """The identity in the stored form of an account."""
    return stored.partition(" ")[0]


def current() -> OsAccount | None:
    """The account this process runs under."""
    import getpass

    try:
        name = getpass.getuser()
        if sys.platform == "win32":
            return OsAccount(name, f"sid:{_sid()}")
        return OsAccount(name, f"uid:{os.getuid()}@{_computer()}")
    except (OSError, KeyError):  # no such user in the system's table, or no right to ask
        return None


def _computer() -> str:
    """Mark of this computer, not the identifier itself: that one is for the system alone."""
    import platform

    text = platform.node()
    for path in _MARKS:
        try:
            text = path.read_text("ascii").strip() or text
            break
        except (OSError, UnicodeDecodeError):
            continue
    return hashlib.sha256(f"sitemuster {text}".encode()).hexdigest()[:16]


if sys.platform == "win32":

    def _sid() -> str:
        """The security identifier of the process owner, ``S-1-5-21-…``. Raises OSError."""
        import ctypes
        from ctypes import wintypes

        advapi, kernel = ctypes.WinDLL("advapi32", use_last_error=True), ctypes.WinDLL("kernel32")
        kernel.GetCurrentProcess.restype = wintypes.HANDLE
        kernel.CloseHandle.argtypes = [wintypes.HANDLE]
        kernel.LocalFree.argtypes = [ctypes.c_void_p]
        advapi.OpenProcessToken.argtypes = [
            wintypes.HANDLE, wintypes.DWORD, ctypes.POINTER(wintypes.HANDLE),
        ]
        advapi.GetTokenInformation.argtypes = [
            wintypes.HANDLE, ctypes.c_int, ctypes.c_void_p, wintypes.DWORD,
            ctypes.POINTER(wintypes.DWORD),
        ]
        advapi.ConvertSidToStringSidW.argtypes = [
            ctypes.c_void_p, ctypes.POINTER(wintypes.LPWSTR),
        ]
        query, token_user = 0x0008, 1
        token, size, text = wintypes.HANDLE(), wintypes.DWORD(), wintypes.LPWSTR()
        if not advapi.OpenProcessToken(kernel.GetCurrentProcess(), query, ctypes.byref(token)):
            raise ctypes.WinError(ctypes.get_last_error())
        try:
            advapi.GetTokenInformation(token, token_user, None, 0, ctypes.byref(size))
            room = ctypes.create_string_buffer(size.value)
            if not advapi.GetTokenInformation(token, token_user, room, size, ctypes.byref(size)):
                raise ctypes.WinError(ctypes.get_last_error())
            sid = ctypes.c_void_p.from_buffer(room)  # TOKEN_USER begins with the pointer
            if not advapi.ConvertSidToStringSidW(sid, ctypes.byref(text)):
                raise ctypes.WinError(ctypes.get_last_error())
            try:
                return str(text.value)
            finally:
                kernel.LocalFree(text)
        finally:
            kernel.CloseHandle(token)
