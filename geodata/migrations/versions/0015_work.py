"""Visits that officers log, actions on places with their photos, and feeds of reminders."""

import sqlalchemy as sa
from alembic import op

from geodata.migrations.indexes import forbid_all_but_adding

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("city", sa.Column("activities", sa.JSON(), nullable=True))
    _visits()
    _actions()
    _events()
    op.create_table(
        "reminder_feed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_reminder_feed_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_feed")),
        sa.UniqueConstraint("person_id", name=op.f("uq_reminder_feed_person_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_reminder_feed_token_hash")),
    )


def _visits() -> None:
    op.create_table(
        "logged_visit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("district", sa.String(length=80), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("logged_by", sa.String(length=120), nullable=False),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id"], ["city.id"], name=op.f("fk_logged_visit_city_id_city")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_logged_visit_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logged_visit")),
        sa.UniqueConstraint("city_id", "uuid", name=op.f("uq_logged_visit_city_id_uuid")),
    )
    op.create_index(
        op.f("ix_logged_visit_city_id_district"), "logged_visit", ["city_id", "district"]
    )
    op.create_table(
        "visit_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(length=120), nullable=False),
        sa.Column("unit", sa.String(length=120), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=True),
        sa.Column("activity", sa.String(length=120), nullable=False),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.Column("changed_by", sa.String(length=120), nullable=False),
        sa.Column("why", sa.String(length=1000), nullable=True),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["logged_visit.id"], name=op.f("fk_visit_version_visit_id_logged_visit")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_version")),
        sa.UniqueConstraint("visit_id", "version", name=op.f("uq_visit_version_visit_id_version")),
    )
    forbid_all_but_adding("visit_version")


def _actions() -> None:
    op.create_table(
        "action",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("district", sa.String(length=80), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("zone", sa.String(length=120), nullable=False),
        sa.Column("factor", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("what", sa.String(length=500), nullable=False),
        sa.Column("owner", sa.String(length=120), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_action_city_id_city")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_action_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action")),
    )
    op.create_index(
        op.f("ix_action_city_id_district_state"), "action", ["city_id", "district", "state"]
    )


def _events() -> None:
    op.create_table(
        "action_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("action_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("person", sa.String(length=120), nullable=False),
        sa.Column("text", sa.String(length=2000), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["action_id"], ["action.id"], name=op.f("fk_action_event_action_id_action")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action_event")),
    )
    op.create_index(op.f("ix_action_event_action_id"), "action_event", ["action_id"])
    forbid_all_but_adding("action_event")
    op.create_table(
        "action_photo",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("action_id", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=10), nullable=False),
        sa.Column("file", sa.String(length=80), nullable=False),
        sa.Column("told", sa.String(length=300), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.Column("added_by", sa.String(length=120), nullable=False),
        sa.Column("removed_at", sa.DateTime(), nullable=True),
        sa.Column("removed_by", sa.String(length=120), nullable=True),
        sa.ForeignKeyConstraint(
            ["action_id"], ["action.id"], name=op.f("fk_action_photo_action_id_action")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action_photo")),
        sa.UniqueConstraint("file", name=op.f("uq_action_photo_file")),
    )
    op.create_index(op.f("ix_action_photo_action_id"), "action_photo", ["action_id"])
