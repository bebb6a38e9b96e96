"""The reference system and the time zone that a place most probably works with.

PROJ knows for which area each system is made, and not which one a region's offices use. So in the
United States it is the state plane zone, in the foot that EPSG has for it where it has one; in
countries of :data:`NATIONAL` the national grid; elsewhere the UTM zone on the region's own datum.

PROJ's areas are boxes, and those of neighboring states overlap by whole cities: Philadelphia lies
deeper in the box of New Jersey than in that of Pennsylvania. So outlines of the states, good to a
kilometer (:func:`_states`), tell the state, and the boxes choose between the zones of one state.
"""

from __future__ import annotations

import functools
import re
import zoneinfo
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_crs_info
from pyproj.enums import PJType

from geodata.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyproj.database import CRSInfo
    from shapely.geometry.base import BaseGeometry

STATE_PLANE = "SPCS83"  # how EPSG calls the projections of the state plane system of 1983
NATIONAL: dict[str, tuple[int, ...]] = {  # national grids by country, where they are one system
    **{"AU": tuple(range(7846, 7860)), "JP": tuple(range(6669, 6688))},
    **{"BE": (3812,), "BG": (7801,), "CH": (2056,), "CZ": (5514,), "EE": (3301,), "FI": (3067,)},
    **{"FR": (2154,), "GB": (27700,), "HK": (2326,), "HR": (3765,), "HU": (23700,), "IE": (2157,)},
    **{"IL": (2039,), "LI": (2056,), "LT": (3346,), "LV": (3059,), "NL": (28992,), "NZ": (2193,)},
    **{"PL": (2180,), "PT": (3763,), "RO": (3844,), "SE": (3006,), "SG": (3414,), "SI": (3794,)},
}
UTM = tuple(
    re.compile(rf"{datum} / UTM zone \d+[NS]")
    for datum in ("ETRS89", r"NAD83\(CSRS\)", "NAD83", "SIRGAS 2000", "WGS 84")
)
STATES = {  # by the time zone of most of their people, where it is not that of New York
    "America/Chicago": "Alabama, Arkansas, Illinois, Iowa, Kansas, Louisiana, Minnesota, "
    "Mississippi, Missouri, Nebraska, North Dakota, Oklahoma, South Dakota, Tennessee, Texas, "
    "Wisconsin",
    "America/Denver": "Colorado, Montana, New Mexico, Utah, Wyoming",
    "America/Boise": "Idaho",
    "America/Phoenix": "Arizona",
    "America/Los_Angeles": "California, Nevada, Oregon, Washington",
    "America/Anchorage": "Alaska",
    "Pacific/Honolulu": "Hawaii",
    "America/Detroit": "Michigan",
    "America/Indiana/Indianapolis": "Indiana",
    "America/Puerto_Rico": "Puerto Rico & Virgin Is.",
}
US_ZONES = {state: zone for zone, states in STATES.items() for state in states.split(", ")}
ZONES_OF = {  # states without a zone of their own, and by which zone they work
    "District of Columbia": "Maryland",
    **dict.fromkeys(("Puerto Rico", "United States Virgin Islands"), "Puerto Rico & Virgin Is."),
}
IN_METRES = {"District of Columbia"}  # opendata.dc.gov: "NAD 83 meters"; others work in feet
SHARED = 0.995  # less of the areas in one state: the outlines' own error does not explain it
PART_OF_STATE = re.compile(
    r" (?:(?:North|South|East|West) Central|North|South|East|West|Central|Mainland|Long Island"
    r"|(?<!Rhode )Island|Single Zone|Offshore)$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficialSystem:
    """A projected reference system, why it was chosen, and the time zone of the place."""

    code: str
    name: str
    unit: str
    unit_m: float
    why: str
    timezone: str


def official_system(areas: BaseGeometry, timezone: str | None = None) -> OfficialSystem:
    """Choose the projected system, and the time zone, of a place.

    Parameters
    ----------
    areas
        Of the place, in degrees. In the United States its state is the one that most of them lie
        in.
    timezone
        Its time zone, if it is known; it tells the country, except within the United States.

    Raises
    ------
    DataError
        If the areas are not on the Earth, or no system is made for them.
    """
    west, south, east, north = areas.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        msg = f"{west:.6g}, {south:.6g} to {east:.6g}, {north:.6g} are no degrees of longitude"
        raise DataError(msg)
    lon, lat = (west + east) / 2, (south + north) / 2
    nearest, country = _nearest_zone(lon, lat)
    country = _countries().get(timezone or "", country)
    found = _made_for((west, south, east, north)) or _made_for((lon, lat, lon, lat))
    states = _shares(areas)
    plane = _state_plane(found, lon, lat, states)
    if plane and states:
        return _system(plane[0], _why_plane(plane, states), timezone or _us_zone(plane[0].name))
    zone = timezone or nearest
    national = [one for one in found if int(one.code) in NATIONAL.get(country, ())]
    if national:
        return _system(national[0], f"the national grid ({country})", zone)
    for pattern in UTM:
        for one in found:
            if pattern.fullmatch(one.name):
                return _system(one, "the UTM zone of the place; no national grid is known", zone)
    msg = f"no projected system is made for longitude {lon:.3f}, latitude {lat:.3f}"
    raise DataError(msg)


def _made_for(bounds: tuple[float, float, float, float]) -> list[CRSInfo]:
    """Return the projected systems whose area holds west, south, east and north in degrees."""
    found = query_crs_info(
        auth_name="EPSG",
        pj_types=[PJType.PROJECTED_CRS],
        area_of_interest=AreaOfInterest(*bounds),
        contains=True,
    )
    return sorted(found, key=lambda info: int(info.code))


@functools.cache
def _states() -> gpd.GeoSeries:
    """Return the outlines of the states in degrees, by their names."""
    path = Path(__file__).with_name("us_states.json")
    return gpd.read_file(path, engine="pyogrio").set_index("name").geometry.make_valid()


def _shares(areas: BaseGeometry) -> dict[str, float]:
    """Return which share of areas in the United States lies in which state, the largest first."""
    states = _states()
    near = states[shapely.intersects(states.to_numpy(), areas)]
    parts = shapely.intersection(near.to_numpy(), areas)
    sizes = dict(zip(near.index, shapely.area(parts), strict=True))
    whole = sum(sizes.values())
    shares = {name: size / whole if whole else 1.0 for name, size in sizes.items()}
    return dict(sorted(shares.items(), key=lambda one: -one[1]))


def _state_plane(
    found: list[CRSInfo], lon: float, lat: float, states: dict[str, float]
) -> list[CRSInfo]:
    """Return the state plane zones of a place, the likeliest first, in feet before metres."""
    metres = next(iter(states), "") in IN_METRES
    zones = {ZONES_OF.get(state, state): state for state in reversed(states)}
    planes = []
    for info in found:
        if not info.name.startswith("NAD83 / ") or " UTM " in info.name:
            continue
        operation = CRS.from_epsg(int(info.code)).coordinate_operation
        if operation is not None and operation.name.startswith(STATE_PLANE):
            share = states.get(zones.get(_state(info.name), ""), 0.0)
            usual = metres != ("ft" in info.name.rpartition("(")[2])
            planes.append((-share, -_depth(info, lon, lat), not usual, info.code, info))
    return [one[-1] for one in sorted(planes)]


def _depth(info: CRSInfo, lon: float, lat: float) -> float:
    """Return how far inside of its area a place lies: 0 at the border, 0.5 in the middle."""
    use = info.area_of_use
    if use is None:
        return 0.0
    across = min(lon - use.west, use.east - lon) / (use.east - use.west)
    return min(across, min(lat - use.south, use.north - lat) / (use.north - use.south))


def _state(name: str) -> str:
    """Return the state of a state plane zone.

    >>> _state("NAD83 / California zone 3 (ftUS)"), _state("NAD83 / New York Long Island")
    ('California', 'New York')
    """
    plain = re.sub(r" zone \d+$", "", name.removeprefix("NAD83 / ").partition(" (")[0])
    return PART_OF_STATE.sub("", plain)


def _why_plane(planes: list[CRSInfo], states: dict[str, float]) -> str:
    state = _state(planes[0].name)
    why = f"the state plane zone of {state}"
    most, share = next(iter(states.items()))
    if share < SHARED:
        why += f", as {share:.0%} of the areas lie in {most}"
    others = dict.fromkeys(_state(one.name) for one in planes)
    others.pop(state, None)
    more = f"; the zone of {' and '.join(others)} reaches here too" if others else ""
    return why + more


def _us_zone(name: str) -> str:
    return US_ZONES.get(_state(name), "America/New_York")


def _system(info: CRSInfo, why: str, timezone: str) -> OfficialSystem:
    axis = CRS.from_epsg(int(info.code)).axis_info[0]
    return OfficialSystem(
        code=f"EPSG:{info.code}",
        name=info.name,
        unit=axis.unit_name,
        unit_m=float(axis.unit_conversion_factor),
        why=why,
        timezone=timezone,
    )


@functools.cache
def _zones() -> tuple[tuple[str, str, float, float], ...]:
    """Return country, name, longitude and latitude of the principal place of each time zone."""
    return tuple(_rows(_zone_table()))


def _zone_table() -> str:
    for folder in map(Path, zoneinfo.TZPATH):
        if (folder / "zone.tab").is_file():
            return (folder / "zone.tab").read_text(encoding="utf-8")
    try:
        return (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    except (ModuleNotFoundError, FileNotFoundError):
        return ""


def _rows(text: str) -> Iterator[tuple[str, str, float, float]]:
    for line in text.splitlines():
        if line and not line.startswith("#"):
            country, place, name = line.split("\t")[:3]
            lat, lon = re.findall(r"[+-]\d+", place)
            yield country, name, _degrees(lon, 3), _degrees(lat, 2)


def _degrees(text: str, digits: int) -> float:
    """Read degrees, minutes and seconds of ISO 6709.

    >>> _degrees("+4130", 2), round(_degrees("-0083622", 3), 6)
    (41.5, -8.606111)
    """
    whole, rest = text[1 : digits + 1], text[digits + 1 :].ljust(4, "0")
    value = int(whole) + int(rest[:2]) / 60 + int(rest[2:]) / 3600
    return -value if text[0] == "-" else value


def _countries() -> dict[str, str]:
    return {name: country for country, name, _, _ in _zones()}


def _nearest_zone(lon: float, lat: float) -> tuple[str, str]:
    """Return the time zone, and its country, whose principal place is nearest."""
    if not _zones():
        return "UTC", ""
    places = np.radians([[one[2], one[3]] for one in _zones()])
    x, y = np.radians([lon, lat])
    near = np.sin(y) * np.sin(places[:, 1]) + np.cos(y) * np.cos(places[:, 1]) * np.cos(
        places[:, 0] - x
    )
    country, name, _, _ = _zones()[int(np.argmax(near))]
    return name, country
