"""Areas that people draw: from an address to a checked shape, and back.

What the map page tells of a place: a search by name, and what is at a point, in plain words.

The report of an area that somebody drew: zones, risk, alerts and complaints in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from flask_babel import gettext as _
from flask_babel import ngettext
from pyproj import Transformer

from app import forms
from app.i18n import numbers, zone_words
from app.i18n.language import N_, translated
from app.maps.palette import RISK_HEX
from app.maps.shapes import zone_full, zone_title
from app.public.activity_map import CLASS_WORDS, counted, span_told
from geodata.releases.encoding import csv_bytes
from geodata.releases.gazetteer import BETWEEN, find_spots
from geodata.releases.surroundings import report_area, what_is_here

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shapely.geometry.base import BaseGeometry

    from app.public.published_city import PublicCity, PublicCityView, PublicRun
    from geodata.releases.activity import Activity, ActivityChoice
    from geodata.releases.gazetteer import Gazetteer, Spot
    from geodata.releases.surroundings import AreaReport, Here, LayerCount, Surroundings, Touching


LEAST_RADIUS_M, MOST_RADIUS_M = 100.0, 3_000.0
MOST_CORNERS = 60
LEAST_AREA_M2, MOST_AREA_M2 = 20_000.0, 30_000_000.0
QUARTER = 24  # corners of a quarter circle
DIGITS = 5  # of degrees: about a metre


@dataclass(frozen=True, kw_only=True)
class DrawnArea:
    """An area in the city's reference system, and the one way to write it in an address.

    ``corners`` are degrees, latitude first; a circle has its centre alone and ``radius_m``.
    """

    shape: BaseGeometry
    field: str
    text: str
    corners: tuple[tuple[float, float], ...]
    radius_m: float | None


def read_area(args: Mapping[str, str], city: PublicCity) -> DrawnArea | None:
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
    """Return the metres of one unit of a city's reference system."""
    return float(city.districts.crs.axis_info[0].unit_conversion_factor)


def circle_text(latitude: float, longitude: float, radius_m: float) -> str:
    """Write a circle as an address does."""
    return f"{_degrees(latitude)},{_degrees(longitude)},{radius_m:.0f}"


def _circle(text: str, city: PublicCity) -> DrawnArea:
    latitude, longitude, radius_m = forms.numbers(text, "circle", 3)
    centre = forms.position(f"{latitude},{longitude}", "circle")
    if not LEAST_RADIUS_M <= radius_m <= MOST_RADIUS_M:
        msg = _(
            "the radius of a circle is %(least)s to %(most)s meters, got %(given)s",
            least=numbers.number(LEAST_RADIUS_M),
            most=numbers.number(MOST_RADIUS_M),
            given=f"{radius_m:g}",
        )
        raise forms.AddressError(msg)
    at = shapely.Point(to_city((centre,), city)[0])
    return DrawnArea(
        shape=at.buffer(radius_m / unit_m(city), quad_segs=QUARTER),
        field="circle",
        text=circle_text(latitude, longitude, radius_m),
        corners=(centre,),
        radius_m=radius_m,
    )


def _polygon(text: str, city: PublicCity) -> DrawnArea:
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
        units = numbers.Units(city.crs)
        least, most, given = (
            units.area(one / units.metres**2) for one in (LEAST_AREA_M2, MOST_AREA_M2, area_m2)
        )
        msg = _(
            "an area has %(least)s to %(most)s, got %(given)s", least=least, most=most, given=given
        )
        raise forms.AddressError(msg)
    return DrawnArea(
        shape=shape,
        field="polygon",
        text=";".join(f"{_degrees(lat)},{_degrees(lon)}" for lat, lon in corners),
        corners=corners,
        radius_m=None,
    )


def _degrees(value: float) -> str:
    return f"{value:.{DIGITS}f}"


AT_M = 25.0  # what a click can tell apart
KINDS = {
    "street": N_("Street"),
    "crossing": N_("Intersection"),
    "neighbourhood": N_("Neighborhood"),
    "park": N_("Park"),
    "water": N_("Water"),
}


@dataclass(frozen=True, kw_only=True)
class Match:
    """One place that fits what was searched for; ``street`` is its name where it is one."""

    name: str
    kind: str
    district: str
    at: str
    street: str
    zones: tuple[ZoneHere, ...]


@dataclass(frozen=True, kw_only=True)
class PlacePart:
    """What was searched for and what fits; ``apart`` says that two streets do not meet."""

    asked: str
    matches: tuple[Match, ...]
    apart: bool


@dataclass(frozen=True, kw_only=True)
class ZoneHere:
    """A zone that holds a place."""

    id: str
    title: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class HerePart:
    """What is at a point: what it is called, then what holds there, each with its name.

    ``along`` are the zones that the ``street`` runs through that was searched for.
    """

    at: str
    title: str
    where: str
    zones: tuple[ZoneHere, ...]
    street: str
    along: tuple[ZoneHere, ...]
    risk: str
    activity: tuple[str, ...]
    span: str
    outside: bool


def place_part(
    gazetteer: Gazetteer, wanted: str, names: Mapping[str, str], published: PublicCityView
) -> PlacePart:
    """Search for a place by name or intersection; a street has the zones that it runs through."""
    found = find_spots(gazetteer, wanted)
    matches = tuple(_match(spot, gazetteer, names, published) for spot in found)
    crossing = BETWEEN.search(wanted) is not None
    return PlacePart(
        asked=wanted,
        matches=matches,
        apart=bool(found) and crossing and all(spot.kind == "street" for spot in found),
    )


def _match(
    spot: Spot, gazetteer: Gazetteer, names: Mapping[str, str], published: PublicCityView
) -> Match:
    """Tell a place in words."""
    street = spot.name if spot.kind == "street" else ""
    return Match(
        name=spot.name,
        kind=translated(KINDS[spot.kind]),
        district=names.get(spot.district, spot.district),
        at=f"{spot.latitude:.5f},{spot.longitude:.5f}",
        street=street,
        zones=_along(published, gazetteer, street),
    )


def _along(published: PublicCityView, gazetteer: Gazetteer, street: str) -> tuple[ZoneHere, ...]:
    """Return the zones that have a street among theirs or a crossing of it, by district and rank.

    A zone's own list ends after its longest streets; crossings find those that only touch it.
    """
    if not street or published.run is None:
        return ()
    found = [spot for spot in gazetteer.of("crossing") if street in spot.names]
    at = tuple((spot.latitude, spot.longitude) for spot in found)
    xy = to_city(at, published.city) if at else []
    crossings = shapely.multipoints(xy) if at else shapely.MultiPoint()
    city = published.city.districts
    names = dict(zip(city["code"], city["name"], strict=True))
    return tuple(
        ZoneHere(id=zone.id, title=zone_full(zone, names), reasons=())
        for zone in published.run.zones.itertuples()
        if (zone.place_name and street in zone.place_name.near.streets)
        or zone.geometry.intersects(crossings)
    )


def here_part(
    published: PublicCityView,
    run: PublicRun,
    ground: Surroundings,
    at: tuple[float, float],
    xy: tuple[float, float],
    choice: ActivityChoice | None,
    names: Mapping[str, str],
    street: str = "",
) -> HerePart:
    """Tell what is at a point; ``at`` are its degrees, ``xy`` the same in the city's system.

    ``street`` is the name of a street that was searched for, nothing of any other place.
    """
    found = what_is_here(ground, *xy, choice)
    units = numbers.Units(published.city.crs)
    plain = dict(
        zip(published.city.districts["code"], published.city.districts["name"], strict=True)
    )
    every = list(run.zones.itertuples())
    zones = [every[place] for place in found.zones]
    activity = ground.activity
    return HerePart(
        at=f"{at[0]:.5f},{at[1]:.5f}",
        title=_title(found, names),
        where=_near(found, units),
        zones=tuple(
            ZoneHere(
                id=zone.id, title=zone_title(zone, plain), reasons=zone_words.reasons(zone, units)
            )
            for zone in zones
        ),
        street=street,
        along=_along(published, ground.gazetteer, street),
        risk="" if found.level is None else translated(numbers.CLASSES[found.level]),
        activity=tuple(_touching(activity, one) for one in found.touching) if activity else (),
        span=span_told(activity, choice) if activity and choice else "",
        outside=found.district is None,
    )


def _title(found: Here, names: Mapping[str, str]) -> str:
    if found.district is None:
        return _("Outside of the city")
    district = names[found.district]
    return f"{found.neighbourhood}, {district}" if found.neighbourhood else district


def _near(found: Here, units: numbers.Units) -> str:
    if found.near is None:
        return ""
    spot, apart = found.near
    if apart * units.metres < AT_M:
        return _("At %(place)s", place=spot.name)
    return _(
        "About %(distance)s from %(place)s", distance=units.length(_round(apart)), place=spot.name
    )


def _round(apart: float) -> float:
    """Round a distance to what a click can tell."""
    return max(10.0, round(apart, -1))


def _touching(activity: Activity, one: Touching) -> str:
    layer = next(layer for layer in activity.layers if layer.id == one.layer)
    number = counted(layer, one.number)
    if one.number == 0:
        many = ngettext(layer.one, layer.many, 2)
        return _("No approximate area with %(many)s holds this place", many=many)
    return ngettext(
        "%(number)s in one approximate area that holds this place",
        "%(number)s in %(num)d approximate areas that hold this place",
        one.areas,
        number=number,
    )


COLUMNS = ("section", "what", "value", "unit", "least", "most")


@dataclass(frozen=True, kw_only=True)
class ZoneIn:
    """A zone of which a part lies in the area."""

    id: str
    title: str
    within: str
    covers: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RiskIn:
    """A risk class and how much of the area it covers; ``bar`` is in percent."""

    words: str
    share: str
    bar: float
    colour: str


@dataclass(frozen=True, kw_only=True)
class LayerIn:
    """Alerts or complaints in the area, and how sure that is."""

    title: str
    many: str
    number: str
    least: str
    most: str
    apart: int
    months: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True)
class AreaPage:
    """The report of one area."""

    title: str
    size: str
    where: str
    rated: str
    zones: tuple[ZoneIn, ...]
    risk: tuple[RiskIn, ...]
    layers: tuple[LayerIn, ...]
    span: str
    class_: str
    field: str
    text: str
    picture: str
    download: str
    back: str


def area_page(
    published: PublicCityView,
    run: PublicRun,
    ground: Surroundings,
    drawn: DrawnArea,
    choice: ActivityChoice | None,
    names: Mapping[str, str],
    urls: Mapping[str, str],
) -> AreaPage:
    """Tell what an area holds; ``urls`` are those of its picture, its table and the map."""
    units = numbers.Units(published.city.crs)
    found = report_area(ground, drawn.shape, choice)
    activity = ground.activity
    return AreaPage(
        title=_area_title(drawn, units),
        size=units.area(found.area),
        where=numbers.listed([names[code] for code in found.districts]) if found.districts else "",
        rated=numbers.share(found.rated / found.area),
        zones=_zones(published, run, found, units),
        risk=_risk(found),
        layers=tuple(_layer(ground, one) for one in found.layers),
        span=span_told(activity, choice) if activity and choice else "",
        class_=translated(CLASS_WORDS[choice.classes[0]]) if choice and choice.classes else "",
        field=drawn.field,
        text=drawn.text,
        picture=urls["picture"],
        download=urls["download"],
        back=urls["map"],
    )


def _area_title(drawn: DrawnArea, units: numbers.Units) -> str:
    if drawn.radius_m is None:
        return _("Area with %(number)d corners", number=len(drawn.corners))
    return _(
        "%(radius)s around %(latitude)s, %(longitude)s",
        radius=units.length(drawn.radius_m / units.metres),
        latitude=f"{drawn.corners[0][0]:.4f}",
        longitude=f"{drawn.corners[0][1]:.4f}",
    )


def _zones(
    published: PublicCityView, run: PublicRun, found: AreaReport, units: numbers.Units
) -> tuple[ZoneIn, ...]:
    names = dict(
        zip(published.city.districts["code"], published.city.districts["name"], strict=True)
    )
    every = list(run.zones.itertuples())
    rows = [(every[place], within, covers) for place, within, covers in found.zones]
    return tuple(
        ZoneIn(
            id=zone.id,
            title=zone_title(zone, names),
            within=numbers.share(within),
            covers=numbers.share(covers),
            reasons=zone_words.reasons(zone, units),
        )
        for zone, within, covers in rows
    )


def _risk(found: AreaReport) -> tuple[RiskIn, ...]:
    if not found.rated:
        return ()
    shares = [area / found.rated for area in found.levels]
    return tuple(
        RiskIn(
            words=translated(numbers.CLASSES[level]),
            share=numbers.share(shares[level]),
            bar=round(100 * shares[level], 1),
            colour=RISK_HEX[level],
        )
        for level in (3, 2, 1, 0)
    )


def _layer(ground: Surroundings, one: LayerCount) -> LayerIn:
    layer = next(layer for layer in ground.activity.layers if layer.id == one.layer)  # type: ignore[union-attr]
    return LayerIn(
        title=translated(layer.title),
        many=ngettext(layer.one, layer.many, one.number),
        number=numbers.number(one.number),
        least=numbers.number(one.least),
        most=numbers.number(one.most),
        apart=one.apart,
        months=tuple((numbers.month(month), number) for month, number in one.by_month),
    )


def area_csv(
    run: PublicRun,
    ground: Surroundings,
    drawn: DrawnArea,
    choice: ActivityChoice | None,
    metres: float,
) -> bytes:
    """Write the report as a table: one figure a row, with the bounds of what is uncertain."""
    found = report_area(ground, drawn.shape, choice)
    rows = [
        {"section": section, "what": what, "value": value, "unit": unit, "least": low, "most": high}
        for section, what, value, unit, low, high in _figures(
            run, ground, drawn, choice, found, metres
        )
    ]
    return csv_bytes(COLUMNS, rows)


def _figures(
    run: PublicRun,
    ground: Surroundings,
    drawn: DrawnArea,
    choice: ActivityChoice | None,
    found: AreaReport,
    metres: float,
) -> Iterator[tuple[object, ...]]:
    yield "area", drawn.field, drawn.text, "degrees; metres", "", ""
    yield "area", "size", round(found.area * metres**2), "square metres", "", ""
    yield "area", "in the risk surface", round(found.rated / found.area, 4), "share", "", ""
    for place, within, covers in found.zones:
        zone = run.zones["id"].iloc[place]
        yield "zone within the area", zone, round(within, 4), "share of the zone", "", ""
        yield "area within the zone", zone, round(covers, 4), "share of the area", "", ""
    for level, area in enumerate(found.levels):
        share = round(area / found.rated, 4) if found.rated else ""
        yield "risk", numbers.CLASSES[level], share, "share of the risk surface", "", ""
    if ground.activity and choice:
        weeks = ground.activity.weeks
        yield "chosen", "first week from", weeks[choice.first].isoformat(), "date", "", ""
        yield "chosen", "last week from", weeks[choice.last].isoformat(), "date", "", ""
        yield (
            "chosen",
            "class of alerts",
            choice.classes[0] if choice.classes else "all",
            "",
            "",
            "",
        )
    for one in found.layers:
        yield one.layer, "mostly within", one.number, "rows", one.least, one.most
        yield one.layer, "known by district only", one.apart, "rows, not counted", "", ""
        for month, number in one.by_month:
            yield one.layer, f"{month:%Y-%m}", number, "rows mostly within", "", ""
