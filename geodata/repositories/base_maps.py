"""The stored base map of a city, and what tells whether its shapes have changed since."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import shapely
from sqlalchemy import delete, select

from geodata.db.base_map_table import BaseMap
from geodata.db.tables import BaseShape, City

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True, kw_only=True)
class StoredTiles:
    """A base map: PMTiles, whose data it is drawn from, and the digest of what it was made of."""

    content: bytes
    attribution: str
    made_of: str


def stored_tiles(session: Session, city_id: int) -> StoredTiles | None:
    """Return the base map of a city, nothing where it has none."""
    row = session.get(BaseMap, city_id)
    if row is None:
        return None
    return StoredTiles(content=row.content, attribution=row.attribution, made_of=row.made_of)


def tiles_made_of(session: Session, city_id: int) -> tuple[str, str]:
    """Return the digest of what the base map was made of and its attribution; empty without one."""
    row = session.execute(
        select(BaseMap.made_of, BaseMap.attribution).where(BaseMap.city_id == city_id)
    ).first()
    return (row[0], row[1]) if row else ("", "")


def store_tiles(session: Session, city_id: int, tiles: StoredTiles | None) -> None:
    """Keep a base map in place of the one before; nothing takes it away."""
    session.execute(delete(BaseMap).where(BaseMap.city_id == city_id))
    if tiles is not None:
        session.add(BaseMap(city_id=city_id, **vars(tiles)))
    session.flush()


def digest_shapes(session: Session, city_id: int) -> str:
    """Return a digest of the study area and of all that is drawn under the map.

    The key of a shape is taken from its geometry, its name and its rank. Nothing is returned where
    no shapes are stored.
    """
    keys = session.execute(
        select(BaseShape.kind, BaseShape.row_key)
        .where(BaseShape.city_id == city_id)
        .order_by(BaseShape.kind, BaseShape.row_key)
    ).all()
    if not keys:
        return ""
    area = session.get_one(City, city_id).study_area
    told = hashlib.sha256(shapely.to_wkb(area, include_srid=False))
    for kind, key in keys:
        told.update(f"{kind} {key}\n".encode())
    return told.hexdigest()
