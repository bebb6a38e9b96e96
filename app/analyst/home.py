"""Where the workbench begins: the cities, and how one of them stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, render_template

from app import jobs
from app.guard import require_visitor
from app.staff.city import shell, staff_city
from app.workroom import workroom
from geodata.roles import ANALYST
from geodata.store import cities, runs

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("analyst", __name__, url_prefix="/analyst")
NEWEST = 5


@bp.get("/")
def home() -> ResponseReturnValue:
    """List the cities."""
    with workroom().database.session() as session:
        found = cities.list_cities(session)
    may_add = require_visitor().person.may({ANALYST})
    return render_template("analyst/home.html", cities=found, may_add=may_add)


@bp.get("/<city>/")
def city(city: str) -> ResponseReturnValue:
    """Tell how a city stands: its data, its newest runs, what is being worked on."""
    record = staff_city(city)
    database = workroom().database
    with database.session() as session:
        newest = runs.list_runs(session, city)[:NEWEST]
    return render_template(
        "analyst/city.html",
        shell=shell(record),
        city=record,
        runs=newest,
        jobs=jobs.statuses(database, city, open_only=True),
    )
