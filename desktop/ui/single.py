"""One window per book: a second start raises the first window and ends.

The name of the local socket is derived from the book's real path and the user; nothing is written
into the book's folder. The lock in storage still guards the data if the socket cannot be made.
"""

from __future__ import annotations

import getpass
import hashlib
import os
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

_WAIT_MS = 400


def _name(folder: Path) -> str:
    place = f"{getpass.getuser()}|{os.path.realpath(folder)}"
    return "sitemuster-" + hashlib.sha256(place.encode()).hexdigest()[:20]


def raise_other(folder: Path) -> bool:
    """Ask a running window of this book to come to the front; True if there is one."""
    socket = QLocalSocket()
    socket.connectToServer(_name(folder))
    if not socket.waitForConnected(_WAIT_MS):
        return False
    socket.write(b"raise\n")
    socket.waitForBytesWritten(_WAIT_MS)
    socket.disconnectFromServer()
    return True


class WindowSignal(QObject):
    """Listens for a second start; ``asked`` means: come to the front."""

    asked = Signal()

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        if not self._server.listen(_name(folder)):
            # A crashed window leaves the socket file behind; nobody answered on it.
            QLocalServer.removeServer(_name(folder))
            self._server.listen(_name(folder))
        self._server.newConnection.connect(self._answer)

    def close(self) -> None:
        """Stop listening."""
        self._server.close()

    def _answer(self) -> None:
        socket = self._server.nextPendingConnection()
        if socket is not None:
            socket.disconnected.connect(socket.deleteLater)
            self.asked.emit()
