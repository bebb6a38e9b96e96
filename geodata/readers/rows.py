"""Rows of a layer as a file of our own, so that one process can read what another has parsed.

Arrow's file format, not compressed: what it takes in memory is what it takes on disk.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import shapely

from geodata.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

ABOUT = b"saferground"


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


def save_rows(layer: Layer, path: Path) -> None:
    """Write a layer; values of mixed kinds become text."""
    about: dict[str, Any] = {
        "first_row": layer.first_row,
        "sha256": layer.sha256,
        "notes": list(layer.notes),
        "extra": layer.extra,
    }
    frame = layer.frame
    plain = pd.DataFrame(frame).copy()
    if isinstance(frame, gpd.GeoDataFrame):
        about["geometry"] = name = frame.geometry.name
        about["crs"] = frame.crs.srs if frame.crs else None
        plain[name] = pd.Series(shapely.to_wkb(frame.geometry.array), dtype=object)
    for name in plain.columns:
        plain[name] = _of_one_kind(plain[name])
    table = pa.Table.from_pandas(plain, preserve_index=False)
    told = {**(table.schema.metadata or {}), ABOUT: json.dumps(about).encode()}
    table = table.replace_schema_metadata(told)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def load_rows(path: Path, label: str) -> Layer:
    """Read what :func:`save_rows` wrote.

    Raises
    ------
    DataError
        If it is gone or damaged.
    """
    try:
        with pa.OSFile(str(path), "rb") as source, pa.ipc.open_file(source) as reader:
            table = reader.read_all()
        about = json.loads(table.schema.metadata[ABOUT])
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        msg = f"{label}: what was read of it is not here any more; hand it in again"
        raise DataError(msg) from error
    frame = table.to_pandas()
    if "geometry" in about:
        name = about["geometry"]
        shapes = shapely.from_wkb(frame[name].to_numpy(dtype=object))
        frame = gpd.GeoDataFrame(frame.assign(**{name: shapes}), geometry=name, crs=about["crs"])
    return Layer(
        frame=frame,
        first_row=int(about["first_row"]),
        sha256=str(about["sha256"]),
        notes=tuple(about["notes"]),
        extra=int(about["extra"]),
    )


def _of_one_kind(column: pd.Series[Any]) -> pd.Series[Any]:
    if isinstance(column.dtype, gpd.array.GeometryDtype):  # beside the one that places the rows
        return pd.Series(shapely.to_wkt(column.array), dtype=object)
    if column.dtype != object:
        return column
    try:
        pa.array(column, from_pandas=True)
    except (pa.ArrowException, OverflowError, RecursionError):
        return column.map(lambda value: None if value is None else str(value))
    return column
