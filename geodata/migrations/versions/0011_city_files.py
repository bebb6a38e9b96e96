"""Imports keep the city file that they read, and who requested them."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("import_version", sa.Column("city_file", sa.JSON(), nullable=True))
    op.add_column("import_version", sa.Column("imported_by", sa.String(200), nullable=True))
