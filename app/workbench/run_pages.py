"""A map of the grid that a run would have: its cells, its districts, how long a block is.

What pages about asking for runs show, as typed values.

Runs of a city: those there are, and the form that asks for another.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely
from flask import Blueprint, jsonify, redirect, render_template, request, url_for

from app import forms as addresses
from app.admin.city import shell, staff_city
from app.admin.layout import paging, say
from app.auth.guard import require_visitor
from app.auth.permissions import ASKING
from app.extensions import workroom
from app.i18n import numbers
from app.i18n.numbers import Units
from app.jobs import jobs
from app.jobs.job_access import visible
from app.maps import palette
from app.maps.shapes import cell_lines
from app.maps.staff_map import Key, MapLayer, staff_map
from app.usecases.arguments import Arguments
from app.usecases.risk.fit import FitRequest, fit_arguments, read_fit
from app.usecases.risk.run_access import readable_runs
from app.usecases.risk.settings import SETTINGS
from app.workbench.job_pages import job_lines
from app.workbench.run_form import (
    RunForm,
    budget_told,
    candidates_of,
    choices_of,
    incidents_told,
    last_fit,
    lay,
    put_at,
    read_offer,
    typed,
    weigh,
)
from geodata.errors import NotStoredError
from geodata.repositories import job_queue as job_store
from geodata.repositories import runs as store
from geodata.repositories import runs_in_use
from geodata.roles import ANALYST
from spatial.analysis import CITY_SCOPE
from spatial.errors import GridError, SaferGroundError, SpecError
from spatial.spec import ZoneSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask.typing import ResponseReturnValue

    from app.usecases.risk.settings import Setting
    from app.workbench.run_form import Cost, FactorHint, Offer
    from geodata.repositories.cities import CityRecord
    from geodata.repositories.runs import RunSummary
    from geodata.repositories.runs_in_use import RunUseRecord
    from spatial.grid import Grid


RINGS = 64  # corners of a circle for each quarter


def grid_map(
    city: CityRecord, grid: Grid, block_units: float, farthest_blocks: float
) -> dict[str, object]:
    """Draw a grid, and at its middle one block and the farthest influence."""
    units = Units(city.crs)
    middle = city.study_area.representative_point()
    half = block_units / 2
    scale = gpd.GeoDataFrame(
        {"key": [0, 1]},
        geometry=[
            shapely.box(middle.x - half, middle.y - half, middle.x + half, middle.y + half),
            middle.buffer(block_units * farthest_blocks, quad_segs=RINGS),
        ],
        crs=city.crs,
    )
    frame = city.districts
    districts = gpd.GeoDataFrame({"label": frame["code"]}, geometry=frame.geometry, crs=city.crs)
    cell = units.length(grid.cell_units)
    layers = (
        MapLayer(
            name="cells",
            title=f"Cells of {cell}",
            shapes=cell_lines(grid, city.crs),
            keys=(Key(label=f"Cells of {cell}", colour=palette.LIMIT),),
            filled=False,
            weight=0.6,
        ),
        MapLayer(
            name="districts",
            title="Districts",
            shapes=districts,
            keys=(Key(label="Districts", colour=palette.DISTRICT),),
            filled=False,
        ),
        MapLayer(
            name="scale",
            title="How far influence is tried",
            shapes=scale,
            keys=(
                Key(label=f"One block, {units.length(block_units)}", colour=palette.ZONE),
                Key(
                    label="Farthest from a place at the middle, "
                    f"{units.length(block_units * farthest_blocks)}",
                    colour=palette.INK,
                ),
            ),
            filled=False,
        ),
    )
    return staff_map(layers, city.districts.geometry, base=url_for("ground.base", city=city.slug))


DAY = dt.timedelta(days=1)
FAMILIES = {"poisson": "Poisson", "nb1": "NB1", "nb2": "NB2"}


@dataclass(frozen=True, kw_only=True)
class RunLine:
    """One run in a list; ``last`` is its last day, included."""

    id: str
    name: str
    note: str
    used_since: dt.datetime | None
    outcome: str
    scope: str
    first: dt.date
    last: dt.date
    incidents: int
    family: str
    factors: int
    zones: int
    made_at: dt.datetime
    readable: bool
    address: str


@dataclass(frozen=True, kw_only=True)
class OfferPage:
    """What stands around the form that asks for a run.

    ``factors`` are the entries of the form, each with what is known of the factor. ``open_parts``
    are the folded parts that hold a fault, and are therefore open.
    """

    first: dt.date
    last: dt.date
    unit: str
    cell: str
    block: str
    factors: tuple[tuple[Any, FactorHint | None], ...]
    factor_faults: tuple[str, ...]
    cost: Cost | None
    period_told: str
    budget_told: str
    faults: int
    open_parts: tuple[str, ...]
    grid_address: str
    budget_address: str
    incidents_address: str


PARTS = {
    "zones": (
        "min_cells",
        "max_cells",
        "max_zones",
        "city_zones",
        "least_compactness",
        "least_expected",
        "barriers",
    ),
    "model": (
        "sharing",
        "min_incidents_district",
        "half_life_days",
        "families",
        "folds",
        "mixing",
        "lambda_rule",
        "seed",
    ),
}


def run_lines(
    found: Sequence[RunSummary], city: CityRecord, used: Mapping[str, RunUseRecord]
) -> list[RunLine]:
    """Describe runs for a list; ``used`` are those in use by their ids."""
    return [
        RunLine(
            id=run.id,
            name=run.name,
            note=run.note,
            used_since=used[run.id].used_at if run.id in used else None,
            outcome=numbers.plain(run.outcome),
            scope=scope_words(run.scope, city),
            first=run.period_from,
            last=run.period_to - DAY,
            incidents=run.incidents,
            family=FAMILIES.get(run.family, run.family),
            factors=run.factors,
            zones=run.zones,
            made_at=run.created_at,
            readable=run.readable,
            address=url_for("reading.run", city=city.slug, run=run.id),
        )
        for run in found
    ]


def scope_words(scope: str, city: CityRecord) -> str:
    """Name what a run is of; a city that is only an outline has one district, called the same."""
    codes = set(city.districts["code"])
    if scope == CITY_SCOPE and (scope not in codes or len(codes) == 1):
        return "whole city"
    return f"district {scope}"


def offer_page(
    offered: Offer, form: RunForm, cost: Cost | None, period_told: str, budget_told: str
) -> OfferPage:
    """Describe what stands around the form."""
    city, units = offered.city, numbers.Units(offered.city.crs)
    known = {hint.factor.name: hint for hint in offered.factors}
    entries = tuple((entry.form, known.get(entry.form.name.data)) for entry in form.factors)
    return OfferPage(
        first=min(days.first for days in offered.outcomes),
        last=max(days.last for days in offered.outcomes),
        unit="feet" if units.feet else "metres",
        cell=units.length(city.cell_units),
        block=units.length(city.block_units),
        factors=entries,
        factor_faults=tuple(result for result in form.factors.errors if isinstance(result, str)),
        cost=cost,
        period_told=period_told,
        budget_told=budget_told,
        faults=len(form.errors),
        open_parts=tuple(
            part for part, names in PARTS.items() if any(form[name].errors for name in names)
        ),
        grid_address=url_for("runs.grid", city=city.slug),
        budget_address=url_for("runs.budget", city=city.slug),
        incidents_address=url_for("runs.incidents", city=city.slug),
    )


bp = Blueprint("runs", __name__, url_prefix="/analyst/<city>/runs")
PAGE = 25
BUDGET = ("outcome", "cell", *(one.name for one in SETTINGS if one.part == "zones"))
ONE_DAY = dt.timedelta(days=1)


@bp.get("")
def listed(city: str) -> ResponseReturnValue:
    """List the runs of a city, and what is being fitted now."""
    record = staff_city(city)
    database, person = workroom().database, require_visitor().person
    readable = readable_runs(person, record, store.EVERY_RUN)
    with database.session() as session:
        outcomes, scopes = store.run_scopes(session, city, readable)
    outcome = addresses.choice(request.args, "outcome", outcomes)
    scope = addresses.choice(request.args, "scope", scopes)
    first, end = addresses.day(request.args, "from"), addresses.day(request.args, "to")
    order = addresses.choice(request.args, "order", store.ORDERS) or "made"
    archived = addresses.choice(request.args, "archived", ("1",))
    which = replace(
        readable, outcome=outcome, scope=scope, from_=first, to=end, archived=archived == "1"
    )
    query = {"outcome": outcome, "scope": scope, "from": first, "to": end, "archived": archived}
    with database.session() as session:
        count = store.count_runs(session, city, which)
        kept = {"city": city, **query, "order": order}
        pages = paging(request.args, count, PAGE, kept)
        found = store.list_runs(session, city, which, order=order, start=pages.start, most=PAGE)
        put_aside = store.count_runs(session, city, replace(readable, archived=True))
        used = runs_in_use.uses_now(session, record.id)
    fitting = [one for one in jobs.statuses(database, city, open_only=True) if _fits(one)]
    with database.session() as session:
        fitting = visible(session, person, record, fitting)
    return render_template(
        "analyst/runs.html",
        shell=shell(record),
        lines=run_lines(found, record, used),
        unused=not used,
        pages=pages,
        fitting=job_lines(fitting, city) if person.may(ASKING) else [],
        asked=query,
        order=order,
        narrowed=any(query.values()),
        put_aside=put_aside,
        outcomes=outcomes,
        scopes={scope: scope_words(scope, record) for scope in scopes},
        may_fit=person.may((ANALYST,)),
    )


@bp.route("/new", methods=["GET", "POST"])
def new(city: str) -> ResponseReturnValue:
    """Ask for a run; what was typed stays until it can be taken."""
    record = staff_city(city)
    with workroom().database.session() as session:
        offered = read_offer(session, record)
        usual = _usual(session, offered)
    if not offered.outcomes or not offered.factors:
        return render_template(
            "analyst/run_nothing.html",
            shell=shell(record, "runs.listed"),
            offered=offered,
            sources=url_for("sources.sources", city=city),
        )
    form = RunForm(data=typed(usual, offered))
    form.offer(offered)
    cost, text, status = None, _usual_told(usual, record), 200
    if form.is_submitted():
        right = all([form.validate(), form.fits_the_city(offered)])
        cost = _weighed(form, offered)
        text = _period_told(form, record)
        if right and not form.errors and "preview" not in request.form:
            number = _ask(form, offered)
            if number is not None:
                return redirect(url_for("work.job", city=city, job=number), 303)
        status = 422 if form.errors else 200
    page = offer_page(offered, form, cost, text, _budget(form, record))
    displayed = shell(record, "runs.listed")
    return render_template("analyst/run_new.html", shell=displayed, form=form, page=page), status


@bp.get("/incidents.json")
def incidents(city: str) -> ResponseReturnValue:
    """Count the incidents of a period, for the form."""
    record = staff_city(city)
    outcome = addresses.choice(request.args, "outcome", record.outcomes)
    first, last = addresses.day(request.args, "first"), addresses.day(request.args, "last")
    with workroom().database.session() as session:
        count, result = incidents_told(session, record, outcome or "", first, last)
    return jsonify(count=count, told=result)


@bp.get("/budget.json")
def budget(city: str) -> ResponseReturnValue:
    """Say how much of the budget zones would take, for the form."""
    record = staff_city(city)
    outcome = addresses.choice(request.args, "outcome", record.outcomes)
    cell = _length(request.args.get("cell", ""), record.cell_units)
    values = {one.field: _zone_setting(one) for one in SETTINGS if one.part == "zones"}
    if None in values.values():
        return jsonify(told="")
    try:
        spec = ZoneSpec(**values)
    except SpecError:
        return jsonify(told="")
    with workroom().database.session() as session:
        return jsonify(told=budget_told(session, record, outcome or "", cell, spec))


@bp.get("/grid.json")
def grid(city: str) -> ResponseReturnValue:
    """Draw the grid that some cell and block make, for the form."""
    record = staff_city(city)
    cell = _length(request.args.get("cell", ""), record.cell_units)
    block = _length(request.args.get("block", ""), record.block_units)
    farthest = min(_length(request.args.get("blocks", ""), 3.0), 20.0)
    candidates = round(_length(request.args.get("candidates", ""), 1.0))
    laid = lay(record, cell)
    with workroom().database.session() as session:
        before = last_fit(session, city)
    cost = weigh(laid, candidates, before, Units(record.crs).length(cell))
    drawn = grid_map(record, laid, block, farthest)
    return jsonify(**drawn, told=cost.told, warning=cost.warning)


def _zone_setting(setting: Setting) -> Any:
    """Read a setting of zones from an address: as usual where it is not named, None if empty."""
    if setting.choices:
        return addresses.choice(request.args, setting.name, tuple(setting.choices)) or setting.usual
    text = request.args.get(setting.name)
    if text is None:
        return setting.usual
    if setting.least == 0 and text.strip() in ("0", "0.0"):
        return 0
    number = _length(text, math.nan)
    if math.isnan(number):
        return None
    return round(number) if setting.whole else round(number / 100, 9) if setting.percent else number


def _budget(form: RunForm, city: CityRecord) -> str:
    """Say how much of the budget zones would take, where what is requested has no fault."""
    if any(form[name].errors or form[name].data is None for name in BUDGET):
        return ""
    with workroom().database.session() as session:
        try:
            spec = form.zones_asked()
        except SpecError:
            return ""
        return budget_told(session, city, form.outcome.data, form.cell.data, spec)


def _fits(status: jobs.JobStatus) -> bool:
    return status.job.kind == "fit"


def _usual(session: Any, offered: Offer) -> FitRequest:
    """Return what a new form says: as usual, or as a job of this city requested that is named."""
    city = offered.city
    outcomes = [one.outcome for one in sorted(offered.outcomes, key=lambda one: -one.count)]
    named = request.args.get("job", "")
    if named.isascii() and named.isdigit() and len(named) < 10:
        try:
            job = job_store.get_job(session, int(named))
        except NotStoredError:
            job = None
        if job is not None and job.kind == "fit" and job.city == city.slug:
            return read_fit(Arguments("fit", job.arguments))
    return FitRequest(city=city.slug, outcome=outcomes[0] if outcomes else "")


def _weighed(form: RunForm, offered: Offer) -> Cost | None:
    """Lay the grid that was requested; a fault of it is put at the cell."""
    if form.cell.errors or not form.cell.data:
        return None
    try:
        laid = lay(offered.city, form.cell.data)
    except GridError as error:
        put_at(form.cell, str(error))
        return None
    known = choices_of(offered)
    taken = [one.applied_to(known[one.name]) for one in form.chosen() if one.name in known]
    with workroom().database.session() as session:
        before = last_fit(session, offered.city.slug)
    tried = candidates_of(taken)
    return weigh(laid, tried, before, Units(offered.city.crs).length(form.cell.data))


def _usual_told(usual: FitRequest, city: CityRecord) -> str:
    """Count the incidents of the period that a new form stands for."""
    last = usual.end - ONE_DAY if usual.end else None
    with workroom().database.session() as session:
        return incidents_told(session, city, usual.outcome, usual.start, last)[1]


def _period_told(form: RunForm, city: CityRecord) -> str:
    """Count the incidents of the period; where there are none, the period is refused."""
    if form.first.errors or form.last.errors or form.outcome.errors:
        return ""
    with workroom().database.session() as session:
        count, result = incidents_told(
            session, city, form.outcome.data, form.first.data, form.last.data
        )
    if count == 0:
        put_at(form.last, "there is no incident of this outcome in the period")
    return result


def _ask(form: RunForm, offered: Offer) -> int | None:
    """Ask for the run; give the number of the job, nothing where it was refused."""
    room, who = workroom(), require_visitor().person.name
    try:
        wanted = form.asked(offered)
        job = jobs.ask(room.database, "fit", fit_arguments(wanted), who)
    except SaferGroundError as error:
        put_at(form.outcome, str(error))
        return None
    if job.asked_by != who:
        say(f"{job.asked_by} has asked for the same; this is that job.")
    return job.id


def _length(text: str, usual: float) -> float:
    """Read a length, or another number above 0, of an address.

    Raises
    ------
    AddressError
        If it is no number above 0.
    """
    if not text.strip():
        return usual
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and 0 < value <= 1e6):
        msg = f"{text[:40]!r} cannot be used; give a number above 0"
        raise addresses.AddressError(msg)
    return value
