"""What an OpenStreetMap extract has for a city: its blocks, its map, and the library's factors."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geodata.cityfile.risk_factors import (
    BASE,
    STREET_RANKS,
    base_filter,
    library,
    usual_keys,
)
from geodata.cityfile.schema import TagFilter
from geodata.readers import read_place
from spatial.streets import block_lengths

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geodata.cityfile.risk_factors import LibraryFactor
    from geodata.cityfile.schema import SourcePlace

LEAST_BLOCKS = 30  # fewer say nothing of a city
MOST_CELLS = 250_000  # of a first try; more only wait
BLOCK_M = (60.0, 250.0)  # of a city's blocks; rural roads are longer
USUAL_BLOCK = {True: 120.0, False: 400.0}  # metres, feet
ROUND = 10.0
HIGHWAYS = ("motorway", "trunk", *(value for value in STREET_RANKS if value.endswith("_link")))


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorCount:
    """One factor of the library in a city: how many, and in which share of its districts."""

    factor: LibraryFactor
    count: int
    coverage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """Cell and block in units of a reference system, and what they follow from."""

    cell: float
    block: float
    why: str


@dataclass(frozen=True, kw_only=True)
class ExtractSurvey:
    """What was found: blocks, shapes for the map by kind, factors in the order of the library."""

    blocks: Blocks
    base: Mapping[str, int]
    factors: tuple[FactorCount, ...]


def survey_extract(extract: SourcePlace, districts: gpd.GeoSeries, unit_m: float) -> ExtractSurvey:
    """Find out what an extract has inside of a city's districts.

    Parameters
    ----------
    extract
        The file.
    districts
        Polygons in the city's projected reference system.
    unit_m
        Metres of its unit.

    Raises
    ------
    DataError
        If the extract cannot be read.
    """
    whole = shapely.union_all(districts.to_numpy())
    shapely.prepare(whole)
    base = {kind: _inside(extract, base_filter(kind), whole, districts.crs) for kind in BASE}
    return ExtractSurvey(
        blocks=choose_blocks(_streets(base["street"]), whole.area, unit_m),
        base={kind: len(frame) for kind, frame in base.items()},
        factors=tuple(_count(extract, one, whole, districts) for one in library().values()),
    )


def choose_blocks(streets: NDArray[np.object_], area: float, unit_m: float) -> Blocks:
    """Choose cell and block for an area, in units: a block as the median of the streets' own.

    A cell is half of a block (Caplan and Kennedy, 2016), wider where there would be too many.
    """
    lengths = block_lengths(streets) if len(streets) else np.empty(0)
    metric = abs(unit_m - 1) < 1e-9
    if len(lengths) < LEAST_BLOCKS:
        block = USUAL_BLOCK[metric]
        why = f"the usual block, as {len(lengths)} blocks of streets say nothing"
    else:
        median = float(np.median(lengths))
        least, most = (edge / unit_m for edge in BLOCK_M)
        block = max(ROUND * round(min(max(median, least), most) / ROUND), ROUND)
        why = f"the median of {len(lengths):,} blocks of streets is {median:.0f}"
    cell = block / 2
    while area / cell**2 > MOST_CELLS:
        cell *= 2
    if cell > block / 2:
        why += f"; cells of half a block would be more than {MOST_CELLS:,}"
    return Blocks(cell=cell, block=block, why=why)


def _streets(frame: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Return the streets that people walk and drive along: no motorways, no ramps."""
    if len(frame) == 0:
        return np.empty(0, dtype=object)
    local = ~frame["highway"].isin(HIGHWAYS)
    return np.asarray(frame.geometry[local].array, dtype=object)


def _count(
    extract: SourcePlace, factor: LibraryFactor, whole: shapely.Geometry, districts: gpd.GeoSeries
) -> FactorCount:
    tags = dataclasses.replace(
        TagFilter.parse(factor.osm)[0], as_points=factor.operation != "proximity"
    )
    shapes = _inside(extract, tags, whole, districts.crs).geometry
    _, district = shapes.sindex.query(districts.to_numpy(), predicate="intersects")[::-1]
    return FactorCount(
        factor=factor,
        count=len(shapes),
        coverage=len(np.unique(district)) / len(districts),
    )


def _inside(
    extract: SourcePlace, tags: TagFilter, whole: shapely.Geometry, crs: object
) -> gpd.GeoDataFrame:
    """Return the features of an extract that touch an area, in a reference system."""
    tags = dataclasses.replace(tags, keys=usual_keys())
    found = gpd.GeoDataFrame(read_place(dataclasses.replace(extract, tags=tags)).frame)
    found = found.to_crs(crs)
    return found[shapely.intersects(whole, np.asarray(found.geometry.array, dtype=object))]
