"""Open a source by what it is, not by what its name says."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np

from geodata.errors import DataError
from geodata.formats import OSM_KINDS, sniff
from geodata.readers.cell_numbers import read_numbers
from geodata.readers.cell_places import DEGREES, find_place_column, with_places
from geodata.readers.delimited import read_table
from geodata.readers.osm import read_tagged, read_whole
from geodata.readers.staging import Layer, kept_rows, kind_of, load_rows, members_of, staged
from geodata.readers.vectors import in_a_system, map_layers, read_features
from geodata.readers.workbooks import read_workbook, sheets_in

if TYPE_CHECKING:
    import pandas as pd

    from geodata.cityfile.schema import SourcePlace

GTFS_PLACE = ("stop_lon", "stop_lat")  # columns of stops.txt, always in degrees


def read_place(place: SourcePlace) -> Layer:
    """Read every row of a source; from rows that a child process read of it, where there are some.

    Those of a file that was handed in lie beside it (:func:`geodata.readers.staging.kept_rows`).

    Raises
    ------
    DataError
        If the file is missing, empty, of a format that is not read, or lacks a column that is
        named.
    """
    if place.tags is not None:
        return read_tagged(place, place.tags)
    if place.rows is not None:
        return _in_a_system(load_rows(Path(place.rows), place.label), place)
    path = _local(place)
    if sniff(path) in OSM_KINDS:
        return read_whole(place)
    found = kept_rows(path, place.layer, digest(path)) or read_rows(path, place.label, place.layer)
    return _in_a_system(found, place)


def read_rows(path: Path, label: str, layer: str | None) -> Layer:
    """Read every row of a local file, whatever its name, as its content says.

    Raises
    ------
    DataError
        If it is damaged, of a format that is not read, or too large when unpacked.
    """
    sha256 = digest(path)
    try:
        with staged(path, label, layer) as (source, kind, inner):
            if kind == "text":
                return read_table(source, label, sha256)
            if kind == "spreadsheet":
                return read_workbook(source, label, inner, sha256)
            frame = read_features(source, kind, label, inner)
    except MemoryError as error:
        msg = f"{label}: needs more memory than there is; send fewer rows or columns"
        raise DataError(msg) from error
    return Layer(frame=frame, rows=np.arange(1, len(frame) + 1), sha256=sha256, notes=())


def layers_in(path: Path, label: str) -> tuple[str, ...]:
    """Name the layers of a file: sheets, files of an archive, or layers of the one it holds.

    Raises
    ------
    DataError
        As :func:`read_rows` does.
    """
    kind = kind_of(path, label)
    if kind == "spreadsheet":
        return sheets_in(path, label)
    if kind == "zip" and len(members := members_of(path)) > 1:
        return tuple(members)
    if kind in ("text", "gzip"):
        return ()
    with staged(path, label) as (source, inner, _):
        return map_layers(source, inner, label)


def _in_a_system(layer: Layer, place: SourcePlace) -> Layer:
    """Return a layer with its places, in the reference system that is stated of them."""
    frame, notes = layer.frame, list(layer.notes)
    if place.latlon is not None:
        frame = _of_column(frame, place, place.latlon)
    elif not isinstance(frame, gpd.GeoDataFrame) and place.x is None and not place.placeless:
        found = find_place_column(frame)
        if found is None and {*GTFS_PLACE} <= set(frame.columns):
            x, y = (read_numbers(frame[name]) for name in GTFS_PLACE)
            frame = gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(x, y), crs=DEGREES)
            notes.append(f"places are read from columns {' and '.join(GTFS_PLACE)}")
        if found is not None:
            frame = _of_column(frame, place, found)
            notes.append(f"places are read from column {found!r}")
    if isinstance(frame, gpd.GeoDataFrame):
        frame, more = in_a_system(frame, place, place.label)
        notes += more
    return replace(layer, frame=frame, notes=(*place.notes, *notes))


def _of_column(frame: pd.DataFrame, place: SourcePlace, column: str) -> pd.DataFrame:
    if column not in frame.columns:
        return frame  # what is missing is reported with the other columns
    try:
        return with_places(frame, column, place.crs)
    except DataError as error:
        msg = f"{place.label}: {error}"
        raise DataError(msg) from error


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


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
