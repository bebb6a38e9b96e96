"""Files that come with a form: into quarantine, one by one, whatever becomes of the others."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from app.admin.layout import say
from app.workbench.newer_files import guess_source, try_renewal
from geodata.clock import utc_now
from geodata.errors import DataError
from geodata.repositories import audit
from geodata.repositories.import_log import city_file_of
from geodata.uploads import intake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.datastructures import FileStorage

    from app.extensions import Workroom
    from geodata.repositories.cities import CityRecord
    from geodata.uploads.intake import HandedIn

MOST_WAITING_BYTES = 5_000_000_000


def receive_file(room: Workroom, file: FileStorage | None, city: str, who: str) -> HandedIn:
    """Put a file of a form into quarantine, and write down who handed it in.

    Raises
    ------
    DataError
        If there is none, it is refused, or too many wait already.
    """
    if file is None or not file.filename:
        msg = "choose a file first"
        raise DataError(msg)
    folder = room.settings.uploads
    if intake.bytes_waiting(folder) > MOST_WAITING_BYTES:
        msg = (
            "too many files wait to be described; finish or forget some of them, the rest are "
            "forgotten after a week"
        )
        raise DataError(msg)
    upload = intake.receive(file.stream, file.filename, folder)
    handed = intake.HandedIn(upload=upload, city=city, who=who, when=utc_now())
    intake.keep(handed)
    document = {
        "file": upload.name,
        "kind": upload.kind,
        "bytes": upload.size,
        "sha256": upload.sha256,
    }
    with room.database.session(write=True) as session:
        audit.record(session, who, "source.upload", city, document)
    return handed


def receive_several(
    room: Workroom, city: CityRecord, files: Sequence[FileStorage], who: str
) -> None:
    """Take several files in, each with a line of its own: what came of it.

    A file that has the name of a source, with or without a date in it, is checked as its newer
    file.
    """
    with room.database.session() as session:
        described = city_file_of(session, city.slug)
    new = []
    for file in files:
        try:
            handed = receive_file(room, file, city.slug, who)
        except DataError as error:
            say(f"Not taken: {error}")
            continue
        handed = dataclasses.replace(handed, renews=guess_source(described, handed.upload.name))
        intake.keep(handed)
        if not handed.renews:
            new.append(handed.upload.name)
            continue
        section, trial = try_renewal(room, city, handed)
        outcome = f"{trial.read:,} rows read, {trial.kept:,} would be kept"
        say(f"{handed.upload.name}: a newer file of {section.source}; {trial.refused or outcome}.")
    if len(new) == 1:
        say(f"{new[0]}: handed in; say what it holds.")
    elif new:
        say(f"{len(new)} files are handed in ({', '.join(new)}); say of each what it holds.")
