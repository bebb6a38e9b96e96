"""Files that people hand in: kept apart, known by their content, looked at before they are used.

A file comes as a stream into a quarantine folder under a name of ours; what its sender calls it is
only shown. Nothing is unpacked, and nothing of it is stored, before somebody has seen what it is.

What is known of files in quarantine: whose they are, and how they are to be read so far.

A note lies beside each file, so that every process of the pages finds it; both are forgotten
together (:func:`geodata.uploads.retention.forget_old`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import os
import re
import secrets
import tempfile
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from geodata.cityfile.schema import SourcePlace
from geodata.errors import DataError, NotStoredError
from geodata.formats import FORMATS, sniff
from geodata.readers.sandbox import read_apart
from geodata.readers.staging import rows_path

if TYPE_CHECKING:
    from typing import IO


CHUNK = 1 << 20
MOST_BYTES = 200_000_000
NAME_LENGTH = 120


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file in quarantine.

    ``id`` is ours and names the file; ``name`` is what its sender calls it, fit to be shown as
    text. ``kind`` is a key of :data:`geodata.formats.FORMATS`; ``layers``
    are those of a file that has several.
    """

    id: str
    path: Path
    name: str
    kind: str
    size: int
    sha256: str
    layers: tuple[str, ...] = ()


def receive(stream: IO[bytes], name: str, folder: Path, *, most_bytes: int = MOST_BYTES) -> Upload:
    """Write a stream into quarantine and find out what it is; a refused file is not kept.

    Raises
    ------
    DataError
        If it is empty, too long, of no kind that is read, or an archive that cannot be trusted.
    """
    label = shown_name(name)
    folder.mkdir(parents=True, exist_ok=True)
    handle, made = tempfile.mkstemp(prefix="upload-", dir=folder)
    path = Path(made)
    try:
        with os.fdopen(handle, "wb") as file:
            size, digest = _copy(stream, file, label, most_bytes)
        kind, layers = recognise(path, label)
        kept = path.with_suffix(FORMATS[kind].endings[0])
        path.replace(kept)
    except BaseException:
        for left in (path, *folder.glob(f"{path.name}.*")):
            left.unlink(missing_ok=True)
        raise
    return Upload(
        id=path.name.removeprefix("upload-"),
        path=kept,
        name=label,
        kind=kind,
        size=size,
        sha256=digest,
        layers=layers,
    )


def rows_of(upload: Upload, layer: str | None) -> Path:
    """Return the file with the rows of an upload, which a child process writes when it is missing.

    Raises
    ------
    DataError
        If the layer cannot be read.
    """
    rows = rows_path(upload.path, layer)
    if not rows.is_file():
        read_apart(upload.path, upload.name, rows=rows, layer=layer)
    return rows


def recognise(path: Path, label: str) -> tuple[str, tuple[str, ...]]:
    """Tell the format of a file by its content, and its layers if it has several.

    It is read whole, in a child process, and its rows are kept beside it.

    Raises
    ------
    DataError
        If it is of no kind that is read, is not what it begins as, cannot be read within the limits
        of the child, or is an archive that cannot be trusted.
    """
    if sniff(path) == "shp":
        msg = f"{label}: is one part of a shapefile; zip all its parts together"
        raise DataError(msg)
    first = rows_path(path, None)
    found = read_apart(path, label, rows=first, first_layer=True)
    if found.kind == "text" and found.columns < 2:
        msg = f"{label}: has one column only; a table needs columns for its place and its date"
        raise DataError(msg)
    several = found.layers if len(found.layers) > 1 else ()
    if several:
        first.replace(rows_path(path, found.layer))
    return found.kind, several


def shown_name(name: str) -> str:
    r"""Make a sender's name of a file fit to be shown: its last part, plain signs, not too long.

    >>> shown_name("../../etc/pass\u202ewd\x00.csv")
    'passwd.csv'
    >>> shown_name("C:\\data\\a.csv")
    'a.csv'
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C").strip()
    return plain[-NAME_LENGTH:] or "file"


def _copy(stream: IO[bytes], file: IO[bytes], label: str, most: int) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    while piece := stream.read(CHUNK):
        size += len(piece)
        if size > most:
            msg = f"{label}: is longer than {most / 1e6:,.0f} MB; send fewer rows or columns"
            raise DataError(msg)
        digest.update(piece)
        file.write(piece)
    if size == 0:
        msg = f"{label}: the file is empty; export it again"
        raise DataError(msg)
    return size, digest.hexdigest()


ID = re.compile(r"[A-Za-z0-9_]{1,40}")


@dataclass(frozen=True, kw_only=True)
class HandedIn:
    """A file in quarantine.

    ``city`` is the slug of the city that it is for, nothing for a city that is yet to be.
    ``address`` is where it was fetched, if it was; ``answers`` say how it is to be read; ``job`` is
    the number of the import that was requested with it; ``renews`` names the source that it is
    a newer file of, as in "incidents.1".
    """

    upload: Upload
    city: str
    who: str
    when: dt.datetime
    address: str = ""
    answers: dict[str, object] = field(default_factory=dict)
    job: int = 0
    renews: str = ""


def keep(handed: HandedIn) -> None:
    """Write or renew the note, and keep both a while longer."""
    result = dataclasses.asdict(handed)
    result["upload"]["path"] = handed.upload.path.name
    result["when"] = handed.when.isoformat()
    note = _note(handed.upload.path.parent, handed.upload.id)
    made = note.with_suffix(f".{secrets.token_hex(4)}.writing")
    made.write_text(json.dumps(result), encoding="utf-8")
    made.replace(note)
    os.utime(handed.upload.path)


def find(folder: Path, number: str, city: str) -> HandedIn:
    """Return a file that was handed in for a city.

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


def place_of(handed: HandedIn, layer: str | None = None) -> SourcePlace:
    """Return where the rows of a file are, as a child process read them.

    Raises
    ------
    DataError
        If the layer cannot be read.
    """
    upload = handed.upload
    rows = rows_of(upload, layer)
    return SourcePlace(label=upload.name, path=str(upload.path), layer=layer, rows=str(rows))


def read_before(place: SourcePlace, handed: HandedIn) -> SourcePlace:
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
        result = json.loads(_note(folder, number).read_text(encoding="utf-8"))
        path = folder / Path(result["upload"]["path"]).name
        layers = tuple(result["upload"].get("layers", ()))
        upload = Upload(**{**result["upload"], "path": path, "layers": layers})
        when = dt.datetime.fromisoformat(result["when"])
        found = HandedIn(**{**result, "upload": upload, "when": when})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return found if found.upload.path.is_file() else None
