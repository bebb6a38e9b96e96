"""Where the workbench begins: the cities, and how one of them stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, render_template, url_for

from app.analyst.run_pages import run_lines
from app.analyst.standing import next_steps, read_standing, waiting_drafts
from app.analyst.work_pages import job_lines
from app.guard import require_visitor
from app.permissions import ASKING
from app.staff.city import shell, staff_city
from app.work import jobs
from app.work.access import visible
from app.workroom import workroom
from geodata.roles import ANALYST
from geodata.store import cities

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("analyst", __name__, url_prefix="/analyst")
NEWEST = 5


@bp.get("/")
def home() -> ResponseReturnValue:
    """List the cities; tell publishers which drafts wait for them."""
    person = require_visitor().person
    with workroom().database.session() as session:
        found = cities.list_cities(session)
        drafts = waiting_drafts(session, found, person)
    may_add = person.may({ANALYST})
    return render_template("analyst/home.html", cities=found, drafts=drafts, may_add=may_add)


@bp.get("/<city>/")
def city(city: str) -> ResponseReturnValue:
    """Tell how a city stands: its data, its newest runs, what is being worked on, what is next."""
    record = staff_city(city)
    database, person = workroom().database, require_visitor().person
    with database.session() as session:
        standing = read_standing(session, record, NEWEST, person)
        open_jobs = jobs.statuses(database, city, open_only=True) if person.may(ASKING) else []
        open_jobs = visible(session, person, record, open_jobs)
    return render_template(
        "analyst/city.html",
        shell=shell(record),
        standing=standing,
        steps=next_steps(standing, person),
        runs=run_lines(standing.newest, record, standing.used),
        work=job_lines(open_jobs, city),
        deserted=bool(open_jobs) and not jobs.worker_alive(database),
        sources=url_for("sources.sources", city=city) if person.may((ANALYST,)) else "",
    )
