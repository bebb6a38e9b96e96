"""Shapes of a city as layers of the Protomaps schema, by bands of zooms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    Shapes = NDArray[np.object_]

WEB = 3857
ROUND_EARTH_M = 40_075_016.686  # once around the equator in Web Mercator
TILE_UNITS = 4096  # how finely a tile is ruled
MARGIN = 0.15  # of the longer side of the city: what of its surroundings is drawn
LEAST_PIXELS = 12.0  # area that is worth drawing, of 256 pixels a tile's side
DETAIL = {1: "primary", 2: "tertiary", 3: "residential"}
POINT, LINE, AREA = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Zooms that are drawn alike: streets up to a rank, names of streets up to a rank."""

    first: int
    last: int
    rank: int
    named: int

    @property
    def pixel_m(self) -> float:
        """Width of a pixel at the last zoom, in metres of Web Mercator."""
        return ROUND_EARTH_M / 2**self.last / 256


# A map of 256-pixel tiles at zoom z is drawn from tiles of zoom z - 1.
BANDS = (
    Band(first=7, last=10, rank=1, named=1),
    Band(first=11, last=11, rank=2, named=1),
    Band(first=12, last=14, rank=3, named=3),
)
FIRST_ZOOM, LAST_ZOOM = BANDS[0].first, BANDS[-1].last


def window_of(area: BaseGeometry) -> BaseGeometry:
    """Return the rectangle that a base map covers: the city and some of its surroundings."""
    west, south, east, north = area.bounds
    wide = MARGIN * max(east - west, north - south)
    return shapely.box(west - wide, south - wide, east + wide, north + wide)


def tile_layers(
    base: gpd.GeoDataFrame, area: BaseGeometry
) -> Iterator[tuple[Band, str, gpd.GeoDataFrame]]:
    """Return what is cut into tiles: zooms, name of the layer, its features in Web Mercator.

    Parameters
    ----------
    base
        ``kind``, ``name``, ``rank`` and geometry of what is drawn under the map.
    area
        The study area, in the same reference system.
    """
    kinds = {str(kind): _cut(rows, area) for kind, rows in base.groupby("kind", sort=True)}
    streets = _joined(kinds["street"]) if "street" in kinds else None
    limit = gpd.GeoSeries([area.boundary], crs=base.crs).to_crs(WEB)
    for band in BANDS:
        found = {"boundaries": [_frame(limit.to_numpy(), "limit")]}
        if streets is not None:
            found["roads"] = [_roads(streets, band)]
        for kind, rows in kinds.items():
            for name, frame in _others(kind, rows, band):
                found.setdefault(name, []).append(frame)
        yield from ((band, name, pd.concat(frames)) for name, frames in found.items())


def _others(
    kind: str, rows: gpd.GeoDataFrame, band: Band
) -> Iterator[tuple[str, gpd.GeoDataFrame]]:
    """Return the layers that shapes of a kind belong to."""
    if kind in ("neighbourhood", "place"):
        yield "places", _frame(_inside(rows), kind, rows["name"], rank=rows["rank"])
    elif kind == "rail":
        yield "rail", _frame(_thin(rows.geometry.to_numpy(), band), "rail")
    elif kind == "building" and band.rank == 3:
        yield "buildings", _frame(rows.geometry.to_numpy(), "building")
    elif kind in ("water", "park"):
        yield from _ground(kind, rows, band)


def _ground(
    kind: str, rows: gpd.GeoDataFrame, band: Band
) -> Iterator[tuple[str, gpd.GeoDataFrame]]:
    layer = {"water": "water", "park": "landuse"}[kind]
    shapes = rows.geometry.to_numpy()
    flat = (shapely.get_dimensions(shapes) == LINE) & (band.rank > 1)
    large = shapely.area(shapes) > LEAST_PIXELS * band.pixel_m**2
    if (large | flat).any():
        yield layer, _frame(_thin(shapes[large | flat], band), kind, rows["name"][large | flat])
    named = rows[large & (rows["name"] != "")]
    if len(named):
        yield f"{kind}_names", _frame(_inside(named), kind, named["name"])


def _roads(streets: gpd.GeoDataFrame, band: Band) -> gpd.GeoDataFrame:
    """Return streets up to the rank of a band; where a city ranks none so high, its highest."""
    rank = max(band.rank, int(streets["rank"].min()))
    rows = streets[streets["rank"] <= rank]
    names = rows["name"].where(rows["rank"] <= max(band.named, int(streets["rank"].min())), "")
    kinds = np.where(rows["rank"] < 3, "major_road", "minor_road")
    details = [DETAIL[rank] for rank in rows["rank"]]
    return _frame(_thin(rows.geometry.to_numpy(), band), kinds, names, kind_detail=details)


def _cut(rows: gpd.GeoDataFrame, area: BaseGeometry) -> gpd.GeoDataFrame:
    """Return shapes as far as the window shows them, in Web Mercator, with names of no null."""
    window = window_of(area)
    rows = rows[rows.intersects(window)]
    shapes = rows.geometry.to_numpy(copy=True)
    beyond = ~shapely.within(shapes, window)
    shapes[beyond] = shapely.intersection(shapely.make_valid(shapes[beyond]), window)
    names = rows["name"].fillna("").astype(str).str.strip()
    cut = rows.assign(name=names).set_geometry(gpd.GeoSeries(shapes, rows.index, crs=rows.crs))
    return cut.to_crs(WEB)


def _joined(streets: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return streets of one name and rank as few long lines: smaller, and with room for names."""
    shapes, owner = shapely.get_parts(streets.geometry.to_numpy(), return_index=True)
    lines = shapely.get_dimensions(shapes) == LINE
    parts = pd.DataFrame({"shape": shapes[lines]}).join(
        streets[["rank", "name"]].iloc[owner[lines]].reset_index(drop=True)
    )
    groups = parts.groupby(["rank", "name"], sort=True)["shape"]
    named = {key: shapely.multilinestrings(rows.to_numpy()) for key, rows in groups}
    merged, of = shapely.get_parts(
        shapely.line_merge(np.asarray(list(named.values()), dtype=object)), return_index=True
    )
    keys = pd.DataFrame(list(named), columns=["rank", "name"]).iloc[of]
    return gpd.GeoDataFrame(keys.reset_index(drop=True), geometry=merged, crs=WEB)


def _thin(shapes: Shapes, band: Band) -> Shapes:
    """Return shapes without what is finer than half a pixel at the last zoom of a band."""
    return np.asarray(shapely.simplify(shapes, band.pixel_m / 2, preserve_topology=False))


def _inside(rows: gpd.GeoDataFrame) -> Shapes:
    """Return a place for the name of each shape."""
    return np.asarray(shapely.point_on_surface(rows.geometry.to_numpy()))


def _frame(shapes: Shapes, kind: Any, names: Any = "", **columns: Any) -> gpd.GeoDataFrame:
    """Return features with a kind and a name; shapes that nothing is left of are left out."""
    rows = pd.RangeIndex(len(shapes))
    told: dict[str, Any] = {key: np.asarray(one, dtype=object) for key, one in columns.items()}
    for key, one in (("kind", kind), ("name", names)):
        told[key] = one if isinstance(one, str) else np.asarray(one, dtype=object)
    frame = gpd.GeoDataFrame(told, geometry=shapes, index=rows, crs=WEB)
    return frame[~shapely.is_empty(frame.geometry.to_numpy())]
