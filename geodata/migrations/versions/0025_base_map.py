"""The base map of a city as one file of vector tiles."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.create_table(
        "base_map",
        sa.Column("city_id", sa.Integer(), sa.ForeignKey("city.id"), primary_key=True),
        sa.Column("made_of", sa.String(80), nullable=False),
        sa.Column("attribution", sa.String(200), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )
