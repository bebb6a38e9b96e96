"""People who live in polygons of a city: a snapshot, as a census counted them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely
from sqlalchemy import delete, insert, select

from geodata.tables.core import Residents

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from geodata.store.changes import ChangeLog


def replace_residents(
    session: Session,
    city_id: int,
    rows: gpd.GeoDataFrame | None,
    log: ChangeLog | None = None,
) -> bool:
    """Make a city's residents exactly these; tell whether any changed.

    Parameters
    ----------
    session
        An open transaction.
    city_id
        The city's number.
    rows
        ``people``, ``groups`` (a list) and geometry in the city's reference system; or nothing.
    log
        Where the change is written down, so that it can be undone.
    """
    wanted = [] if rows is None else _told(rows)
    there = resident_areas(session, city_id)
    before = [] if there is None else _told(there)
    if _same(before, wanted):
        return False
    if log is not None:
        log.remove("residents", map(_row, before))
        log.add("residents", map(_row, wanted))
    session.execute(delete(Residents).where(Residents.city_id == city_id))
    if wanted:
        session.execute(
            insert(Residents),
            [{"city_id": city_id, **_row(one)} for one in wanted],
        )
    return True


def resident_areas(session: Session, city_id: int) -> gpd.GeoDataFrame | None:
    """Give ``people``, ``groups`` and geometry of every polygon; without any, nothing."""
    found = session.execute(
        select(Residents.people, Residents.groups, Residents.geom)
        .where(Residents.city_id == city_id)
        .order_by(Residents.id)
    ).all()
    if not found:
        return None
    return gpd.GeoDataFrame(
        {"people": [row[0] for row in found], "groups": [row[1] for row in found]},
        geometry=[row[2] for row in found],
    )


def _row(one: tuple[float, list[float], shapely.Geometry]) -> dict[str, Any]:
    return dict(zip(("people", "groups", "geom"), one, strict=True))


def _told(rows: gpd.GeoDataFrame) -> list[tuple[float, list[float], shapely.Geometry]]:
    return list(zip(rows["people"].tolist(), rows["groups"].tolist(), rows.geometry, strict=True))


def _same(
    one: list[tuple[float, list[float], shapely.Geometry]],
    other: list[tuple[float, list[float], shapely.Geometry]],
) -> bool:
    return [row[:2] for row in one] == [row[:2] for row in other] and bool(
        all(shapely.equals_exact(a[2], b[2]) for a, b in zip(one, other, strict=True))
    )
