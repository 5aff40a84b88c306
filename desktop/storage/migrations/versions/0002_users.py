"""Users, and the waits after failed log-ins."""

from __future__ import annotations

import sqlalchemy as sa

from desktop.storage.migrations.columns import big, table, text, whole

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Both start empty: a book without users has its first administrator."""
    table(
        "app_user",
        whole("id", key=True),
        text("name"),
        text("role"),
        text("password_hash", null=True),
        text("os_account", null=True),
        whole("active"),
        sa.UniqueConstraint("name"),
        sa.UniqueConstraint("os_account"),
    )
    table(
        "login_guard",
        whole("user_id", key=True),
        whole("failures"),
        whole("wait_s"),
        big("seen_at"),
        text("boot"),
        big("uptime_s"),
    )
