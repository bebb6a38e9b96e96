"""Where the commander's desk begins: one's own districts, and each of them on one sheet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from app import forms as addresses
from app import words
from app.command.compliance import compliance as kept
from app.command.overview import overview
from app.command.patrol import district_zones, patrol_run
from app.command.place import district_name, local_now, own_place
from app.drawing import charts
from app.drawing.charts_district import district_map
from app.guard import require_visitor
from app.workroom import workroom
from geodata.store import cities, layers

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("command", __name__, url_prefix="/command")


@dataclass(frozen=True, kw_only=True)
class OwnDistrict:
    """One of a person's districts in the list that the desk begins with."""

    city: str
    city_name: str
    synthetic: bool
    code: str
    name: str
    today: str


@bp.get("/")
def home() -> ResponseReturnValue:
    """List the districts that are the person's own; where there is one, go to it."""
    own = _own()
    if len(own) == 1:
        return redirect(url_for("command.district", city=own[0].city, district=own[0].code), 303)
    return render_template("command/home.html", districts=own)


@bp.get("/<name>")
def shortcut(name: str) -> ResponseReturnValue:
    """Go to one's own district by its code alone, where only one city has it."""
    own = _own()
    found = [one for one in own if one.code == name]
    if len(found) == 1:
        to = url_for("command.district", city=found[0].city, district=name)
        return redirect(to, 303)
    if found or any(one.city == name for one in own):
        return redirect(url_for("command.home"), 303)
    raise NotFound


@bp.get("/<city>/<district>/")
def district(city: str, district: str) -> ResponseReturnValue:
    """Tell how a district stands, on one sheet."""
    place = own_place(city, district)
    with workroom().database.session() as session:
        page = overview(session, place)
    return render_template("command/district.html", shell=place.shell, place=place, page=page)


@bp.get("/<city>/<district>/compliance")
def compliance(city: str, district: str) -> ResponseReturnValue:
    """Tell whether plans were kept, and where and when officers stopped."""
    place = own_place(city, district)
    first, last = (addresses.day(request.args, name) for name in ("from", "to"))
    with workroom().database.session() as session:
        page = kept(session, place, first, last)
    return render_template("command/compliance.html", shell=place.shell, place=place, page=page)


@bp.get("/<city>/<district>/zones.png")
def district_picture(city: str, district: str) -> ResponseReturnValue:
    """Draw the zones of a district with their ranks."""
    place = own_place(city, district)
    with workroom().database.session() as session:
        run = patrol_run(session, place)
        base = layers.base_shapes(session, place.city.id)
    zones = district_zones(run, place.code)
    if zones is None or zones.empty:
        raise NotFound
    own = place.city.districts[place.city.districts["code"] == place.code]
    drawn = charts.draw(
        district_map,
        zones,
        own.geometry,
        base,
        words.Units(place.city.crs).metres,
        form="png",
    )
    return Response(drawn, mimetype="image/png")


def _own() -> list[OwnDistrict]:
    person = require_visitor().person
    slugs = dict.fromkeys(one.partition("/")[0] for one in person.districts)
    found = []
    with workroom().database.session() as session:
        for slug in slugs:
            city = cities.get_city(session, slug)
            today = words.day(local_now(city).date())
            found += [
                OwnDistrict(
                    city=slug,
                    city_name=city.name,
                    synthetic=city.synthetic,
                    code=code,
                    name=district_name(city, code),
                    today=today,
                )
                for code in person.districts_of(slug)
            ]
    return found
