"""Patrol plans: every version of what units were asked to do in a shift."""

import sqlalchemy as sa
from alembic import op

from geodata.migrations.indexes import forbid_changes

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "plan",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("district", sa.String(length=80), nullable=False),
        sa.Column("shift_start_ms", sa.BigInteger(), nullable=False),
        sa.Column("shift_end_ms", sa.BigInteger(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("parent", sa.String(length=40), nullable=True),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_plan_city_id_city")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_plan_run_id_run")),
        sa.ForeignKeyConstraint(["parent"], ["plan.id"], name=op.f("fk_plan_parent_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
    )
    op.create_index(
        op.f("ix_plan_city_id_district_shift_start_ms"),
        "plan",
        ["city_id", "district", "shift_start_ms"],
    )
    forbid_changes("plan")
