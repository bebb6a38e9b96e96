"""What the board shows of a shift, as typed values.

The live board of a shift: planned, made, under way, late, and who waits too long.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
from flask import Blueprint, jsonify, render_template, request, url_for
from werkzeug.exceptions import NotFound

from app.command.district import own_place, present
from app.command.shifts import SOON_MS, plan_at, standing
from app.extensions import workroom
from app.maps.staff_map import Key, MapLayer, staff_map
from geodata.repositories import visits as store
from spatial.grid import area_of
from spatial.patrol.progress import STATES, ProgressSpec, shift_progress

if TYPE_CHECKING:
    import pandas as pd
    from flask.typing import ResponseReturnValue

    from app.command.district import DistrictPage, Present
    from geodata.plan_document import PlanZone
    from geodata.repositories.patrol_plans import PlanRecord
    from spatial.patrol.progress import ZoneProgress


MINUTE_MS = 60_000
COLOURS = {  # reported apart without their hue: from the darkest to the lightest
    "under way": "#16233b",
    "missed": "#7d2a12",
    "late": "#b8431b",
    "gap": "#d98a3c",
    "done": "#8ea3c4",
    "waiting": "#c9c0a8",
}
WORDS = {
    "under way": "An officer is there",
    "missed": "Missed: planned visits that nobody made",
    "late": "Late",
    "gap": "Waits too long",
    "done": "All planned visits made",
    "waiting": "Waiting, nothing late",
}
MARKS = {"under way": "▶", "missed": "✕", "late": "!", "gap": "…", "done": "✓", "waiting": "○"}


@dataclass(frozen=True, kw_only=True)
class BoardZone:
    """One zone on the board; ``since`` and ``next`` are words, ``waits`` if that is too long."""

    code: str
    rank: int
    name: str
    state: str
    mark: str
    words: str
    planned: int
    made: int
    late: int
    since: str
    waits: bool
    next: str


@dataclass(frozen=True, kw_only=True)
class BoardUnit:
    """One unit on the board; ``next`` is where it is planned to go next, and when."""

    unit: str
    planned: int
    due: int
    made: int
    next: str


@dataclass(frozen=True, kw_only=True)
class Board:
    """How a shift stands at ``at``; ``phase`` is before, on or over."""

    at: str
    phase: str
    zones: tuple[BoardZone, ...]
    units: tuple[BoardUnit, ...]
    planned: int
    made: int
    late: int
    gaps: int
    under_way: int

    def as_json(self) -> dict[str, object]:
        """Return the board as its script reads it."""
        return asdict(self)


def make_board(
    place: DistrictPage, there: Present, plan: PlanRecord, visits: pd.DataFrame
) -> Board:
    """Set visits beside a plan; ``visits`` are those that began in its shift."""
    start, shift_min = plan.shift_start_ms, (plan.shift_end_ms - plan.shift_start_ms) / MINUTE_MS
    shapes = {zone.code: zone.geom for zone in there.zones}
    listed = [z for z in plan.document.zones if z.visits and z.zone in shapes]
    within = area_of(
        visits["x"].to_numpy(dtype=float),
        visits["y"].to_numpy(dtype=float),
        [shapes[zone.zone] for zone in listed],
    ).astype(np.int64)
    begun = (visits["start_ms"].to_numpy(dtype=float) - start) / MINUTE_MS
    ended = (visits["end_ms"].to_numpy(dtype=float) - start) / MINUTE_MS
    now_min = (place.now_ms - start) / MINUTE_MS
    planned: dict[str, list[float]] = {zone.zone: [] for zone in listed}
    for unit in plan.document.units:
        for visit in unit.visits:
            if visit.zone in planned:
                planned[visit.zone].append((visit.start_ms - start) / MINUTE_MS)
    spec = ProgressSpec(gap_min=float(plan.document.asked.gap_minutes))
    found = shift_progress(list(planned.values()), within, begun, ended, now_min, shift_min, spec)
    zones = tuple(
        _zone(place, there, plan, zone, one) for zone, one in zip(listed, found, strict=True)
    )
    seen = visits[(begun <= now_min) & (within >= 0)]
    return Board(
        at=place.clock(place.now_ms),
        phase="before" if now_min < 0 else "on" if now_min < shift_min else "over",
        zones=zones,
        units=_units(place, plan, there, seen, _kept(plan, listed, found)),
        planned=sum(one.planned for one in found),
        made=sum(one.made for one in found),
        late=sum(one.late for one in found),
        gaps=sum(one.waits for one in found),
        under_way=sum(one.state == "under way" for one in found),
    )


def board_layer(there: Present, board: Board, addresses: dict[str, str]) -> MapLayer:
    """Draw the zones of a board by state; zones without a planned visit are not on it."""
    shapes = {zone.code: zone.geom for zone in there.zones}
    frame = gpd.GeoDataFrame(
        {
            "key": [STATES.index(zone.state) for zone in board.zones],
            "tip": [
                f"{zone.name}: {zone.words.lower()}, {zone.made} of {zone.planned} visits"
                for zone in board.zones
            ],
            "href": [addresses[zone.code] for zone in board.zones],
            "label": [f"{zone.rank} {zone.mark}" for zone in board.zones],
        },
        geometry=[shapes[zone.code] for zone in board.zones],
    )
    return MapLayer(
        name="board",
        title="Zones",
        shapes=frame,
        keys=tuple(
            Key(label=f"{MARKS[state]} {WORDS[state]}", colour=COLOURS[state]) for state in STATES
        ),
    )


def _zone(
    place: DistrictPage, there: Present, plan: PlanRecord, zone: PlanZone, one: ZoneProgress
) -> BoardZone:
    return BoardZone(
        code=zone.zone,
        rank=zone.rank,
        name=there.label(zone.zone, zone.rank),
        state=one.state,
        mark=MARKS[one.state],
        words=WORDS[one.state],
        planned=one.planned,
        made=one.made,
        late=one.late,
        since=_since(one),
        waits=one.waits,
        next=_next(place, plan, one),
    )


def _since(one: ZoneProgress) -> str:
    """Tell how long a zone has been without a visit."""
    if one.since_min is None:
        return "now"
    text = f"{_span(one.since_min)} {'ago' if one.made else 'without one'}"
    return f"{text}, too long" if one.waits else text


def _next(place: DistrictPage, plan: PlanRecord, one: ZoneProgress) -> str:
    """Tell the next planned visit ahead, and since when one is overdue that can still be made."""

    def clock(minute: float) -> str:
        return place.clock(plan.shift_start_ms + round(minute * MINUTE_MS))

    lines = [] if one.overdue_min is None else [f"overdue since {clock(one.overdue_min)}"]
    lines += [] if one.next_min is None else [clock(one.next_min)]
    return "; then ".join(lines) or "none"


def _kept(
    plan: PlanRecord, listed: list[PlanZone], found: list[ZoneProgress]
) -> set[tuple[str, int]]:
    """Return the planned visits that were made: the zone and the planned start."""
    return {
        (zone.zone, plan.shift_start_ms + round(minute * MINUTE_MS))
        for zone, one in zip(listed, found, strict=True)
        for minute in one.kept
    }


def _units(
    place: DistrictPage,
    plan: PlanRecord,
    there: Present,
    seen: pd.DataFrame,
    kept: set[tuple[str, int]],
) -> tuple[BoardUnit, ...]:
    counts = seen["unit"].value_counts().to_dict()
    rows = []
    for unit in plan.document.units:
        made = int(counts.pop(unit.unit, 0))
        moments = sorted(unit.visits, key=lambda visit: visit.start_ms)
        ahead = next(
            (
                visit
                for visit in moments
                if visit.start_ms >= place.now_ms and (visit.zone, visit.start_ms) not in kept
            ),
            None,
        )
        following = "none"
        if ahead is not None:
            following = (
                f"{there.label(ahead.zone, there.rank(ahead.zone))}, {place.clock(ahead.start_ms)}"
            )
        rows.append(
            BoardUnit(
                unit=unit.unit,
                planned=len(moments),
                due=sum(visit.start_ms <= place.now_ms for visit in moments),
                made=made,
                next=following,
            )
        )
    others = int(sum(counts.values())) + int(seen["unit"].isna().sum())
    if others:
        rows.append(BoardUnit(unit="others", planned=0, due=0, made=others, next="none"))
    return tuple(rows)


def _span(minutes: float) -> str:
    whole = round(minutes)
    return f"{whole} min" if whole < 60 else f"{whole // 60} h {whole % 60:02} min"


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
    place, there, plan = _requested(city, district)
    return jsonify(_board(place, there, plan).as_json())


@bp.get("/board/map.json")
def map_(city: str, district: str) -> ResponseReturnValue:
    """Give the map of the zones by state."""
    place, there, plan = _requested(city, district)
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


def _requested(city: str, district: str) -> tuple[DistrictPage, Present, PlanRecord]:
    place = own_place(city, district)
    with workroom().database.session() as session:
        plan = _chosen(place, standing(session, place))
        if plan is None:
            raise NotFound
        return place, present(session, place, plan), plan


def _chosen(place: DistrictPage, plans: list[PlanRecord]) -> PlanRecord | None:
    """Return the plan that is requested, else that of the present shift, else the last before."""
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


def _board(place: DistrictPage, there: Present, plan: PlanRecord) -> Board:
    with workroom().database.session() as session:
        found = store.visits_between(session, place.city.id, plan.shift_start_ms, plan.shift_end_ms)
    return make_board(place, there, plan, found)


def _shift(place: DistrictPage, plan: PlanRecord) -> str:
    start, end = place.local(plan.shift_start_ms), place.local(plan.shift_end_ms)
    return f"{start:%Y-%m-%d %H:%M} to {end:%H:%M}"
