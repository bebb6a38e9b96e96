"""What lies under the maps of the staff's pages.

The city that a staff page is about: its record, its tabs, which districts are one's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, Response, g, request, url_for
from werkzeug.exceptions import Forbidden

from app.admin.layout import CITY_CLOCK
from app.auth.guard import require_visitor
from app.auth.permissions import ASKING
from app.extensions import workroom
from app.maps.basemap import Ground
from app.maps.shapes import base_geojson
from geodata.repositories import cities, layers
from geodata.repositories.cities import get_city
from geodata.roles import ANALYST, PUBLISHER, READERS, VIEWER

if TYPE_CHECKING:
    from collections.abc import Collection

    from flask.typing import ResponseReturnValue

    from geodata.repositories.cities import CityRecord


bp = Blueprint("ground", __name__, url_prefix="/staff")


@bp.get("/<city>/ground.json")
def base(city: str) -> ResponseReturnValue:
    """Give the study area, water, parks, rail and streets of a city."""
    with workroom().database.session() as session:
        found = cities.get_city(session, city)
        drawn = base_geojson(Ground(city=found, base=layers.base_shapes(session, found.id)))
    return Response(drawn, mimetype="application/geo+json")


TABS: tuple[tuple[str, str, Collection[str]], ...] = (  # endpoint, label, roles that see it
    ("analyst.city", "Overview", READERS),
    ("sources.sources", "Sources", READERS),
    ("runs.listed", "Runs", READERS),
    ("reading.compare", "Comparison", READERS),
    ("outcome.outcome", "Outcome", (VIEWER, ANALYST, PUBLISHER)),
    ("drafts.listed", "Releases", READERS),
    ("work.listed", "Work", ASKING),
)


@dataclass(frozen=True, kw_only=True)
class CityShell:
    """What stands around a page about a city.

    ``tabs`` are endpoint, label and address; ``menu`` is the endpoint of the menu's line that the
    page belongs to.
    """

    slug: str
    name: str
    synthetic: bool
    timezone: str
    tabs: tuple[tuple[str, str, str], ...]
    tab: str
    menu: str = "analyst.home"


def staff_city(slug: str) -> CityRecord:
    """Return the city of an address.

    Raises
    ------
    NotStoredError
        If it is not stored.
    """
    with workroom().database.session() as session:
        city = get_city(session, slug)
    setattr(g, CITY_CLOCK, city.timezone)
    return city


def shell(city: CityRecord, tab: str | None = None) -> CityShell:
    """Give what stands around a page about a city; ``tab`` is the endpoint of the tab it is in."""
    person = require_visitor().person
    setattr(g, CITY_CLOCK, city.timezone)
    tabs = tuple(
        (endpoint, label, url_for(endpoint, city=city.slug))
        for endpoint, label, roles in TABS
        if person.may(roles)
    )
    return CityShell(
        slug=city.slug,
        name=city.name,
        synthetic=city.synthetic,
        timezone=city.timezone,
        tabs=tabs,
        tab=tab or request.endpoint or "",
    )


def require_own(city: CityRecord, district: str) -> None:
    """Refuse a district that is not one of the person's own.

    Raises
    ------
    Forbidden
        If it is another's.
    """
    if district not in require_visitor().person.districts_of(city.slug):
        raise Forbidden
