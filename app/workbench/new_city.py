"""Forms of the workbench; each keeps what was typed.

What is stated of a new city -> its city file, or what is wrong where.

Pages of a city that is yet to be: its districts, its system, its grid.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
import zoneinfo
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from app.admin.layout import say
from app.auth.guard import require_visitor
from app.extensions import workroom
from app.usecases.city_files import follow
from app.workbench.city_proposal import CityFiles, propose_city
from app.workbench.column_mapping import AS_SAID, OTHER, FieldFaults
from app.workbench.receiving import receive_file
from app.workbench.source_changes import ask_import, job_address
from app.workbench.source_profile import outline_map
from geodata.cityfile.description import SLUG, read_content
from geodata.cityfile.schema import DEGREES
from geodata.errors import CityFileError, DataError, NotStoredError
from geodata.formats import FORMATS
from geodata.ingest.areas import gather_areas
from geodata.ingest.city_folder import CityFolder, safe_name
from geodata.ingest.location import describe_system, systems_at
from geodata.ingest.sources import texts_of
from geodata.ingest.store import import_city
from geodata.readers import read_place
from geodata.repositories import audit
from geodata.repositories.cities import list_cities
from geodata.repositories.import_log import city_file_of
from geodata.uploads import intake
from geodata.uploads.intake import MOST_BYTES
from geodata.uploads.profile import preview
from spatial.errors import GridError
from spatial.grid import lay_grid

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from flask.typing import ResponseReturnValue

    from app.workbench.city_proposal import CityProposal
    from geodata.cityfile.description import CityFile
    from geodata.cityfile.schema import SourcePlace
    from geodata.ingest.areas import Areas
    from geodata.uploads.intake import HandedIn
    from geodata.uploads.profile import Preview


LONGEST_REASON = 500


class WithdrawReleaseForm(FlaskForm):
    """Why a release is taken from the public pages."""

    why = StringField(
        "Reason",
        [DataRequired("say why; it is kept with the release"), Length(max=LONGEST_REASON)],
        description="It stands on the public data page beside the release.",
    )


class ReturnDraftForm(FlaskForm):
    """Why a draft goes back to its drafter."""

    reason = StringField(
        "Reason",
        [DataRequired("say why; it is kept with the draft"), Length(max=LONGEST_REASON)],
        description="Whoever drafted it reads this, and other staff; it is never public.",
    )


RESERVED = ("new-city",)  # an address of the workbench
MOST_SYSTEMS = 12
CELL = {True: ("60", "120"), False: ("200", "400")}  # metres, feet
SHAPES = ("Polygon", "MultiPolygon")
LONGEST_NAME, LONGEST_SHORT_NAME = 200, 40
LONGEST_UNITS = 1e6


@dataclass(frozen=True, kw_only=True)
class CityAnswers:
    """What is stated of a new city; ``district`` is the column of codes, nothing for an outline.

    ``osm`` and ``incidents`` are the numbers of files that were handed in with its districts, and
    ``struck`` names the factors of the extract that do not fit, with spaces between.
    """

    name: str = ""
    slug: str = ""
    crs: str = ""
    crs_other: str = ""
    timezone: str = ""
    cell: str = ""
    block: str = ""
    district: str = ""
    district_name: str = ""
    file_crs: str = AS_SAID
    osm: str = ""
    incidents: str = ""
    struck: str = ""

    @property
    def system(self) -> str:
        """The reference system that is meant."""
        return self.crs_other.strip() if self.crs == OTHER else self.crs

    @property
    def struck_names(self) -> tuple[str, ...]:
        """Names of the factors that do not fit."""
        return tuple(self.struck.split())

    def as_json(self) -> dict[str, Any]:
        """Return the answers as they are kept beside the file."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, kw_only=True, eq=False)
class Outline:
    """A file of districts as it seems to be; ``systems`` are those made for where it lies."""

    preview: Preview
    said: str | None
    systems: tuple[tuple[str, str], ...]
    guesses: CityAnswers
    values: Mapping[str, tuple[str, ...]]


def look_at_outline(handed: HandedIn, file_crs: str = AS_SAID) -> Outline:
    """Look at a file that is to be the districts of a new city.

    Raises
    ------
    DataError
        If it cannot be read or holds no areas.
    """
    place = intake.place_of(handed)
    seen = preview(place)
    shapes = (seen.shape or "").split("/")
    if not set(shapes) & set(SHAPES):
        msg = (
            f"{handed.upload.name}: districts are areas with an outline, and this file holds none; "
            "export them as GeoJSON, KML, a zipped shapefile or a GeoPackage"
        )
        raise DataError(msg)
    stated = seen.coordinates.said if seen.coordinates else None
    frame = read_place(dataclasses.replace(place, x="?", y="?")).frame
    systems = _systems(frame, _usable(file_crs) or stated)
    columns = [column.name for column in seen.columns]
    code = next((c.name for c in seen.columns if c.different == seen.rows and c.role == "id"), "")
    metric = not systems or CRS.from_user_input(systems[0][0]).axis_info[0].unit_name == "metre"
    cell, block = CELL[metric]
    return Outline(
        preview=seen,
        said=stated,
        systems=systems,
        guesses=CityAnswers(
            district=code, crs=systems[0][0] if systems else OTHER, cell=cell, block=block
        ),
        values={name: tuple(texts_of(frame[name])[:3]) for name in columns},
    )


def _systems(frame: Any, text: str | None) -> tuple[tuple[str, str], ...]:
    """Return the projected systems that are made for where shapes lie: codes and names."""
    if text is None:
        return ()
    west, south, east, north = frame.total_bounds
    if not np.isfinite([west, south, east, north]).all():
        return ()
    turn = Transformer.from_crs(text, DEGREES, always_xy=True)
    lon, lat = turn.transform((west + east) / 2, (south + north) / 2)
    if not (abs(lon) <= 180 and abs(lat) <= 90):
        return ()
    codes = dict.fromkeys(systems_at(lon, lat))
    if CRS.from_user_input(text).is_projected:
        codes = {text: None, **codes}
    return tuple((code, describe_system(code)) for code in list(codes)[:MOST_SYSTEMS])


def _usable(system: str) -> str | None:
    try:
        CRS.from_user_input(system)
    except CRSError:
        return None
    return system or None


def read_city_form(form: Mapping[str, str]) -> CityAnswers:
    """Read what was chosen and typed; a short name that was left empty comes from the name."""
    names = [field.name for field in dataclasses.fields(CityAnswers)]
    answers = CityAnswers(**{name: form.get(name, "").strip() for name in names})
    return dataclasses.replace(answers, slug=answers.slug or short_name(answers.name))


def short_name(name: str) -> str:
    """Make a short name for addresses of what stands before the first comma.

    >>> short_name("San José, California"), short_name("Łódź"), short_name(", ?")
    ('san-jose', 'odz', '')
    """
    plain = unicodedata.normalize("NFKD", name.split(",")[0]).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", plain.lower()))[:LONGEST_SHORT_NAME].strip("-")


def read_city_kept(kept: Mapping[str, Any]) -> CityAnswers | None:
    """Read answers that were kept, nothing where there are none."""
    try:
        return CityAnswers(**kept) if kept else None
    except TypeError:
        return None


def build_city(
    answers: CityAnswers, source: str, columns: Collection[str], taken: Collection[str]
) -> tuple[dict[str, Any], FieldFaults]:
    """Return the city file that answers mean, and what is wrong with them; ``taken`` are slugs."""
    faults = FieldFaults()
    if not answers.name or len(answers.name) > LONGEST_NAME:
        faults.add("name", "give the city's name, such as Hartford, Connecticut")
    if not SLUG.fullmatch(answers.slug) or answers.slug in RESERVED:
        faults.add("slug", "use small letters, digits and hyphens, such as hartford")
    elif answers.slug in taken:
        faults.add("slug", f"there is a city {answers.slug} already; choose another")
    _check_system(answers.system, faults)
    if answers.timezone not in zoneinfo.available_timezones():
        faults.add("timezone", "choose a time zone, such as America/New_York")
    numbers = _lengths(answers, faults)
    _check_columns(answers, columns, faults)
    place = {"source": source, **({"crs": answers.file_crs} if answers.file_crs else {})}
    if answers.file_crs and _usable(answers.file_crs) is None:
        faults.add("file_crs", f"{answers.file_crs[:40]!r} is no known system; write EPSG:2234")
    named = {"name": answers.district_name} if answers.district_name else {}
    area = (
        {"districts": {**place, "id": answers.district, **named}}
        if answers.district
        else {"boundary": place}
    )
    city = {
        "slug": answers.slug,
        "name": answers.name,
        "crs": answers.system,
        "timezone": answers.timezone,
    }
    return {"city": city, **area, "grid": numbers}, faults


def _lengths(answers: CityAnswers, faults: FieldFaults) -> dict[str, float]:
    numbers = {"cell": _number(answers.cell), "block": _number(answers.block)}
    for name, value in numbers.items():
        if not 0 < value < LONGEST_UNITS:
            faults.add(name, "give a length in the units of the system, such as 200")
    return numbers


def _check_columns(answers: CityAnswers, columns: Collection[str], faults: FieldFaults) -> None:
    for name in ("district", "district_name"):
        if getattr(answers, name) and getattr(answers, name) not in columns:
            faults.add(name, "choose a column of the file")
    if answers.district_name and not answers.district:
        faults.add("district", "names need codes beside them; choose the column of the codes")


def _check_system(system: str, faults: FieldFaults) -> None:
    try:
        known = CRS.from_user_input(system) if system else None
    except CRSError:
        known = None
    if known is None:
        faults.add("crs", "choose a system, or type one such as EPSG:2234")
    elif not known.is_projected:
        faults.add(
            "crs", f"{system} is not projected: its unit is degrees; choose one in feet or metres"
        )


def _number(text: str) -> float:
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return float("nan")
    return int(value) if value.is_integer() else value


def lay_out(
    content: dict[str, Any], handed: HandedIn, faults: FieldFaults
) -> tuple[Areas, int] | None:
    """Read the districts and lay the grid: areas and how many cells; what is wrong goes to faults.

    Lengths are in units of the city's system.
    """
    try:
        described = read_content(content, Path("this city"), handed.upload.path.parent)
        described = with_outline(described, handed)
        areas = gather_areas(described)
        shapes = {code: shape for code, (_, shape) in areas.districts.items()}
        grid = lay_grid(areas.study_area, shapes, described.grid.cell_units)
    except CityFileError as error:
        for fault in error.faults:
            faults.add("block" if "block" in fault else "form", fault)
    except GridError as error:
        faults.add("cell", str(error))
    except DataError as error:
        faults.add("form", str(error))
    else:
        return areas, len(grid.cols)
    return None


def with_outline(described: CityFile, handed: HandedIn) -> CityFile:
    """Give a city file whose districts are the rows that were read of a file that was handed in."""
    districts = described.districts
    if districts is None:
        return described
    place = intake.read_before(districts.place, handed)
    return dataclasses.replace(described, districts=dataclasses.replace(districts, place=place))


def zones() -> list[str]:
    """Name the time zones of places, those of America first."""
    found = [z for z in zoneinfo.available_timezones() if "/" in z and not z.startswith("Etc/")]
    return sorted(found, key=lambda z: (not z.startswith("America/"), z))


bp = Blueprint("new_city", __name__, url_prefix="/analyst")
NO_CITY = ""
LONGEST_EXAMPLE = 80
OTHERS = ("osm", "incidents")  # files that may come with the districts
MANY_DISTRICTS = 40  # more are rarely the districts of a police department


@bp.route("/new-city", methods=["GET", "POST"])
def begin() -> ResponseReturnValue:
    """Take the file of a new city's districts in."""
    faults = FieldFaults()
    if request.method == "POST":
        who = require_visitor().person.name
        try:
            handed = receive_file(workroom(), request.files.get("file"), NO_CITY, who)
            outline = look_at_outline(handed)
        except DataError as error:
            faults.add("file", str(error))
        else:
            others = {name: _other(name, who, faults) for name in OTHERS}
        if not faults:
            _propose_first(handed, outline, others)
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
        return _page(handed, outline, kept or outline.guesses, FieldFaults(), None)
    answers = _with_others(read_city_form(request.form), kept)
    proposal, faults = _proposal(handed, answers)
    if proposal and "factors" in request.form:
        struck = [
            one.factor.name
            for one in proposal.found
            if f"factor-{one.factor.name}" not in request.form
        ]
        answers = dataclasses.replace(answers, struck=" ".join(struck))
    handed = dataclasses.replace(handed, answers=answers.as_json())
    intake.keep(handed)
    content, more = _content(handed, outline, answers)
    for name, found in more.items():
        faults.setdefault(name, []).extend(found)
    laid = None if faults else lay_out(content, handed, faults)
    if laid is None or "set_up" not in request.form:
        return _page(handed, outline, answers, faults, laid)
    try:
        job = _set_up(handed, content, proposal)
    except (DataError, CityFileError) as error:
        faults.add("form", str(error))
        return _page(handed, outline, answers, faults, None)
    if job is not None:
        say(f"{answers.name} is set up; its sources are being read.")
        return redirect(job_address(answers.slug, job), 303)
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


def _other(name: str, who: str, faults: FieldFaults) -> str:
    """Take a file in that comes with the districts; give its number, nothing without one."""
    file = request.files.get(name)
    if file is None or not file.filename:
        return ""
    try:
        handed = receive_file(workroom(), file, NO_CITY, who)
    except DataError as error:
        faults.add(name, str(error))
        return ""
    extract = handed.upload.kind.startswith("osm")
    if extract != (name == "osm"):
        wanted = ".osm, .osm.bz2 or .osm.pbf" if name == "osm" else "a table or points"
        faults.add(
            name, f"{handed.upload.name}: is {FORMATS[handed.upload.kind].title}; give {wanted}"
        )
    return handed.upload.id


def _propose_first(handed: HandedIn, outline: Outline, others: Mapping[str, str]) -> None:
    """Keep what the files propose as the first answers, for the form to begin with."""
    answers = dataclasses.replace(outline.guesses, **others)
    proposal, _ = _proposal(handed, answers)
    if proposal is not None and any(others.values()):
        answers = dataclasses.replace(
            answers,
            crs=proposal.system.code,
            timezone=proposal.system.timezone,
            cell=f"{proposal.blocks.cell:g}",
            block=f"{proposal.blocks.block:g}",
        )
        intake.keep(dataclasses.replace(handed, answers=answers.as_json()))


def _with_others(answers: CityAnswers, kept: CityAnswers | None) -> CityAnswers:
    """Return answers with the files that came with the districts: no form names those."""
    if kept is None:
        return dataclasses.replace(answers, osm="", incidents="", struck="")
    others = {name: getattr(kept, name) for name in (*OTHERS, "struck")}
    return dataclasses.replace(answers, **others)


def _proposal(handed: HandedIn, answers: CityAnswers) -> tuple[CityProposal | None, FieldFaults]:
    """Return what the files that came with the districts propose, nothing where none came."""
    faults = FieldFaults()
    if not (answers.osm or answers.incidents):
        return None, faults
    try:
        places = {
            name: _called(_handed(number)) if (number := getattr(answers, name)) else None
            for name in OTHERS
        }
        place = _called(handed)
        if answers.file_crs and _usable(answers.file_crs):
            place = dataclasses.replace(place, crs=answers.file_crs)
        files = CityFiles(districts=place, district_id=answers.district, **places)
        return propose_city(answers.slug, answers.name, files), faults
    except (DataError, NotStoredError) as error:
        faults.add("form", str(error))
    return None, faults


def _called(handed: HandedIn) -> SourcePlace:
    """Return the rows of a file, called as the city file will call it."""
    return dataclasses.replace(intake.place_of(handed), label=safe_name(handed.upload.name))


def _content(
    handed: HandedIn, outline: Outline, answers: CityAnswers
) -> tuple[dict[str, Any], FieldFaults]:
    with workroom().database.session() as session:
        taken = [city.slug for city in list_cities(session, archived=True)]
    columns = [column.name for column in outline.preview.columns]
    source = safe_name(handed.upload.name)
    content, faults = build_city(answers, source, columns, taken)
    return {**content, "files": {source: str(handed.upload.path)}}, faults


def _page(
    handed: HandedIn,
    outline: Outline,
    answers: CityAnswers,
    faults: FieldFaults,
    laid: tuple[Areas, int] | None,
) -> ResponseReturnValue:
    proposal, wrong = _proposal(handed, answers)
    faults = FieldFaults({**wrong, **faults})
    return render_template(
        "analyst/new_city_describe.html",
        handed=handed,
        outline=outline,
        answers=answers,
        proposal=proposal,
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


def _set_up(handed: HandedIn, content: dict[str, Any], proposal: CityProposal | None) -> int | None:
    """Write the city's folder and import its districts: seconds, so nobody waits for a job.

    Its other sources are read by a job, of which the number is given.
    """
    room, who = workroom(), require_visitor().person.name
    folder = CityFolder(room.settings.cities, content["city"]["slug"])
    source = next(iter(content["files"]))
    content = {**content, "files": {source: folder.take_in(handed.upload.path, source)}}
    whole = _whole(content, handed, proposal, folder)
    described = read_content(content, folder.path, folder.root)
    import_city(room.database, with_outline(described, handed), who=who)
    follow(room.database, room.settings, described.slug)
    document = {"name": described.name, "file": handed.upload.name, "sha256": handed.upload.sha256}
    with room.database.session(write=True) as session:
        audit.record(session, who, "city.add", described.slug, document)
        before = city_file_of(session, described.slug)
    job = None
    if whole is not None:
        files = {"files": sorted(whole["files"])}
        job = ask_import(room, described.slug, folder, whole, before, who, "source.add", files).id
    for number in filter(None, (handed.answers.get(name) for name in OTHERS)):
        intake.forget(_handed(str(number)))
    intake.forget(handed)
    return job


def _whole(
    content: dict[str, Any],
    handed: HandedIn,
    proposal: CityProposal | None,
    folder: CityFolder,
) -> dict[str, Any] | None:
    """Return the city file with what came with the districts, nothing where nothing came.

    Raises
    ------
    CityFileError
        If it does not hold together; then nothing was imported.
    """
    answers = read_city_kept(handed.answers)
    if proposal is None or answers is None:
        return None
    kept = proposal.without(answers.struck_names).content
    files = dict(content["files"])
    for name in OTHERS:
        if number := getattr(answers, name):
            upload = _handed(number).upload
            called = safe_name(upload.name)
            files[called] = folder.take_in(upload.path, called)
    sections = {name: kept[name] for name in ("incidents", "osm", "factors") if kept.get(name)}
    whole = {**content, **sections, "files": files}
    read_content(whole, folder.path, folder.root)
    return whole


def _handed(upload: str) -> HandedIn:
    return intake.find(workroom().settings.uploads, upload, NO_CITY)
