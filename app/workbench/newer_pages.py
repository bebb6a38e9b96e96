"""Pages of a newer file of a source: handed in, checked, put in the place of the older one."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from flask import redirect, render_template, request, url_for

from app.admin.city import shell, staff_city
from app.admin.layout import say
from app.auth.guard import require_visitor
from app.extensions import workroom
from app.workbench.column_mapping import FieldFaults
from app.workbench.newer_files import renew, replaceable, try_renewal
from app.workbench.receiving import receive_file
from app.workbench.source_changes import job_address
from app.workbench.source_pages import REASONS
from app.workbench.upload_pages import TAB, bp
from geodata.errors import CityFileError, DataError, NotStoredError
from geodata.repositories.import_log import city_file_of
from geodata.uploads import intake
from geodata.uploads.intake import MOST_BYTES

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


@bp.route("/<city>/sources/newer", methods=["GET", "POST"])
def newer(city: str) -> ResponseReturnValue:
    """Take a file in as the newer file of a source."""
    record, room = staff_city(city), workroom()
    key, faults = request.values.get("source", ""), FieldFaults()
    with room.database.session() as session:
        described = city_file_of(session, city)
    section = replaceable(described).get(key)
    if section is None:
        msg = f"{record.name} has no such source any more; look at its sources"
        raise NotStoredError(msg)
    if request.method == "POST":
        try:
            who = require_visitor().person.name
            handed = receive_file(room, request.files.get("file"), city, who)
        except DataError as error:
            faults.add("file", str(error))
        else:
            intake.keep(dataclasses.replace(handed, renews=key))
            return redirect(url_for("uploads.check_newer", city=city, upload=handed.upload.id), 303)
    return render_template(
        "analyst/newer.html",
        shell=shell(record, TAB),
        source=section.source,
        key=key,
        faults=faults,
        most_bytes=MOST_BYTES,
    ), 422 if faults else 200


@bp.route("/<city>/sources/newer/<upload>", methods=["GET", "POST"])
def check_newer(city: str, upload: str) -> ResponseReturnValue:
    """Show what a newer file would bring, and put it in the place of the older one."""
    record, room, fault = staff_city(city), workroom(), ""
    handed = intake.find(room.settings.uploads, upload, city)
    if request.method == "POST":
        try:
            job = renew(room, record, handed, require_visitor().person.name)
        except (DataError, CityFileError) as error:
            fault = str(error)
        else:
            intake.keep(dataclasses.replace(handed, job=job.id))
            say(f"{handed.upload.name} is being read: job {job.id}. The import can be undone.")
            return redirect(job_address(city, job.id), 303)
    try:
        section, trial = try_renewal(room, record, handed)
    except DataError:
        return redirect(url_for("uploads.describe", city=city, upload=upload), 303)
    return render_template(
        "analyst/check_newer.html",
        shell=shell(record, TAB),
        handed=handed,
        source=section.source,
        trial=trial,
        reasons=REASONS,
        fault=fault,
    ), 422 if fault else 200
