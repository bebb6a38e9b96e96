"""Areas that people draw: from an address to a checked shape, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from flask_babel import gettext as _
from pyproj import Transformer

from app import forms, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shapely.geometry.base import BaseGeometry

    from app.site.shown import PublicCity

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


def read_area(args: Mapping[str, str], city: PublicCity) -> Drawn | None:
    """Read ``circle=lat,lon,radius_m`` or ``polygon=lat,lon;lat,lon;...``; nothing without them.

    Raises
    ------
    AddressError
        If the area cannot be read, crosses itself, is too small or too large, or lies outside of
        the city.
    """
    circle, polygon = args.get("circle", "").strip(), args.get("polygon", "").strip()
    if circle and polygon:
        msg = _("circle and polygon both name an area; give one of them")
        raise forms.AddressError(msg)
    if not (circle or polygon):
        return None
    drawn = _circle(circle, city) if circle else _polygon(polygon, city)
    if not city.districts.intersects(drawn.shape).any():
        msg = _("the area %(area)s lies outside of the city; draw it within", area=drawn.text)
        raise forms.AddressError(msg)
    return drawn


def to_city(
    corners: tuple[tuple[float, float], ...], city: PublicCity
) -> list[tuple[float, float]]:
    """Carry latitudes and longitudes into the city's reference system.

    Raises
    ------
    AddressError
        If that system does not reach so far.
    """
    into = Transformer.from_crs(4326, city.crs, always_xy=True)
    x, y = into.transform([lon for lat, lon in corners], [lat for lat, lon in corners])
    if not np.isfinite([x, y]).all():
        msg = _(
            "%(place)s lies too far from the city; choose a nearer place",
            place=f"{corners[0][0]:g},{corners[0][1]:g}",
        )
        raise forms.AddressError(msg)
    return list(zip(x, y, strict=True))


def unit_m(city: PublicCity) -> float:
    """Give the metres of one unit of a city's reference system."""
    return float(city.districts.crs.axis_info[0].unit_conversion_factor)


def circle_text(latitude: float, longitude: float, radius_m: float) -> str:
    """Write a circle as an address does."""
    return f"{_degrees(latitude)},{_degrees(longitude)},{radius_m:.0f}"


def _circle(text: str, city: PublicCity) -> Drawn:
    latitude, longitude, radius_m = forms.numbers(text, "circle", 3)
    centre = forms.position(f"{latitude},{longitude}", "circle")
    if not LEAST_RADIUS_M <= radius_m <= MOST_RADIUS_M:
        msg = _(
            "the radius of a circle is %(least)s to %(most)s meters, got %(given)s",
            least=words.number(LEAST_RADIUS_M),
            most=words.number(MOST_RADIUS_M),
            given=f"{radius_m:g}",
        )
        raise forms.AddressError(msg)
    at = shapely.Point(to_city((centre,), city)[0])
    return Drawn(
        shape=at.buffer(radius_m / unit_m(city), quad_segs=QUARTER),
        field="circle",
        text=circle_text(latitude, longitude, radius_m),
        corners=(centre,),
        radius_m=radius_m,
    )


def _polygon(text: str, city: PublicCity) -> Drawn:
    parts = [part for part in text.split(";") if part.strip()]
    if not 3 <= len(parts) <= MOST_CORNERS:
        msg = _(
            "a polygon has 3 to %(most)d corners, got %(given)d",
            most=MOST_CORNERS,
            given=len(parts),
        )
        raise forms.AddressError(msg)
    corners = tuple(forms.position(part, "polygon") for part in parts)
    shape = shapely.Polygon(to_city(corners, city))
    if not shape.is_valid:
        msg = _("the polygon crosses itself; give its corners in their order around it")
        raise forms.AddressError(msg)
    area_m2 = shape.area * unit_m(city) ** 2
    if not LEAST_AREA_M2 <= area_m2 <= MOST_AREA_M2:
        msg = _(
            "an area has %(least)s to %(most)s hectares, got %(given)s",
            least=words.number(LEAST_AREA_M2 / 1e4),
            most=words.number(MOST_AREA_M2 / 1e4),
            given=words.number(area_m2 / 1e4, 1),
        )
        raise forms.AddressError(msg)
    return Drawn(
        shape=shape,
        field="polygon",
        text=";".join(f"{_degrees(lat)},{_degrees(lon)}" for lat, lon in corners),
        corners=corners,
        radius_m=None,
    )


def _degrees(value: float) -> str:
    return f"{value:.{DIGITS}f}"
