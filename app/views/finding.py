"""What the map page tells of a place: a search by name, and what is at a point, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from flask_babel import ngettext

from app import words, words_zones
from app.language import N_, translated
from app.maps.shapes import zone_title
from app.views.activity import counted, span_told
from geodata.publishing.search import BETWEEN, find_spots
from geodata.publishing.surroundings import what_is_here

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.site.shown import PublicRun, Shown
    from geodata.publishing.activity import Activity, Choice
    from geodata.publishing.gazetteer import Gazetteer, Spot
    from geodata.publishing.surroundings import Here, Surroundings, Touching

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
    """One place that fits what was searched for."""

    name: str
    kind: str
    district: str
    at: str


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
    """What is at a point: what it is called, then what holds there, each with its name."""

    at: str
    title: str
    where: str
    zones: tuple[ZoneHere, ...]
    risk: str
    activity: tuple[str, ...]
    span: str
    outside: bool


def place_part(gazetteer: Gazetteer, asked: str, names: Mapping[str, str]) -> PlacePart:
    """Search for a place by name or intersection."""
    found = find_spots(gazetteer, asked)
    matches = tuple(match_of(spot, names) for spot in found)
    crossing = BETWEEN.search(asked) is not None
    return PlacePart(
        asked=asked,
        matches=matches,
        apart=bool(found) and crossing and all(spot.kind == "street" for spot in found),
    )


def match_of(spot: Spot, names: Mapping[str, str]) -> Match:
    """Tell a place in words."""
    return Match(
        name=spot.name,
        kind=translated(KINDS[spot.kind]),
        district=names.get(spot.district, spot.district),
        at=f"{spot.latitude:.5f},{spot.longitude:.5f}",
    )


def here_part(
    shown: Shown,
    run: PublicRun,
    ground: Surroundings,
    at: tuple[float, float],
    xy: tuple[float, float],
    choice: Choice | None,
    names: Mapping[str, str],
) -> HerePart:
    """Tell what is at a point; ``at`` are its degrees, ``xy`` the same in the city's system."""
    found = what_is_here(ground, *xy, choice)
    units = words.Units(shown.city.crs)
    plain = dict(zip(shown.city.districts["code"], shown.city.districts["name"], strict=True))
    every = list(run.zones.itertuples())
    zones = [every[place] for place in found.zones]
    activity = ground.activity
    return HerePart(
        at=f"{at[0]:.5f},{at[1]:.5f}",
        title=_title(found, names),
        where=_near(found, units),
        zones=tuple(
            ZoneHere(
                id=zone.id, title=zone_title(zone, plain), reasons=words_zones.reasons(zone, units)
            )
            for zone in zones
        ),
        risk="" if found.level is None else translated(words.CLASSES[found.level]),
        activity=tuple(_touching(activity, one) for one in found.touching) if activity else (),
        span=span_told(activity, choice) if activity and choice else "",
        outside=found.district is None,
    )


def _title(found: Here, names: Mapping[str, str]) -> str:
    if found.district is None:
        return _("Outside of the city")
    district = names[found.district]
    return f"{found.neighbourhood}, {district}" if found.neighbourhood else district


def _near(found: Here, units: words.Units) -> str:
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
