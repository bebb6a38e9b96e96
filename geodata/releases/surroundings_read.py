"""What can be asked of a place or an area, from the files of a release: no database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
from rasterio.io import MemoryFile

from geodata.releases.gazetteer import Gazetteer, read_gazetteer
from geodata.releases.surroundings import RiskClasses, Surroundings

if TYPE_CHECKING:
    from geodata.releases.activity import Activity
    from geodata.releases.folder import ReleaseFolder

SURFACE, NEIGHBOURHOODS = "data/surface.tif", "site/neighbourhoods.geojson"


def released_surroundings(
    release: ReleaseFolder,
    districts: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
    activity: Activity | None,
) -> Surroundings:
    """Put together what a release tells of its places.

    Parameters
    ----------
    release
        Where surface, neighbourhoods and names are read from.
    districts, zones, activity
        As they were read from the release already, in the city's reference system.

    Raises
    ------
    ReleaseError
        If a file is not what was approved.
    """
    return Surroundings(
        districts=districts,
        neighbourhoods=released_neighbourhoods(release, districts.crs),
        zones=zones,
        classes=released_classes(release),
        gazetteer=read_gazetteer(release) or Gazetteer(spots=()),
        activity=activity,
    )


def released_classes(release: ReleaseFolder) -> RiskClasses | None:
    """Read the risk surface of a release; nothing where it has none.

    Raises
    ------
    ReleaseError
        If the file is not what was approved.
    """
    if SURFACE not in release.files:
        return None
    with MemoryFile(release.read(SURFACE)) as memory, memory.open() as opened:
        place = opened.transform
        return RiskClasses(
            levels=opened.read(1).astype(np.uint8),
            west=float(place.c),
            north=float(place.f),
            cell_units=float(place.a),
        )


def released_neighbourhoods(release: ReleaseFolder, crs: str) -> gpd.GeoDataFrame:
    """Read the neighbourhoods of a release, ``name`` and geometry; no row where it has none.

    Raises
    ------
    ReleaseError
        If the file is not what was approved.
    """
    if NEIGHBOURHOODS not in release.files:
        return gpd.GeoDataFrame({"name": []}, geometry=[], crs=crs)
    features = json.loads(release.read(NEIGHBOURHOODS))["features"]
    return gpd.GeoDataFrame.from_features(features, crs=4326).to_crs(crs)
