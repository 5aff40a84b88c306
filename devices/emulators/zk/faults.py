"""What can go wrong with an emulated terminal, as plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Faults:
    """Every field at its default is a healthy terminal. Packets are counted from 1 per session.

    ``sessions``: how many sessions are struck, counted from the first; 0 = all of them.
    """

    sessions: int = 1
    bad_checksum_at: int = 0
    """This packet arrives with one bit of its data or number turned over."""
    cut_after: int = -1
    """The connection ends after so many bytes."""
    stall_at: int = 0
    """This packet and all after it are never sent; the connection stays open."""
    drip_at: int = 0
    """From this packet on one byte a second."""
    reboot_at: int = 0
    """Instead of this packet the terminal restarts and is away for ``reboot_s``."""
    reboot_s: float = 0.3
    split: int = 0
    """TCP: send so many bytes at a time."""
    coalesce: bool = False
    """TCP: all packets of an answer in one send."""
    delay_s: float = 0.0
    """Before each packet."""
    events_in_bulk: int = 0
    """Punch events between PREPARE_DATA and DATA."""
    announce_by: int = 0
    """Added to the size announced for a log."""
    announce_second_by: int = 0
    """Added to the second statement of that size only."""
    prefix_by: int = 0
    """Added to the length in front of the log's records."""
    cut_log_by: int = 0
    """Bytes missing at the end of the log, everywhere consistently announced."""
    short_chunk_by: int = 0
    """Bytes missing in each chunk against its own announcement."""
    chunk_announce: int = 0
    """Announced instead of a chunk's true length."""
    count_by: int = 0
    """Added to the number of punches the terminal says it holds."""
    zero_count: bool = False
    """It says 0 punches although it has some."""
    grow_by: int = 0
    """Punches taken while the log is being read: counted afterwards, not in it."""
    grow_early_by: int = 0
    """Punches taken between the count and the reading of the log: they are in it."""
    refuse_buffered: bool = False
    """1503 is unknown to this firmware."""
    refuse_direct: bool = False
    """The direct reads fail too."""
    whole_chunks: bool = False
    """Chunks come as one DATA packet without PREPARE_DATA."""
    alter_record: int = -1
    """This record of the log comes with another time, under a right checksum."""
    busy: bool = False
    """CONNECT is refused."""
    drop: frozenset[int] = frozenset()
    """UDP: datagrams that get lost on the way to the client."""
    drop_every: int = 0
    """UDP: each n-th datagram gets lost."""
    frame_length: int = 0
    """TCP: announced for the packet ``frame_length_at`` instead of its true length."""
    frame_length_at: int = 0
    wrong_number_at: int = 0
    """This packet carries another reply number."""
