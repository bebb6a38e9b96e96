"""The city that a staff page is about: its record, its tabs, which districts are one's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import g, request, url_for
from werkzeug.exceptions import Forbidden

from app.guard import require_visitor
from app.permissions import ASKING
from app.staff.frame import CITY_CLOCK
from app.workroom import workroom
from geodata.roles import ANALYST, PUBLISHER, READERS, VIEWER
from geodata.store.cities import get_city

if TYPE_CHECKING:
    from collections.abc import Collection

    from geodata.store.cities import CityRecord

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
    """Give the city of an address.

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
