"""Zones as they are published: on the ground of their own district.

A cell belongs to the district that its center lies in, so the cells of a zone at a border reach
into the next district. Staff work with whole cells; a reader of a map takes an outline for ground,
so what is published is cut at the border.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

if TYPE_CHECKING:
    from geodata.store.runs import RunRecord

SLIVER = 0.01  # of a cell: below that a part is an artifact of two nearly equal lines


def in_districts(run: RunRecord, districts: gpd.GeoDataFrame) -> RunRecord:
    """Return a run whose zones are cut at the border of their district, with ``area`` anew.

    Parameters
    ----------
    run
        Its zones follow whole cells.
    districts
        ``code`` and geometry, in the reference system of the zones.
    """
    if len(run.zones) == 0:
        return run
    ground = dict(zip(districts["code"].astype(str), districts.geometry, strict=True))
    least = SLIVER * run.grid.cell_area
    shapes = [
        _cut(zone.geometry, ground.get(str(zone.district)), least)
        for zone in run.zones.itertuples()
    ]
    zones = run.zones.copy()
    zones["area"] = shapely.area(np.array(shapes, dtype=object))
    zones.geometry = gpd.GeoSeries(shapes, index=zones.index, crs=zones.crs)
    return dataclasses.replace(run, zones=zones)


def _cut(
    outline: shapely.Geometry, district: shapely.Geometry | None, least: float
) -> shapely.Geometry:
    """Return the parts of an outline in its district; the outline where the district is unknown."""
    if district is None or shapely.covers(district, outline):
        return outline
    parts = [
        part
        for part in shapely.get_parts(shapely.intersection(outline, district))
        if shapely.get_dimensions(part) == 2 and shapely.area(part) >= least
    ]
    if not parts:
        return outline
    return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
