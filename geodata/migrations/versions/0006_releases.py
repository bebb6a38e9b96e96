"""Releases: content that is never changed, states that go forward; outcomes that are sensitive."""

import sqlalchemy as sa
from alembic import op

from geodata.migrations.indexes import forbid_other_content

revision = "0006"
down_revision = "0005"

FIXED = ("id", "city_id", "drafted_by", "drafted_at", "manifest")
ONCE = ("approved_by", "approved_at", "withdrawn_by", "withdrawn_at", "withdrawn_why")
FORWARD = (("drafted", "approved"), ("drafted", "withdrawn"), ("approved", "withdrawn"))


def upgrade() -> None:
    op.add_column(
        "city",
        sa.Column("sensitive_outcomes", sa.JSON(), server_default="[]", nullable=False),
    )
    op.create_table(
        "release",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("drafted_by", sa.String(length=120), nullable=False),
        sa.Column("drafted_at", sa.DateTime(), nullable=False),
        sa.Column("approved_by", sa.String(length=120), nullable=True),
        sa.Column("approved_at", sa.DateTime(), nullable=True),
        sa.Column("withdrawn_by", sa.String(length=120), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(), nullable=True),
        sa.Column("withdrawn_why", sa.String(length=1000), nullable=True),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_release_city_id_city")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release")),
    )
    op.create_index(op.f("ix_release_city_id_drafted_at"), "release", ["city_id", "drafted_at"])
    forbid_other_content("release", FIXED, ONCE, FORWARD)
