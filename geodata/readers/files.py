"""Open a source by what it is, not by what its name says."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from geodata.errors import DataError
from geodata.formats import FORMATS, READ, refusal, sniff
from geodata.readers.delimited import read_table
from geodata.readers.staging import Layer, load_rows
from geodata.readers.vectors import in_a_system, read_features

if TYPE_CHECKING:
    from geodata.cityfile.schema import SourcePlace

TABLE_ENDINGS = (*FORMATS["text"].endings, *FORMATS["gzip"].endings)
LAYER_FORMATS = ("json", "json-lines", "shp", "zip", "sqlite", "parquet")
KINDS = {ending: name for name in reversed(LAYER_FORMATS) for ending in FORMATS[name].endings}


def read_place(place: SourcePlace) -> Layer:
    """Read every row of a source; from rows that a child process read of it, where there are some.

    Raises
    ------
    DataError
        If the file is missing, empty, not what its name says, or lacks a column that is named.
    """
    if place.rows is not None:
        return _in_a_system(load_rows(Path(place.rows), place.label), place)
    path = _local(place)
    ending = ending_of(path)
    if ending not in (*TABLE_ENDINGS, *KINDS):
        known = ", ".join([*KINDS, *TABLE_ENDINGS])
        msg = f"{place.label}: files ending in {ending or 'nothing'} are not read; known: {known}"
        raise DataError(msg)
    _require_kind(path, sniff(path), ending)
    return _in_a_system(read_rows(path, place.label, place.layer), place)


def read_rows(path: Path, label: str, layer: str | None) -> Layer:
    """Read every row of a local file, whatever its name, as its content says.

    Raises
    ------
    DataError
        If it is damaged, of a format that is not read, or too large when unpacked.
    """
    kind = sniff(path)
    if why := refusal(kind):
        msg = f"{label}: {why}"
        raise DataError(msg)
    try:
        if kind in ("text", "gzip") or ending_of(path) in TABLE_ENDINGS:
            frame, notes, extra = read_table(path, label)
            return Layer(
                frame=frame, first_row=2, sha256=digest(path), notes=tuple(notes), extra=extra
            )
        features = read_features(path, label, layer)
    except MemoryError as error:
        msg = f"{label}: needs more memory than there is; send fewer rows or columns"
        raise DataError(msg) from error
    return Layer(frame=features, first_row=1, sha256=digest(path), notes=())


def _in_a_system(layer: Layer, place: SourcePlace) -> Layer:
    """Return a layer of features its reference system, and the notes of its place."""
    if layer.first_row == 2:
        return replace(layer, notes=(*place.notes, *layer.notes))
    frame, notes = in_a_system(layer.frame, place, place.label)
    return replace(layer, frame=frame, notes=(*place.notes, *layer.notes, *notes))


def _local(place: SourcePlace) -> Path:
    if place.path.startswith(("http://", "https://")):
        msg = (
            f"{place.label}: was not fetched; addresses are fetched when a city file is imported, "
            "into the instance folder"
        )
        raise DataError(msg)
    path = Path(place.path)
    if not path.is_file():
        msg = f"{place.label}: there is no file {path}; correct the source or the data folder"
        raise DataError(msg)
    if path.stat().st_size == 0:
        msg = f"{place.label}: the file is empty; export it again"
        raise DataError(msg)
    return path


def ending_of(path: Path) -> str:
    """Return how a file's name ends, in small letters, with what stands before ``.gz``."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    return "".join(suffixes) if suffixes[-1:] == [".gz"] else "".join(suffixes[-1:])


def _require_kind(path: Path, kind: str, ending: str) -> None:
    """Refuse a file whose name says another format than its content."""
    known = FORMATS[kind]
    table = ending in TABLE_ENDINGS and not ending.endswith(".gz")
    if ending in known.endings or (table and kind.startswith("json")):
        return
    msg = f"{path.name}: the name ends in {ending} but the content is {known.title}; " + (
        f"{known.refused} (read are {READ})" if known.refused else "rename it or export it again"
    )
    raise DataError(msg)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
