"""Baseline: every table of the first release, its indexes, and the guards of the ledgers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from desktop.storage import guard
from desktop.storage.migrations.columns import BIG, big, blob, index, ref, table, text, whole

revision = "0001"
down_revision = None

LEDGERS = (
    "segment",
    "audit_act",
    "punch",
    "punch_sighting",
    "punch_conflict",
    "punch_quarantine",
    "month_version",
    "month_row",
    "month_page",
    "leaver_slip",
    "board_version",
)


def upgrade() -> None:
    """Make all tables, then the triggers."""
    _site()
    _storage()
    _access()
    _people()
    _punches()
    _attendance()
    _months()
    _board()
    if op.get_bind().dialect.name == "postgresql":
        for statement in guard.server_triggers(LEDGERS):
            op.execute(statement)
    else:
        for trigger in guard.triggers(LEDGERS):
            op.execute(trigger.sql)


def _site() -> None:
    table(
        "company",
        whole("id", key=True),
        text("name"),
        text("credit_code"),
        sa.UniqueConstraint("name"),
        sa.UniqueConstraint("credit_code"),
    )
    table(
        "holiday",
        whole("day", key=True),
        text("day_type"),
        text("name"),
        whole("statutory"),
    )
    table(
        "project",
        whole("id", key=True),
        text("name"),
        text("code"),
        text("address"),
        text("permit_no"),
        whole("started_on", null=True),
        whole("planned_completion_on", null=True),
        whole("enclosed"),
        whole("pay_day", null=True),
        big("created_at"),
        sa.UniqueConstraint("code"),
    )
    table(
        "floor_wage",
        whole("id", key=True),
        ref("project_id", "project.id"),
        whole("effective_from"),
        text("monthly"),
        text("hourly"),
        text("document"),
        sa.UniqueConstraint("project_id", "effective_from"),
    )
    table(
        "participation",
        whole("id", key=True),
        ref("project_id", "project.id"),
        ref("company_id", "company.id"),
        text("kind"),
        text("contact"),
        text("phone"),
        sa.UniqueConstraint("project_id", "company_id"),
    )
    table(
        "rule_pack",
        whole("id", key=True),
        ref("project_id", "project.id"),
        whole("effective_from"),
        text("name"),
        whole("version"),
        text("content"),
        sa.UniqueConstraint("project_id", "effective_from"),
    )
    table(
        "staff",
        whole("id", key=True),
        ref("project_id", "project.id"),
        ref("company_id", "company.id", null=True),
        text("post"),
        text("name"),
        text("phone"),
    )
    table(
        "team",
        whole("id", key=True),
        ref("project_id", "project.id"),
        ref("company_id", "company.id"),
        whole("number"),
        text("name"),
        text("leader"),
        sa.UniqueConstraint("project_id", "number"),
        sa.UniqueConstraint("project_id", "company_id", "name"),
    )
    table(
        "team_shift",
        whole("id", key=True),
        ref("team_id", "team.id"),
        whole("from_day"),
        text("shift"),
        sa.UniqueConstraint("team_id", "from_day"),
    )


def _storage() -> None:
    table(
        "book_info",
        text("name", key=True),
        text("value"),
    )
    table(
        "segment",
        whole("id", key=True),
        ref("project_id", "project.id"),
        whole("sequence"),
        text("kind"),
        whole("count"),
        blob("root"),
        text("header"),
        big("at"),
        text("operator"),
        blob("previous_hash"),
        blob("hash"),
        sa.UniqueConstraint("project_id", "sequence"),
        sa.UniqueConstraint("project_id", "previous_hash"),
    )


def _access() -> None:
    table(
        "audit_act",
        whole("id", key=True),
        ref("project_id", "project.id"),
        ref("segment_id", "segment.id"),
        big("at"),
        text("actor"),
        text("act"),
        text("subject"),
        text("why"),
        text("facts"),
    )
    index("ix_audit_act_segment_id", "audit_act", ["segment_id"])


def _people() -> None:
    table(
        "person",
        whole("id", key=True),
        whole("worker_no"),
        text("name"),
        text("pinyin"),
        text("initials"),
        text("sex"),
        text("nation"),
        text("education"),
        whole("birth_day", null=True),
        text("id_kind"),
        blob("id_sealed"),
        blob("id_index"),
        blob("address_sealed", null=True),
        blob("phone_sealed", null=True),
        blob("phone_index", null=True),
        text("bank_name"),
        blob("bank_card_sealed", null=True),
        blob("bank_card_index", null=True),
        text("emergency_contact"),
        blob("emergency_phone_sealed", null=True),
        big("updated_at"),
        sa.UniqueConstraint("id_kind", "id_index"),
        sa.UniqueConstraint("worker_no"),
    )
    index("ix_person_bank_card_index", "person", ["bank_card_index"])
    index("ix_person_name", "person", ["name"])
    index("ix_person_phone_index", "person", ["phone_index"])
    index("ix_person_roster", "person", ["pinyin", "name", "worker_no", "initials"])
    index("ix_person_traits", "person", ["worker_no", "sex", "nation", "birth_day"])
    table(
        "roster_import",
        whole("id", key=True),
        ref("project_id", "project.id"),
        big("at"),
        blob("sha256"),
        text("counts"),
        whole("taken_over_on", null=True),
    )
    table(
        "stay",
        whole("id", key=True),
        ref("project_id", "project.id"),
        ref("person_id", "person.id"),
        ref("company_id", "company.id"),
        whole("from_day"),
        whole("to_day", null=True),
        whole("is_manager"),
        text("trade"),
        text("state"),
        whole("housing_registered_on", null=True),
        whole("labour_registered_on", null=True),
        whole("trained_on", null=True),
        whole("taken_over_on", null=True),
        sa.UniqueConstraint("project_id", "person_id", "from_day"),
    )
    index(
        "ix_stay_roster", "stay",
        ["person_id", "project_id", "company_id", "state", "is_manager", "trade", "from_day", "to_day"],
    )
    table(
        "contract",
        whole("id", key=True),
        ref("project_id", "project.id"),
        ref("stay_id", "stay.id"),
        text("kind"),
        text("number"),
        whole("from_day", null=True),
        whole("to_day", null=True),
    )
    index("ix_contract_stay_id", "contract", ["stay_id"])
    table(
        "stay_team",
        whole("id", key=True),
        ref("stay_id", "stay.id"),
        ref("team_id", "team.id"),
        whole("from_day"),
        whole("to_day", null=True),
        sa.UniqueConstraint("stay_id", "from_day"),
    )
    index("ix_stay_team_roster", "stay_team", ["stay_id", "to_day", "team_id"])
    index("ix_stay_team_team_id", "stay_team", ["team_id"])


def _punches() -> None:
    table(
        "terminal",
        whole("id", key=True),
        ref("project_id", "project.id"),
        text("name"),
        text("driver"),
        text("address"),
        text("transport"),
        text("direction"),
        text("serial"),
        blob("password_sealed", null=True),
        text("encoding"),
        whole("biometric_only_from", null=True),
        text("biometric_only_evidence"),
        whole("in_use_from", null=True),
        whole("retired_on", null=True),
        whole("epoch"),
        text("cursor"),
        big("complete_until", null=True),
        big("last_contact_at", null=True),
        sa.UniqueConstraint("project_id", "name"),
    )
    table(
        "alias",
        whole("id", key=True),
        ref("project_id", "project.id"),
        ref("terminal_id", "terminal.id"),
        text("number"),
        ref("person_id", "person.id"),
        whole("from_day", null=True),
        whole("to_day", null=True),
        text("basis"),
        text("confirmed_by"),
        big("confirmed_at"),
    )
    index("ix_alias_terminal_id", "alias", ["terminal_id", "number"])
    table(
        "clock_reading",
        whole("id", key=True),
        ref("terminal_id", "terminal.id"),
        big("at"),
        big("terminal_time"),
        whole("offset_s"),
        whole("round_trip_ms"),
    )
    index("ix_clock_reading_terminal_id", "clock_reading", ["terminal_id", "at"])
    table(
        "download",
        whole("id", key=True),
        ref("project_id", "project.id"),
        ref("terminal_id", "terminal.id"),
        big("at"),
        text("origin"),
        whole("complete"),
        blob("sha256", null=True),
        text("counts"),
        text("error"),
    )
    index("ix_download_terminal_id", "download", ["terminal_id", "at"])
    table(
        "punch",
        big("id", key=True),
        ref("segment_id", "segment.id"),
        ref("terminal_id", "terminal.id"),
        whole("epoch"),
        big("seq", null=True),
        text("number"),
        big("t_local"),
        whole("day"),
        whole("method_raw"),
        whole("state_raw"),
        whole("method_class"),
        whole("accepted"),
        whole("source_format"),
        big("received_at"),
        blob("raw"),
    )
    index(
        "ix_punch_day", "punch",
        ["day", "terminal_id", "number", "t_local", "method_class", "accepted"],
    )
    index(
        "uq_punch_key", "punch", ["terminal_id", "t_local", "number", "method_raw", "state_raw"],
        unique=True, where="seq IS NULL",
    )
    index(
        "uq_punch_seq", "punch", ["terminal_id", "epoch", "seq"],
        unique=True, where="seq IS NOT NULL",
    )
    table(
        "punch_quarantine",
        big("id", key=True),
        ref("segment_id", "segment.id"),
        ref("terminal_id", "terminal.id"),
        whole("source_format"),
        text("reason"),
        text("number"),
        text("time_text"),
        big("received_at"),
        blob("raw"),
        sa.UniqueConstraint("terminal_id", "source_format", "raw"),
    )
    table(
        "terminal_person",
        whole("id", key=True),
        ref("terminal_id", "terminal.id"),
        text("number"),
        text("name"),
        big("card"),
        big("read_at"),
        sa.UniqueConstraint("terminal_id", "number"),
    )
    table(
        "punch_conflict",
        big("id", key=True),
        ref("punch_id", "punch.id", kind=BIG),
        ref("segment_id", "segment.id"),
        whole("source_format"),
        blob("raw"),
        sa.UniqueConstraint("punch_id", "raw"),
    )
    table(
        "punch_sighting",
        big("id", key=True),
        ref("punch_id", "punch.id", kind=BIG),
        ref("segment_id", "segment.id"),
        text("origin"),
        sa.UniqueConstraint("punch_id", "origin"),
    )


def _attendance() -> None:
    table(
        "finding_answer",
        whole("id", key=True),
        ref("project_id", "project.id"),
        text("finding_key"),
        text("text"),
        text("answered_by"),
        big("answered_at"),
        sa.UniqueConstraint("project_id", "finding_key"),
    )
    table(
        "leave",
        whole("id", key=True),
        ref("project_id", "project.id"),
        ref("person_id", "person.id"),
        text("kind"),
        whole("from_day"),
        whole("to_day"),
        text("reason"),
        text("document"),
        whole("owner_approved"),
        text("entered_by"),
        big("entered_at"),
        big("withdrawn_at", null=True),
    )
    index("ix_leave_person_id", "leave", ["person_id"])
    table(
        "explanation",
        whole("id", key=True),
        ref("project_id", "project.id"),
        whole("number"),
        text("reason_code"),
        text("text"),
        text("evidence"),
        whole("value_half_days"),
        text("proposed_by"),
        big("proposed_at"),
        text("approved_by", null=True),
        big("approved_at", null=True),
        text("withdrawn_by", null=True),
        big("withdrawn_at", null=True),
        ref("segment_id", "segment.id"),
        ref("approval_segment_id", "segment.id", null=True),
        ref("withdrawal_segment_id", "segment.id", null=True),
        sa.UniqueConstraint("project_id", "number"),
    )
    table(
        "outage_note",
        whole("id", key=True),
        ref("project_id", "project.id"),
        ref("terminal_id", "terminal.id"),
        big("from_time"),
        big("to_time"),
        text("reason"),
        text("document"),
        text("entered_by"),
        big("entered_at"),
    )
    table(
        "stop_work",
        whole("id", key=True),
        ref("project_id", "project.id"),
        ref("team_id", "team.id", null=True),
        whole("from_day"),
        whole("to_day"),
        text("reason"),
        text("document"),
        text("entered_by"),
        big("entered_at"),
        big("withdrawn_at", null=True),
    )
    table(
        "explanation_cell",
        whole("id", key=True),
        ref("explanation_id", "explanation.id"),
        ref("person_id", "person.id"),
        whole("day"),
        sa.UniqueConstraint("explanation_id", "person_id", "day"),
    )
    index("ix_explanation_cell_day", "explanation_cell", ["day", "person_id"])


def _months() -> None:
    table(
        "leaver_slip",
        whole("id", key=True),
        ref("project_id", "project.id"),
        ref("segment_id", "segment.id"),
        ref("person_id", "person.id"),
        text("month"),
        whole("until_day"),
        blob("digest"),
        big("printed_at"),
    )
    index("ix_leaver_slip_month", "leaver_slip", ["project_id", "month"])
    table(
        "month_version",
        whole("id", key=True),
        ref("project_id", "project.id"),
        ref("segment_id", "segment.id"),
        text("month"),
        whole("version"),
        text("rule"),
        whole("rule_version"),
        blob("digest"),
        text("head"),
        text("findings"),
        text("accepted_open"),
        text("frozen_by"),
        big("frozen_at"),
        sa.UniqueConstraint("project_id", "month", "version"),
    )
    table(
        "month_page",
        whole("id", key=True),
        ref("month_version_id", "month_version.id"),
        ref("segment_id", "segment.id"),
        text("kind"),
        whole("sheet"),
        whole("page"),
        whole("first"),
        whole("last"),
        text("paper"),
        text("code"),
        blob("digest"),
    )
    index("ix_month_page_code", "month_page", ["code"])
    table(
        "month_row",
        whole("id", key=True),
        ref("month_version_id", "month_version.id"),
        whole("sheet"),
        whole("position"),
        ref("person_id", "person.id"),
        text("facts"),
        blob("personal_sealed", null=True),
        blob("salt", null=True),
        blob("leaf"),
        sa.UniqueConstraint("month_version_id", "sheet", "position"),
    )


def _board() -> None:
    table(
        "board_item",
        whole("id", key=True),
        ref("project_id", "project.id"),
        text("key"),
        text("value"),
        sa.UniqueConstraint("project_id", "key"),
    )
    table(
        "board_version",
        whole("id", key=True),
        ref("project_id", "project.id"),
        ref("segment_id", "segment.id"),
        whole("version"),
        whole("draft"),
        text("content"),
        blob("digest"),
        text("exported_by"),
        big("exported_at"),
        sa.UniqueConstraint("project_id", "version"),
    )
