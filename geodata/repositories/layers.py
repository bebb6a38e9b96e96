"""Snapshots of shapes: factor layers and what is drawn under the map."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import geopandas as gpd
from sqlalchemy import delete, insert, select

from geodata.db.tables import BaseShape, City, Factor, Feature, NamedArea
from geodata.repositories.import_log import row_columns
from spatial.spec import RiskFactor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from geodata.repositories.import_log import ChangeLog
    from spatial.spec import Operations, Step

CHUNK = 500  # keys in one statement; SQLite allows a bounded number of parameters


def store_factor(session: Session, city_id: int, factor: RiskFactor, position: int) -> int:
    """Create or renew a factor; give its number."""
    row = session.scalar(
        select(Factor).where(Factor.city_id == city_id, Factor.name == factor.name)
    )
    if row is None:
        row = Factor(city_id=city_id, name=factor.name)
        session.add(row)
    row.operation, row.max_blocks, row.step = factor.operation, factor.max_blocks, factor.step
    row.position = position
    session.flush()
    return row.id


def forget_factors(
    session: Session, city_id: int, keep: Sequence[str], log: ChangeLog | None = None
) -> list[str]:
    """Remove factors that the city file names no longer; give their names."""
    gone = session.scalars(
        select(Factor).where(Factor.city_id == city_id, Factor.name.not_in(keep))
    ).all()
    for factor in gone:
        if log is not None:
            mine = Feature.factor_id == factor.id
            log.remove("feature", _rows_of(session, Feature, mine), factor=factor.name)
        session.execute(delete(Feature).where(Feature.factor_id == factor.id))
        session.delete(factor)
    session.flush()
    return [factor.name for factor in gone]


def replace_features(
    session: Session,
    factor_id: int,
    rows: Sequence[dict[str, object]],
    log: ChangeLog | None = None,
) -> tuple[int, int]:
    """Make a factor's features exactly these; give how many were new and how many went."""
    factor = session.get_one(Factor, factor_id).name
    return _replace(session, Feature, {"factor_id": factor_id}, rows, log, factor=factor)


def replace_base(
    session: Session,
    city_id: int,
    kind: str,
    rows: Sequence[dict[str, object]],
    log: ChangeLog | None = None,
) -> tuple[int, int]:
    """Make the base shapes of a kind exactly these; give how many were new and how many went."""
    return _replace(session, BaseShape, {"city_id": city_id, "kind": kind}, rows, log, kind=kind)


def replace_named_areas(
    session: Session,
    city_id: int,
    kind: str,
    rows: Sequence[dict[str, object]],
    log: ChangeLog | None = None,
) -> tuple[int, int]:
    """Make the areas of a kind exactly these; give how many were new and how many went."""
    return _replace(session, NamedArea, {"city_id": city_id, "kind": kind}, rows, log, kind=kind)


def forget_named_areas(
    session: Session, city_id: int, keep: Sequence[str], log: ChangeLog | None = None
) -> None:
    """Remove the areas of kinds that the city file names no longer."""
    kinds = select(NamedArea.kind).where(NamedArea.city_id == city_id).distinct()
    for kind in session.scalars(kinds.where(NamedArea.kind.not_in(keep))).all():
        replace_named_areas(session, city_id, kind, [], log)


def named_areas(session: Session, city_id: int, kind: str | None = None) -> gpd.GeoDataFrame:
    """Return areas that people think in: ``kind``, ``name``, geometry, by kind and name."""
    crs = session.get_one(City, city_id).crs
    wanted = select(NamedArea.kind, NamedArea.name, NamedArea.geom).where(
        NamedArea.city_id == city_id
    )
    if kind is not None:
        wanted = wanted.where(NamedArea.kind == kind)
    rows = session.execute(wanted.order_by(NamedArea.kind, NamedArea.name, NamedArea.id)).all()
    return gpd.GeoDataFrame(
        {"kind": [row[0] for row in rows], "name": [row[1] for row in rows]},
        geometry=[row[2] for row in rows],
        crs=crs,
    )


def has_streets(session: Session, city_id: int) -> bool:
    """Return whether any street is drawn under the maps of a city."""
    mine = (BaseShape.city_id == city_id, BaseShape.kind == "street")
    return session.scalar(select(BaseShape.id).where(*mine).limit(1)) is not None


def base_keys(session: Session, city_id: int, kind: str) -> set[str]:
    """Return the keys of the base shapes of a kind that are stored."""
    return set(
        session.scalars(
            select(BaseShape.row_key).where(BaseShape.city_id == city_id, BaseShape.kind == kind)
        )
    )


def _replace(
    session: Session,
    table: type[Feature] | type[BaseShape] | type[NamedArea],
    owner: dict[str, object],
    rows: Sequence[dict[str, object]],
    log: ChangeLog | None,
    **shared: str,
) -> tuple[int, int]:
    mine = [getattr(table, name) == value for name, value in owner.items()]
    there = set(session.scalars(select(table.row_key).where(*mine)))
    wanted = {row["row_key"] for row in rows}
    gone = sorted(there - wanted)
    for start in range(0, len(gone), CHUNK):
        some = table.row_key.in_(gone[start : start + CHUNK])
        if log is not None:
            log.remove(table.__tablename__, _rows_of(session, table, *mine, some), **shared)
        session.execute(delete(table).where(*mine, some))
    new = [{**owner, **row} for row in rows if row["row_key"] not in there]
    if new:
        session.execute(insert(table), new)
    if log is not None:
        log.add(table.__tablename__, new, **shared)
    return len(new), len(gone)


def _rows_of(
    session: Session,
    table: type[Feature] | type[BaseShape] | type[NamedArea],
    *which: ColumnElement[bool],
) -> list[dict[str, object]]:
    columns = [getattr(table, name) for name in row_columns(table.__table__)]  # type: ignore[arg-type]
    return [dict(row) for row in session.execute(select(*columns).where(*which)).mappings()]


def factor_layers(session: Session, city_id: int) -> dict[RiskFactor, gpd.GeoDataFrame]:
    """Return the features of every factor of a city, in the order of its file."""
    crs = session.get_one(City, city_id).crs
    layers = {}
    for row in session.scalars(
        select(Factor).where(Factor.city_id == city_id).order_by(Factor.position)
    ):
        shapes = session.scalars(
            select(Feature.geom).where(Feature.factor_id == row.id).order_by(Feature.id)
        ).all()
        factor = RiskFactor(
            name=row.name,
            operation=cast("Operations", row.operation),
            max_blocks=row.max_blocks,
            step=cast("Step", row.step),
        )
        layers[factor] = gpd.GeoDataFrame(geometry=list(shapes), crs=crs)
    return layers


def factor_names(session: Session, city_id: int) -> list[str]:
    """Name the factors of a city, in the order of its file."""
    return list(
        session.scalars(
            select(Factor.name).where(Factor.city_id == city_id).order_by(Factor.position)
        )
    )


def barriers(session: Session, city_id: int) -> tuple[BaseGeometry, ...]:
    """Return what no zone crosses: water and motorways under the map, in no order."""
    fast = (BaseShape.kind == "street") & (BaseShape.street_class == "motorway")
    found = select(BaseShape.geom).where(
        BaseShape.city_id == city_id, (BaseShape.kind == "water") | fast
    )
    return tuple(session.scalars(found).all())


def base_shapes(session: Session, city_id: int) -> gpd.GeoDataFrame:
    """Return what is drawn under the map, in the order in which it was stored.

    Columns are ``kind``, ``name``, ``rank`` (1 is major), ``street_class`` (as OpenStreetMap has
    it, empty where unknown) and geometry.
    """
    crs = session.get_one(City, city_id).crs
    rows = session.execute(
        select(
            BaseShape.kind, BaseShape.name, BaseShape.rank, BaseShape.street_class, BaseShape.geom
        )
        .where(BaseShape.city_id == city_id)
        .order_by(BaseShape.id)
    ).all()
    return gpd.GeoDataFrame(
        {
            "kind": [row[0] for row in rows],
            "name": [row[1] for row in rows],
            "rank": [row[2] for row in rows],
            "street_class": [row[3] for row in rows],
        },
        geometry=[row[4] for row in rows],
        crs=crs,
    )
