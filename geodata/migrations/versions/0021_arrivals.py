"""Versions of rows that arrive by themselves, and what a schedule has asked for already."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column(
        "import_version",
        sa.Column("arrivals", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "schedule_run",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("city_id", sa.Integer(), sa.ForeignKey("city.id"), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("job_id", sa.Integer(), sa.ForeignKey("job.id"), nullable=True),
        sa.UniqueConstraint("city_id", "kind", "due_at", name="uq_schedule_run"),
    )
