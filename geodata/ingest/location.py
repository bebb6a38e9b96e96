"""Where the places of a file would fall, before anything of it is stored.

In which reference system coordinates may be: that in which they fall into the city.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_crs_info
from pyproj.enums import PJType
from pyproj.exceptions import CRSError

from geodata.cityfile.schema import DEGREES
from geodata.ingest.placing import CityFrame
from geodata.readers import read_place
from geodata.readers.cell_numbers import read_numbers
from geodata.readers.cell_places import with_places

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from geodata.cityfile.schema import SourcePlace
    from geodata.repositories.cities import CityRecord


if TYPE_CHECKING:
    Floats = NDArray[np.float64]

MOST_SHOWN = 4_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Sighting:
    """Where rows fall.

    ``rows`` is how many there are; of these ``inside`` fall into a district, ``near`` near the city
    but into none, ``far`` elsewhere and ``missing`` have no place. ``shapes`` are those in or near
    the city, with column ``inside``, ``MOST_SHOWN`` of them at most, taken evenly.
    """

    rows: int
    inside: int
    near: int
    far: int
    missing: int
    shapes: gpd.GeoDataFrame


def frame_of(city: CityRecord) -> CityFrame:
    """Return where a stored city is."""
    return CityFrame(crs=CRS.from_user_input(city.crs), bounds=city.study_area.bounds)


def sight(place: SourcePlace, city: CityRecord, *, pair: str | None = None) -> Sighting:
    """Find out where the places of a local file fall.

    Parameters
    ----------
    place
        The file, its columns and its system.
    city
        The stored city.
    pair
        A column that holds "(latitude, longitude)", instead of two columns.

    Raises
    ------
    DataError
        If the file cannot be read or states no system.
    """
    layer, frame = read_place(place), frame_of(city)
    shapes = _shapes(layer.frame, place, frame, pair)
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    bounds = shapely.bounds(shapes)
    x, y = (bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2
    reached = ~missing & frame.near(x, y)
    whole = shapely.union_all(city.districts.geometry.to_numpy())
    shapely.prepare(whole)
    inside = reached & shapely.intersects_xy(whole, x, y)
    visible = np.flatnonzero(reached)
    if len(visible) > MOST_SHOWN:
        visible = visible[np.linspace(0, len(visible) - 1, MOST_SHOWN).astype(int)]
    return Sighting(
        rows=len(shapes),
        inside=int(inside.sum()),
        near=int((reached & ~inside).sum()),
        far=int((~missing & ~reached).sum()),
        missing=int(missing.sum()),
        shapes=gpd.GeoDataFrame(
            {"inside": inside[visible]}, geometry=shapes[visible], crs=city.crs
        ),
    )


def _shapes(
    table: pd.DataFrame, place: SourcePlace, frame: CityFrame, pair: str | None
) -> NDArray[np.object_]:
    """Return the shape of each row in the city's reference system, nothing where there is none."""
    if pair is None and place.x is None and isinstance(table, gpd.GeoDataFrame):
        turned = table.geometry.to_crs(frame.crs)
        return np.asarray(shapely.force_2d(np.asarray(turned.array, dtype=object)), dtype=object)
    if pair is not None:
        found = with_places(table, pair, place.crs)
        return np.asarray(shapely.force_2d(found.to_crs(frame.crs).geometry.array), dtype=object)
    if place.x is not None and place.y is not None:
        x, y = read_numbers(table[place.x]), read_numbers(table[place.y])
        crs = place.crs or DEGREES
    else:
        return np.full(len(table), None, dtype=object)
    there = np.isfinite(x) & np.isfinite(y) & ~((x == 0) & (y == 0))
    there_x, there_y = frame.transform(x, y, crs)
    points = np.full(len(table), None, dtype=object)
    points[there] = shapely.points(there_x[there], there_y[there])
    return points


WGS84 = "EPSG:4326"
WEB = "EPSG:3857"
FITS = 0.9
SAMPLE = 500
LARGEST_AREA_DEGREES = 60.0  # wider systems are continents', which no city exports in
MOST_TRIED = 60


@dataclass(frozen=True, kw_only=True)
class Coordinates:
    """Where the places of a file are.

    ``columns`` hold them. ``said`` is the system that the file or its names tell, ``fits`` those in
    which nearly all places fall into or near the city, the likeliest first; without a city it is
    what the values themselves allow. ``swapped`` tells that x and y must change places.
    """

    columns: tuple[str, ...]
    said: str | None
    fits: tuple[str, ...]
    swapped: bool
    missing: int
    warnings: tuple[str, ...]


def look_at(
    columns: tuple[str, ...], x: Floats, y: Floats, text: str | None, city: CityFrame | None
) -> Coordinates:
    """Find out in which system coordinates are, and tell the traps.

    Parameters
    ----------
    columns
        What holds them, for the words.
    x, y
        As they were read, shape ``(rows,)``; NaN where there is none.
    text
        The system that the file tells, or that its columns' names mean.
    city
        Where the city is, if it is known.
    """
    there = np.isfinite(x) & np.isfinite(y) & ~((x == 0) & (y == 0))
    missing = int(len(x) - there.sum())
    warnings = []
    if missing:
        warnings.append(f"{missing:,} of {len(x):,} rows have no place (empty, or 0 and 0).")
    spread = np.flatnonzero(there)
    some = spread[np.unique(np.linspace(0, len(spread) - 1, SAMPLE).astype(int))] if len(
        spread
    ) else spread  # fmt: skip
    x, y = x[some], y[some]
    fits, swapped = _fitting(x, y, text, city)
    warnings += _traps(columns, x, y, text, fits, city, swapped=swapped)
    return Coordinates(
        columns=columns,
        said=text,
        fits=fits,
        swapped=swapped,
        missing=missing,
        warnings=tuple(warnings),
    )


def _fitting(
    x: Floats, y: Floats, text: str | None, city: CityFrame | None
) -> tuple[tuple[str, ...], bool]:
    if len(x) == 0:
        return (), False
    degrees = _can_be_degrees(x, y)
    if city is None:
        return ((WGS84,) if degrees else ()), False
    usual = dict.fromkeys([*([text] if text else []), city.crs.to_string(), WGS84, WEB])
    for turned in (False, True):
        a, b = (y, x) if turned else (x, y)
        found = [code for code in usual if _near(a, b, code, city)]
        if found:
            return tuple(found), turned
    local = [] if degrees else [code for code in _local_systems(city) if _near(x, y, code, city)]
    return tuple(local), False


def _traps(
    columns: tuple[str, ...],
    x: Floats,
    y: Floats,
    text: str | None,
    fits: tuple[str, ...],
    city: CityFrame | None,
    *,
    swapped: bool,
) -> list[str]:
    """Tell what is wrong with what is stated of coordinates, and the remedy."""
    if len(x) == 0:
        return ["No row has a place."]
    where, first = " and ".join(columns), f"{_value(x[0])}, {_value(y[0])}"
    if swapped:
        return [f"{where}: x and y are swapped (first: {first}); name them the other way round."]
    geographic = text is not None and CRS.from_user_input(text).is_geographic
    if geographic and not _can_be_degrees(x, y):
        known = f": they fit {describe_system(fits[0])}" if fits else ""
        return [
            f"{where} are called degrees, but values such as {first} are none; they are in a "
            f"projected system{known}. State it as crs of this source."
        ]
    if text is not None and not geographic and _can_be_degrees(x, y) and WGS84 in fits:
        return [f"{where} are called {text}, but are degrees: state EPSG:4326 as crs."]
    if city is not None and not fits:
        return [f"{where}: values such as {first} fall into the city in no system that was tried."]
    if text is None and city is not None:
        return [
            f"{where}: no system is stated; they fit {describe_system(fits[0])}. State it as crs."
        ]
    if text is not None and fits and text not in fits:
        return [f"{where} are called {text}, but fit {describe_system(fits[0])}. State it as crs."]
    return []


def _value(number: float) -> str:
    """Write a coordinate: whole feet or metres, or degrees.

    >>> _value(1015257.531), _value(-72.684521)
    ('1015258', '-72.6845')
    """
    return f"{number:.0f}" if abs(number) >= 1000 else f"{number:.6g}"


def _can_be_degrees(x: Floats, y: Floats) -> bool:
    inside = (np.abs(x) <= 180) & (np.abs(y) <= 180)  # either way round
    return bool(inside.mean() >= FITS)


def _near(x: Floats, y: Floats, code: str, city: CityFrame) -> bool:
    try:
        there = city.transform(x, y, code)
    except CRSError:
        return False
    return bool(city.near(*there).mean() >= FITS)


def _local_systems(city: CityFrame) -> tuple[str, ...]:
    """Return the projected systems that are made for where the city is, narrow ones first."""
    west, south, east, north = city.bounds
    to_degrees = Transformer.from_crs(city.crs, WGS84, always_xy=True)
    lon, lat = to_degrees.transform((west + east) / 2, (south + north) / 2)
    return systems_at(lon, lat)


def systems_at(lon: float, lat: float) -> tuple[str, ...]:
    """Return the projected systems that are made for a place in degrees, narrow ones first."""
    return _systems_at(round(lon, 3), round(lat, 3))


@functools.lru_cache(maxsize=32)
def _systems_at(lon: float, lat: float) -> tuple[str, ...]:
    found = query_crs_info(
        auth_name="EPSG",
        pj_types=[PJType.PROJECTED_CRS],
        area_of_interest=AreaOfInterest(lon, lat, lon, lat),
        contains=True,
    )
    sized = [
        (use.east - use.west, int(info.code))
        for info in found
        if (use := info.area_of_use) is not None and 0 < use.east - use.west <= LARGEST_AREA_DEGREES
    ]
    return tuple(f"EPSG:{code}" for _, code in sorted(sized)[:MOST_TRIED])


def describe_system(code: str) -> str:
    """Name a system as people know it: its code, its name and its unit."""
    crs = CRS.from_user_input(code)
    unit = "degrees" if crs.is_geographic else crs.axis_info[0].unit_name
    return f"{code} ({crs.name}, {unit})"
