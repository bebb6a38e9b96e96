"""The units that pages of a city write lengths in."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.add_column("city", sa.Column("units", sa.String(8), nullable=True))
