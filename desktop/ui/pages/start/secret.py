"""What somebody gave to open a book. No widget here: every start uses it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.errors import EnvironmentFault
from desktop.ui.i18n import tr

if TYPE_CHECKING:
    from desktop.storage.company_keys import CompanyPrivate


@dataclass(frozen=True, slots=True)
class Secret:
    """What somebody gave to open a book; one of them. Its ``repr`` shows nothing."""

    passphrase: str | None = field(default=None, repr=False)
    recovery_code: str | None = field(default=None, repr=False)
    company_file: Path | None = field(default=None, repr=False)
    company_passphrase: str = field(default="", repr=False)

    @property
    def recovers(self) -> bool:
        """Whether the usual way had failed: a new one should follow."""
        return self.recovery_code is not None or self.company_file is not None


def company_key(secret: Secret) -> CompanyPrivate | None:
    """Head office's private key out of its file; None where another secret was given.

    Not for the main thread. Raises :class:`EnvironmentFault` and what reading a key raises.
    """
    from desktop.paths import read_regular
    from desktop.storage.company_keys import MOST_BYTES, private_key

    if secret.company_file is None:
        return None
    try:
        data = read_regular(secret.company_file, MOST_BYTES)
    except OSError as error:
        raise EnvironmentFault(
            "company_key_unreadable",
            tr("读不到公司私钥文件「{name}」，账本没有打开，未做任何改动。请检查文件后重选。", name=secret.company_file.name),
        ) from error
    return private_key(data, secret.company_passphrase)
