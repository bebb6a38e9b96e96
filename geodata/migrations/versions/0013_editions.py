"""Zones that a person changed: editions of a run's zones, to which is only ever added."""

import sqlalchemy as sa
from alembic import op

from geodata.db.geometry import Geometry
from geodata.migrations.indexes import forbid_all_but_adding

revision = "0013"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "zone_edition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("made_by", sa.String(length=120), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_zone_edition_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zone_edition")),
        sa.UniqueConstraint("run_id", "number", name=op.f("uq_zone_edition_run_id_number")),
    )
    op.create_table(
        "edited_zone",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("district", sa.String(length=80), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("geom", Geometry(), nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["zone_edition.id"], name=op.f("fk_edited_zone_edition_id_zone_edition")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edited_zone")),
        sa.UniqueConstraint("edition_id", "code", name=op.f("uq_edited_zone_edition_id_code")),
    )
    op.create_table(
        "edition_use",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("used_by", sa.String(length=120), nullable=False),
        sa.Column("used_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_edition_use_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition_use")),
    )
    op.create_index(op.f("ix_edition_use_run_id"), "edition_use", ["run_id"])
    for table in ("zone_edition", "edited_zone", "edition_use"):
        forbid_all_but_adding(table)
