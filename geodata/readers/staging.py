"""A folder of its own for each file that GDAL reads, with nothing in it that was not checked.

GDAL is never given a path that somebody else chose, nor a virtual file system: it sees plain files
of our names, without what lies beside the original.

Rows of a layer as a file of our own, so that one process can read what another has parsed.

Arrow's file format, not compressed: what it takes in memory is what it takes on disk.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import shapely

from geodata.errors import DataError
from geodata.formats import FORMATS, refusal, sniff
from geodata.readers.archives import check_archive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


COMPANIONS = (".shx", ".dbf")  # parts that a shapefile cannot be without
PARTS = (".shp", *COMPANIONS, ".prj", ".cpg")
LAYERS = (".shp", ".geojson", ".json", ".gpkg")
NAMES = {"json": "layer.geojson", "json-lines": "layer.geojson", "sqlite": "layer.gpkg",
         "parquet": "layer.parquet", "shp": "layer.shp"}  # fmt: skip


@contextmanager
def staged(path: Path, label: str) -> Iterator[tuple[Path, str]]:
    """Yield a file as GDAL may see it, and its format; the one layer of a zip archive unpacked.

    Raises
    ------
    DataError
        If an archive cannot be trusted or holds no layer, a part of a shapefile is missing, or the
        content is of a format that is not read.
    """
    with tempfile.TemporaryDirectory(prefix="saferground-layer-") as made:
        folder, kind = Path(made), sniff(path)
        if kind == "zip":
            yield _unpack(path, label, folder)
        else:
            yield _link(path.absolute(), kind, label, folder), kind


def _link(path: Path, kind: str, label: str, folder: Path) -> Path:
    if kind not in NAMES:
        msg = f"{label}: {refusal(kind) or f'is {FORMATS[kind].title}, not a map layer'}"
        raise DataError(msg)
    here = folder / NAMES[kind]
    here.symlink_to(path)
    if kind == "shp":
        for ending in PARTS[1:]:
            there = [path.with_suffix(case) for case in (ending, ending.upper())]
            found = next((one for one in there if one.is_file()), None)
            if found is not None:
                here.with_suffix(ending).symlink_to(found)
            elif ending in COMPANIONS:
                msg = f"{label}: its companion {path.stem}{ending} is missing; copy all parts"
                raise DataError(msg)
    return here


def _unpack(path: Path, label: str, folder: Path) -> tuple[Path, str]:
    check_archive(path, label)
    layer = layer_in_zip(path, label)
    stem, ending = layer[: layer.rindex(".")].lower(), PurePosixPath(layer).suffix.lower()
    endings = PARTS if ending == ".shp" else (ending,)
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            part = PurePosixPath(entry.filename).suffix.lower()
            if part in endings and entry.filename.lower() == stem + part:
                with archive.open(entry) as packed, (folder / f"layer{part}").open("wb") as plain:
                    shutil.copyfileobj(packed, plain, 1 << 20)
    here = folder / f"layer{ending}"
    kind = sniff(here)
    if ending not in FORMATS[kind].endings:
        text = refusal(kind) or f"holds {FORMATS[kind].title}; export it again"
        msg = f"{label}: {layer[:80]} in the archive {text}"
        raise DataError(msg)
    return here, kind


def layer_in_zip(path: Path, label: str) -> str:
    """Name the one map layer of a zip archive.

    Raises
    ------
    DataError
        If the archive is damaged, holds none or several, or lacks a part of a shapefile.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile as error:
        msg = f"{label}: the zip archive is damaged; export it again"
        raise DataError(msg) from error
    found = [n for n in names if n.lower().endswith(LAYERS)]
    if len(found) != 1:
        what = "no map layer" if not found else f"{len(found)} map layers ({', '.join(found[:5])})"
        msg = f"{label}: the archive holds {what}; put exactly one shapefile into it"
        raise DataError(msg)
    if found[0].lower().endswith(".shp"):
        stem = found[0][:-4].lower()
        for ending in COMPANIONS:
            if stem + ending not in [name.lower() for name in names]:
                msg = f"{label}: {found[0]} lacks its {ending} part; zip all parts together"
                raise DataError(msg)
    return found[0]


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
    document = {**(table.schema.metadata or {}), ABOUT: json.dumps(about).encode()}
    table = table.replace_schema_metadata(document)
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
