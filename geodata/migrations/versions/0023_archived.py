"""Cities and runs that are archived; names of runs and codes of zones go with what they name."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "archived",
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("key", sa.String(80), nullable=False),
        sa.Column("archived_at", sa.DateTime(), nullable=False),
        sa.Column("archived_by", sa.String(120), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("pk_archived")),
    )
    postgres = op.get_bind().dialect.name == "postgresql"
    for table in ("run_name", "zone_code"):
        op.execute(
            f"DROP TRIGGER IF EXISTS {table}_is_fixed_delete" + (f" ON {table}" if postgres else "")
        )
