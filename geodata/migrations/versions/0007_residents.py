"""Who lives where, who answers for what is published, and under which license."""

import sqlalchemy as sa
from alembic import op

from geodata.db.geometry import Geometry

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    for name in ("contact", "license", "residents"):
        op.add_column("city", sa.Column(name, sa.JSON(), nullable=True))
    op.create_table(
        "residents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("people", sa.Double(), nullable=False),
        sa.Column("groups", sa.JSON(), nullable=False),
        sa.Column("geom", Geometry(), nullable=False),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_residents_city_id_city")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_residents")),
    )
    op.create_index(op.f("ix_residents_city_id"), "residents", ["city_id"])
