"""Reading a run: in words, on a map, in tables and charts; taking it along; asking for more."""

from __future__ import annotations

import dataclasses
import datetime as dt
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
from flask import Response, jsonify, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from app import forms
from app.admin.city import shell
from app.admin.layout import say
from app.auth.guard import require_visitor
from app.auth.permissions import DECIDING
from app.extensions import workroom
from app.jobs import jobs
from app.maps.staff_map import features
from app.maps.surface import FINE, warped_classes
from app.public.views import CHARTS
from app.run_view import public_run, run_context
from app.usecases.risk.run_access import limited_analysis
from app.workbench.results_forms import ASKS, NameForm
from app.workbench.results_maps import (
    BY_NAME,
    RUNS_TAB,
    SURFACES,
    OpenedRun,
    bp,
    is_analyst,
    job_page,
    open_run,
    run_map,
)
from app.workbench.results_pages import FILES, SORTS, run_page
from app.workbench.run_report import write_report
from geodata.exporting import export_run
from geodata.repositories import archiving, audit, incidents, runs_in_use
from geodata.repositories.import_log import undone_imports_of
from spatial.grid import area_of

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from app.public.published_city import RunContext
    from app.workbench.results_forms import AnalysisForm
    from geodata.repositories.runs_in_use import RunUseRecord

DAY = dt.timedelta(days=1)
TYPES = {
    "html": "text/html",
    "pdf": "application/pdf",
    "gpkg": "application/geopackage+sqlite3",
    "geojson": "application/geo+json",
    "csv": "text/csv",
    "tif": "image/tiff",
}


@bp.get("/<city>/runs/<run>")
def run(city: str, run: str) -> ResponseReturnValue:
    """Tell a run."""
    return _page(open_run(city, run), {})


@bp.post("/<city>/runs/<run>/ask/<kind>")
def ask(city: str, run: str, kind: str) -> ResponseReturnValue:
    """Ask for work about a run."""
    opened = open_run(city, run)
    if kind not in ASKS:
        raise NotFound
    form = ASKS[kind](opened.own)
    if not form.validate_on_submit():
        return _page(opened, {kind: form}), 422
    room = workroom()
    job = jobs.ask(room.database, kind, form.arguments(), require_visitor().person.name)
    say(f"Job {job.id} is asked for.")
    return redirect(job_page(opened.city.slug, job.id), 303)


@bp.get("/<city>/runs/<run>/map.json")
def map_(city: str, run: str) -> ResponseReturnValue:
    """Give the map of a run."""
    return jsonify(run_map(open_run(city, run)))


@bp.get("/<city>/runs/<run>/surfaces/<name>.png")
def surface(city: str, run: str, name: str) -> ResponseReturnValue:
    """Paint a surface of a run."""
    opened = open_run(city, run)
    if name not in BY_NAME:
        raise NotFound
    painted = opened.paint(BY_NAME[name])
    drawn = warped_classes(
        opened.own.grid, opened.own.zones.crs, painted.classes, painted.colours, FINE
    )
    return Response(drawn.png, mimetype="image/png")


@bp.get("/<city>/runs/<run>/points.json")
def points(city: str, run: str) -> ResponseReturnValue:
    """Give the exact places of the run's incidents, and note who saw them.

    Officers and commanders see those of their own districts only.
    """
    opened = open_run(city, run)
    own, record, districts = opened.whole, opened.city, opened.districts
    with workroom().database.session() as session:
        found = incidents.incident_points(
            session, record.id, own.outcome, own.period_from, own.period_to
        )
    x, y = found.geometry.x.to_numpy(), found.geometry.y.to_numpy()
    seen = own.grid.locate(x, y) >= 0
    if districts is not None:
        mine = record.districts[record.districts["code"].isin(districts)]
        seen &= area_of(x, y, list(mine.geometry)) >= 0
    shapes = gpd.GeoDataFrame(geometry=found.geometry[seen].reset_index(drop=True))
    document: dict[str, object] = {"city": record.slug, "points": len(shapes)}
    if districts is not None:
        document["districts"] = list(districts)
    _note("run.points", own.id, document)
    return jsonify(shapes=features(shapes))


@bp.get("/<city>/runs/<run>/charts/<name>.svg")
def chart(city: str, run: str, name: str) -> ResponseReturnValue:
    """Draw a chart of a run."""
    opened = open_run(city, run)
    drawn = CHARTS[name](_context(opened), public_run(opened.run)) if name in CHARTS else None
    if drawn is None:
        raise NotFound
    return Response(drawn, mimetype="image/svg+xml")


@bp.get("/<city>/runs/<run>/files/<what>.<ending>")
def export(city: str, run: str, what: str, ending: str) -> ResponseReturnValue:
    """Give a part of a run as a file, and note who took it."""
    opened = open_run(city, run)
    if (what, ending) not in {(thing, end) for thing, end, _ in FILES}:
        raise NotFound
    name = f"{opened.run.id}-{what}.{ending}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        if what == "report":
            write_report(_context(opened), opened.run, path)
        else:
            export_run(opened.run, what, path)
        content = path.read_bytes()
    document: dict[str, object] = {"city": opened.city.slug, "what": what, "file": name}
    if opened.run.edited:
        document["zones_step"] = opened.run.edited.edition
    _note("run.export", opened.run.id, document)
    answer = Response(content, mimetype=TYPES[ending])
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _page(opened: OpenedRun, values: dict[str, AnalysisForm]) -> str:
    """Write the page, with forms that were sent as they were typed."""
    context = _context(opened)
    with workroom().database.session() as session:
        undone = undone_imports_of(session, opened.own.id)
        archived = archiving.list_archived(session, archiving.RUN).get(opened.own.id)
    codes = list(opened.city.districts["code"])
    page = run_page(
        opened,
        context,
        undone,
        district=forms.choice(request.args, "district", codes) or "",
        sort=forms.choice(request.args, "sort", SORTS) or "rank",
    )
    return render_template(
        "analyst/run.html",
        shell=shell(opened.city, RUNS_TAB),
        page=page,
        asks=_asks(opened, values) if is_analyst() else (),
        used=_used(opened),
        archived=archived,
        decides=require_visitor().person.may(DECIDING.roles),
        naming=NameForm(formdata=None, name=opened.own.name, note=opened.own.note),
        files=FILES,
        sorts=SORTS,
        surfaces=SURFACES,
        has_certainty=context.certainty is not None,
        has_later=opened.last_known is not None and opened.last_known >= opened.own.period_to,
        address=url_for("reading.run", city=opened.city.slug, run=opened.run.id),
    )


def _used(opened: OpenedRun) -> RunUseRecord | None:
    """Return since when the run is in use, nothing if it is not."""
    with workroom().database.session() as session:
        return runs_in_use.uses_now(session, opened.city.id).get(opened.own.id)


def _asks(opened: OpenedRun, values: dict[str, AnalysisForm]) -> tuple[AnalysisForm, ...]:
    """Return the forms that ask for work, those that were not sent with what is likely wanted."""
    later = opened.last_known
    if later is not None and later < opened.own.period_to:
        later = None
    made = []
    for kind, form in ASKS.items():
        one = values.get(kind) or form(opened.own, formdata=None)
        if kind == "validate" and kind not in values and later is not None:
            one.start.data = opened.own.period_to.isoformat()
            one.end.data = (later + DAY).isoformat()
        made.append(one)
    return tuple(made)


def _context(opened: OpenedRun) -> RunContext:
    """Return what is known about a run, of the districts that the person may read of."""
    with workroom().database.session() as session:
        found = run_context(session, opened.city, opened.run.id)
    return dataclasses.replace(
        found,
        validations=[limited_analysis(one, opened) for one in found.validations],
        certainty=limited_analysis(found.certainty, opened) if found.certainty else None,
    )


def _note(action: str, run_id: str, document: dict[str, object]) -> None:
    with workroom().database.session(write=True) as session:
        audit.record(session, require_visitor().person.name, action, run_id, document)
