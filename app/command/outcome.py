"""Visits of a week beside the incidents of the next, by zone: exploratory, and labelled so.

Did it help: evaluations of a district or a city, what one could find, visits and incidents.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from flask import Blueprint, Response, jsonify, redirect, render_template, request
from werkzeug.exceptions import Forbidden, NotFound

from app import forms as addresses
from app.admin.layout import paging, say
from app.auth.guard import require_visitor
from app.charts import charts
from app.command import outcome_parts
from app.command.district import outcome_place, patrol_run, runs_to_judge
from app.command.outcome_parts import (
    EvaluationForm,
    PowerForm,
    drop_words,
    outcome_map,
    power_words,
)
from app.extensions import workroom
from app.i18n import numbers
from app.i18n.evaluation_words import (
    COMMAND,
    MEASURED_ON,
    changed_by,
    coverage_words,
    days_of,
    sentence_of,
    title_of,
)
from app.i18n.numbers import sentence
from app.jobs import jobs
from app.usecases.evaluation.evaluate import EVALUATION, document_of
from app.usecases.evaluation.power import DROPS, foresee
from geodata.errors import DataError
from geodata.measures.ledger import MeasureData
from geodata.repositories import incidents, run_analyses, runs, zone_versions
from geodata.roles import ANALYST, COMMANDER
from spatial.errors import OutcomeError, SpecError
from spatial.evaluation.dose import dose_response
from spatial.grid import area_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flask.typing import ResponseReturnValue
    from numpy.typing import ArrayLike, NDArray
    from shapely.geometry.base import BaseGeometry
    from sqlalchemy.orm import Session

    from app.command.district import DistrictPage
    from app.usecases.evaluation.evaluation_document import EvaluationDocument
    from geodata.repositories.run_analyses import FindingRecord
    from geodata.repositories.runs import RunRecord, RunSummary
    from spatial.evaluation.dose import DoseResponse


WEEK = dt.timedelta(weeks=1)
FEW_ZONES = 30  # below, clustered errors are too small


@dataclass(frozen=True, kw_only=True)
class DosePage:
    """What a week's visits go with in the week after; ``missing`` tells why nothing can be told."""

    outcome: str
    run: str
    weeks: str
    told: tuple[str, ...]
    missing: str
    rows: tuple[tuple[str, int, int], ...]


def dose_page(session: Session, place: DistrictPage) -> DosePage | None:
    """Regress incidents on the visits of the week before; nothing where no run is in use."""
    run = patrol_run(session, place)
    if run is None:
        return None
    zones = run.zones
    if place.code:
        zones = zones[zones["district"] == place.code]
    ledger = MeasureData(session, place.city, place.city.this_day())
    days = incidents.outcome_period(session, place.city.id, run.outcome)
    first, last = _weeks(ledger, place, days)
    visits = ledger.visits
    points = incidents.incident_points(session, place.city.id, run.outcome, first, last)
    shapes = list(zones.geometry)
    dose = _table(
        visits["x"].to_numpy(),
        visits["y"].to_numpy(),
        visits["day"].to_numpy(),
        shapes,
        first,
        last,
    )
    after = _table(
        points.geometry.x.to_numpy(),
        points.geometry.y.to_numpy(),
        points["occurred_on"].to_list(),
        shapes,
        first,
        last,
    )
    try:
        answer, missing = dose_response(dose, after), ""
    except OutcomeError as error:
        answer, missing = None, numbers.sentence(str(error))
    names = [place.zone_name(zone) for zone in zones.itertuples()]
    return DosePage(
        outcome=numbers.plain(run.outcome),
        run=run.id,
        weeks=f"{numbers.day(first)} to {numbers.last_day(last)}"
        if last > first
        else "no whole week",
        told=() if answer is None else tuple(_describe(answer, numbers.plain(run.outcome))),
        missing=missing,
        rows=tuple(
            (name, int(seen), int(had))
            for name, seen, had in zip(names, dose.sum(axis=1), after.sum(axis=1), strict=True)
        ),
    )


def _weeks(
    ledger: MeasureData, place: DistrictPage, period: tuple[dt.date, dt.date] | None
) -> tuple[dt.date, dt.date]:
    """Return the first Monday and the last, excluded, of weeks that both records cover.

    ``period`` has the first and the last day of the run's outcome.
    """
    extent = ledger.extent("visits")
    if extent is None or period is None:
        return place.city.this_day(), place.city.this_day()
    first = max(extent[0], period[0])
    last = min(extent[1], period[1]) + dt.timedelta(days=1)
    start = first + dt.timedelta(days=-first.weekday() % 7)
    return start, start + max(0, (last - start).days // 7) * WEEK


def _table(
    x: ArrayLike,
    y: ArrayLike,
    days: ArrayLike,
    zones: Sequence[BaseGeometry],
    first: dt.date,
    last: dt.date,
) -> NDArray[np.int64]:
    """Count points by zone and week, shape ``(zones, weeks)``."""
    weeks = (last - first).days // 7
    zone = area_of(np.asarray(x, dtype=float), np.asarray(y, dtype=float), zones).astype(np.int64)
    day = np.asarray(days, dtype="datetime64[D]")
    week = (day - np.datetime64(first)).astype(np.int64) // 7
    kept = (zone >= 0) & (week >= 0) & (week < weeks)
    table = np.zeros((len(zones), weeks), dtype=np.int64)
    np.add.at(table, (zone[kept], week[kept]), 1)
    return table


def _describe(found: DoseResponse, outcome: str) -> list[str]:
    low, high = f"{found.low:+.3f}", f"{found.high:+.3f}"
    side = (
        "The interval holds 0: neither more nor fewer is shown"
        if found.low <= 0 <= found.high
        else "The interval leaves out 0, which is still not the effect of a visit"
    )
    lines = [
        f"For each visit more than usual in a week, {found.incidents_per_visit:+.3f} incidents of "
        f"{outcome} more (below 0: fewer) happened in that zone the week after; 95 % interval "
        f"{low} to {high}",
        f"{side}; patrols go where incidents are expected, so this is not what a visit does",
        f"From {found.zones} zones over {found.weeks} weeks, with each zone's own level and each "
        "week's taken out",
    ]
    if found.zones < FEW_ZONES:
        lines.append(f"With fewer than {FEW_ZONES} zones the interval is too narrow as well")
    return [numbers.sentence(text) for text in lines]


if TYPE_CHECKING:
    View = Callable[..., ResponseReturnValue]

bp = Blueprint("outcome", __name__)
PAGE = 20
ASKED_SHOWN = 5  # jobs that have ended


def _both(path: str, *methods: str) -> Callable[[View], View]:
    """Give a view its two addresses: a district's at the desk, a whole city's at the workbench."""

    def mark(view: View) -> View:
        taken = list(methods or ("GET",))
        whole, part = "/analyst/<city>/outcome", "/command/<city>/<district>/outcome"
        bp.add_url_rule(f"{whole}{path}", view_func=view, methods=taken, defaults={"district": ""})
        bp.add_url_rule(f"{part}{path}", view_func=view, methods=taken)
        return view

    return mark


@_both("")
def outcome(city: str, district: str) -> ResponseReturnValue:
    """List the evaluations, and those that are being worked on."""
    place = outcome_place(city, district)
    database = workroom().database
    with database.session() as session:
        found = outcome_parts.lines(session, place.city, place.code)
    pages = paging(request.args, len(found), PAGE, {})
    return render_template(
        "command/outcome.html",
        shell=place.shell,
        place=place,
        rows=found[pages.start : pages.start + PAGE],
        pages=pages,
        jobs=_asked_for(place),
        alive=jobs.worker_alive(database),
        may_ask=_may_ask(place),
    )


@_both("/ask", "GET", "POST")
def ask(city: str, district: str) -> ResponseReturnValue:
    """Ask for an evaluation; a worker does it."""
    place = outcome_place(city, district)
    if not _may_ask(place):
        raise Forbidden
    known, run = _run_asked(place, request.values.get("run"))
    if run is None:
        return _without_run(place, "Ask for an evaluation")
    form = EvaluationForm()
    form.offer(place, run)
    fault, status = "", 200
    if request.method == "GET":
        form.suggest(_days(place, form.outcome.data))
    else:
        status = 422
        if form.validate():
            room, who = workroom(), require_visitor().person.name
            try:
                jobs.ask(room.database, "evaluate", form.arguments(place), who)
            except (DataError, OutcomeError, SpecError) as error:
                fault = str(error)
            else:
                say("The evaluation is asked for. It stands in the list once it is done.")
                return redirect(place.url("outcome.outcome"), 303)
    page = render_template(
        "command/ask_outcome.html",
        shell=place.shell,
        place=place,
        form=form,
        runs=known,
        run=run,
        fault=fault,
    )
    return page, status


@_both("/power")
def power(city: str, district: str) -> ResponseReturnValue:
    """Tell, before a pilot starts, what drop its evaluation could find."""
    place = outcome_place(city, district)
    known, run = _run_asked(place, request.args.get("run"))
    if run is None:
        return _without_run(place, "What could be found")
    wanted = "months" in request.args
    form = PowerForm(request.args) if wanted else PowerForm(formdata=None)
    form.offer(place, run)
    page, fault = None, ""
    if not wanted:
        form.suggest(_days(place, form.outcome.data))
    elif form.validate():
        try:
            page = foresee(workroom().database, form.asked(place))
        except (DataError, OutcomeError) as error:
            fault = str(error)
    result = render_template(
        "command/power.html",
        shell=place.shell,
        place=place,
        form=form,
        runs=known,
        run=run,
        page=page,
        words=power_words(page) if page else [],
        drop_words=drop_words,
        drops=DROPS,
        fault=fault,
    )
    return result, 422 if wanted and page is None else 200


@_both("/visits")
def dose(city: str, district: str) -> ResponseReturnValue:
    """Set the visits of each week beside the incidents of the next; exploratory."""
    place = outcome_place(city, district)
    with workroom().database.session() as session:
        page = dose_page(session, place)
    return render_template("command/dose.html", shell=place.shell, place=place, page=page)


@_both("/<run>/<key>")
def evaluation(city: str, district: str, run: str, key: str) -> ResponseReturnValue:
    """Show an evaluation: words first, then every figure, and what must be known of them."""
    place = outcome_place(city, district)
    finding, document = _finding(place, run, key)[1:]
    return render_template(
        "command/evaluation.html",
        shell=place.shell,
        place=place,
        document=document,
        title=title_of(document),
        changed=changed_by(document),
        days_of=days_of,
        made=numbers.day(finding.created_at.date()),
        verdict=[sentence(sentence_of(note)) for note in document.verdict],
        warnings=[sentence(sentence_of(note)) for note in document.warnings],
        run=run,
        key=key,
        coverage=[sentence(text) for text in coverage_words()],
        measured=(numbers.day(MEASURED_ON), COMMAND),
    )


@_both("/<run>/<key>/areas.json")
def areas(city: str, district: str, run: str, key: str) -> ResponseReturnValue:
    """Return the map of an evaluation."""
    place = outcome_place(city, district)
    record, finding, _document = _finding(place, run, key)
    return jsonify(outcome_map(place.city, record, finding))


@_both("/<run>/<key>/<name>.svg")
def chart(city: str, district: str, run: str, key: str, name: str) -> ResponseReturnValue:
    """Draw a chart of an evaluation: ``series`` or ``running``."""
    place = outcome_place(city, district)
    document = _finding(place, run, key)[2]
    if name == "series":
        drawn = charts.draw(charts.treated_and_controls, document)
    elif name == "running":
        drawn = charts.draw(charts.running_difference, document)
    else:
        raise NotFound
    return Response(drawn, mimetype="image/svg+xml")


def _finding(
    place: DistrictPage, run: str, key: str
) -> tuple[RunRecord, FindingRecord, EvaluationDocument]:
    """Return an evaluation that may be read here; any other is as if it were not there."""
    with workroom().database.session() as session:
        record = runs.find_run(session, run)
        if record is None or record.city != place.city.slug:
            raise NotFound
        finding = run_analyses.get_finding(session, run, EVALUATION, key)
        where = zone_versions.zone_districts(session, run)
    document = document_of(finding)
    if document.outcome in place.city.sensitive_outcomes:
        raise NotFound
    treated = outcome_parts.treated_districts(document, where)
    if place.code and treated != (place.code,):
        raise NotFound
    return record, finding, document


def _run_asked(
    place: DistrictPage, wanted: str | None
) -> tuple[list[RunSummary], RunRecord | None]:
    """Return the runs to choose of, and the chosen one or the one in use.

    Analysts may also judge runs that never were in use.
    """
    trials = require_visitor().person.may((ANALYST,))
    with workroom().database.session() as session:
        known = runs_to_judge(session, place.city, trials=trials)
        if not known:
            return [], None
        chosen = addresses.choice({"run": wanted or ""}, "run", [run.id for run in known])
        return known, zone_versions.get_run_in_use(session, chosen or known[0].id)


def _days(place: DistrictPage, outcome: str) -> tuple[dt.date, dt.date] | None:
    """Return the first and the last day of the incidents of an outcome."""
    with workroom().database.session() as session:
        return incidents.outcome_period(session, place.city.id, outcome)


def _without_run(place: DistrictPage, title: str) -> ResponseReturnValue:
    return render_template("command/no_run.html", shell=place.shell, place=place, title=title)


def _may_ask(place: DistrictPage) -> bool:
    """Tell whether the person may ask for an evaluation here; commanders of their own districts."""
    person = require_visitor().person
    if person.may((ANALYST,)):
        return True
    own = place.code in person.districts_of(place.city.slug)
    return own and person.may((COMMANDER,))


def _asked_for(place: DistrictPage) -> list[dict[str, object]]:
    """Tell of evaluations that were requested here: those under way, and the last that failed."""
    found, ended = [], 0
    for status in jobs.statuses(workroom().database, place.city.slug):
        job = status.job
        if job.kind != "evaluate" or job.arguments.get("district", "") != place.code:
            continue
        if job.ended:
            ended += 1
            if ended > ASKED_SHOWN or not job.message:
                continue
        found.append(
            {
                "id": job.id,
                "state": job.state,
                "by": job.asked_by,
                "outcome": job.arguments.get("outcome", ""),
                "share": f"{status.estimate.share:.0%}".replace("%", " %"),
                "message": job.message or "",
                "open": not job.ended,
            }
        )
    return found
