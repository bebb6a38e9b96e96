"""The base map of a city made anew when what it is drawn from has changed."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from geodata.basemap.tiles_file import MOST_OWN_BYTES, check_own, make_archive
from geodata.errors import DataError
from geodata.repositories.base_maps import (
    StoredTiles,
    digest_shapes,
    store_tiles,
    stored_tiles,
    tiles_made_of,
)
from geodata.repositories.cities import get_city
from geodata.repositories.layers import base_shapes

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry
    from sqlalchemy.orm import Session

    from geodata.cityfile.schema import SourcePlace
    from geodata.db.engine import Database
    from geodata.repositories.cities import CityRecord

log = logging.getLogger(__name__)
MAKER = "1"  # goes up when the same shapes are drawn into other tiles
OWN = "own:"


def read_own(place: SourcePlace | None, area: BaseGeometry, crs: object) -> bytes | None:
    """Return the city's own file of tiles, checked; nothing where it names none.

    Raises
    ------
    DataError
        If it cannot be read or used.
    """
    if place is None:
        return None
    try:
        with Path(place.path).open("rb") as file:
            content = file.read(MOST_OWN_BYTES + 1)  # one more than is taken tells of all others
    except OSError as error:
        msg = f"{place.label}: cannot be read ({error.strerror}); [basemap] names it"
        raise DataError(msg, code="unreadable_tiles") from error
    check_own(content, place.label, area, crs)
    return content


def renew_base_map(database: Database, slug: str, attribution: str, own: bytes | None) -> None:
    """Store the city's own tiles, or make them of its shapes where those have changed.

    Making them takes seconds, so the database is not kept busy meanwhile.
    """
    with database.session() as session:
        city = get_city(session, slug)
        before = tiles_made_of(session, city.id)
        made_of = f"{OWN}{hashlib.sha256(own).hexdigest()}" if own else _made_of(session, city.id)
        if before == (made_of, attribution):
            return
        tiles = None
        if own is not None:
            tiles = StoredTiles(content=own, attribution=attribution, made_of=made_of)
        elif made_of and before[0] == made_of:
            content = current_tiles(session, city)
            tiles = content and StoredTiles(**{**vars(content), "attribution": attribution})
        elif made_of:
            tiles = _make(session, city, attribution, made_of)
    with database.session(write=True) as session:
        store_tiles(session, city.id, tiles)


def current_tiles(session: Session, city: CityRecord) -> StoredTiles | None:
    """Return the base map of a city as its shapes are now; nothing where it has no shapes.

    What was stored before there were base maps, or was brought back since, is made here.
    """
    wanted, attribution = made_now(session, city)
    if not wanted:
        return None
    if wanted == tiles_made_of(session, city.id)[0]:
        return stored_tiles(session, city.id)
    return _make(session, city, attribution, wanted)


def made_now(session: Session, city: CityRecord) -> tuple[str, str]:
    """Return what the base map of a city is made of now, and its attribution; empty without one."""
    made_of, attribution = tiles_made_of(session, city.id)
    if not made_of.startswith(OWN):
        made_of = _made_of(session, city.id)
    return made_of, attribution


def _made_of(session: Session, city_id: int) -> str:
    shapes = digest_shapes(session, city_id)
    return f"{MAKER}:{shapes}" if shapes else ""


def _make(session: Session, city: CityRecord, attribution: str, made_of: str) -> StoredTiles | None:
    """Return the base map of the stored shapes; nothing where they cannot be cut into tiles.

    Nobody does without an import or a release for that: the maps draw the shapes themselves then.
    """
    try:
        content = make_archive(base_shapes(session, city.id), city.study_area)
    except DataError:
        log.exception("%s: its base map is not made", city.slug)
        return None
    return StoredTiles(content=content, attribution=attribution, made_of=made_of)
