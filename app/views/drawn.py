"""Areas that people draw: from an address to a checked shape, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import Transformer

from app import forms
from spatial.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shapely.geometry.base import BaseGeometry

    from geodata.store.cities import CityRecord

LEAST_RADIUS_M, MOST_RADIUS_M = 100.0, 3_000.0
MOST_CORNERS = 60
LEAST_AREA_M2, MOST_AREA_M2 = 20_000.0, 30_000_000.0
QUARTER = 24  # corners of a quarter circle
DIGITS = 5  # of degrees: about a metre


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """An area in the city's reference system, and the one way to write it in an address.

    ``corners`` are degrees, latitude first; a circle has its centre alone and ``radius_m``.
    """

    shape: BaseGeometry
    field: str
    text: str
    corners: tuple[tuple[float, float], ...]
    radius_m: float | None


def read_area(args: Mapping[str, str], city: CityRecord) -> Drawn | None:
    """Read ``circle=lat,lon,radius_m`` or ``polygon=lat,lon;lat,lon;...``; nothing without them.

    Raises
    ------
    SpecError
        If the area cannot be read, crosses itself, is too small or too large, or lies outside of
        the city.
    """
    circle, polygon = args.get("circle", "").strip(), args.get("polygon", "").strip()
    if circle and polygon:
        msg = "circle and polygon both name an area; give one of them"
        raise SpecError(msg)
    if not (circle or polygon):
        return None
    drawn = _circle(circle, city) if circle else _polygon(polygon, city)
    if not drawn.shape.intersects(city.study_area):
        msg = f"the {drawn.field} {drawn.text} lies outside of the city; draw it within"
        raise SpecError(msg)
    return drawn


def to_city(
    corners: tuple[tuple[float, float], ...], city: CityRecord
) -> list[tuple[float, float]]:
    """Carry latitudes and longitudes into the city's reference system.

    Raises
    ------
    SpecError
        If that system does not reach so far.
    """
    into = Transformer.from_crs(4326, city.crs, always_xy=True)
    x, y = into.transform([lon for _, lon in corners], [lat for lat, _ in corners])
    if not np.isfinite([x, y]).all():
        msg = (
            f"{corners[0][0]:g},{corners[0][1]:g} lies too far from the city; choose a nearer place"
        )
        raise SpecError(msg)
    return list(zip(x, y, strict=True))


def unit_m(city: CityRecord) -> float:
    """Give the metres of one unit of a city's reference system."""
    return float(city.districts.crs.axis_info[0].unit_conversion_factor)


def circle_text(latitude: float, longitude: float, radius_m: float) -> str:
    """Write a circle as an address does."""
    return f"{_degrees(latitude)},{_degrees(longitude)},{radius_m:.0f}"


def _circle(text: str, city: CityRecord) -> Drawn:
    latitude, longitude, radius_m = forms.numbers(text, "circle", 3)
    centre = forms.position(f"{latitude},{longitude}", "circle")
    if not LEAST_RADIUS_M <= radius_m <= MOST_RADIUS_M:
        msg = (
            f"the radius of a circle is {LEAST_RADIUS_M:,.0f} to {MOST_RADIUS_M:,.0f} metres, "
            f"got {radius_m:g}"
        )
        raise SpecError(msg)
    at = shapely.Point(to_city((centre,), city)[0])
    return Drawn(
        shape=at.buffer(radius_m / unit_m(city), quad_segs=QUARTER),
        field="circle",
        text=circle_text(latitude, longitude, radius_m),
        corners=(centre,),
        radius_m=radius_m,
    )


def _polygon(text: str, city: CityRecord) -> Drawn:
    parts = [part for part in text.split(";") if part.strip()]
    if not 3 <= len(parts) <= MOST_CORNERS:
        msg = f"a polygon has 3 to {MOST_CORNERS} corners, got {len(parts)}"
        raise SpecError(msg)
    corners = tuple(forms.position(part, "polygon") for part in parts)
    shape = shapely.Polygon(to_city(corners, city))
    if not shape.is_valid:
        msg = "the polygon crosses itself; give its corners in their order around it"
        raise SpecError(msg)
    area_m2 = shape.area * unit_m(city) ** 2
    if not LEAST_AREA_M2 <= area_m2 <= MOST_AREA_M2:
        msg = (
            f"an area has {LEAST_AREA_M2 / 1e4:g} to {MOST_AREA_M2 / 1e4:,g} hectares, got "
            f"{area_m2 / 1e4:,.1f}"
        )
        raise SpecError(msg)
    return Drawn(
        shape=shape,
        field="polygon",
        text=";".join(f"{_degrees(lat)},{_degrees(lon)}" for lat, lon in corners),
        corners=corners,
        radius_m=None,
    )


def _degrees(value: float) -> str:
    return f"{value:.{DIGITS}f}"
