"""The live board of a shift: planned, made, under way, late, and who waits too long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
from flask import Blueprint, jsonify, render_template, request, url_for
from werkzeug.exceptions import NotFound

from app.command.board_pages import MARKS, WORDS, board_layer, make_board
from app.command.patrol import present
from app.command.place import own_place
from app.command.shifts import SOON_MS, plan_at, standing
from app.maps.staff import staff_map
from app.workroom import workroom
from geodata.store import visits as store

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from app.command.board_pages import Board
    from app.command.patrol import Present
    from app.command.place import Place
    from geodata.store.plans import PlanRecord

bp = Blueprint("board", __name__, url_prefix="/command/<city>/<district>")
LISTED = 30  # shifts to choose from


@bp.get("/board")
def board(city: str, district: str) -> ResponseReturnValue:
    """Show how the present shift stands, or one that was chosen."""
    place = own_place(city, district)
    with workroom().database.session() as session:
        plans = standing(session, place)
        plan = _chosen(place, plans)
        there = present(session, place, plan)
    return render_template(
        "command/board.html",
        shell=place.shell,
        place=place,
        plan=plan,
        there=there,
        board=_board(place, there, plan) if plan else None,
        shifts=[(one.id, _shift(place, one)) for one in plans[::-1][:LISTED]],
        marks=MARKS,
        words=WORDS,
    )


@bp.get("/board/state.json")
def state(city: str, district: str) -> ResponseReturnValue:
    """Give the board as its script reads it."""
    place, there, plan = _asked(city, district)
    return jsonify(_board(place, there, plan).as_json())


@bp.get("/board/map.json")
def map_(city: str, district: str) -> ResponseReturnValue:
    """Give the map of the zones by state."""
    place, there, plan = _asked(city, district)
    found = _board(place, there, plan)
    addresses = {zone.code: place.url("visits.visits", zone=zone.code) for zone in found.zones}
    layer = board_layer(there, found, addresses)
    layer.shapes.set_crs(place.city.crs, inplace=True, allow_override=True)
    districts = place.city.districts
    within: gpd.GeoSeries = districts.geometry[districts["code"] == place.code]
    if len(layer.shapes):
        within = gpd.GeoSeries(list(layer.shapes.geometry), crs=place.city.crs).buffer(
            2 * place.city.cell_units
        )
    return jsonify(staff_map([layer], within, base=url_for("ground.base", city=city)))


def _asked(city: str, district: str) -> tuple[Place, Present, PlanRecord]:
    place = own_place(city, district)
    with workroom().database.session() as session:
        plan = _chosen(place, standing(session, place))
        if plan is None:
            raise NotFound
        return place, present(session, place, plan), plan


def _chosen(place: Place, plans: list[PlanRecord]) -> PlanRecord | None:
    """Give the plan that is asked for, else that of the present shift, else the last before."""
    wanted = request.args.get("plan", "")
    if wanted:
        found = next((plan for plan in plans if plan.id == wanted), None)
        if found is None:
            raise NotFound
        return found
    now = plan_at(plans, place.now_ms, SOON_MS)
    if now is not None or not plans:
        return now
    before = [plan for plan in plans if plan.shift_end_ms <= place.now_ms]
    return before[-1] if before else plans[0]


def _board(place: Place, there: Present, plan: PlanRecord) -> Board:
    with workroom().database.session() as session:
        found = store.visits_between(session, place.city.id, plan.shift_start_ms, plan.shift_end_ms)
    return make_board(place, there, plan, found)


def _shift(place: Place, plan: PlanRecord) -> str:
    start, end = place.local(plan.shift_start_ms), place.local(plan.shift_end_ms)
    return f"{start:%Y-%m-%d %H:%M} to {end:%H:%M}"
