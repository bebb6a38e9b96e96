"""Names of zones as their parts, areas that people think in, classes of streets."""

import sqlalchemy as sa
from alembic import op

from geodata.db.geometry import Geometry

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.add_column(
        "base_shape",
        sa.Column("street_class", sa.String(20), nullable=False, server_default=""),
    )
    op.create_table(
        "named_area",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("city_id", sa.Integer(), sa.ForeignKey("city.id"), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("row_key", sa.String(120), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("geom", Geometry(), nullable=False),
        sa.UniqueConstraint("city_id", "kind", "row_key"),
    )
    op.create_table(
        "zone_name",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("city_id", sa.Integer(), sa.ForeignKey("city.id"), nullable=False),
        sa.Column("zone", sa.String(120), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.UniqueConstraint("city_id", "zone"),
    )
