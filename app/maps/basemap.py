"""What a map is drawn from: a city with its outlines, and what lies under the map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import geopandas as gpd

    from geodata.repositories.base_maps import StoredTiles
    from geodata.repositories.cities import CityRecord


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """One city; ``base`` has ``kind``, ``name``, ``rank`` (1 is major) and geometry.

    ``tiles`` is the same as tiles, nothing where the city has no such shapes.
    """

    city: CityRecord
    base: gpd.GeoDataFrame
    tiles: StoredTiles | None = None
