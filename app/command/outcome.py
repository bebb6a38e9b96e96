"""Did it help: evaluations of a district or a city, what one could find, visits and incidents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from werkzeug.exceptions import Forbidden, NotFound

from app import forms as addresses
from app.command import evaluations
from app.command.dose import dose_page
from app.command.outcome_forms import AskForm, PowerForm
from app.command.outcome_map import outcome_map
from app.command.outcome_pages import power_page
from app.command.patrol import runs_to_judge
from app.command.place import outcome_place
from app.drawing import charts
from app.guard import require_visitor
from app.outcome.coverage import COMMAND, MEASURED_ON, coverage_words
from app.outcome.evaluation import EVALUATION
from app.outcome.power import foresee
from app.outcome.words import evaluation_page
from app.staff.frame import say
from app.staff.pages import paging
from app.words import sentence
from app.work import jobs
from app.workroom import workroom
from geodata.errors import DataError
from geodata.roles import ANALYST, COMMANDER
from geodata.store import editions, findings, incidents, runs
from spatial.errors import OutcomeError, SpecError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

    from app.command.place import Place
    from geodata.store.findings import FindingRecord
    from geodata.store.runs import RunRecord, RunSummary

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
        found = evaluations.lines(session, place.city, place.code)
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
    form = AskForm()
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
    asked = "months" in request.args
    form = PowerForm(request.args) if asked else PowerForm(formdata=None)
    form.offer(place, run)
    page, fault = None, ""
    if not asked:
        form.suggest(_days(place, form.outcome.data))
    elif form.validate():
        try:
            page = power_page(foresee(workroom().database, form.asked(place)))
        except (DataError, OutcomeError) as error:
            fault = str(error)
    told = render_template(
        "command/power.html",
        shell=place.shell,
        place=place,
        form=form,
        runs=known,
        run=run,
        page=page,
        fault=fault,
    )
    return told, 422 if asked and page is None else 200


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
    _, finding = _finding(place, run, key)
    return render_template(
        "command/evaluation.html",
        shell=place.shell,
        place=place,
        page=evaluation_page(finding),
        run=run,
        key=key,
        coverage=[sentence(text) for text in coverage_words()],
        measured=(MEASURED_ON, COMMAND),
    )


@_both("/<run>/<key>/areas.json")
def areas(city: str, district: str, run: str, key: str) -> ResponseReturnValue:
    """Give the map of an evaluation."""
    place = outcome_place(city, district)
    record, finding = _finding(place, run, key)
    return jsonify(outcome_map(place.city, record, finding))


@_both("/<run>/<key>/<name>.svg")
def chart(city: str, district: str, run: str, key: str, name: str) -> ResponseReturnValue:
    """Draw a chart of an evaluation: ``series`` or ``running``."""
    place = outcome_place(city, district)
    document = _finding(place, run, key)[1].document
    controls = document["controls"]
    if name == "series":
        names = [control["name"] for control in controls]
        drawn = charts.draw(
            charts.treated_and_controls, document["series"], names, document["step"]
        )
    elif name == "running":
        drawn = charts.draw(charts.running_difference, controls, document["after"]["from"])
    else:
        raise NotFound
    return Response(drawn, mimetype="image/svg+xml")


def _finding(place: Place, run: str, key: str) -> tuple[RunRecord, FindingRecord]:
    """Give an evaluation that may be read here; any other is as if it were not there."""
    with workroom().database.session() as session:
        record = runs.find_run(session, run)
        if record is None or record.city != place.city.slug:
            raise NotFound
        finding = findings.get_finding(session, run, EVALUATION, key)
        where = editions.zone_districts(session, run)
    if finding.document["outcome"] in place.city.sensitive_outcomes:
        raise NotFound
    treated = evaluations.treated_districts(finding.document, where)
    if place.code and treated != (place.code,):
        raise NotFound
    return record, finding


def _run_asked(place: Place, wanted: str | None) -> tuple[list[RunSummary], RunRecord | None]:
    """Return the runs to choose of, and the chosen one or the one in use.

    Analysts may also judge runs that never were in use.
    """
    trials = require_visitor().person.may((ANALYST,))
    with workroom().database.session() as session:
        known = runs_to_judge(session, place.city, trials=trials)
        if not known:
            return [], None
        chosen = addresses.choice({"run": wanted or ""}, "run", [run.id for run in known])
        return known, editions.get_run_in_use(session, chosen or known[0].id)


def _days(place: Place, outcome: str) -> tuple[dt.date, dt.date] | None:
    """Return the first and the last day of the incidents of an outcome."""
    with workroom().database.session() as session:
        return incidents.outcome_period(session, place.city.id, outcome)


def _without_run(place: Place, title: str) -> ResponseReturnValue:
    return render_template("command/no_run.html", shell=place.shell, place=place, title=title)


def _may_ask(place: Place) -> bool:
    """Tell whether the person may ask for an evaluation here; commanders of their own districts."""
    person = require_visitor().person
    if person.may((ANALYST,)):
        return True
    own = place.code in person.districts_of(place.city.slug)
    return own and person.may((COMMANDER,))


def _asked_for(place: Place) -> list[dict[str, Any]]:
    """Tell of evaluations that were asked for here: those under way, and the last that failed."""
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
