"""Retention: dates, policy, holds, purges, removal tasks; tombstones and the erasing triggers."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from desktop.storage import erasing, guard
from desktop.storage.migrations.columns import big, blob, index, ref, table, text, whole

revision = "0003"
down_revision = "0002"

LEDGERS = ("tombstone", "purge", "purge_step")


def upgrade() -> None:
    """New tables, their guards, and the ledgers' triggers that know tombstones."""
    _settings()
    _purges()
    _removals()
    for statement in _guards(op.get_bind().dialect.name):
        op.execute(sa.text(statement.replace(":", "\\:")))  # no colon of ours is a parameter


def _guards(dialect: str) -> Iterator[str]:
    if dialect == "postgresql":
        yield from guard.server_triggers(LEDGERS)
        for name in erasing.ERASABLE:
            yield from erasing.server_statements(name)
    else:
        yield from (trigger.sql for trigger in guard.triggers(LEDGERS))
        for name in erasing.ERASABLE:
            yield f"DROP TRIGGER {name}_no_update"
            yield erasing.update_trigger(name)


def _settings() -> None:
    table(
        "retention_dates",
        sa.Column("project_id", sa.Integer(), sa.ForeignKey("project.id"), primary_key=True),
        whole("completed_on", null=True),
        text("completed_document"),
        whole("wages_settled_on", null=True),
        text("settled_document"),
        text("set_by"),
        big("set_at"),
    )
    table(
        "retention_policy",
        whole("id", key=True),
        ref("project_id", "project.id"),
        whole("effective_from"),
        whole("waiting_days"),
        text("snapshots"),
        whole("snapshot_kb"),
        whole("assessed_on", null=True),
        text("assessment"),
        text("set_by"),
        big("set_at"),
        sa.UniqueConstraint("project_id", "effective_from"),
    )
    table(
        "legal_hold",
        whole("id", key=True),
        ref("project_id", "project.id"),
        ref("person_id", "person.id", null=True),
        text("kind"),
        text("reason"),
        text("document"),
        text("placed_by"),
        big("placed_at"),
        text("lifted_by", null=True),
        big("lifted_at", null=True),
        text("lifted_why"),
    )


def _purges() -> None:
    table(
        "tombstone",
        whole("id", key=True),
        ref("project_id", "project.id"),
        ref("segment_id", "segment.id"),
        whole("purge_number"),
        text("subject"),
        big("row_id"),
        blob("kept"),
        blob("rest"),
        text("replacement"),
        sa.UniqueConstraint("subject", "row_id"),
    )
    index("ix_tombstone_segment_id", "tombstone", ["segment_id"])
    table(
        "purge",
        whole("id", key=True),
        ref("project_id", "project.id"),
        ref("segment_id", "segment.id"),
        whole("number"),
        text("record_class"),
        text("why"),
        text("content"),
        text("proposed_by"),
        whole("proposed_by_id", null=True),
        big("proposed_at"),
        sa.UniqueConstraint("project_id", "number"),
    )
    table(
        "purge_step",
        whole("id", key=True),
        ref("project_id", "project.id"),
        ref("purge_id", "purge.id"),
        ref("segment_id", "segment.id"),
        text("step"),
        text("why"),
        text("content"),
        text("done_by"),
        whole("done_by_id", null=True),
        big("done_at"),
        sa.UniqueConstraint("purge_id", "step"),
    )


def _removals() -> None:
    table(
        "biometric_removal",
        whole("id", key=True),
        ref("project_id", "project.id"),
        ref("stay_id", "stay.id"),
        ref("terminal_id", "terminal.id"),
        text("number"),
        whole("due_on"),
        big("opened_at"),
        text("closed_how"),
        text("closed_by"),
        big("closed_at", null=True),
        text("note"),
        sa.UniqueConstraint("stay_id", "terminal_id", "number"),
    )
