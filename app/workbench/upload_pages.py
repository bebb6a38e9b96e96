"""Files that come with a form, and addresses that are typed into one.

Pages of a file that is to become a source: handed in or fetched, described, checked, added.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from flask import Blueprint, jsonify, redirect, render_template, request, url_for

from app.admin.city import shell, staff_city
from app.admin.forms import ConfirmForm
from app.admin.layout import paging, say
from app.auth.guard import require_visitor
from app.extensions import workroom
from app.jobs import jobs
from app.workbench.column_kinds import KINDS, X, Y, guess_roles
from app.workbench.column_mapping import Answers, FieldFaults, read_form, read_kept
from app.workbench.receiving import receive_file, receive_several
from app.workbench.source_changes import (
    add_source,
    job_address,
    propose,
    require_no_import,
    try_out,
)
from app.workbench.source_pages import REASONS
from app.workbench.source_profile import GUESSES, look, places_map, sighting_of
from geodata.cityfile.measures import counted_in_rows
from geodata.cityfile.sections import BASE_KINDS
from geodata.errors import CityFileError, DataError, NotStoredError
from geodata.remote.fetch import is_address, shown_address
from geodata.remote.http import check_host
from geodata.repositories import audit
from geodata.repositories.import_log import city_file_of
from geodata.uploads import intake
from geodata.uploads.intake import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

    from app.config import Settings
    from app.workbench.source_changes import Proposal
    from app.workbench.source_profile import Look
    from geodata.repositories.cities import CityRecord
    from geodata.uploads.intake import HandedIn


LONGEST_ADDRESS = 900
MOST_FILES = 50  # of one form


def address_fault(settings: Settings, address: str) -> str:
    """Tell why an address will not be asked, nothing where it may be.

    The job that fetches it holds it against the same rules again; here the answer comes at once.
    """
    if not address:
        return "type an address, or choose a file above"
    if len(address) > LONGEST_ADDRESS:
        return f"is longer than {LONGEST_ADDRESS} characters; shorten what it asks for"
    if not is_address(address):
        return "is no address; write it as https://host/path"
    try:
        check_host(address, shown_address(address), allow_private=settings.allow_private_sources)
    except DataError as error:
        return str(error)
    except ValueError:
        return "is no address that can be read; write it as https://host/path"
    return ""


bp = Blueprint("uploads", __name__, url_prefix="/analyst")
PAGE = 25
TAB = "sources.sources"


@bp.route("/<city>/sources/add", methods=["GET", "POST"])
def add(city: str) -> ResponseReturnValue:
    """Take a file in, or an address to be fetched."""
    record, room = staff_city(city), workroom()
    faults, address = FieldFaults(), request.form.get("address", "").strip()
    with room.database.session() as session:
        city_file_of(session, city)  # what is not known cannot be added to
    if request.method == "POST":
        who = require_visitor().person.name
        if "by_address" in request.form:
            if fault := address_fault(room.settings, address):
                faults.add("address", fault)
            else:
                document = {"city": city, "address": address}
                job = jobs.ask(room.database, "fetch", document, who)
                return redirect(url_for("uploads.fetching", city=city, job=job.id), 303)
        else:
            several = [file for file in request.files.getlist("file") if file.filename]
            if len(several) > 1:
                receive_several(room, record, several[:MOST_FILES], who)
                return redirect(url_for("sources.waiting", city=city), 303)
            try:
                handed = receive_file(room, request.files.get("file"), city, who)
            except DataError as error:
                faults.add("file", str(error))
            else:
                return redirect(
                    url_for("uploads.describe", city=city, upload=handed.upload.id), 303
                )
    return render_template(
        "analyst/add_source.html",
        shell=shell(record, TAB),
        faults=faults,
        address=address,
        most_bytes=MOST_BYTES,
    ), 422 if faults else 200


@bp.get("/<city>/sources/fetching/<int:job>")
def fetching(city: str, job: int) -> ResponseReturnValue:
    """Tell how far the fetching of an address is; go on to what came."""
    record = staff_city(city)
    status = jobs.status(workroom().database, job)
    if status.job.kind != "fetch" or status.job.city != city:
        msg = f"job {job} fetches nothing for {record.name}"
        raise NotStoredError(msg)
    if status.job.result:
        number = str(status.job.result.upload)
        return redirect(url_for("uploads.describe", city=city, upload=number), 303)
    return render_template(
        "analyst/fetching.html",
        shell=shell(record, TAB),
        status=status,
        address=shown_address(str(status.job.arguments.get("address", ""))),
        alive=jobs.worker_alive(workroom().database),
    )


@bp.route("/<city>/sources/add/<upload>", methods=["GET", "POST"])
def describe(city: str, upload: str) -> ResponseReturnValue:
    """Let a person say what a file is and what its columns are."""
    record = staff_city(city)
    handed = _handed(city, upload)
    if request.method == "GET":
        return _describe(record, handed, None, FieldFaults())
    seen = look(handed, record)
    answers = _read(seen)
    handed = dataclasses.replace(handed, answers=answers.as_json())
    intake.keep(handed)
    faults = FieldFaults()
    if "check" in request.form:
        proposal, faults = propose(workroom(), record, handed, answers, seen.preview.shape)
        if proposal is not None:
            refused = try_out(workroom(), proposal, handed, answers, record, 0, 1).refused
            if refused is None:
                return redirect(url_for("uploads.check", city=city, upload=upload), 303)
            faults.add(_field_of(refused), refused)
    return _describe(record, handed, answers, faults)


def _describe(
    record: CityRecord, handed: HandedIn, answers: Answers | None, faults: FieldFaults
) -> ResponseReturnValue:
    try:
        seen = look(handed, record, answers)
    except DataError as error:
        return render_template(
            "analyst/unreadable.html", shell=shell(record, TAB), handed=handed, fault=str(error)
        ), 422
    if not handed.answers:  # what was guessed is what the map shows
        intake.keep(dataclasses.replace(handed, answers=seen.answers.as_json()))
    return render_template(
        "analyst/describe.html",
        shell=shell(record, TAB),
        handed=handed,
        source=shown_address(handed.address) if handed.address else handed.upload.name,
        look=seen,
        answers=seen.answers,
        kinds=[(kind.section, kind.title) for kind in KINDS.values()],
        layers=_same(seen.layers),
        base_kinds=_same(BASE_KINDS),
        measures=[("", "choose"), *_same(_counted(record))],
        guesses=GUESSES,
        faults=faults,
    ), 422 if faults else 200


def _counted(record: CityRecord) -> list[str]:
    """Return the measures of a city that dated points count towards."""
    return list(dict.fromkeys(counted_in_rows(record.measures).values()))


def _field_of(refused: str) -> str:
    """Return the field at which it helps to tell why nothing of a file could be read."""
    if "can be placed" in refused or "reference system" in refused:
        return "crs"
    return "date_format" if "is a date" in refused else "form"


def _same(words: Sequence[str]) -> list[tuple[str, str]]:
    """Return words as choices that are shown as they are sent."""
    return [(word, word) for word in words]


def _read(seen: Look) -> Answers:
    """Read the form; what a button asks for comes over it."""
    before = seen.answers
    answers = read_form(request.form, seen.columns, seen.words, before)
    if answers.kind != before.kind:
        roles = {**guess_roles(answers.source_kind, seen.preview), **answers.roles}
        answers = dataclasses.replace(answers, roles=_each_once(roles))
    if take := request.form.get("take_crs", ""):
        answers = dataclasses.replace(answers, crs=take)
    if "swap" in request.form:
        turned = {X: Y, Y: X}
        roles = {name: turned.get(code, code) for name, code in answers.roles.items()}
        answers = dataclasses.replace(answers, roles=roles)
    return answers


def _each_once(roles: dict[str, str]) -> dict[str, str]:
    """Keep one column of each role, the last that was stated."""
    last = {code: name for name, code in roles.items()}
    return {name: code for code, name in last.items()}


@bp.get("/<city>/sources/add/<upload>/places.json")
def places(city: str, upload: str) -> ResponseReturnValue:
    """Give the map of where the places of a file fall; exact, so it is written down."""
    record, handed = staff_city(city), _handed(city, upload)
    answers = read_kept(handed.answers)
    sighting = sighting_of(handed, record, answers) if answers else None
    _seen(city, handed, "map")
    return jsonify(places_map(record, sighting, url_for("ground.base", city=city)))


@bp.get("/<city>/sources/add/<upload>/check")
def check(city: str, upload: str) -> ResponseReturnValue:
    """Show what an import would keep and leave out, row by row."""
    record, handed = staff_city(city), _handed(city, upload)
    return _check(record, handed, "")


def _check(record: CityRecord, handed: HandedIn, fault: str) -> ResponseReturnValue:
    answers, proposal = _proposed(record, handed)
    if answers is None or proposal is None:
        return redirect(url_for("uploads.describe", city=record.slug, upload=handed.upload.id), 303)
    first = try_out(workroom(), proposal, handed, answers, record, 0, PAGE)
    reason = request.args.get("reason", "")
    reason = reason if reason in first.left_out else ""
    number = first.left_out[reason] if reason else sum(first.left_out.values())
    pages = paging(request.args, number, PAGE, {"reason": reason})
    trial = first
    if pages.page > 1 or reason:
        trial = try_out(workroom(), proposal, handed, answers, record, pages.start, PAGE, reason)
    _seen(record.slug, handed, "rows")
    return render_template(
        "analyst/check.html",
        shell=shell(record, TAB),
        handed=handed,
        source=shown_address(handed.address) if handed.address else handed.upload.name,
        answers=answers,
        tables=proposal.tables,
        trial=trial,
        reasons=REASONS,
        reason=reason,
        sighting=sighting_of(handed, record, answers),
        pages=pages,
        fault=fault,
    ), 422 if fault else 200


@bp.post("/<city>/sources/add/<upload>/commit")
def commit(city: str, upload: str) -> ResponseReturnValue:
    """Add the file to the city: it is taken into its folder, and an import is asked for."""
    record, handed, room = staff_city(city), _handed(city, upload), workroom()
    answers, proposal = _proposed(record, handed)
    if answers is None or proposal is None:
        return redirect(url_for("uploads.describe", city=city, upload=upload), 303)
    who = require_visitor().person.name
    try:
        require_no_import(room, city)
        job = add_source(room, record, handed, answers, proposal, who)
    except (DataError, CityFileError) as error:
        return _check(record, handed, str(error))
    intake.keep(dataclasses.replace(handed, job=job.id))
    say(f"{handed.upload.name} is being added: job {job.id}. The import can be undone.")
    return redirect(job_address(city, job.id), 303)


@bp.route("/<city>/sources/add/<upload>/forget", methods=["GET", "POST"])
def forget(city: str, upload: str) -> ResponseReturnValue:
    """Ask whether a file that was handed in is to be forgotten, and forget it."""
    record, form = staff_city(city), ConfirmForm()
    handed = _handed(city, upload)
    if form.validate_on_submit():
        intake.forget(handed)
        document = {"file": handed.upload.name, "sha256": handed.upload.sha256}
        with workroom().database.session(write=True) as session:
            audit.record(
                session, require_visitor().person.name, "source.forget_upload", city, document
            )
        say(f"{handed.upload.name} is forgotten. Nothing of it is in the city.")
        return redirect(url_for("sources.sources", city=city), 303)
    return render_template(
        "analyst/forget.html", shell=shell(record, TAB), handed=handed, form=form
    ), 422 if form.is_submitted() else 200


def _handed(city: str, upload: str) -> HandedIn:
    return intake.find(workroom().settings.uploads, upload, city)


def _proposed(record: CityRecord, handed: HandedIn) -> tuple[Answers | None, Proposal | None]:
    """Return what was answered and what it comes to, as far as both are there."""
    answers = read_kept(handed.answers)
    if answers is None:
        return None, None
    seen = look(handed, record, answers)
    proposal, _ = propose(workroom(), record, handed, answers, seen.preview.shape)
    return answers, proposal


def _seen(city: str, handed: HandedIn, what: str) -> None:
    """Write down that exact places were seen."""
    document = {"file": handed.upload.name, "sha256": handed.upload.sha256, "what": what}
    with workroom().database.session(write=True) as session:
        audit.record(session, require_visitor().person.name, "source.view", city, document)
