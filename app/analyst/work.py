"""Long work of a city: what waits, what runs, what became of it; cancel, ask again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from werkzeug.exceptions import Forbidden

from app import forms as addresses
from app.analyst.work_pages import job_lines, job_page, job_status
from app.guard import require_visitor
from app.staff.city import shell, staff_city
from app.staff.forms import ConfirmForm
from app.staff.frame import say
from app.staff.pages import paging
from app.work import jobs
from app.work.access import may_change, require_change, visible
from app.work.kinds import KINDS
from app.workroom import workroom
from geodata.errors import NotStoredError
from geodata.roles import ANALYST
from geodata.store import jobs as store

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from app.work.jobs import JobStatus

bp = Blueprint("work", __name__, url_prefix="/analyst/<city>/jobs")
PAGE = 25


@bp.get("")
def listed(city: str) -> ResponseReturnValue:
    """List the long work of a city."""
    record = staff_city(city)
    kind = addresses.choice(request.args, "kind", KINDS)
    state = addresses.choice(request.args, "state", store.STATES)
    database = workroom().database
    with database.session() as session:
        count = store.count_jobs(session, city, state=state, kind=kind)
        waiting = store.count_waiting(session)
    pages = paging(request.args, count, PAGE, {"city": city, "kind": kind, "state": state})
    found = jobs.statuses(database, city, state=state, kind=kind, start=pages.start, most=PAGE)
    with database.session() as session:
        found = visible(session, require_visitor().person, record, found)
    return render_template(
        "analyst/jobs.html",
        shell=shell(record),
        lines=job_lines(found, city),
        pages=pages,
        kinds={name: one.title for name, one in KINDS.items()},
        states=store.STATES,
        kind=kind,
        chosen_state=state,
        deserted=waiting > 0 and not jobs.worker_alive(database),
    )


@bp.get("/<int:job>")
def job(city: str, job: int) -> ResponseReturnValue:
    """Show one job: how far it is, or what became of it."""
    return _shown(city, job, ConfirmForm())


@bp.get("/<int:job>.json")
def status(city: str, job: int) -> ResponseReturnValue:
    """Tell how far a job is, for the page that shows it."""
    found = _job(city, job)
    return jsonify(job_status(found, city, alive=jobs.worker_alive(workroom().database)))


@bp.post("/<int:job>/cancel")
def cancel(city: str, job: int) -> ResponseReturnValue:
    """Cancel a job that waits or runs; it has to be meant."""
    require_change(require_visitor().person, _job(city, job).job)
    form = ConfirmForm()
    if not form.validate_on_submit():
        return _shown(city, job, form, 422)
    cancelled = jobs.cancel(workroom().database, job, require_visitor().person.name)
    say("Cancelled." if cancelled.ended else "It stops at its next step.")
    return redirect(url_for("work.job", city=city, job=job), 303)


@bp.post("/<int:job>/retry")
def retry(city: str, job: int) -> ResponseReturnValue:
    """Ask again for what failed or was cancelled."""
    require_change(require_visitor().person, _job(city, job).job)
    room = workroom()
    asked = jobs.retry(room.database, job, require_visitor().person.name)
    say("Asked for again.")
    return redirect(url_for("work.job", city=city, job=asked.id), 303)


def _shown(city: str, job: int, form: ConfirmForm, status: int = 200) -> ResponseReturnValue:
    record, found = staff_city(city), _job(city, job)
    person = require_visitor().person
    page = job_page(
        found,
        city,
        alive=jobs.worker_alive(workroom().database),
        may_fit=person.may((ANALYST,)),
        may_change=may_change(person, found.job),
    )
    told = render_template(
        "analyst/job.html", shell=shell(record, "work.listed"), page=page, sure=form
    )
    return told, status


def _job(city: str, number: int) -> JobStatus:
    """Give a job of the city of the address.

    Raises
    ------
    NotStoredError
        If there is none of that number, or it is another city's.
    Forbidden
        If it is about an outcome that the person may not read of.
    """
    record, database = staff_city(city), workroom().database
    try:
        found = jobs.status(database, number)
    except (NotStoredError, OverflowError):
        found = None
    if found is None or found.job.city != city:
        msg = f"there is no job {number} of {city}; see the list of its work"
        raise NotStoredError(msg)
    with database.session() as session:
        if not visible(session, require_visitor().person, record, [found]):
            raise Forbidden
    return found
