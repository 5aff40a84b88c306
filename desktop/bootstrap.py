"""The only place that wires settings, storage and services into one :class:`Office`.

The window and the command line both work through an office: a command and a button are two
handles of the same function. Stations are imported where they are wired: opening a book must not
wait for what only closing a month needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from desktop.access import login, os_account, users
from desktop.access.actor import Act, Actor
from desktop.access.desk import Desk
from desktop.clock import Clock, SystemClock
from desktop.errors import EnvironmentFault, Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.people.stays import refresh_states
from desktop.site.tables import Project
from desktop.storage.book import open_book

if TYPE_CHECKING:
    from desktop.punches.verification import LedgerVerdict
    from desktop.site.project_file import ProjectFile
    from desktop.storage.book import Book
    from desktop.storage.chain import Checkpoint, LeafReader
    from desktop.storage.company_keys import CompanyPrivate
    from desktop.storage.creation import NewOnServer
    from desktop.storage.move import MoveReport
    from desktop.storage.rekey import NewWays, RekeyReport, Sealings

ADMINISTRATOR = users.FIRST_ADMINISTRATOR
"""Who acts in a book that has no other user."""


@dataclass(slots=True)
class Office:
    """An open book with the project that is worked on; closed once, by whoever opened it."""

    book: Book
    desk: Desk
    away: str = ""
    """Why the book's server cannot be reached, as a sentence: only collecting works, into what
    waits on this PC; everything else raises ``server_away``. Empty for an open book."""

    @property
    def project_id(self) -> int:
        return self.desk.project_id

    def close(self) -> None:
        self.book.close()

    @property
    def lockable(self) -> bool:
        """Whether the actor has a secret that could unlock the window again: his password, or
        the passphrase of the book."""
        return self._own_password() or _has_passphrase(self.book)

    def check_password(self, typed: str) -> None:
        """Unlock: the actor's password, or the book's passphrase for who has none.

        Raises what :func:`desktop.access.login.log_in` raises, or ``wrong_passphrase``.
        """
        if self._own_password():
            login.check_password(self.desk, typed)
            return
        _check_passphrase(self.book, typed)
        if not self.away:
            with self.book.write() as session:
                self.desk.audit(session, Act.SCREEN_UNLOCKED, "book", by="passphrase")

    def _own_password(self) -> bool:
        if self.away:  # users are on the server
            return False
        with self.book.read() as session:
            return login.has_password(session, self.desk.actor)

    def note_locked(self) -> None:
        """The window hid itself; the audit row of it, where the book can be reached."""
        if self.away:
            return
        with self.book.write() as session:
            self.desk.audit(session, Act.SCREEN_LOCKED, "book")

    def rekey(
        self, ways: NewWays, progress: Progress = silent, cancel: CancelToken | None = None
    ) -> RekeyReport:
        """A new data key for the whole book after a leak; see ``key rekey``. A copy whose ledgers
        do not hold is thrown away."""
        from desktop.access import key_desk

        return key_desk.rekey_book(
            self.desk, ways, sealings(self.book),
            lambda copy: _refuse_unproven(copy, progress, cancel),
            progress=progress, cancel=cancel,
        )

    def move_to_server(
        self, url: str, password: str | None = None, progress: Progress = silent,
        cancel: CancelToken | None = None,
    ) -> MoveReport:
        """The book goes on on a server; see ``book move --to``."""
        from desktop.access import server_desk

        def prove(book: Book) -> None:
            _refuse_unproven(book, progress, cancel)

        return server_desk.move_to_server(self.desk, url, password, prove, progress, cancel)

    def move_to_file(
        self, folder: Path, progress: Progress = silent, cancel: CancelToken | None = None
    ) -> MoveReport:
        """The book goes on in a new folder; close this office then. See ``book move --to-file``."""
        from desktop.access import server_desk
        from desktop.punches import spool

        waiting = spool.waiting(self.book)
        if waiting.batches or waiting.damaged:
            raise Refused(
                "records_wait",
                "这台电脑上还有没存进账本的采集记录，没有搬，未做任何改动。请先用 punches waiting 查看并处理。",
            )

        def prove(book: Book) -> None:
            _refuse_unproven(book, progress, cancel)

        return server_desk.move_to_file(self.desk, folder, prove, progress, cancel)

    def verify_ledger(
        self,
        progress: Progress = silent,
        cancel: CancelToken | None = None,
        *,
        checkpoints: Sequence[Checkpoint] = (),
        pages: Sequence[str] = (),
    ) -> LedgerVerdict:
        """Prove the whole chain and the pages of the file; see ``ledger verify``.

        ``checkpoints`` are heads and ``pages`` codes of printed pages that were kept elsewhere.
        """
        from desktop.access import book_check, user_check
        from desktop.months.proofs import printed_pages
        from desktop.punches.verification import verify_ledger

        self.desk.permit(Act.LEDGER_VERIFIED)
        return verify_ledger(
            self.book, self.project_id, leaf_readers(self.book), progress, cancel,
            beside=(
                book_check.flaws, user_check.flaws,
                printed_pages(pages, self.book.book_id, self.book.sealer),
            ),
            checkpoints=checkpoints,
        )


@dataclass(slots=True)
class LockedOffice:
    """An open book nobody has entered yet. It passes into the :class:`Office` of whoever does;
    close it when nobody will."""

    book: Book
    project_id: int

    @property
    def needs_login(self) -> bool:
        """Whether the book has users beyond its first administrator."""
        with self.book.read() as session:
            return login.login_needed(session)

    @property
    def user_names(self) -> list[str]:
        """Who may be chosen; empty when no password exists."""
        with self.book.read() as session:
            return login.user_names(session)

    def log_in(self, name: str, password: str) -> Office:
        """Enter by name and password. Raises what :func:`desktop.access.login.log_in` raises."""
        return self._entered(login.log_in(self.book, self.project_id, name, password))

    def log_in_by_account(
        self, account: os_account.AccountPort = os_account.current
    ) -> Office | None:
        """Enter as the user this computer's account is bound to; None when it is not."""
        actor = login.log_in_by_os_account(self.book, self.project_id, account)
        return None if actor is None else self._entered(actor)

    def without_login(self) -> Office:
        """Enter as the only administrator; :class:`Refused` ``login_needed`` with more users."""
        with self.book.read() as session:
            if login.login_needed(session):
                raise Refused(
                    "login_needed",
                    "这个账本有多个用户，要先登录，未做任何改动。请选用户并输入登录密码"
                    "（命令行用 --user 和 --password-file）。",
                )
            actor = users.first_administrator(session)
        return self._entered(actor)

    def enter(self, user: str | None, password: str | None) -> Office:
        """Enter as the command line does: by what was given, else by this computer's account."""
        if user is not None and password is not None:
            return self.log_in(user, password)
        if user is None and password is not None:
            raise Refused(
                "user_missing", "给了登录密码，没有给用户名，未做任何改动。请加上 --user 用户名。"
            )
        if not self.needs_login:
            office = self.without_login()
            if user is None or login.same_name(user, office.desk.actor.name):
                return office
        else:
            entered = self.log_in_by_account()
            if entered is not None and (
                user is None or login.same_name(user, entered.desk.actor.name)
            ):
                return entered
            if user is None:
                return self.without_login()
        raise Refused(
            "password_needed",
            f"以「{user}」的名义操作要登录密码，未做任何改动。请用 --password-file 给出密码文件。",
        )

    def reset_password(self, name: str, new: str, recovery_code: str) -> None:
        """A new password for who holds the recovery code; nobody has entered by that."""
        users.reset_password(
            Desk(self.book, self.project_id, login.NOBODY), name, new, recovery_code
        )

    def close(self) -> None:
        self.book.close()

    def _entered(self, actor: Actor) -> Office:
        with self.book.write() as session:  # entries and exits planned for a day come true
            refresh_states(session, self.project_id, self.book.clock.today())
        return Office(self.book, Desk(self.book, self.project_id, actor))


def sealings(book: Book) -> Sealings:
    """What the stations keep under the data key, for a change of it."""
    from desktop.months.frozen import next_salts_from
    from desktop.people import seals as people
    from desktop.punches import seals as punches
    from desktop.storage.rekey import Sealings

    with book.read() as session:
        salts_from = next_salts_from(session, book.clock.today())
    return Sealings((*people.FIELDS, *punches.FIELDS), punches.FILES, salts_from)


def leaf_readers(book: Book) -> dict[str, LeafReader]:
    """Who can recompute the leaves of which segment kind."""
    from desktop.access import audit
    from desktop.attendance import leaves as attendance_leaves
    from desktop.board import export as board_export
    from desktop.months import leaves as month_leaves
    from desktop.punches import ledger
    from desktop.retention import steps
    from desktop.storage import tombstones

    return {
        "act": audit.leaves,
        **ledger.verify_readers(),
        **attendance_leaves.verify_readers(),
        **month_leaves.verify_readers(book.sealer),
        "board": board_export.leaves,
        steps.KIND: steps.leaves,
        tombstones.KIND: tombstones.leaves,
    }


def open_office(
    folder: Path,
    *,
    passphrase: str | None = None,
    recovery_code: str | None = None,
    company: CompanyPrivate | None = None,
    user: str | None = None,
    password: str | None = None,
    clock: Clock | None = None,
) -> Office:
    """Open the book in ``folder`` with its first project; a secret that is given is the only one
    tried. Raises ``login_needed`` where users exist and neither ``user`` nor an account is known.
    """
    locked = open_locked(
        folder, passphrase=passphrase, recovery_code=recovery_code, company=company, clock=clock
    )
    try:
        return locked.enter(user, password)
    except BaseException:
        locked.close()
        raise


def open_locked(
    folder: Path,
    *,
    passphrase: str | None = None,
    recovery_code: str | None = None,
    company: CompanyPrivate | None = None,
    clock: Clock | None = None,
) -> LockedOffice:
    """Open the book in ``folder`` and let nobody in yet."""
    book = open_book(
        folder, clock or SystemClock(), passphrase=passphrase, recovery_code=recovery_code,
        company=company,
    )
    try:
        with book.read() as session:
            project_id = session.query(Project.id).order_by(Project.id).limit(1).scalar()
        if project_id is None:
            raise Refused("no_project", "账本里还没有项目。请用 init 重新建立账本。")
        if book.opened_by in ("recovery", "company"):
            with book.write() as session:
                Desk(book, project_id, login.NOBODY).audit(
                    session, Act.BOOK_RECOVERED, "book", way=book.opened_by
                )
        _finish_rekey(book)
        if book.server is not None or (book.path / "waiting").is_dir():
            _catch_up(book, project_id)
        return LockedOffice(book, project_id)
    except BaseException:
        book.close()
        raise


def _finish_rekey(book: Book) -> None:
    """Files of the book that still lie under an earlier data key are sealed anew."""
    if book.ring.generation == 1:
        return
    from desktop.punches.seals import FILES
    from desktop.storage import reseal

    if reseal.files_wait(book.path, book.ring):
        try:
            reseal.reseal_files(book.path, book.ring, FILES)
        except EnvironmentFault as fault:
            book.notices.append(f"换钥匙后，部分原始文件还没有用新钥匙重新密封：{fault.message}")


def open_away(
    folder: Path,
    fault: EnvironmentFault,
    *,
    passphrase: str | None = None,
    recovery_code: str | None = None,
    clock: Clock | None = None,
) -> Office:
    """The office of a book whose opening raised ``server_away``: terminals can be collected as
    this PC last knew them, and sticks imported; what they give waits here.

    Nobody logs in, users are on the server; whoever opens the folder may collect and sees no
    person. Raises ``fault`` where this PC never saw the terminals, and what unlocking raises.
    """
    from desktop.access.actor import Role
    from desktop.punches import known
    from desktop.storage import away, workstation

    book = away.open_away(
        folder, clock or SystemClock(), fault, passphrase=passphrase, recovery_code=recovery_code
    )
    try:
        held = known.recall(book)
        if held is None:
            raise fault
        name = f"离线采集（{workstation.here(folder).name}）"
        desk = Desk(book, held.project_id, Actor(name, Role.TECHNICIAN))
        return Office(book, desk, away=fault.message)
    except BaseException:
        book.close()
        raise


def _catch_up(book: Book, project_id: int) -> None:
    """What waited while the server was away comes in; this PC learns the terminals anew."""
    from desktop.punches import known, late, spool

    try:
        book.notices += late.store_waiting(book, project_id).sentences()
        with book.read() as session:
            known.remember(book, project_id, session)
    except EnvironmentFault as fault:
        if spool.is_away(fault):
            raise
        book.notices.append(fault.message)


def create_office(
    folder: Path,
    project: ProjectFile,
    *,
    passphrase: str | None = None,
    recovery_out: Path | None = None,
    clock: Clock | None = None,
    demo: bool = False,
    database: str | None = None,
    database_password: str | None = None,
) -> tuple[Office, str]:
    """Make a book with one project; returns the office and the recovery code.

    ``recovery_out`` is reserved before the book is made, so that no book exists without its code.
    ``database`` is the URL of a server's administrator: the tables are made there.
    """
    from desktop.access import book_check
    from desktop.board import edit as board_edit
    from desktop.site.setup import create_project
    from desktop.storage import creation

    if recovery_out is not None:
        _reserve(recovery_out)
    desk: Desk | None = None

    def fill(book: Book) -> None:
        nonlocal desk
        with book.write() as session:
            project_id = create_project(session, book.clock, project)
            board_edit.store_items(session, project_id, project.board)
            desk = Desk(book, project_id, ADMINISTRATOR)
            desk.audit(
                session, Act.BOOK_CREATED, f"project:{project_id}", demo=demo,
                **book_check.told(session),
            )

    try:
        book, code = creation.create_book(
            folder, clock or SystemClock(), passphrase=passphrase, demo=demo, fill=fill,
            server=None if database is None else _on_server(database, database_password),
        )
    except BaseException:
        if recovery_out is not None:
            recovery_out.unlink(missing_ok=True)
        raise
    assert desk is not None
    if recovery_out is not None:
        recovery_out.write_text(
            f"{code}\n实名台账本 {book.book_id} 恢复码，请打印后锁存。\n", encoding="utf-8"
        )
    return Office(book, Desk(book, desk.project_id, ADMINISTRATOR)), code


def _on_server(url: str, password: str | None) -> NewOnServer:
    from desktop.storage.server_creation import NewServerBook

    return NewServerBook(url, password)


def _reserve(recovery_out: Path) -> None:
    """Make the file of the recovery code before the book exists, readable by its owner only."""
    try:
        recovery_out.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        raise Refused(
            "recovery_exists",
            f"恢复码文件「{recovery_out.name}」已存在，为避免覆盖旧恢复码，未建账本。请换一个文件名。",
        ) from None
    except OSError as error:
        raise EnvironmentFault(
            "recovery_unwritable", f"恢复码写不进「{recovery_out.name}」，未建账本。请换一个可写的位置。"
        ) from error


def _refuse_unproven(book: Book, progress: Progress, cancel: CancelToken | None) -> None:
    """Raise unless the ledger of every project of the book holds."""
    from desktop.punches.verification import verify_ledger

    with book.read() as session:
        projects = list(session.scalars(select(Project.id)))
    for project_id in projects:
        verdict = verify_ledger(book, project_id, leaf_readers(book), progress, cancel)
        if not verdict.ok:
            raise Refused(
                "ledger_not_ok",
                f"账本核对不通过，这一步已撤销，账本保持原样：{verdict.first_bad}"
                "请先运行 ledger verify 查明，再从备份恢复。",
                first_bad=verdict.first_bad,
            )


def _has_passphrase(book: Book) -> bool:
    from desktop.storage.keys import KeySlots, SlotName

    return SlotName.PASSPHRASE in KeySlots.read(book.path).slots


def _check_passphrase(book: Book, typed: str) -> None:
    """Raise what opening the book with this passphrase would raise."""
    from desktop.storage import unlock
    from desktop.storage.card import BookCard

    unlock.data_key(
        book.path, BookCard.read(book.path), passphrase=typed, recovery_code=None
    )
