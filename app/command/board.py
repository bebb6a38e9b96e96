"""The live board of a shift: planned, made, under way, late, and who waits too long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
from flask import Blueprint, jsonify, render_template, request, url_for
from werkzeug.exceptions import NotFound

from app.command import on_shift
from app.command.board_pages import MARKS, WORDS, board_layer, make_board
from app.maps.staff import staff_map
from app.workroom import workroom
from geodata.store import visits as store

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from app.command.board_pages import Board
    from app.command.on_shift import DistrictDesk, Present
    from geodata.store.plans import PlanRecord

bp = Blueprint("board", __name__, url_prefix="/command/<city>/<district>")
LISTED = 30  # shifts to choose from


@bp.get("/board")
def board(city: str, district: str) -> ResponseReturnValue:
    """Show how the present shift stands, or one that was chosen."""
    desk = on_shift.district_desk(city, district)
    standing = on_shift.standing_plans(desk)
    plan = _chosen(desk, standing)
    there = on_shift.present(desk, plan)
    return render_template(
        "command/board.html",
        shell=desk.shell,
        desk=desk,
        plan=plan,
        board=_board(desk, there, plan) if plan else None,
        shifts=[(one.id, _shift(desk, one)) for one in standing[:LISTED]],
        marks=MARKS,
        words=WORDS,
        place={"city": city, "district": district},
    )


@bp.get("/board/state.json")
def state(city: str, district: str) -> ResponseReturnValue:
    """Give the board as its script reads it."""
    desk, there, plan = _asked(city, district)
    return jsonify(_board(desk, there, plan).as_json())


@bp.get("/board/map.json")
def map_(city: str, district: str) -> ResponseReturnValue:
    """Give the map of the zones by state."""
    desk, there, plan = _asked(city, district)
    found = _board(desk, there, plan)
    place = {"city": city, "district": district}
    addresses = {
        zone.code: url_for("visits.visits", zone=zone.code, **place)  # type: ignore[arg-type]
        for zone in found.zones
    }
    layer = board_layer(there, found, addresses)
    layer.shapes.set_crs(desk.city.crs, inplace=True, allow_override=True)
    districts = desk.city.districts
    within: gpd.GeoSeries = districts.geometry[districts["code"] == desk.code]
    if len(layer.shapes):
        within = gpd.GeoSeries(list(layer.shapes.geometry), crs=desk.city.crs).buffer(
            2 * desk.city.cell_units
        )
    return jsonify(staff_map([layer], within, base=url_for("ground.base", city=city)))


def _asked(city: str, district: str) -> tuple[DistrictDesk, Present, PlanRecord]:
    desk = on_shift.district_desk(city, district)
    plan = _chosen(desk, on_shift.standing_plans(desk))
    if plan is None:
        raise NotFound
    return desk, on_shift.present(desk, plan), plan


def _chosen(desk: DistrictDesk, standing: list[PlanRecord]) -> PlanRecord | None:
    """Give the plan that is asked for, else that of the present shift, else the last before."""
    wanted = request.args.get("plan", "")
    if wanted:
        found = next((plan for plan in standing if plan.id == wanted), None)
        if found is None:
            raise NotFound
        return found
    now = on_shift.present_plan(standing, desk.now_ms)
    before = [plan for plan in standing if plan.shift_end_ms <= desk.now_ms]
    return now or (before[0] if before else standing[-1] if standing else None)


def _board(desk: DistrictDesk, there: Present, plan: PlanRecord) -> Board:
    with workroom().database.session() as session:
        found = store.visits_between(session, desk.city.id, plan.shift_start_ms, plan.shift_end_ms)
    return make_board(desk, there, plan, found)


def _shift(desk: DistrictDesk, plan: PlanRecord) -> str:
    start, end = desk.local(plan.shift_start_ms), desk.local(plan.shift_end_ms)
    return f"{start:%Y-%m-%d %H:%M} to {end:%H:%M}"
