"""What the page of a city's sources shows, as typed values.

Pages of what a city is made of: its sources, its imports, taking back either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, redirect, render_template, request, url_for

from app import forms as addresses
from app.admin.city import shell, staff_city
from app.admin.forms import ConfirmForm
from app.admin.layout import paging, say
from app.auth.guard import require_visitor
from app.extensions import workroom
from app.jobs import jobs
from app.usecases.city_files import follow
from app.usecases.risk.run_access import hidden_outcomes
from app.workbench.column_kinds import KINDS
from app.workbench.source_changes import FIXED, job_address, remove_source
from geodata.clock import utc_now
from geodata.errors import CityFileError, DataError, NotStoredError
from geodata.import_report import ALREADY_STORED, UNCHANGED
from geodata.ingest.city_folder import CityFolder, sections, source_label
from geodata.remote.fetch import is_address, shown_address
from geodata.repositories import import_log as versions
from geodata.repositories.import_log import latest_reports
from geodata.roles import ANALYST
from geodata.uploads import intake

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from flask.typing import ResponseReturnValue

    from geodata.import_report import SourceReport
    from geodata.repositories.import_log import ImportRecord
    from geodata.uploads.intake import HandedIn


TABLES = {  # tables of the database, for people
    "incident": "incidents",
    "feature": "shapes of factors",
    "base_shape": "shapes of the ground",
    "address": "addresses",
    "residents": "areas with residents",
    "alert": "alerts",
    "call": "calls",
    "verified": "verified gunfire",
    "visit": "visits",
    "occurrence": "occurrences",
    "tally": "counts",
}
REASONS = {"left out by where": "of a kind that was not named"}
PLACE = ("x", "y", "crs", "layer")


@dataclass(frozen=True, kw_only=True)
class SourceRow:
    """One source of a city; ``newer`` names it where a newer file may take its place.

    ``read`` and what follows are nothing where no import tells them.
    """

    section: str
    number: int | None
    title: str
    what: str
    source: str
    shown: str
    address: bool
    columns: tuple[tuple[str, str], ...]
    removable: bool
    newer: str = ""
    read: int | None = None
    stored: int | None = None
    known: int = 0
    left_out: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ImportRow:
    """One import; ``newest`` stands and can be undone unless it is the ``first``."""

    id: int
    at: Any
    who: str
    changes: tuple[str, ...]
    first: bool
    newest: bool
    undone: Any
    undone_by: str | None


def source_rows(
    content: Mapping[str, Any], reports: Sequence[SourceReport], without: Collection[str] = ()
) -> tuple[SourceRow, ...]:
    """Return every source of a city file beside what the newest import says of it.

    A source of incidents is left out where each of its outcomes is one of ``without``.
    """
    left = list(reports)
    rows = []
    for section in sections(content):
        named = outcomes_told(section.table) if section.name == "incidents" else ()
        if named and set(named) <= set(without):
            continue
        label = shown_address(source_label(content, section))
        report = next((r for r in left if (r.kind, r.source) == (section.name, label)), None)
        if report is not None:
            left.remove(report)
        reasons = dict(report.left_out) if report else {}
        rows.append(
            SourceRow(
                section=section.name,
                number=section.number,
                title=_title(section.name),
                what=_what(section.name, section.table),
                source=section.source,
                shown=label,
                address=is_address(section.source),
                columns=_columns(section.table),
                removable=section.name not in FIXED,
                newer=section.key if section.in_file and section.name in KINDS else "",
                read=report.read if report else None,
                stored=report.stored if report else None,
                known=reasons.pop(ALREADY_STORED, 0) + reasons.pop(UNCHANGED, 0),
                left_out=tuple((REASONS.get(r, r), n) for r, n in reasons.items()),
                notes=tuple(report.notes) if report else (),
            )
        )
    return tuple(rows)


SOURCE_ORDERS: dict[str, Callable[[SourceRow], Any]] = {
    "kind": lambda row: (row.title, row.what),
    "source": lambda row: row.shown.lower(),
    "read": lambda row: -(row.read or 0),
    "left-out": lambda row: -sum(n for _, n in row.left_out),
}
WAITING_ORDERS: dict[str, Callable[[HandedIn], Any]] = {
    "when": lambda one: -one.when.timestamp(),
    "name": lambda one: one.upload.name.lower(),
    "size": lambda one: -one.upload.size,
    "who": lambda one: one.who,
}


def arranged(
    rows: Sequence[SourceRow], *, kind: str | None, order: str | None
) -> tuple[SourceRow, ...]:
    """Narrow sources to a kind and sort them; without an order they stay as the city has them."""
    found = [row for row in rows if kind in (None, row.section)]
    return tuple(sorted(found, key=SOURCE_ORDERS[order]) if order else found)


def import_rows(imports: Sequence[ImportRecord]) -> tuple[ImportRow, ...]:
    """Return the imports of a city as a page lists them, the newest first."""
    newest = next((one.id for one in imports if one.undone_at is None), None)
    return tuple(
        ImportRow(
            id=one.id,
            at=one.imported_at,
            who=one.imported_by or "",
            changes=changes(one),
            first=one.first,
            newest=one.id == newest,
            undone=one.undone_at,
            undone_by=one.undone_by,
        )
        for one in imports
    )


def changes(record: ImportRecord) -> tuple[str, ...]:
    """Tell what an import added, changed and removed, a line for each table."""
    return tuple(
        f"{TABLES.get(table, table)}: "
        + ", ".join(f"{number:,} {what}" for what, number in counts.items() if number)
        for table, counts in record.summary.items()
    )


def _title(name: str) -> str:
    return KINDS[name].title if name in KINDS else name.capitalize()


def _what(name: str, table: Mapping[str, Any]) -> str:
    """Tell which of its kind a source is: an outcome, a factor, a layer of the ground."""
    if name == "incidents":
        return ", ".join(outcomes_told(table))
    return str(table.get("name" if name == "factors" else "kind", ""))


def outcomes_told(table: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the outcomes that a source of incidents has rows of."""
    single = table.get("outcome")
    return (str(single),) if single else tuple(dict.fromkeys(table.get("outcomes", {}).values()))


def _columns(table: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Tell how a source is read, a pair for each thing that is stated."""
    document = {
        name: value for name, value in table.items() if name not in ("source", "name", "kind")
    }
    document |= document.pop("fields", {})
    return tuple((name.replace("_", " "), _text(value)) for name, value in document.items())


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name} = {_text(one)}" for name, one in value.items())
    return " + ".join(map(str, value)) if isinstance(value, list) else str(value)


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
    lines = [one for one in jobs.statuses(room.database, city) if one.job.kind in OURS]
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
    waits = _waiting(city, lines) if may else []
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
        open=[one for one in lines if not one.job.ended],
        failed=_failed(lines),
        waiting=waits[:NEWEST],
        more_waiting=len(waits) > NEWEST,
        may=may,
        job_address=job_address,
    )


@bp.get("/<city>/sources/waiting")
def waiting(city: str) -> ResponseReturnValue:
    """List the files that were handed in for a city and are not added."""
    record = staff_city(city)
    lines = [one for one in jobs.statuses(workroom().database, city) if one.job.kind in OURS]
    found = _waiting(city, lines)
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
        now = utc_now()
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
    value = request.values
    name, place = value.get("section", ""), value.get("number", "")
    number = int(place) if place.isascii() and place.isdigit() and len(place) < 6 else None
    found = next(
        (row for row in rows if (row.section, row.number) == (name, number) and row.removable), None
    )
    if found is None:
        msg = f"{record.name} has no such source any more; look at its sources"
        raise NotStoredError(msg)
    form, fault = ConfirmForm(), ""
    if form.validate_on_submit():
        after = value.get("version", "")
        try:
            job = remove_source(
                room,
                city,
                name,
                number,
                value.get("source", ""),
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


def _failed(lines: list[jobs.JobStatus]) -> jobs.JobStatus | None:
    """Return the newest import of a city, if it failed."""
    newest = next((one for one in lines if one.job.kind == "import"), None)
    return newest if newest is not None and newest.job.state == "failed" else None


def _waiting(city: str, lines: list[jobs.JobStatus]) -> list[intake.HandedIn]:
    """Return the files that were handed in and whose import is not done."""
    done = {one.job.id for one in lines if one.job.state == "done"}
    waiting = intake.waiting(workroom().settings.uploads, city)
    return [one for one in waiting if one.job not in done]
