"""Pages of a city that is yet to be: its districts, its system, its grid."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from flask import Blueprint, jsonify, redirect, render_template, request, url_for

from app.analyst.answers import OTHER, Faults
from app.analyst.city_answers import (
    CityAnswers,
    build_city,
    lay_out,
    look_at_outline,
    read_city_form,
    read_city_kept,
    with_outline,
    zones,
)
from app.analyst.receiving import receive_file
from app.analyst.source_map import outline_map
from app.city_files import follow
from app.guard import require_visitor
from app.staff.frame import say
from app.workroom import workroom
from geodata.cityfile.description import read_content
from geodata.cityfile.folder import CityFolder, safe_name
from geodata.errors import CityFileError, DataError
from geodata.importing import import_city
from geodata.quarantine import handed_in
from geodata.quarantine.uploads import MOST_BYTES
from geodata.store import audit
from geodata.store.cities import list_cities

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from app.analyst.city_answers import Outline
    from geodata.gathering.areas import Areas
    from geodata.quarantine.handed_in import HandedIn

bp = Blueprint("new_city", __name__, url_prefix="/analyst")
NO_CITY = ""
LONGEST_EXAMPLE = 80
MANY_DISTRICTS = 40  # more are rarely the districts of a police department


@bp.route("/new-city", methods=["GET", "POST"])
def begin() -> ResponseReturnValue:
    """Take the file of a new city's districts in."""
    faults = Faults()
    if request.method == "POST":
        who = require_visitor().person.name
        try:
            handed = receive_file(workroom(), request.files.get("file"), NO_CITY, who)
            look_at_outline(handed)
        except DataError as error:
            faults.add("file", str(error))
        else:
            return redirect(url_for("new_city.describe", upload=handed.upload.id), 303)
    return render_template("analyst/new_city.html", faults=faults, most_bytes=MOST_BYTES), (
        422 if faults else 200
    )


@bp.route("/new-city/<upload>", methods=["GET", "POST"])
def describe(upload: str) -> ResponseReturnValue:
    """Ask what a city needs to be told, show its districts, and set it up."""
    handed = _handed(upload)
    kept = read_city_kept(handed.answers)
    outline = look_at_outline(handed, kept.file_crs if kept else "")
    if request.method == "GET":
        return _page(handed, outline, kept or outline.guesses, Faults(), None)
    answers = read_city_form(request.form)
    handed = dataclasses.replace(handed, answers=answers.as_json())
    handed_in.keep(handed)
    content, faults = _content(handed, outline, answers)
    laid = None if faults else lay_out(content, handed, faults)
    if laid is None or "set_up" not in request.form:
        return _page(handed, outline, answers, faults, laid)
    try:
        _set_up(handed, content)
    except (DataError, CityFileError) as error:
        faults.add("form", str(error))
        return _page(handed, outline, answers, faults, None)
    say(f"{answers.name} is set up. Now add what it is made of: incidents and factors.")
    return redirect(url_for("sources.sources", city=answers.slug), 303)


@bp.get("/new-city/<upload>/places.json")
def places(upload: str) -> ResponseReturnValue:
    """Give the map of a new city's districts."""
    handed = _handed(upload)
    answers = read_city_kept(handed.answers)
    areas = None
    if answers is not None:
        outline = look_at_outline(handed, answers.file_crs)
        content, faults = _content(handed, outline, answers)
        laid = None if faults else lay_out(content, handed, faults)
        areas = laid[0] if laid else None
    return jsonify(outline_map(areas))


def _content(
    handed: HandedIn, outline: Outline, answers: CityAnswers
) -> tuple[dict[str, Any], Faults]:
    with workroom().database.session() as session:
        taken = [city.slug for city in list_cities(session)]
    columns = [column.name for column in outline.preview.columns]
    source = safe_name(handed.upload.name)
    content, faults = build_city(answers, source, columns, taken)
    return {**content, "files": {source: str(handed.upload.path)}}, faults


def _page(
    handed: HandedIn,
    outline: Outline,
    answers: CityAnswers,
    faults: Faults,
    laid: tuple[Areas, int] | None,
) -> ResponseReturnValue:
    return render_template(
        "analyst/new_city_describe.html",
        handed=handed,
        outline=outline,
        answers=answers,
        faults=faults,
        districts=len(laid[0].districts) if laid else 0,
        cells=laid[1] if laid else 0,
        notes=[note for report, _ in laid[0].reports for note in report.notes] if laid else [],
        columns=[
            (name, f"{name}: {', '.join(values)}"[:LONGEST_EXAMPLE])
            for name, values in outline.values.items()
        ],
        many=MANY_DISTRICTS,
        zones=zones(),
        other=OTHER,
    ), 422 if faults else 200


def _set_up(handed: HandedIn, content: dict[str, Any]) -> None:
    """Write the city's folder and import its districts: seconds, so nobody waits for a job."""
    room, who = workroom(), require_visitor().person.name
    folder = CityFolder(room.settings.cities, content["city"]["slug"])
    source = next(iter(content["files"]))
    content = {**content, "files": {source: folder.take_in(handed.upload.path, source)}}
    described = read_content(content, folder.path, folder.root)
    import_city(room.database, with_outline(described, handed), who=who)
    follow(room.database, room.settings, described.slug)
    told = {"name": described.name, "file": handed.upload.name, "sha256": handed.upload.sha256}
    with room.database.session(write=True) as session:
        audit.record(session, who, "city.add", described.slug, told)
    handed_in.forget(handed)


def _handed(upload: str) -> HandedIn:
    return handed_in.find(workroom().settings.uploads, upload, NO_CITY)
