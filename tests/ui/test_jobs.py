"""The bridge: results on the main thread, the newest answer only, stopping, owners that are gone."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from PySide6.QtCore import QObject

from desktop.errors import Cancelled, Refused, SiteMusterError
from desktop.ui.jobs import JobRunner, Lane


@pytest.fixture
def jobs(qtbot: Any) -> Any:
    made = JobRunner()
    yield made
    made.close()
    made.shut_down()


def test_work_is_elsewhere_and_its_result_here(jobs: JobRunner, qtbot: Any) -> None:
    seen: list[int] = []
    owner = QObject()
    jobs.submit(
        lambda progress, cancel: threading.get_ident(),
        lambda result: seen.extend((result, threading.get_ident())),
        lane=Lane.READ, owner=owner, failed=pytest.fail,
    )
    qtbot.waitUntil(jobs.is_idle)
    worker, deliverer = seen
    assert deliverer == threading.get_ident() != worker


def test_only_the_newest_answer_counts(jobs: JobRunner, qtbot: Any) -> None:
    hold, seen, owner = threading.Event(), [], QObject()

    def first(progress: Any, cancel: Any) -> str:
        hold.wait(5)
        return "old"

    for work in (first, lambda progress, cancel: "new"):
        jobs.submit(work, seen.append, lane=Lane.READ, owner=owner, failed=pytest.fail, key="q")
    hold.set()
    qtbot.waitUntil(jobs.is_idle)
    assert seen == ["new"]


def test_stopping_reaches_the_work(jobs: JobRunner, qtbot: Any) -> None:
    began, errors, owner = threading.Event(), [], QObject()

    def work(progress: Any, cancel: Any) -> None:
        began.set()
        while True:
            cancel.raise_if_set()

    job = jobs.submit(
        work, pytest.fail, lane=Lane.ACT, owner=owner, failed=errors.append, title="采集"
    )
    assert began.wait(5)
    assert [shown.title for shown in jobs.shown()] == ["采集"]
    job.cancel.set()
    qtbot.waitUntil(jobs.is_idle)
    assert isinstance(errors[0], Cancelled)


def test_a_refusal_is_no_crash_and_a_fault_is(jobs: JobRunner, qtbot: Any) -> None:
    errors: list[SiteMusterError] = []
    crashes: list[BaseException] = []
    owner = QObject()
    jobs.crashed.connect(crashes.append)

    def refuse(progress: Any, cancel: Any) -> None:
        raise Refused("taken", "已有，未做任何改动。")

    for work in (refuse, lambda progress, cancel: 1 // 0):
        jobs.submit(work, pytest.fail, lane=Lane.ACT, owner=owner, failed=errors.append)
    qtbot.waitUntil(jobs.is_idle)
    assert [error.code for error in errors] == ["taken", "unexpected"]
    assert [type(crash) for crash in crashes] == [ZeroDivisionError]


def test_nothing_is_told_to_the_gone(jobs: JobRunner, qtbot: Any) -> None:
    from shiboken6 import delete

    hold, owner = threading.Event(), QObject()
    jobs.submit(
        lambda progress, cancel: hold.wait(5), pytest.fail, lane=Lane.POOL, owner=owner,
        failed=pytest.fail,
    )
    delete(owner)
    hold.set()
    qtbot.waitUntil(jobs.is_idle)
