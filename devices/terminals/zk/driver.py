"""The driver of ZKTeco stand-alone terminals: what the program asks, put together from one session.

Reading only. See ``devices.terminals.driver`` for caller, thread and limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, timedelta
from functools import partial
from typing import Any, ClassVar

from devices.errors import BadResponse, DeviceError, NotSupported
from devices.terminals.driver import (
    Cancel,
    Capability,
    Connection,
    Progress,
    Surroundings,
    silent,
)
from devices.terminals.model import Batch, ClockReading, Health, Identity, People
from devices.terminals.zk import counts, key, packed_time
from devices.terminals.zk.attempts import repeated
from devices.terminals.zk.codes import Request
from devices.terminals.zk.pull import (
    Notes,
    SteadyLog,
    Transfer,
    batch_of,
    read_counts,
    read_log,
    read_users,
)
from devices.terminals.zk.session import Session
from devices.terminals.zk.transport import Watch, open_transport

SERIAL = "~SerialNumber"
OPTIONS = (
    SERIAL,
    "~DeviceName",
    "~Platform",
    "~ZKFPVersion",
    "ZKFaceVersion",
    "FaceFunOn",
    "~PIN2Width",
    "~IsABCPinEnable",
    "~UserExtFmt",
    "MAC",
    "AlarmReRec",
)
"""Worth knowing (§5); ``AlarmReRec`` is the terminal's own re-punch suppression in minutes."""


class ZkDriver:
    """One terminal at one address. Opens nothing until asked; one thread at a time."""

    name: ClassVar[str] = "zk"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)

    def __init__(self, connection: Connection, surroundings: Surroundings = Surroundings()) -> None:
        if connection.transport not in ("tcp", "udp"):
            raise NotSupported("transport")
        self._connection = connection
        self._key = key.parse(connection.password)
        self._around = surroundings

    def probe(self, *, cancel: Cancel | None = None) -> Identity:
        with self._session(self._watch(cancel)) as session:
            options = {name: _option(session, name) for name in OPTIONS}
            version = session.ask(Request.READ_VERSION, step="probe") or b""
        return Identity(
            serial=options[SERIAL],
            model=options["~DeviceName"],
            firmware=_text(version),
            platform=options["~Platform"],
            protocol=f"zk-{self._connection.transport}",
            options={name: value for name, value in options.items() if value},
        )

    def clock(self, *, cancel: Cancel | None = None) -> ClockReading:
        with self._session(self._watch(cancel)) as session:
            return self._read_clock(session)

    def health(self, *, cancel: Cancel | None = None) -> Health:
        with self._session(self._watch(cancel)) as session:
            data = session.ask(Request.READ_COUNTS, step="health")
        if data is None:
            raise NotSupported("health")
        return counts.parse(data)

    def people(self, *, progress: Progress = silent, cancel: Cancel | None = None) -> People:
        watch = self._watch(cancel)

        def once(attempt: int) -> People:
            progress(0, 0, "connect")
            with self._session(watch) as session:
                serial = _option(session, SERIAL)
                now = read_counts(session)
                found, encoding = read_users(session, now, self._connection.encoding, progress)
            return People(serial, found, encoding, now.users, attempt)

        return repeated(once, watch, progress, [])

    def pull(
        self,
        cursor: Mapping[str, Any] | None = None,
        *,
        progress: Progress = silent,
        cancel: Cancel | None = None,
    ) -> Batch:
        watch = self._watch(cancel)
        notes = Notes()
        steady = SteadyLog(cursor)
        try:
            return repeated(
                partial(self._believable, steady, watch, progress, notes),
                watch,
                progress,
                notes.failures,
            )
        except DeviceError as error:
            error.certain = notes.certain()
            raise

    def _believable(
        self, steady: SteadyLog, watch: Watch, progress: Progress, notes: Notes, attempt: int
    ) -> Batch:
        """One attempt: a transfer, and at once a second one where the first is in doubt."""
        notes.attempts = attempt
        lossy = self._connection.transport == "udp"
        for _ in range(2):
            transfer = self._transfer(watch, progress, notes)
            verdict = steady.judge(transfer, lossy=lossy)
            if verdict is not None:
                known, changed = verdict
                return batch_of(transfer, known, changed, notes)
        raise BadResponse("unsteady_log")

    def _transfer(self, watch: Watch, progress: Progress, notes: Notes) -> Transfer:
        progress(0, 0, "connect")
        with self._session(watch) as session:
            try:
                notes.serial = serial = _option(session, SERIAL)
                notes.clock = clock = self._read_clock(session)
                return read_log(session, serial, clock, self._connection.encoding, progress, notes)
            finally:
                notes.events_set_aside += session.events_set_aside

    # ---- small questions -----------------------------------------------------------------

    def _watch(self, cancel: Cancel | None) -> Watch:
        return Watch(self._around, cancel)

    def _session(self, watch: Watch) -> Session:
        where = self._connection
        return Session(
            partial(open_transport, where.transport, where.address, watch),
            where.address,
            self._key,
            watch,
        )

    def _read_clock(self, session: Session) -> ClockReading:
        """Terminal minus host at the middle of the round trip (§4)."""
        around = self._around
        asked = around.now()
        began = around.monotonic()
        data = session.ask(Request.READ_TIME, step="clock")
        trip = around.monotonic() - began
        if data is not None and len(data) < 4:
            raise BadResponse("fields", expected=4, got=len(data))
        terminal = None if data is None else packed_time.moment(int.from_bytes(data[:4], "little"))
        middle = asked + timedelta(seconds=trip / 2)
        local = middle.astimezone(around.zone).replace(tzinfo=None)
        offset = None if terminal is None else round((terminal - local).total_seconds())
        return ClockReading(terminal, middle.astimezone(UTC), round(trip * 1000), offset)


def _option(session: Session, name: str) -> str:
    """One option, "" when the terminal does not know it (§5: ``name=value`` + NUL)."""
    data = session.ask(Request.READ_OPTION, name.encode("ascii") + b"\0", step="options")
    key_part, equals, value = _text(data or b"").partition("=")
    return value.strip() if equals and key_part.strip() == name else ""


def _text(data: bytes) -> str:
    """Text of an option or a version: to the first NUL, printable, at most 200 characters."""
    text = data.partition(b"\0")[0].decode("gbk", "replace").strip()
    return "".join(c for c in text[:200] if c.isprintable())
