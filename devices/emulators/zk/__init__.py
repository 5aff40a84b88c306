"""A terminal of our own that speaks the ZK stand-alone protocol over true sockets on loopback.

For the tests and the demo site. It shares no code with the driver: an error in one would otherwise
be answered by the same error in the other. ``python -m devices.emulators.zk --script FILE.json``
runs one by itself.
"""

from devices.emulators.zk.faults import Faults
from devices.emulators.zk.records import StoredPunch, StoredUser
from devices.emulators.zk.server import ZkEmulator

__all__ = ["Faults", "StoredPunch", "StoredUser", "ZkEmulator"]
