"""What lists say of a run stands in columns, filled from the stored documents.

A list of runs read the whole document of each (hundreds of kB) for four small values.
"""

import sqlalchemy as sa
from alembic import op

from geodata.migrations.indexes import allow_changes, forbid_again

revision = "0018"
down_revision = "0017"

LISTED = (
    *("city_id", "created_at", "id", "outcome", "scope", "period_from", "period_to"),
    *("code_version", "family", "n_factors", "n_incidents", "readable"),
)
RUN = sa.table(
    "run",
    sa.column("id"),
    sa.column("result", sa.JSON()),
    sa.column("family", sa.String()),
    sa.column("n_factors", sa.Integer()),
    sa.column("n_incidents", sa.Integer()),
    sa.column("readable", sa.Boolean()),
)


def upgrade() -> None:
    op.add_column("run", sa.Column("family", sa.String(20), nullable=False, server_default=""))
    for name in ("n_factors", "n_incidents"):
        op.add_column("run", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "run", sa.Column("readable", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    allow_changes("run")
    connection = op.get_bind()
    for run in connection.scalars(sa.select(RUN.c.id)).all():  # one document in memory at a time
        result = connection.scalars(sa.select(RUN.c.result).where(RUN.c.id == run)).one()
        model = result.get("model", {})
        values = {
            "family": model.get("family", ""),
            "n_factors": len(model.get("factors", ())),
            "n_incidents": result.get("incidents", 0),
            "readable": "record" in result.get("combined", {}),
        }
        connection.execute(RUN.update().where(RUN.c.id == run).values(values))
    forbid_again("run")
    op.drop_index("ix_run_city_id_created_at", "run")
    op.create_index("ix_run_listed", "run", list(LISTED))
