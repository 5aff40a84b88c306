"""Several PCs: who changed what last, what changed how often, who is here, who collects."""

from __future__ import annotations

import sqlalchemy as sa

from desktop.storage.migrations.columns import big, ref, table, text, whole

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Four tables beside the others; none of them is a ledger."""
    table(
        "edit_stamp",
        whole("id", key=True),
        ref("project_id", "project.id"),
        text("subject"),
        text("field"),
        whole("version"),
        text("editor"),
        text("role"),
        big("at"),
        sa.UniqueConstraint("project_id", "subject", "field"),
    )
    table("change_count", text("area", key=True), big("number"))
    table(
        "workstation",
        whole("id", key=True),
        text("mark"),
        text("name"),
        big("first_seen_at"),
        big("last_seen_at"),
        sa.UniqueConstraint("mark"),
    )
    table(
        "collection_lease",
        sa.Column("terminal_id", sa.Integer(), sa.ForeignKey("terminal.id"), primary_key=True),
        ref("project_id", "project.id"),
        ref("workstation_id", "workstation.id"),
        big("taken_at"),
        big("renewed_at"),
        big("expires_at"),
        big("released_at", null=True),
    )
