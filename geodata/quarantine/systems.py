"""In which reference system coordinates may be: that in which they fall into the city."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pyproj import CRS, Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_crs_info
from pyproj.enums import PJType
from pyproj.exceptions import CRSError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geodata.gathering.placing import CityFrame

    Floats = NDArray[np.float64]

DEGREES = "EPSG:4326"
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
    columns: tuple[str, ...], x: Floats, y: Floats, said: str | None, city: CityFrame | None
) -> Coordinates:
    """Find out in which system coordinates are, and tell the traps.

    Parameters
    ----------
    columns
        What holds them, for the words.
    x, y
        As they were read, shape ``(rows,)``; NaN where there is none.
    said
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
    fits, swapped = _fitting(x, y, said, city)
    warnings += _traps(columns, x, y, said, fits, city, swapped=swapped)
    return Coordinates(
        columns=columns,
        said=said,
        fits=fits,
        swapped=swapped,
        missing=missing,
        warnings=tuple(warnings),
    )


def _fitting(
    x: Floats, y: Floats, said: str | None, city: CityFrame | None
) -> tuple[tuple[str, ...], bool]:
    if len(x) == 0:
        return (), False
    degrees = _can_be_degrees(x, y)
    if city is None:
        return ((DEGREES,) if degrees else ()), False
    usual = dict.fromkeys([*([said] if said else []), city.crs.to_string(), DEGREES, WEB])
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
    said: str | None,
    fits: tuple[str, ...],
    city: CityFrame | None,
    *,
    swapped: bool,
) -> list[str]:
    """Tell what is wrong with what is said of coordinates, and the remedy."""
    if len(x) == 0:
        return ["No row has a place."]
    where, first = " and ".join(columns), f"{_value(x[0])}, {_value(y[0])}"
    if swapped:
        return [f"{where}: x and y are swapped (first: {first}); name them the other way round."]
    geographic = said is not None and CRS.from_user_input(said).is_geographic
    if geographic and not _can_be_degrees(x, y):
        known = f": they fit {describe_system(fits[0])}" if fits else ""
        return [
            f"{where} are called degrees, but values such as {first} are none; they are in a "
            f"projected system{known}. State it as crs of this source."
        ]
    if said is not None and not geographic and _can_be_degrees(x, y) and DEGREES in fits:
        return [f"{where} are called {said}, but are degrees: state EPSG:4326 as crs."]
    if city is not None and not fits:
        return [f"{where}: values such as {first} fall into the city in no system that was tried."]
    if said is None and city is not None:
        return [
            f"{where}: no system is stated; they fit {describe_system(fits[0])}. State it as crs."
        ]
    if said is not None and fits and said not in fits:
        return [f"{where} are called {said}, but fit {describe_system(fits[0])}. State it as crs."]
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
    """Give the projected systems that are made for where the city is, narrow ones first."""
    west, south, east, north = city.bounds
    to_degrees = Transformer.from_crs(city.crs, DEGREES, always_xy=True)
    lon, lat = to_degrees.transform((west + east) / 2, (south + north) / 2)
    return systems_at(lon, lat)


def systems_at(lon: float, lat: float) -> tuple[str, ...]:
    """Give the projected systems that are made for a place in degrees, narrow ones first."""
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
