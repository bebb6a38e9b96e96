"""Alerts, calls, verified gunfire, visits, occurrences, totals, coverage and initiatives."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from geodata.db.geometry import Geometry
from geodata.migrations.indexes import forbid_changes

revision = "0003"
down_revision = "0002"

Type = sa.types.TypeEngine[Any]
WHOLE, MOMENT = sa.Integer(), sa.BigInteger()
PART: Type = sa.Double()


def upgrade() -> None:
    with op.batch_alter_table("city") as city:
        city.add_column(sa.Column("today", sa.Date(), nullable=True))
        city.add_column(sa.Column("coverage", Geometry(), nullable=True))
    _gunfire()
    _dosage_and_figures()
    op.create_table(
        "initiative_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("recorded_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id"], ["city.id"], name=op.f("fk_initiative_version_city_id_city")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_initiative_version")),
    )
    op.create_index(
        op.f("ix_initiative_version_city_id_slug"), "initiative_version", ["city_id", "slug"]
    )
    forbid_changes("initiative_version")


def _gunfire() -> None:
    _records(
        "alert",
        ("city_id", "triggered_ms"),
        needed={"triggered_ms": MOMENT, "x": PART, "y": PART},
        optional={
            **dict.fromkeys(
                (
                    "review_started_ms",
                    "published_ms",
                    "received_ms",
                    "dispatched_ms",
                    "arrived_ms",
                ),
                MOMENT,
            ),
            "class": sa.String(length=20),
            "disposition": sa.String(length=20),
            **dict.fromkeys(("rounds", "casings", "guns", "arrests", "victims"), WHOLE),
            "call": sa.String(length=120),
            "verified_x": PART,
            "verified_y": PART,
        },
    )
    _records(
        "call",
        ("city_id", "received_ms"),
        needed={"received_ms": MOMENT, "x": PART, "y": PART},
        optional={
            "dispatched_ms": MOMENT,
            "arrived_ms": MOMENT,
            "event": sa.String(length=120),
        },
    )
    _records(
        "verified",
        ("city_id", "occurred_ms"),
        needed={"occurred_ms": MOMENT, "x": PART, "y": PART},
        optional={"alert": sa.String(length=120)},
    )


def _dosage_and_figures() -> None:
    _records(
        "visit",
        ("city_id", "start_ms"),
        needed={"start_ms": MOMENT, "x": PART, "y": PART},
        optional={
            "end_ms": MOMENT,
            "unit": sa.String(length=120),
            "activity": sa.String(length=200),
        },
    )
    _records(
        "occurrence",
        ("city_id", "measure", "date"),
        needed={
            "date": sa.Date(),
            "measure": sa.String(length=120),
            "value": PART,
            "x": PART,
            "y": PART,
        },
        optional={"kind": sa.String(length=120)},
    )
    _records(
        "tally",
        ("city_id", "measure", "from"),
        needed={
            "measure": sa.String(length=120),
            "from": sa.Date(),
            "to": sa.Date(),
            "value": PART,
        },
        optional={"kind": sa.String(length=120)},
    )


def _records(
    table: str,
    index: tuple[str, ...],
    *,
    needed: dict[str, Type],
    optional: dict[str, Type],
) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=1000), nullable=False),
        sa.Column("row_key", sa.String(length=120), nullable=False),
        sa.Column("district", sa.String(length=80), nullable=True),
        *(sa.Column(name, kind, nullable=False) for name, kind in needed.items()),
        *(sa.Column(name, kind, nullable=True) for name, kind in optional.items()),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f(f"fk_{table}_city_id_city")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("city_id", "row_key", name=op.f(f"uq_{table}_city_id_row_key")),
    )
    op.create_index(op.f(f"ix_{table}_{'_'.join(index)}"), table, list(index))
