"""What is known of files in quarantine: whose they are, and how they are to be read so far.

A note lies beside each file, so that every process of the pages finds it; both are forgotten
together (:func:`geodata.quarantine.uploads.forget_old`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geodata.cityfile.tables import Place
from geodata.errors import NotStoredError
from geodata.quarantine.uploads import Upload, rows_of

ID = re.compile(r"[A-Za-z0-9_]{1,40}")


@dataclass(frozen=True, kw_only=True)
class HandedIn:
    """A file in quarantine.

    ``city`` is the slug of the city that it is for, nothing for a city that is yet to be.
    ``address`` is where it was fetched, if it was; ``answers`` say how it is to be read; ``job`` is
    the number of the import that was asked for with it.
    """

    upload: Upload
    city: str
    who: str
    when: dt.datetime
    address: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    job: int = 0


def keep(handed: HandedIn) -> None:
    """Write or renew the note, and keep both a while longer."""
    told = dataclasses.asdict(handed)
    told["upload"]["path"] = handed.upload.path.name
    told["when"] = handed.when.isoformat()
    note = _note(handed.upload.path.parent, handed.upload.id)
    made = note.with_suffix(f".{secrets.token_hex(4)}.writing")
    made.write_text(json.dumps(told), encoding="utf-8")
    made.replace(note)
    os.utime(handed.upload.path)


def find(folder: Path, number: str, city: str) -> HandedIn:
    """Give a file that was handed in for a city.

    Raises
    ------
    NotStoredError
        If there is none, or it was forgotten.
    """
    found = _read(folder, number) if ID.fullmatch(number) else None
    if found is None or found.city != city:
        msg = "this file is not here any more; files that nobody came back to are forgotten"
        raise NotStoredError(msg)
    return found


def waiting(folder: Path, city: str) -> list[HandedIn]:
    """List the files of a city that wait in quarantine, the newest first."""
    notes = sorted(folder.glob("upload-*.json")) if folder.is_dir() else []
    found = [_read(folder, note.stem.removeprefix("upload-")) for note in notes]
    mine = [one for one in found if one is not None and one.city == city]
    return sorted(mine, key=lambda one: one.when, reverse=True)


def place_of(handed: HandedIn, layer: str | None = None) -> Place:
    """Return where the rows of a file are, as a child process read them.

    Raises
    ------
    DataError
        If the layer cannot be read.
    """
    upload = handed.upload
    rows = rows_of(upload, layer)
    return Place(label=upload.name, path=str(upload.path), layer=layer, rows=str(rows))


def read_before(place: Place, handed: HandedIn) -> Place:
    """Return a place of a city file whose source is a file in quarantine, with its rows as read.

    Raises
    ------
    DataError
        If the layer cannot be read.
    """
    rows = rows_of(handed.upload, place.layer)
    return dataclasses.replace(place, path=str(handed.upload.path), rows=str(rows))


def forget(handed: HandedIn) -> None:
    """Remove a file, its note and its rows."""
    for path in handed.upload.path.parent.glob(f"upload-{handed.upload.id}.*"):
        path.unlink(missing_ok=True)


def bytes_waiting(folder: Path) -> int:
    """Count the bytes that lie in quarantine."""
    sizes = (path.stat().st_size for path in folder.glob("upload-*")) if folder.is_dir() else ()
    return sum(sizes)


def _note(folder: Path, number: str) -> Path:
    return folder / f"upload-{number}.json"


def _read(folder: Path, number: str) -> HandedIn | None:
    try:
        told = json.loads(_note(folder, number).read_text(encoding="utf-8"))
        path = folder / Path(told["upload"]["path"]).name
        layers = tuple(told["upload"].get("layers", ()))
        upload = Upload(**{**told["upload"], "path": path, "layers": layers})
        when = dt.datetime.fromisoformat(told["when"])
        found = HandedIn(**{**told, "upload": upload, "when": when})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return found if found.upload.path.is_file() else None
