"""The cells of a grid as lines: what a person has to see before a run, at any number of cells.

Outlines for the map as GeoJSON: rounded, thinned, and few.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely
from flask_babel import gettext as _
from shapely.errors import ShapelyError

from app.i18n import numbers, place_words, zone_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from app.maps.basemap import Ground
    from geodata.repositories.runs import RunRecord
    from spatial.grid import Grid


if TYPE_CHECKING:
    Floats = NDArray[np.floating[Any]]


def cell_lines(grid: Grid, crs: str) -> gpd.GeoDataFrame:
    """Draw the edges of all cells, each edge once, in as few straight lines as there can be."""
    there = grid.index_raster >= 0
    west, south, size = grid.x0, grid.y0, grid.cell_units
    level, first, last = _edges(there)
    y = south + level * size
    across = _lines(west + first * size, y, west + last * size, y)
    level, first, last = _edges(there.T)
    x = west + level * size
    upward = _lines(x, south + first * size, x, south + last * size)
    return gpd.GeoDataFrame(geometry=np.concatenate([across, upward]), crs=crs)


def _edges(there: NDArray[np.bool_]) -> tuple[NDArray[np.intp], ...]:
    """Return level, first and last place of each unbroken row of edges along the rows of a raster.

    Edge ``j`` lies between rows ``j - 1`` and ``j``; it is drawn where there is a cell on a side.
    """
    empty = np.zeros((1, there.shape[1]), dtype=bool)
    drawn = np.concatenate([empty, there]) | np.concatenate([there, empty])
    framed = np.pad(drawn, ((0, 0), (1, 1))).astype(np.int8)
    level, place = np.nonzero(np.diff(framed, axis=1))
    return level[::2], place[::2], place[1::2]


def _lines(x: Floats, y: Floats, to_x: Floats, to_y: Floats) -> NDArray[np.object_]:
    ends = np.stack([np.stack([x, y], axis=-1), np.stack([to_x, to_y], axis=-1)], axis=1)
    return np.asarray(shapely.linestrings(ends), dtype=object)


DECIMALS = 6
THINNING_M = 4.0
DISTRICT = re.compile(r"District (\w+)")  # a name that is the word and a number or letter
BARE = re.compile(r"\w{1,3}")  # a name that is only that
DRAWN = ("park", "water", "street", "rail")
STREET_GROUP = 40  # lines a drawn shape: far fewer vectors, still culled by place


def zones_geojson(ground: Ground, run: RunRecord) -> bytes:
    """Return zone outlines with everything the page tells of them, in words."""
    units = numbers.Units(ground.city.crs)
    names = dict(zip(ground.city.districts["code"], ground.city.districts["name"], strict=True))
    properties = [
        {
            "id": zone.id,
            "district": zone.district,
            "rank": int(zone.rank),
            "title": zone_full(zone, names),
            "name": zone_title(zone, names),
            "parts": zone_words.parts(zone.environment_share),
            "area": units.area(zone.area),
            "reasons": list(zone_words.reasons(zone, units)),
        }
        for zone in run.zones.itertuples()
    ]
    return _collection(run.zones.geometry, properties)


def districts_geojson(ground: Ground) -> bytes:
    """Return district outlines with their names and a place for the name."""
    frame = ground.city.districts
    thin = _thin(frame.geometry, ground.city.crs)
    properties = [
        {
            "code": code,
            "name": district_label(code, {code: name}),
            "at": label_place(shape, frame.crs),
        }
        for code, name, shape in zip(frame["code"], frame["name"], frame.geometry, strict=True)
    ]
    return _collection(thin, properties)


def neighbourhoods_geojson(ground: Ground) -> bytes | None:
    """Return neighbourhoods with their names and a place for the name, if the city draws any."""
    rows = ground.base[ground.base["kind"] == "neighbourhood"]
    if len(rows) == 0:
        return None
    properties = [
        {"name": name or "", "at": label_place(shape, rows.crs)}
        for name, shape in zip(rows["name"], rows.geometry, strict=True)
    ]
    return _collection(_thin(rows.geometry, ground.city.crs), properties)


def base_geojson(ground: Ground) -> bytes:
    """Return the study area, water, parks, rail and streets, grouped by kind and rank."""
    crs = ground.city.crs
    shapes: list[Any] = [ground.city.study_area]
    properties: list[dict[str, object]] = [{"kind": "limit", "rank": 0}]
    drawn = ground.base[ground.base["kind"].isin(DRAWN)]
    for (kind, rank), rows in drawn.groupby(["kind", "rank"], sort=True):
        for group in _groups(rows.geometry):
            shapes.append(shapely.union_all(group) if kind in ("water", "park") else _joined(group))
            properties.append({"kind": kind, "rank": int(rank)})
    return _collection(_thin(gpd.GeoSeries(shapes, crs=crs), crs), properties)


def district_label(code: str, names: dict[str, str]) -> str:
    """Call a district by its name, or by its code with the word before it."""
    name = names.get(code, code)
    numbered = DISTRICT.fullmatch(name)
    if numbered or name == code:
        return _("District %(code)s", code=numbered[1] if numbered else code)
    return name


def _map_label(name: str) -> str:
    """Call a district on the map: a bare number or letter with the word before it."""
    return district_label(name, {}) if BARE.fullmatch(name) else district_label("", {"": name})


def zone_title(zone: Any, names: dict[str, str]) -> str:
    """Call a zone by its streets; where it has no such name by its district and rank."""
    return place_words.called(zone) or zone_number(zone, names)


def zone_full(zone: Any, names: dict[str, str]) -> str:
    """Call a zone by its streets, with its district and rank behind."""
    words, number = place_words.called(zone), zone_number(zone, names)
    return _("%(name)s (%(number)s)", name=words, number=number) if words else number


def zone_number(zone: Any, names: dict[str, str]) -> str:
    """Call a zone by its district and its rank there."""
    district = district_label(zone.district, names)
    return _("%(district)s, zone %(rank)s", district=district, rank=zone.rank)


def _groups(shapes: gpd.GeoSeries) -> Iterable[np.ndarray[Any, Any]]:
    """Put shapes that lie close together into one group, along a space-filling curve."""
    order = shapes.hilbert_distance().argsort(kind="stable").to_numpy()
    ordered = np.asarray(shapes.array, dtype=object)[order]
    for start in range(0, len(ordered), STREET_GROUP):
        yield ordered[start : start + STREET_GROUP]


def _joined(lines: np.ndarray[Any, Any]) -> Any:
    parts = [part for part in shapely.get_parts(lines) if shapely.get_dimensions(part) == 1]
    return shapely.multilinestrings(parts) if parts else shapely.MultiLineString()


def simplified(shapes: Any, tolerance: float) -> Any:
    """Return one shape or an array of shapes simplified to a tolerance, each of them valid.

    Simplifying keeps the topology of each part, but parts of one shape can come to overlap; other
    geometry operations raise on such a shape.
    """
    simple = np.asarray(shapely.simplify(shapes, tolerance), dtype=object)
    overlapping = ~shapely.is_valid(simple)
    simple[overlapping] = shapely.make_valid(simple[overlapping])
    return simple[()]


def clipped(shape: BaseGeometry, window: BaseGeometry, tolerance: float) -> BaseGeometry:
    """Return what a window shows of a shape, simplified to a tolerance.

    Shapely's faster ``clip_by_rect`` is not used: it raises on valid polygons with a corner as thin
    as a needle at the edge of the window (measured: 7 times faster on lines, 15 us a line here).
    """
    return shapely.intersection(simplified(shape, tolerance), window)


def _thin(shapes: gpd.GeoSeries, crs: str) -> gpd.GeoSeries:
    thin = simplified(
        np.asarray(shapes.array, dtype=object), THINNING_M / numbers.Units(crs).metres
    )
    return gpd.GeoSeries(thin, index=shapes.index, crs=shapes.crs)


def label_place(shape: Any, crs: Any) -> list[float]:
    """Return a place well inside the largest part, as latitude and longitude."""
    largest = max(shapely.get_parts(shape), key=lambda part: part.area)
    try:
        circle = shapely.maximum_inscribed_circle(largest, tolerance=np.sqrt(largest.area) / 100)
        spot = shapely.get_point(circle, 0)
    except ShapelyError:
        spot = largest.representative_point()  # a label that stands less well is still a label
    inside = gpd.GeoSeries([spot], crs=crs).to_crs(4326).iloc[0]
    return [round(inside.y, DECIMALS), round(inside.x, DECIMALS)]


def _collection(shapes: gpd.GeoSeries, properties: list[dict[str, object]]) -> bytes:
    degrees = np.asarray(shapes.to_crs(4326).array, dtype=object)
    rounded = shapely.transform(degrees, lambda xy: np.round(xy, DECIMALS))
    features = [
        {"type": "Feature", "properties": result, "geometry": json.loads(shapely.to_geojson(shape))}
        for shape, result in zip(rounded, properties, strict=True)
        if not shape.is_empty
    ]
    document = {"type": "FeatureCollection", "features": features}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
