"""The plans of a district: requested, looked at, changed, printed, taken along. Never public."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound

from app import forms as addresses
from app.admin.layout import paging, say
from app.auth.guard import require_visitor
from app.charts.plan_files import STAFF_ONLY, load_sheet, plan_file, unit_pages
from app.command.district import own_place, run_words, runs_for_patrols
from app.command.plan_pages import plan_page, plan_rows
from app.command.plan_parts import NewPlanForm, change_form, plan_map
from app.extensions import workroom
from app.i18n import place_words
from app.i18n.language import translated
from app.usecases.patrol.planning import make_plan
from geodata.clock import utc_now
from geodata.errors import DataError
from geodata.repositories import audit, runs_in_use, zone_versions
from geodata.repositories import patrol_plans as store
from geodata.roles import COMMANDER
from spatial.errors import DosageError

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from app.command.district import DistrictPage
    from app.command.plan_parts import ChangeForm
    from app.usecases.patrol.planning import PlanRequest
    from geodata.repositories.patrol_plans import PlanRecord

bp = Blueprint("plans", __name__, url_prefix="/command/<city>/<district>/plans")
PAGE = 30
TAB = "plans.plans"
FILES = {
    "pdf": "application/pdf",
    "html": "text/html; charset=utf-8",
    "ics": "text/calendar; charset=utf-8",
    "gpx": "application/gpx+xml",
}


@bp.get("/")
def plans(city: str, district: str) -> ResponseReturnValue:
    """List the shifts that were planned, the latest first."""
    place = own_place(city, district, TAB)
    with workroom().database.session() as session:
        found = store.list_plans(session, place.city.slug, district=place.code)
    rows = plan_rows(found, place.now_ms)
    pages = paging(request.args, len(rows), PAGE, {})
    return render_template(
        "command/plans.html",
        shell=place.shell,
        place=place,
        rows=rows[pages.start : pages.start + PAGE],
        pages=pages,
        commands=_commands(),
    )


@bp.route("/new", methods=["GET", "POST"])
def new(city: str, district: str) -> ResponseReturnValue:
    """Ask for the plan of a shift; the answer waits for the search, which is short."""
    place = own_place(city, district, TAB)
    shifts = workroom().settings.shifts
    with workroom().database.session() as session:
        runs = runs_for_patrols(session, place.city)
    form = NewPlanForm()
    form.offer(runs, shifts)
    if request.method == "GET":
        now = place.now
        form.day.data = now.date()
        form.shift.data = next(
            (shift.name for shift in shifts if shift.start > now.time()), shifts[0].name
        )
    fault, status = "", 200
    if request.method == "POST":
        status = 422
        if runs and form.validate():
            try:
                return _made(place, form.asked(place, shifts))
            except (DataError, DosageError) as error:
                fault = str(error)
    page = render_template(
        "command/new_plan.html", shell=place.shell, place=place, form=form, runs=runs, fault=fault
    )
    return page, status


@bp.get("/<plan>")
def plan(city: str, district: str, plan: str) -> ResponseReturnValue:
    """Show one version of a plan: who goes where and when, and what had to give way."""
    place = own_place(city, district, TAB)
    found = _plan(place, plan)
    form = change_form(found, filled=True) if _commands() else None
    return _page(place, found, form, "", 200)


@bp.post("/<plan>")
def change(city: str, district: str, plan: str) -> ResponseReturnValue:
    """Make another version: what is fixed stays, the rest is planned again."""
    place = own_place(city, district, TAB)
    found = _plan(place, plan)
    form = change_form(found, filled=False)
    fault = ""
    if form.validate():
        try:
            return _made(place, form.asked(found))
        except (DataError, DosageError) as error:
            fault = str(error)
    return _page(place, found, form, fault, 422)


@bp.get("/<plan>/map.json")
def map_(city: str, district: str, plan: str) -> ResponseReturnValue:
    """Give the map of a plan."""
    place = own_place(city, district, TAB)
    found = _plan(place, plan)
    return jsonify(plan_map(load_sheet(workroom().database, found), place))


@bp.get("/<plan>/sheet")
def sheet(city: str, district: str, plan: str) -> ResponseReturnValue:
    """Show the sheet of a plan, a part for each unit, for a phone and for print."""
    place = own_place(city, district, TAB)
    found = _plan(place, plan)
    result = load_sheet(workroom().database, found)
    page = render_template(
        "command/sheet.html",
        shell=place.shell,
        place=place,
        sheet=result,
        plan=found,
        units=unit_pages(result),
        staff_only=translated(STAFF_ONLY),
    )
    _note_export(found, "sheet")
    return page


@bp.get("/<plan>/plan.<ending>")
def file(city: str, district: str, plan: str, ending: str) -> ResponseReturnValue:
    """Send a plan as a file to print or to take along; the audit says so."""
    place = own_place(city, district, TAB)
    if ending not in FILES:
        raise NotFound
    found = _plan(place, plan)
    name = f"plan-{found.district}-{found.document.shift[0]:%Y-%m-%d}-{found.id}.{ending}"
    content = plan_file(workroom().database, found, Path(name))
    _note_export(found, name)
    response = Response(content, content_type=FILES[ending])
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _made(place: DistrictPage, wanted: PlanRequest) -> ResponseReturnValue:
    """Plan, store and go to the plan."""
    begun = utc_now()
    who = require_visitor().person.name
    made = make_plan(workroom().database, wanted, created_by=who)
    if made.created_at < begun:
        say(_("The same was asked of the same data before: this is the plan that was stored then."))
    else:
        say(_("Version %(number)s is stored and stands for this shift.", number=made.version))
    return redirect(place.url("plans.plan", plan=made.id), 303)


def _plan(place: DistrictPage, identity: str) -> PlanRecord:
    """Return a plan of this district; another's is as if it were not there."""
    with workroom().database.session() as session:
        found = store.find_plan(session, identity)
    if found is None or (found.city, found.district) != (place.city.slug, place.code):
        raise NotFound
    return found


def _page(
    place: DistrictPage, found: PlanRecord, form: ChangeForm | None, fault: str, status: int
) -> ResponseReturnValue:
    with workroom().database.session() as session:
        every = store.list_plans(session, place.city.slug, district=place.code)
        used = found.run in runs_in_use.uses_now(session, place.city.id)
        run = _("run %(run)s", run=found.run) if used else run_words(session, place.city, found.run)
        words = zone_versions.zone_words(session, found.run)
    shift = [
        one
        for one in every
        if (one.shift_start_ms, one.shift_end_ms) == (found.shift_start_ms, found.shift_end_ms)
    ]
    others = {one.id: one for one in shift if one.id != found.id}
    wanted = addresses.choice(request.args, "against", others) or found.parent
    page = plan_page(found, shift, others.get(wanted or ""))
    result = render_template(
        "command/plan.html",
        shell=place.shell,
        place=place,
        page=page,
        run=run,
        called={code: place_words.called(zone) for code, zone in words.items()},
        form=form,
        fault=fault,
    )
    return result, status


def _commands() -> bool:
    return require_visitor().person.may((COMMANDER,))


def _note_export(found: PlanRecord, name: str) -> None:
    document = {"city": found.city, "district": found.district, "file": name}
    with workroom().database.session(write=True) as session:
        audit.record(session, require_visitor().person.name, "plan.export", found.id, document)
