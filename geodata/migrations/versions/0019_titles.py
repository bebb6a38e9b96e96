"""What pages call the factors and outcomes of a city, where its file says so."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.add_column("city", sa.Column("titles", sa.JSON(), nullable=True))
