"""Measures that a city declares; of a city that was imported before they are the usual ones."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("city", sa.Column("measures", sa.JSON(), nullable=True))
