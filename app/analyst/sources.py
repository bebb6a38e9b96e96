"""Pages of what a city is made of: its sources, its imports, taking back either."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for

from app import forms as addresses
from app.analyst.managing import job_address, remove_source
from app.analyst.source_rows import (
    SOURCE_ORDERS,
    WAITING_ORDERS,
    arranged,
    import_rows,
    source_rows,
)
from app.city_files import follow
from app.guard import require_visitor
from app.runs.access import hidden_outcomes
from app.staff.city import shell, staff_city
from app.staff.forms import ConfirmForm
from app.staff.frame import say
from app.staff.pages import paging
from app.work import jobs
from app.workroom import workroom
from geodata.cityfile.folder import CityFolder
from geodata.errors import CityFileError, DataError, NotStoredError
from geodata.quarantine import handed_in
from geodata.roles import ANALYST
from geodata.store import imports as versions
from geodata.store.sources import latest_reports

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("sources", __name__, url_prefix="/analyst")
NEWEST, PAGE = 5, 25
NEEDED = ("incidents", "factors")  # sections without which nothing can be fitted
OURS = ("import", "fetch")  # kinds of jobs that this page tells of


@bp.get("/<city>/sources")
def sources(city: str) -> ResponseReturnValue:
    """Show what a city is made of and its newest imports."""
    record, room = staff_city(city), workroom()
    fault = ""
    with room.database.session() as session:
        reports = latest_reports(session, record.id)
        listed = versions.list_imports(session, city)
        try:
            described = versions.city_file_of(session, city)
        except NotStoredError as error:
            described, fault = None, str(error)
    told = [one for one in jobs.statuses(room.database, city) if one.job.kind in OURS]
    may = require_visitor().person.may({ANALYST})
    managed = described is not None and described.root == str(
        CityFolder(room.settings.cities, city).root
    )
    hidden = hidden_outcomes(require_visitor().person, record)
    rows = source_rows(described.content, reports, hidden) if described else ()
    kinds = {row.section: row.title for row in rows}
    kind = addresses.choice(request.args, "kind", kinds)
    order = addresses.choice(request.args, "order", SOURCE_ORDERS)
    listed_rows = arranged(rows, kind=kind, order=order)
    pages = paging(
        request.args, len(listed_rows), PAGE, {"city": city, "kind": kind, "order": order}
    )
    waits = _waiting(city, told) if may else []
    return render_template(
        "analyst/sources.html",
        shell=shell(record),
        rows=listed_rows[pages.start : pages.start + PAGE],
        pages=pages,
        kinds=kinds,
        kind=kind,
        order=order,
        lacking=[name for name in NEEDED if not any(row.section == name for row in rows)],
        version=described.number if described else 0,
        origin="" if managed or described is None else described.root,
        fault=fault,
        imports=import_rows(listed)[:NEWEST],
        more=len(listed) > NEWEST,
        open=[one for one in told if not one.job.ended],
        failed=_failed(told),
        waiting=waits[:NEWEST],
        more_waiting=len(waits) > NEWEST,
        may=may,
        job_address=job_address,
    )


@bp.get("/<city>/sources/waiting")
def waiting(city: str) -> ResponseReturnValue:
    """List the files that were handed in for a city and are not added."""
    record = staff_city(city)
    told = [one for one in jobs.statuses(workroom().database, city) if one.job.kind in OURS]
    found = _waiting(city, told)
    people = sorted({one.who for one in found})
    who = addresses.choice(request.args, "who", people)
    order = addresses.choice(request.args, "order", WAITING_ORDERS) or "when"
    listed = sorted((one for one in found if who in (None, one.who)), key=WAITING_ORDERS[order])
    pages = paging(request.args, len(listed), PAGE, {"city": city, "who": who, "order": order})
    return render_template(
        "analyst/waiting.html",
        shell=shell(record, "sources.sources"),
        waiting=listed[pages.start : pages.start + PAGE],
        pages=pages,
        people=people,
        who=who,
        order=order,
    )


@bp.get("/<city>/imports")
def imports(city: str) -> ResponseReturnValue:
    """List every import of a city."""
    record = staff_city(city)
    with workroom().database.session() as session:
        listed = import_rows(versions.list_imports(session, city))
    page = paging(request.args, len(listed), PAGE, {"city": city})
    return render_template(
        "analyst/imports.html",
        shell=shell(record, "sources.sources"),
        imports=listed[page.start : page.start + PAGE],
        pages=page,
        may=require_visitor().person.may({ANALYST}),
    )


@bp.route("/<city>/imports/<int:number>/undo", methods=["GET", "POST"])
def undo(city: str, number: int) -> ResponseReturnValue:
    """Ask whether the newest import is to be undone, and undo it."""
    record, room = staff_city(city), workroom()
    with room.database.session() as session:
        listed = import_rows(versions.list_imports(session, city))
    found = next((one for one in listed if one.id == number), None)
    if found is None:
        msg = f"there is no import {number} of {record.name}"
        raise NotStoredError(msg)
    form, fault = ConfirmForm(), ""
    if form.validate_on_submit():
        who = require_visitor().person.name
        now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        try:
            with room.database.session(write=True) as session:
                versions.undo_import(session, number, who, now)
        except DataError as error:
            fault = str(error)
        else:
            follow(room.database, room.settings, city)
            say(f"Import {number} is undone. Runs and releases stay as they are.")
            return redirect(url_for("sources.sources", city=city), 303)
    return render_template(
        "analyst/undo.html",
        shell=shell(record, "sources.sources"),
        one=found,
        newest=next((one for one in listed if one.newest), None),
        form=form,
        fault=fault,
    ), 422 if request.method == "POST" else 200


@bp.route("/<city>/sources/remove", methods=["GET", "POST"])
def remove(city: str) -> ResponseReturnValue:
    """Ask whether a source is to be taken from a city, and ask for the import without it."""
    record, room = staff_city(city), workroom()
    with room.database.session() as session:
        described = versions.city_file_of(session, city)
        rows = source_rows(described.content, latest_reports(session, record.id))
    given = request.values
    name, place = given.get("section", ""), given.get("number", "")
    number = int(place) if place.isascii() and place.isdigit() and len(place) < 6 else None
    found = next(
        (row for row in rows if (row.section, row.number) == (name, number) and row.removable), None
    )
    if found is None:
        msg = f"{record.name} has no such source any more; look at its sources"
        raise NotStoredError(msg)
    form, fault = ConfirmForm(), ""
    if form.validate_on_submit():
        after = given.get("version", "")
        try:
            job = remove_source(
                room,
                city,
                name,
                number,
                given.get("source", ""),
                int(after) if after.isascii() and after.isdigit() and len(after) < 12 else 0,
                require_visitor().person.name,
            )
        except (DataError, CityFileError) as error:
            fault = "; ".join(error.faults) if isinstance(error, CityFileError) else str(error)
        else:
            say(f"{found.shown} is being taken from the city: job {job.id}.")
            return redirect(job_address(city, job.id), 303)
    return render_template(
        "analyst/remove.html",
        shell=shell(record, "sources.sources"),
        row=found,
        version=described.number,
        form=form,
        fault=fault,
    ), 422 if request.method == "POST" else 200


def _failed(told: list[jobs.JobStatus]) -> jobs.JobStatus | None:
    """Give the newest import of a city, if it failed."""
    newest = next((one for one in told if one.job.kind == "import"), None)
    return newest if newest is not None and newest.job.state == "failed" else None


def _waiting(city: str, told: list[jobs.JobStatus]) -> list[handed_in.HandedIn]:
    """Give the files that were handed in and whose import is not done."""
    done = {one.job.id for one in told if one.job.state == "done"}
    waiting = handed_in.waiting(workroom().settings.uploads, city)
    return [one for one in waiting if one.job not in done]
