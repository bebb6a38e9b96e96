"""Runs that people put to use, names of runs, and codes of zones that stay over runs.

What was shown before stays in use: of each outcome the newest run of the whole city that has zones.
Codes are given to all zones there are, run by run, as they would have got them.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from geodata.clock import utc_now
from geodata.db.geometry import Geometry
from geodata.migrations.indexes import forbid_all_but_adding
from geodata.repositories.zone_codes import Outlined, choose_codes

revision = "0016"
down_revision = "0015"

WHOLE = "city"
BEFORE = "in use before the upgrade"
BY = "upgrade"
CITY = sa.table("city", sa.column("id"), sa.column("sensitive_outcomes", sa.JSON()))
RUN = sa.table(
    "run",
    sa.column("id"),
    sa.column("city_id"),
    sa.column("outcome"),
    sa.column("scope"),
    sa.column("result", sa.JSON()),
    sa.column("created_at", sa.DateTime()),
)
ZONE = sa.table(
    "zone",
    *(sa.column(name) for name in ("id", "run_id", "code", "district")),
    sa.column("geom", Geometry()),
)
EDITION = sa.table("zone_edition", *(sa.column(name) for name in ("id", "run_id", "number")))
EDITED = sa.table(
    "edited_zone",
    *(sa.column(name) for name in ("id", "edition_id", "position", "code", "district")),
    sa.column("geom", Geometry()),
)


def upgrade() -> None:
    _tables()
    connection = op.get_bind()
    for city, sensitive in connection.execute(
        sa.select(CITY.c.id, CITY.c.sensitive_outcomes)
    ).all():
        found = connection.execute(
            sa.select(RUN.c.id, RUN.c.outcome, RUN.c.scope, RUN.c.result)
            .where(RUN.c.city_id == city)
            .order_by(RUN.c.created_at, RUN.c.id.desc())
        ).all()
        _give_codes(city, found)
        _put_to_use(city, [run for run in found if run.outcome not in (sensitive or ())])


def _tables() -> None:
    op.create_table(
        "run_use",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=120), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("used_by", sa.String(length=120), nullable=False),
        sa.Column("used_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_run_use_city_id_city")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_use_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_use")),
    )
    op.create_index(op.f("ix_run_use_city_id_outcome"), "run_use", ["city_id", "outcome"])
    op.create_table(
        "run_name",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("named_by", sa.String(length=120), nullable=False),
        sa.Column("named_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_name_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_name")),
    )
    op.create_index(op.f("ix_run_name_run_id"), "run_name", ["run_id"])
    op.create_table(
        "zone_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(length=120), nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_zone_code_city_id_city")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zone_code")),
        sa.UniqueConstraint("city_id", "zone", name=op.f("uq_zone_code_city_id_zone")),
    )
    op.create_index(op.f("ix_zone_code_city_id_code"), "zone_code", ["city_id", "code"])
    for table in ("run_use", "run_name", "zone_code"):
        forbid_all_but_adding(table)


def _put_to_use(city: int, found: list[Any]) -> None:
    """Keep in use what was shown: the newest run of each outcome, the newest of all put last."""
    connection = op.get_bind()
    with_zones = set(connection.scalars(sa.select(ZONE.c.run_id).distinct()))
    newest: dict[str, str] = {}
    for run in found:  # from the oldest to the newest
        readable = "record" in run.result.get("combined", {})
        if run.scope == WHOLE and readable and run.id in with_zones:
            newest.pop(run.outcome, None)
            newest[run.outcome] = run.id
    now = utc_now()
    rows = [
        {
            "city_id": city,
            "outcome": outcome,
            "run_id": run,
            "reason": BEFORE,
            "used_by": BY,
            "used_at": now,
        }
        for outcome, run in newest.items()
    ]
    _add("run_use", rows)


def _give_codes(city: int, found: Sequence[Any]) -> None:
    """Return every zone its code, from the oldest run to the newest, each step of a run in turn."""
    codes: dict[str, str] = {}
    last: defaultdict[tuple[str, str], list[Outlined]] = defaultdict(list)
    for run in found:
        key = (run.outcome, run.scope)
        for zones in _steps(run.id):
            known = [
                Outlined(id=z.id, district=z.district, shape=z.shape, code=codes.get(z.id, ""))
                for z in zones
            ]
            before = [
                Outlined(id=z.id, district=z.district, shape=z.shape, code=codes[z.id])
                for z in last[key]
            ]
            codes |= choose_codes(known, before, codes.values())
            last[key] = zones
    _add("zone_code", [{"city_id": city, "zone": z, "code": c} for z, c in codes.items()])


def _steps(run: str) -> Iterator[list[Outlined]]:
    """Return a run's own zones, then those of each edition."""
    connection = op.get_bind()
    own = sa.select(ZONE.c.code, ZONE.c.district, ZONE.c.geom).where(ZONE.c.run_id == run)
    wanted = [own.order_by(ZONE.c.id)]
    editions = sa.select(EDITION.c.id).where(EDITION.c.run_id == run).order_by(EDITION.c.number)
    for edition in connection.scalars(editions).all():
        wanted.append(
            sa.select(EDITED.c.code, EDITED.c.district, EDITED.c.geom)
            .where(EDITED.c.edition_id == edition)
            .order_by(EDITED.c.position)
        )
    for query in wanted:
        yield [
            Outlined(id=code, district=district, shape=shape)
            for code, district, shape in connection.execute(query)
        ]


def _add(table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in rows[0]]
        op.get_bind().execute(sa.table(table, *columns).insert(), rows)
