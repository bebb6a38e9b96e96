"""Open a source by what it is, not by what its name says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from geodata.errors import DataError
from geodata.readers.tables import read_table
from geodata.readers.vectors import read_vector

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from geodata.cityfile.tables import Place

TABLE_ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
KINDS = {
    ".geojson": "json",
    ".json": "json",
    ".shp": "shp",
    ".zip": "zip",
    ".gpkg": "sqlite",
    ".parquet": "parquet",
    ".geoparquet": "parquet",
}
NAMES = {
    "json": "JSON",
    "shp": "a shapefile",
    "zip": "a zip archive",
    "sqlite": "a GeoPackage",
    "parquet": "Parquet",
    "gzip": "gzip",
    "text": "plain text",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """Rows of a source as they were read, still in the source's reference system.

    ``first_row`` is the number that a person would give the first row: 2 in a table with a header.
    ``extra`` counts rows that could not even be split into columns.
    """

    frame: pd.DataFrame | gpd.GeoDataFrame
    first_row: int
    sha256: str
    notes: tuple[str, ...]
    extra: int = 0


def read_place(place: Place) -> Layer:
    """Read every row of a source.

    Raises
    ------
    DataError
        If the file is missing, empty, not what its name says, or lacks a column that is named.
    """
    path = _local(place)
    kind, ending = content_kind(path), ending_of(path)
    if ending in TABLE_ENDINGS:
        expected = ("gzip",) if ending.endswith(".gz") else ("text", "json")
        _require_kind(path, kind, expected, ending)
        frame, notes, extra = read_table(path)
        layer = Layer(
            frame=frame,
            first_row=2,
            sha256=_digest(path),
            notes=(*place.notes, *notes),
            extra=extra,
        )
    elif ending in KINDS:
        _require_kind(path, kind, (KINDS[ending],), ending)
        features, notes = read_vector(path, place)
        layer = Layer(
            frame=features, first_row=1, sha256=_digest(path), notes=(*place.notes, *notes)
        )
    else:
        known = ", ".join([*KINDS, *TABLE_ENDINGS])
        msg = f"{place.label}: files ending in {ending or 'nothing'} are not read; known: {known}"
        raise DataError(msg)
    return layer


def _local(place: Place) -> Path:
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
    """Give how a file's name ends, in small letters, with what stands before ``.gz``."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    return "".join(suffixes) if suffixes[-1:] == [".gz"] else "".join(suffixes[-1:])


def content_kind(path: Path) -> str:
    """Tell what a file is by how it begins: a name of :data:`NAMES`, else ``binary``."""
    with path.open("rb") as file:
        head = file.read(512)
    for kind, start in (
        ("gzip", b"\x1f\x8b"),
        ("zip", b"PK"),
        ("sqlite", b"SQLite format 3\x00"),
        ("parquet", b"PAR1"),
        ("shp", b"\x00\x00\x27\x0a"),
    ):
        if head.startswith(start):
            return kind
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] in (b"{", b"["):
        return "json"
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))  # UTF-16, as spreadsheets write it
    return "binary" if not wide and head.count(0) > len(head) // 20 else "text"


def _require_kind(path: Path, kind: str, expected: tuple[str, ...], ending: str) -> None:
    if kind not in expected:
        msg = (
            f"{path.name}: the name ends in {ending} but the content is "
            f"{NAMES.get(kind, 'of another kind')}; rename it or export it again"
        )
        raise DataError(msg)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
