"""Drafts that were returned with a reason, and where people receive mail."""

import sqlalchemy as sa
from alembic import op

from geodata.migrations.indexes import allow_other_content, forbid_other_content

revision = "0022"
down_revision = "0021"

FIXED = ("id", "city_id", "drafted_by", "drafted_at", "manifest")
ONCE = (
    *("approved_by", "approved_at", "withdrawn_by", "withdrawn_at", "withdrawn_why"),
    *("returned_by", "returned_at", "returned_why"),
)
FORWARD = (
    ("drafted", "approved"),
    ("drafted", "returned"),
    ("drafted", "withdrawn"),
    ("approved", "withdrawn"),
    ("returned", "withdrawn"),
)


def upgrade() -> None:
    op.add_column("person", sa.Column("email", sa.String(254), nullable=False, server_default=""))
    op.add_column("release", sa.Column("returned_by", sa.String(120), nullable=True))
    op.add_column("release", sa.Column("returned_at", sa.DateTime(), nullable=True))
    op.add_column("release", sa.Column("returned_why", sa.String(1000), nullable=True))
    allow_other_content("release")
    forbid_other_content("release", FIXED, ONCE, FORWARD)
