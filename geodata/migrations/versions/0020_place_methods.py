"""How the place of an incident was found by its address, and what an import says of addresses."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.add_column("source", sa.Column("addresses", sa.JSON(), nullable=True))
    op.add_column("incident", sa.Column("place_method", sa.String(20), nullable=True))
    op.add_column("incident", sa.Column("place_score", sa.Double(), nullable=True))
