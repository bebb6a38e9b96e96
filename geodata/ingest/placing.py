"""Coordinates as they come -> places in the city's reference system, or the reason why not.

What is wrong is told with its likely cause and never stored: a projected coordinate called degrees,
degrees called projected, swapped axes, null island, a point far from the city. Far means farther
from the study area's bounds than half of their diagonal, and at least 5 km.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS, Transformer

from geodata.errors import DataError
from geodata.readers.cell_numbers import has_commas, read_degrees, read_numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from geodata.import_report import Sieve

    Floats = NDArray[np.float64]

POINT, MULTIPOINT = 0, 4  # of shapely.GeometryType
SCALES = (1e-5, 1e-6, 1e-7)  # degrees as whole numbers
MOSTLY = 0.9
NO_PAIR = r" ?[A-Za-z{\\]"  # WKT, GeoJSON and WKB have x first by definition
LONGEST_CELL = 40
LARGEST = 1e12  # units; no reference system of the Earth has coordinates beyond
FAR_METRES = 5_000.0
NO_PLACE = "no coordinates"
NO_NUMBER = "coordinates that are no numbers"
NO_SIGN = "a coordinate without its minus sign"
NO_POINT = "the decimal point of degrees is missing"
FAR = "far from the city"
SWAPPED = "latitude and longitude swapped"
NOT_DEGREES = "projected coordinates called degrees"
NOT_PROJECTED = "degrees called projected coordinates"
REMEDIES = {
    NO_PLACE: "name the columns that hold the place, or export them with it",
    NO_NUMBER: "write coordinates as numbers, such as -78.9016, or as 78°54'6\"W",
    NO_SIGN: "longitudes of the Americas and latitudes south of the equator begin with a minus",
    NO_POINT: "export degrees as -78.9016, not as -78901600",
    FAR: "check that this is the city's file and that its crs is right",
    SWAPPED: "swap x and y in the city file (x is the longitude, y the latitude)",
    NOT_DEGREES: "state the crs that the coordinates are in, such as the city's own",
    NOT_PROJECTED: 'state crs = "EPSG:4326" for this source',
}


@dataclass(frozen=True, kw_only=True, eq=False)
class CityFrame:
    """Where the city is: its reference system and the bounds of its study area."""

    crs: CRS
    bounds: tuple[float, float, float, float]

    @property
    def slack(self) -> float:
        """How far outside the bounds is still near, in units."""
        west, south, east, north = self.bounds
        metre = 1 / self.crs.axis_info[0].unit_conversion_factor
        return max(float(np.hypot(east - west, north - south)) / 2, FAR_METRES * metre)

    def transform(self, x: Floats, y: Floats, crs: str | CRS) -> tuple[Floats, Floats]:
        """Bring coordinates of another system to the city's; infinite where that cannot be."""
        transformer = Transformer.from_crs(crs, self.crs, always_xy=True)
        there_x, there_y = transformer.transform(x, y, errcheck=False)
        return np.asarray(there_x, dtype=float), np.asarray(there_y, dtype=float)

    def near(self, x: Floats, y: Floats) -> NDArray[np.bool_]:
        """Tell which points lie in or near the study area's bounds."""
        west, south, east, north = self.bounds
        away_x = np.maximum(np.maximum(west - x, x - east), 0)
        away_y = np.maximum(np.maximum(south - y, y - north), 0)
        with np.errstate(invalid="ignore", over="ignore"):
            return np.hypot(away_x, away_y) <= self.slack

    def near_shapes(self, shapes: gpd.GeoSeries) -> NDArray[np.bool_]:
        """Tell which shapes have their middle in or near the study area's bounds."""
        bounds = shapes.bounds.to_numpy()
        x, y = (bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2
        return self.near(*self.transform(x, y, shapes.crs))


def place_points(
    x: pd.Series, y: pd.Series, crs: str, city: CityFrame, sieve: Sieve
) -> NDArray[np.object_]:
    """Place rows by two columns; rows that cannot be placed are left out through the sieve.

    Returns
    -------
    Points in the city's reference system, shape ``(rows,)``; those left out mean nothing.

    Raises
    ------
    DataError
        If no row at all can be placed: then the columns or their reference system are wrong.
    """
    raw_x, raw_y = _coordinates(x, y, crs, city, sieve)
    there_x, there_y = city.transform(raw_x, raw_y, crs)
    reasons = _reasons(raw_x, raw_y, there_x, there_y, CRS.from_user_input(crs), city)
    stated = _stated(x) & _stated(y)
    reasons[stated & ~(np.isfinite(raw_x) & np.isfinite(raw_y))] = NO_NUMBER
    where = f"{sieve.report.source}, columns {x.name} and {y.name}"
    cells = [f"{a}, {b}" for a, b in zip(_cells(x), _cells(y), strict=True)]
    _leave_out(reasons, cells, crs, where, sieve)
    return np.asarray(shapely.points(there_x, there_y), dtype=object)


def _coordinates(
    x: pd.Series, y: pd.Series, crs: str, city: CityFrame, sieve: Sieve
) -> tuple[Floats, Floats]:
    """Read two columns of numbers; commas are what brings more rows into the city."""
    if not (has_commas(x) or has_commas(y)):
        read = read_degrees if CRS.from_user_input(crs).is_geographic else read_numbers
        return read(x), read(y)
    ways = {}
    for decimal in (True, False):
        found = read_numbers(x, decimal_comma=decimal), read_numbers(y, decimal_comma=decimal)
        ways[decimal] = found, int(city.near(*city.transform(*found, crs)).sum())
    decimal = ways[True][1] >= ways[False][1]
    word = "of decimals" if decimal else "between thousands"
    sieve.report.notes.append(f"commas in columns {x.name} and {y.name} are read as those {word}")
    return ways[decimal][0]


def place_cells(
    shapes: gpd.GeoSeries, texts: pd.Series, city: CityFrame, sieve: Sieve
) -> NDArray[np.object_]:
    """Place rows whose geometry was read from a column; see :func:`place_shapes`."""
    shapes = _latitude_first(shapes, texts, city, sieve)
    missing = np.asarray(shapes.is_empty | shapes.isna(), dtype=bool)
    sieve.leave_out(NO_NUMBER, missing & _stated(texts), examples=True)
    return place_shapes(shapes, city, sieve)


def _latitude_first(
    shapes: gpd.GeoSeries, texts: pd.Series, city: CityFrame, sieve: Sieve
) -> gpd.GeoSeries:
    """Return places with those pairs turned that have the longitude first, if most fall so."""
    pairs = (~texts.astype("string").fillna("A").str.match(NO_PAIR)).to_numpy(dtype=bool)
    pairs &= (shapes.geom_type == "Point").to_numpy() & ~np.asarray(shapes.is_empty, dtype=bool)
    if not pairs.any() or not shapes.crs.is_geographic:
        return shapes
    x, y = shapes[pairs].x.to_numpy(), shapes[pairs].y.to_numpy()
    as_read, turned = (city.near(*city.transform(*way, shapes.crs)) for way in ((x, y), (y, x)))
    if as_read.any() or turned.mean() < MOSTLY:
        return shapes
    sieve.report.notes.append(f"pairs of column {texts.name!r} are read with the longitude first")
    found = shapes.copy()
    found[pairs] = gpd.points_from_xy(y, x)
    return found


def points_of(shapes: NDArray[np.object_], sieve: Sieve) -> NDArray[np.object_]:
    """Return the one point of each shape; what is none, or has several, is left out.

    An area or a line has a middle, but nothing happened there.
    """
    kinds = shapely.get_type_id(shapes)
    several = (kinds == MULTIPOINT) & (shapely.get_num_geometries(shapes) > 1)
    sieve.leave_out("several points in one row", several)
    sieve.leave_out("not a point but a line or an area", ~np.isin(kinds, (POINT, MULTIPOINT, -1)))
    single = np.where(kinds == MULTIPOINT, shapely.get_geometry(shapes, 0), shapes)
    return np.asarray(single, dtype=object)


def place_shapes(shapes: gpd.GeoSeries, city: CityFrame, sieve: Sieve) -> NDArray[np.object_]:
    """Place rows that have a geometry; broken polygons are mended, missing ones left out.

    Raises
    ------
    DataError
        If no row at all can be placed.
    """
    raw = finite_shapes(np.asarray(shapes.array, dtype=object), sieve)
    missing = shapely.is_missing(raw) | shapely.is_empty(raw)
    sieve.leave_out("no geometry", missing, examples=False)
    raw = mend(raw, sieve)
    centre = shapely.bounds(raw)
    with np.errstate(over="ignore", invalid="ignore"):
        raw_x, raw_y = (centre[:, 0] + centre[:, 2]) / 2, (centre[:, 1] + centre[:, 3]) / 2
    there_x, there_y = city.transform(raw_x, raw_y, shapes.crs)
    reasons = _reasons(raw_x, raw_y, there_x, there_y, shapes.crs, city)
    cells = [f"{a:.6g}, {b:.6g}" for a, b in zip(raw_x, raw_y, strict=True)]
    _leave_out(reasons, cells, shapes.crs.to_string(), sieve.report.source, sieve)
    placed = raw.copy()
    if sieve.keep.any():
        kept = gpd.GeoSeries(raw[sieve.keep], crs=shapes.crs).to_crs(city.crs)
        placed[sieve.keep] = np.asarray(kept.array, dtype=object)
    return placed


def finite_shapes(shapes: NDArray[np.object_], sieve: Sieve) -> NDArray[np.object_]:
    """Return shapes, flat; those with a coordinate that is no number are left out and missing."""
    flat = np.asarray(shapely.force_2d(shapes), dtype=object)
    xy, owners = shapely.get_coordinates(flat, return_index=True)
    bad = np.zeros(len(flat), dtype=bool)
    bad[owners[~(np.abs(xy) < LARGEST).all(axis=1)]] = True  # NaN is not less either
    sieve.leave_out("coordinates that are no numbers", bad)
    flat[bad] = None
    return flat


def mend(shapes: NDArray[np.object_], sieve: Sieve) -> NDArray[np.object_]:
    """Make polygons valid and tell how many were not."""
    broken = ~shapely.is_missing(shapes) & ~shapely.is_valid(shapes)
    if broken.any():
        shapes = shapes.copy()
        dimension = shapely.get_dimensions(shapes[broken])
        fixed = [
            _of_dimension(shapely.make_valid(shape), wanted)
            for shape, wanted in zip(shapes[broken], dimension, strict=True)
        ]
        shapes[broken] = fixed
        sieve.report.notes.append(f"{int(broken.sum())} invalid shapes were repaired")
    return shapes


def _of_dimension(shape: shapely.Geometry, dimension: int) -> shapely.Geometry:
    """Keep the parts of the wanted dimension; mending can leave stray lines and points."""
    parts = [part for part in shapely.get_parts(shape) if shapely.get_dimensions(part) == dimension]
    return shapely.union_all(parts) if parts else shape


def _stated(column: pd.Series) -> NDArray[np.bool_]:
    return np.array([cell != "nothing" for cell in _cells(column)], dtype=bool)


def _cells(column: pd.Series) -> list[str]:
    texts = column.astype("string").fillna("").str.strip().str[:LONGEST_CELL]
    return texts.where(texts != "", "nothing").tolist()


def _reasons(
    x: Floats, y: Floats, there_x: Floats, there_y: Floats, crs: CRS, city: CityFrame
) -> NDArray[np.object_]:
    """Return each row its fault, or nothing."""
    reasons = np.full(len(x), None, dtype=object)
    missing = ~(np.isfinite(x) & np.isfinite(y)) | ((x == 0) & (y == 0))
    with np.errstate(invalid="ignore"):
        looks_like_degrees = (np.abs(x) <= 180) & (np.abs(y) <= 90)
        far = ~missing & ~city.near(there_x, there_y)
    reasons[missing] = NO_PLACE
    reasons[far] = FAR
    if not far.any():
        return reasons
    positions = np.flatnonzero(far)
    if crs.is_geographic:
        reasons[positions[~looks_like_degrees[positions]]] = NOT_DEGREES
    else:
        degrees = positions[looks_like_degrees[positions]]
        as_degrees = city.transform(x[degrees], y[degrees], CRS.from_epsg(4326))
        reasons[degrees[city.near(*as_degrees)]] = NOT_PROJECTED
    turned = city.transform(y[positions], x[positions], crs)
    reasons[positions[city.near(*turned)]] = SWAPPED
    ways = ((NO_SIGN, -1.0, 1.0), (NO_SIGN, 1.0, -1.0), *((NO_POINT, f, f) for f in SCALES))
    for reason, by_x, by_y in ways:
        found = city.transform(x[positions] * by_x, y[positions] * by_y, crs)
        reasons[positions[city.near(*found)]] = reason
    return reasons


def _leave_out(
    reasons: NDArray[np.object_], cells: list[str], crs: str, where: str, sieve: Sieve
) -> None:
    candidates = sieve.keep.copy()
    found = [r for r in reasons[candidates] if r is not None]
    if candidates.any() and len(found) == int(candidates.sum()):
        reason = max(set(found), key=found.count)
        first = int(np.flatnonzero(candidates & (reasons == reason))[0])
        system = "" if reason in (NO_PLACE, NO_NUMBER) else f" as {crs}"
        msg = (
            f"{where}: no row can be placed ({reason}; row {sieve.rows[first]} has {cells[first]}"
            f"{system}); {REMEDIES[reason]}. Nothing was stored"
        )
        raise DataError(msg)
    for reason in REMEDIES:
        sieve.leave_out(reason, reasons == reason)
