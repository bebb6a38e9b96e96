"""The map that people explore, what is at a place, and the report of an area they drew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app import forms
from app.i18n import numbers
from app.i18n.language import by_address
from app.public import pages, periods
from app.public.activity_map import activity_part, choose
from app.public.area_reports import (
    area_csv,
    area_page,
    circle_text,
    here_part,
    place_part,
    read_area,
    to_city,
)
from app.public.decorators import site, with_run
from app.public.districts_map import measure_choices, shades_part
from app.public.then_and_now import then_part
from spatial.zones.name_words import FOOT_M

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue
    from werkzeug.wrappers import Response

    from app.maps.bundle import Bundle
    from app.public.activity_map import ActivityPart
    from app.public.area_reports import DrawnArea, HerePart, PlacePart
    from app.public.districts_map import ShadesPart
    from app.public.published_city import PublicCityView, PublicRun
    from app.public.then_and_now import ThenPart
    from geodata.releases.activity import ActivityChoice
    from geodata.releases.surroundings import Surroundings

bp = Blueprint("explore", __name__)
LAYERS = ("surface", "zones", "districts", "neighbourhoods", "alerts", "complaints")
OFF = frozenset({"surface", "neighbourhoods", "complaints"})  # unless the address asks for them
CHOSEN = ("city", "from", "to", "class", "hours", "weekdays", "months")
KEPT = (*CHOSEN, "district", "layers", "measure", "zone", "view", "then")
DEFAULT_RADIUS_M = 500.0


@dataclass(frozen=True, kw_only=True)
class MapPage:
    """The map and what stands beside it in words and tables.

    ``legend`` is of the surroundings alone, ``followed`` tells what the zones were cut from;
    ``layers`` has each layer, whether it is shown and whether it is without a choice; ``names`` is
    the address of what can be searched, ``has_streets`` whether streets are in it; ``drawn`` an
    area in the form of its ``field``; ``kept`` what an address keeps of the state; ``units`` those
    that lengths are written in.
    """

    bundle: Bundle
    legend: tuple[pages.LegendEntry, ...]
    followed: str
    rows: tuple[pages.ZoneRow, ...]
    districts: tuple[tuple[str, str], ...]
    district: str | None
    activity: ActivityPart | None
    layers: tuple[tuple[str, bool, bool], ...]
    measures: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    shades: ShadesPart | None
    place: PlacePart | None
    here: HerePart | None
    names: str
    has_streets: bool
    drawn: str
    field: str
    kept: Mapping[str, str]
    radius: str
    units: str
    then: ThenPart | None


def map_page(published: PublicCityView, run: PublicRun) -> str:
    """Show the map, and beside it the same in words and tables."""
    choices = periods.district_choices(published)
    district = forms.choice(request.args, "district", [code for code, name in choices])
    names, ground = dict(choices), site().surroundings(published)
    shades = _shades(published, names)
    shown_layers = _layers(ground)
    choice = _choice(ground)
    drawn = read_area(request.args, published.city)
    page = MapPage(
        bundle=site().bundle(published),
        legend=pages.legend(run),
        followed=pages.followed(run),
        rows=pages.zone_rows(published, run),
        districts=choices,
        district=district,
        activity=_activity(published, ground, choice, shown_layers, names),
        layers=tuple((one, one in shown_layers, one in _default()) for one in _there(ground)),
        measures=measure_choices(published.measures),
        shades=shades,
        place=_place(published, ground, names),
        here=_here(published, run, ground, choice, names),
        names=_url(site().names_file(published)),
        has_streets=bool(ground.gazetteer.of("street")),
        drawn=drawn.text if drawn else "",
        field=drawn.field if drawn else "",
        kept=kept(),
        radius=_in_form(DEFAULT_RADIUS_M, us=numbers.Units(published.city.crs).us),
        units=numbers.Units(published.city.crs).system,
        then=then_part(published, run),
    )
    return render_template("public/map.html", frame=pages.frame(published), page=page)


@bp.get("/map/here")
@with_run
def here(published: PublicCityView, run: PublicRun) -> ResponseReturnValue:
    """Tell what is at a place, for the page's own script."""
    names, ground = dict(periods.district_choices(published)), site().surroundings(published)
    found = _here(published, run, ground, _choice(ground), names)
    if found is None:
        msg = _("at is missing; give a latitude and a longitude, as in at=36.01,-78.9")
        raise forms.AddressError(msg)
    return render_template("public/here.html", here=found, kept=kept())


@bp.get("/map/area")
@with_run
def area(published: PublicCityView, run: PublicRun) -> ResponseReturnValue:
    """Report on an area: a circle, a polygon, or one that has to be chosen first."""
    names, ground = dict(periods.district_choices(published)), site().surroundings(published)
    drawn = read_area(request.args, published.city)
    if drawn is None:
        return _ask_area(published, ground, names)
    document = {**chosen(), drawn.field: drawn.text}
    urls = {
        "picture": url_for("explore.area_picture", **{**_city(), drawn.field: drawn.text}),
        "download": url_for("explore.area_table", **document),
        "map": url_for("public.map_", **document),
    }
    page = area_page(published, run, ground, drawn, _choice(ground), names, urls)
    return render_template("public/area.html", frame=pages.frame(published), page=page)


@bp.get("/map/area.csv")
@with_run
def area_table(published: PublicCityView, run: PublicRun) -> ResponseReturnValue:
    """Give the report of an area as a table."""
    drawn, ground = _drawn(published), site().surroundings(published)
    metres = numbers.Units(published.city.crs).metres
    content = area_csv(run, ground, drawn, _choice(ground), metres)
    response = current_app.response_class(content, mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="area.csv"'
    return response


@bp.get("/map/area.svg")
@by_address
@with_run
def area_picture(published: PublicCityView, run: PublicRun) -> ResponseReturnValue:
    """Draw an area and what lies around it."""
    del run
    drawn = _drawn(published)
    picture = site().area_picture(published, drawn.shape)
    return current_app.response_class(picture, mimetype="image/svg+xml")


def kept(**changes: str) -> dict[str, Any]:
    """Return what an address keeps of the map's state."""
    return _some(KEPT) | changes


def chosen() -> dict[str, Any]:
    """Return what an address keeps of the choice of rows."""
    return _some(CHOSEN)


def _some(fields: tuple[str, ...]) -> dict[str, Any]:
    return {name: ",".join(request.args.getlist(name)) for name in fields if request.args.get(name)}


def _city() -> dict[str, Any]:
    return _some(("city",))


def _url(file: tuple[str, str] | None) -> str:
    """Return the address of a file of the map, nothing without one."""
    return url_for("public.map_file", folder=file[0], name=file[1]) if file else ""


def _choice(ground: Surroundings) -> ActivityChoice | None:
    return choose(ground.activity, request.args) if ground.activity else None


def _there(ground: Surroundings) -> tuple[str, ...]:
    """Name the layers that a city has."""
    has = {"surface", "zones", "districts"}
    if len(ground.neighbourhoods):
        has.add("neighbourhoods")
    if ground.activity:
        has.update(layer.id for layer in ground.activity.layers)
    return tuple(name for name in LAYERS if name in has)


def _default() -> frozenset[str]:
    """Return the layers of a map that nobody changed."""
    return frozenset(LAYERS) - OFF


def _layers(ground: Surroundings) -> frozenset[str]:
    wanted = forms.several(request.args, "layers", LAYERS)
    return (_default() if wanted is None else frozenset(wanted)) & {*_there(ground)}


def _activity(
    published: PublicCityView,
    ground: Surroundings,
    choice: ActivityChoice | None,
    shown_layers: frozenset[str],
    names: Mapping[str, str],
) -> ActivityPart | None:
    if ground.activity is None or choice is None:
        return None
    url = _url(site().activity_file(published))
    units = numbers.Units(published.city.crs)
    return activity_part(ground.activity, url, choice, shown_layers, names, units)


def _shades(published: PublicCityView, names: Mapping[str, str]) -> ShadesPart | None:
    identity = forms.choice(request.args, "measure", list(published.measures))
    if identity is None:
        return None
    detail = site().detail(published, periods.last_year(published), identity, "month")
    return shades_part(detail, names)


def _place(
    published: PublicCityView, ground: Surroundings, names: Mapping[str, str]
) -> PlacePart | None:
    wanted = " ".join(request.args.get("place", "").split())
    return place_part(ground.gazetteer, wanted, names, published) if wanted else None


def _here(
    published: PublicCityView,
    run: PublicRun,
    ground: Surroundings,
    choice: ActivityChoice | None,
    names: Mapping[str, str],
) -> HerePart | None:
    text = request.args.get("at", "").strip()
    if not text:
        return None
    at = forms.position(text, "at")
    wanted = " ".join(request.args.get("street", "").split())
    street = wanted if any(spot.name == wanted for spot in ground.gazetteer.of("street")) else ""
    xy = to_city((at,), published.city)[0]
    return here_part(published, run, ground, at, xy, choice, names, street)


def _drawn(published: PublicCityView) -> DrawnArea:
    drawn = read_area(request.args, published.city)
    if drawn is None:
        msg = _("no area is named; give circle=lat,lon,radius_m or polygon=lat,lon;lat,lon;lat,lon")
        raise forms.AddressError(msg)
    return drawn


def _radius_m() -> float:
    """Return the reach that an address asks for in meters, or in feet as some forms do."""
    for name, metres in (("radius_m", 1.0), ("radius_ft", FOOT_M)):
        if wanted := request.args.get(name, "").strip():
            return forms.numbers(wanted, name, 1)[0] * metres
    return DEFAULT_RADIUS_M


def _in_form(radius_m: float, *, us: bool) -> str:
    """Return a reach as a form has it: in meters, or in feet to the next ten."""
    return f"{round(radius_m / FOOT_M, -1) if us else radius_m:.0f}"


def _ask_area(
    published: PublicCityView, ground: Surroundings, names: Mapping[str, str]
) -> Response | str:
    """Make a circle from a typed centre: degrees, or a place by name of which there may be some."""
    centre = " ".join(request.args.get("centre", "").split())
    us = numbers.Units(published.city.crs).us
    radius_m = _radius_m()
    places = None
    if centre and set(centre) <= set("0123456789.,+- "):
        latitude, longitude = forms.position(centre, "centre")
        text = circle_text(latitude, longitude, radius_m)
        return redirect(url_for("explore.area", circle=text, **chosen()))
    if centre:
        places = place_part(ground.gazetteer, centre, names, published)
    return render_template(
        "public/area_form.html",
        frame=pages.frame(published),
        place=places,
        centre=centre,
        radius=_in_form(radius_m, us=us),
        us=us,
        kept=chosen(),
    )
