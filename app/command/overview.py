"""What a district's overview says, on one sheet: zones, plan, compliance, actions, outcome.

Where the commander's desk begins: one's own districts, and each of them on one sheet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.exceptions import NotFound

from app import forms as addresses
from app.auth.guard import require_visitor
from app.charts import charts
from app.charts.measure_charts import district_map
from app.command import outcome_parts as known
from app.command.action_forms import open_actions
from app.command.compliance import compliance as kept
from app.command.district import (
    district_name,
    district_zones,
    local_now,
    own_place,
    patrol_run,
    run_words,
)
from app.command.shifts import judged, plan_at, shift_row, shift_words, standing
from app.extensions import workroom
from app.i18n import numbers, patrol_words, place_words
from app.i18n.numbers import listed, plain
from geodata.readers.dates import local_days
from geodata.repositories import archiving, cities, layers, runs_in_use
from geodata.repositories.recorded import TABLES, read_frame
from spatial.grid import area_of
from spatial.zones.describe import MOSTLY, reasons_of, zone_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from app.command.action_forms import OpenActions
    from app.command.district import DistrictPage
    from app.command.outcome_parts import OutcomeLine
    from app.command.shifts import ShiftRow
    from geodata.repositories.patrol_plans import PlanRecord
    from geodata.repositories.runs import RunRecord
    from spatial.zones.describe import ZoneFactor


DAY_MS = 24 * 60 * 60 * 1000
TONIGHT_MS = DAY_MS  # a plan that begins within a day is tonight's
WEEK_DAYS = 7
MOST_TOLD = 3  # factors of a zone on the sheet


@dataclass(frozen=True, kw_only=True)
class WeekZone:
    """A zone of this week: why, what is expected, what is planned tonight, alerts in it."""

    rank: int
    name: str
    why: str
    expected: str
    visits: str
    day: str
    week: str


@dataclass(frozen=True, kw_only=True)
class PlanLine:
    """Tonight's plan in a few figures; ``run`` names a run of its zones that is not in use."""

    id: str
    when: str
    version: int
    units: int
    visits: int
    travel: int
    gave_way: tuple[str, ...]
    run: str


@dataclass(frozen=True, kw_only=True)
class Alerts:
    """Alerts in the zones in the last day and week; empty where no alert can be known of them."""

    day: str
    week: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Overview:
    """A district on one sheet."""

    now: str
    run: str
    outcome_name: str
    trained: str
    zones: tuple[WeekZone, ...]
    plan: PlanLine | None
    last: ShiftRow | None
    alerts: Alerts
    outcome: OutcomeLine | None
    actions: OpenActions


def overview(session: Session, place: DistrictPage) -> Overview:
    """Gather what stands on the sheet of a district."""
    now = place.now
    run = patrol_run(session, place)
    plans = standing(session, place)
    plan = plan_at(plans, place.now_ms, TONIGHT_MS)
    over = [one for one in plans if one.shift_end_ms <= place.now_ms][-1:]
    last = judged(session, place, over)
    zones = district_zones(run, place.code)
    alerts, day, week = _alerts(session, place, zones)
    return Overview(
        now=f"{numbers.day(now.date())}, {now:%H:%M}",
        run=run.id if run else "",
        outcome_name=plain(run.outcome) if run else "",
        trained=f"{numbers.day(run.period_from)} to {numbers.last_day(run.period_to)}"
        if run
        else "",
        zones=_zone_lines(run, zones, plan, day, week),
        plan=_plan_line(session, place, plan) if plan else None,
        last=shift_row(last[0]) if last else None,
        alerts=alerts,
        outcome=next(iter(known.lines(session, place.city, place.code)), None),
        actions=open_actions(session, place),
    )


def why(factors: Sequence[ZoneFactor], history: float) -> str:
    """Name what makes a zone a zone, briefly, the larger part of its score first."""
    names = list(dict.fromkeys(plain(factor.name) for factor in reasons_of(factors)))
    named = listed(names[:MOST_TOLD]) or "no factor sets it apart"
    past = f"{numbers.share(history)} from past incidents"
    if zone_kind(1.0 - history) == "hot spot":
        past = f"hot spot, {past}"
    return f"{past}; {named}" if history >= MOSTLY else f"{named}; {past}"


def _zone_lines(
    run: RunRecord | None,
    zones: gpd.GeoDataFrame | None,
    plan: PlanRecord | None,
    day: np.ndarray | None,
    week: np.ndarray | None,
) -> tuple[WeekZone, ...]:
    if run is None or zones is None:
        return ()
    weeks = (run.period_to - run.period_from).days / 7
    planned = {}
    if plan is not None and plan.run == run.id:
        planned = {zone.zone: zone.visits for zone in plan.document.zones}
    return tuple(
        WeekZone(
            rank=int(zone.rank),
            name=place_words.called(zone),
            why=why(zone.factors, 1 - zone.environment_share),
            expected=numbers.number(zone.expected / weeks, 2),
            visits=str(planned[zone.id]) if zone.id in planned else "–",
            day="–" if day is None else str(int(day[position])),
            week="–" if week is None else str(int(week[position])),
        )
        for position, zone in enumerate(zones.itertuples())
    )


def _plan_line(session: Session, place: DistrictPage, plan: PlanRecord) -> PlanLine:
    document = plan.document
    used = plan.run in runs_in_use.uses_now(session, place.city.id)
    return PlanLine(
        id=plan.id,
        when=shift_words(document.shift),
        version=plan.version,
        units=len(document.units),
        visits=document.visits,
        travel=document.travel_minutes,
        gave_way=tuple(
            numbers.sentence(patrol_words.gave_way(found)) for found in document.gave_way
        ),
        run="" if used else run_words(session, place.city, plan.run),
    )


def _alerts(
    session: Session, place: DistrictPage, zones: gpd.GeoDataFrame | None
) -> tuple[Alerts, np.ndarray | None, np.ndarray | None]:
    """Count alerts in each zone in the last day and week; what no row can tell of is missing."""
    now_ms, table = place.now_ms, TABLES["alerts"]
    mine = table.c.city_id == place.city.id
    newest = session.scalar(
        select(table.c.triggered_ms).where(mine).order_by(table.c.triggered_ms.desc()).limit(1)
    )
    if newest is None or zones is None:
        return Alerts(day="", week="", note="No alerts are stored."), None, None
    rows = read_frame(
        session,
        select(table.c.triggered_ms, table.c.x, table.c.y).where(
            mine,
            table.c.triggered_ms > now_ms - WEEK_DAYS * DAY_MS,
            table.c.triggered_ms <= now_ms,
        ),
    )
    spot = area_of(rows["x"].to_numpy(), rows["y"].to_numpy(), list(zones.geometry))
    size = len(zones)

    def within(days: int) -> np.ndarray | None:
        start = now_ms - days * DAY_MS
        if newest <= start:
            return None
        recent = (rows["triggered_ms"].to_numpy() > start) & (spot >= 0)
        return np.bincount(spot[recent].astype(np.int64), minlength=size)

    day, week = within(1), within(WEEK_DAYS)
    last = local_days(np.array([newest], dtype=float), place.city.timezone)[0]
    stale = newest <= now_ms - DAY_MS
    return (
        Alerts(
            day="" if day is None else str(int(day.sum())),
            week="" if week is None else str(int(week.sum())),
            note=f"The newest alert stored is of {numbers.day(last.date())}." if stale else "",
        ),
        day,
        week,
    )


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
        numbers.Units(place.city.crs),
        form="png",
    )
    return Response(drawn, mimetype="image/png")


def _own() -> list[OwnDistrict]:
    person = require_visitor().person
    slugs = dict.fromkeys(one.partition("/")[0] for one in person.districts)
    found = []
    with workroom().database.session() as session:
        archived = archiving.list_archived(session, archiving.CITY)
        for slug in slugs:
            if slug in archived:
                continue
            city = cities.get_city(session, slug)
            today = numbers.day(local_now(city).date())
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
