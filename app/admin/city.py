"""What lies under the maps of the staff's pages.

The city that a staff page is about: its record, its tabs, which districts are one's own.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Blueprint, Response, g, jsonify, request, send_file, url_for
from werkzeug.exceptions import Forbidden, NotFound
from werkzeug.security import safe_join

from app.admin.layout import CITY_CLOCK
from app.auth.guard import require_visitor
from app.auth.permissions import ASKING
from app.extensions import workroom
from app.i18n.language import N_, translated
from app.i18n.titles import use_titles
from app.maps.basemap import Ground
from app.maps.bundle import put_whole
from app.maps.shapes import base_geojson
from geodata.basemap.renewal import current_tiles, made_now
from geodata.repositories import cities, layers
from geodata.repositories.cities import get_city
from geodata.roles import ANALYST, PUBLISHER, READERS, VIEWER

if TYPE_CHECKING:
    from collections.abc import Collection

    from flask.typing import ResponseReturnValue

    from geodata.repositories.cities import CityRecord


YEAR_S = 31_536_000
DIGEST = re.compile(r"[0-9a-f]{12}")
bp = Blueprint("ground", __name__, url_prefix="/staff")


@bp.get("/<city>/ground.json")
def base(city: str) -> ResponseReturnValue:
    """Give the address of the base map; of a city without shapes the outline of its area."""
    with workroom().database.session() as session:
        found = cities.get_city(session, city)
        made_of, attribution = made_now(session, found)
        if not made_of:
            drawn = base_geojson(Ground(city=found, base=layers.base_shapes(session, found.id)))
            return Response(drawn, mimetype="application/geo+json")
    digest = hashlib.sha256(made_of.encode()).hexdigest()[:12]
    address = url_for("ground.tiles", city=city, digest=digest)
    return jsonify(tiles=address, attribution=attribution)


@bp.get("/<city>/ground/<digest>.pmtiles")
def tiles(city: str, digest: str) -> ResponseReturnValue:
    """Send the base map of a city, or the part of it that is requested.

    It is kept beside the built maps, so that a part does not take the whole out of the database.
    """
    slug = staff_city(city).slug
    folder = workroom().settings.maps / f"ground-{slug}"
    path = safe_join(str(folder), f"{digest}.pmtiles")
    if path is None or not DIGEST.fullmatch(digest):
        raise NotFound
    if not Path(path).is_file():
        with workroom().database.session() as session:
            found = current_tiles(session, cities.get_city(session, city))
        if found is None or hashlib.sha256(found.made_of.encode()).hexdigest()[:12] != digest:
            raise NotFound
        folder.mkdir(parents=True, exist_ok=True)
        put_whole(Path(path), found.content)
    response = send_file(path, mimetype="application/vnd.pmtiles", max_age=YEAR_S, etag=digest)
    response.cache_control.immutable = True
    return response


TABS: tuple[tuple[str, str, Collection[str]], ...] = (  # endpoint, label, roles that see it
    ("analyst.city", N_("Overview"), READERS),
    ("sources.sources", N_("Sources"), READERS),
    ("runs.listed", N_("Runs"), READERS),
    ("reading.compare", N_("Comparison"), READERS),
    ("outcome.outcome", N_("Outcome"), (VIEWER, ANALYST, PUBLISHER)),
    ("drafts.listed", N_("Releases"), READERS),
    ("work.listed", N_("Work"), ASKING),
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
    use_titles(city.titles, city.units)
    return city


def shell(city: CityRecord, tab: str | None = None) -> CityShell:
    """Give what stands around a page about a city; ``tab`` is the endpoint of the tab it is in."""
    person = require_visitor().person
    setattr(g, CITY_CLOCK, city.timezone)
    use_titles(city.titles, city.units)
    tabs = tuple(
        (endpoint, translated(label), url_for(endpoint, city=city.slug))
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
