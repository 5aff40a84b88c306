"""A relay before the server: the network between a PC and its server, to be cut at will."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

Cut = Callable[[bytes], str]
"""Looks at what the PC sends: ``""`` lets it through, ``before`` cuts first, ``after`` hands it to
the server and cuts before the answer."""


def at_commit(when: str) -> Cut:
    """Cut around the COMMIT of a transaction that wrote something (it left its receipt before)."""
    seen = {"receipt": False}

    def look(data: bytes) -> str:
        seen["receipt"] = seen["receipt"] or b"write_receipt" in data
        return when if seen["receipt"] and b"COMMIT" in data else ""

    return look


class Relay:
    """Forwards connections to ``port``; ``with`` closes it."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.cut: Cut | None = None
        """Asked for every piece; a cut happens once."""
        self.cuts = 0
        self.closed = False
        """Whether new connections are turned away."""
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                if self.closed:
                    _end(near)
                    continue
                far = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                return
            self._open += [near, far]
            threading.Thread(target=self._out, args=(near, far), daemon=True).start()
            threading.Thread(target=self._back, args=(near, far), daemon=True).start()

    def _out(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while data := near.recv(65536):
                act = "" if self.cut is None else self.cut(data)
                if act:
                    self.cut = None
                    self.cuts += 1
                if act == "before":
                    break
                if act == "after":
                    near.shutdown(socket.SHUT_RD)
                    _end(near)  # nobody will hear the answer
                    far.sendall(data)
                    far.recv(65536)
                    break
                far.sendall(data)
        _end(near)
        _end(far)

    def _back(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while data := far.recv(65536):
                near.sendall(data)
        _end(near)

    def drop_all(self) -> None:
        """Cut every connection that is open."""
        for one in self._open:
            _end(one)
        self._open.clear()

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.drop_all()


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
