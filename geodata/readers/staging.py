"""A folder of its own for each file that GDAL reads, with nothing in it that was not checked.

GDAL is never given a path that somebody else chose, nor a virtual file system: it sees plain files
of our names, without what lies beside the original.

Rows of a layer as a file of our own, so that one process can read what another has parsed.

Arrow's file format, not compressed: what it takes in memory is what it takes on disk.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import re
import shutil
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from geodata.errors import DataError
from geodata.formats import FORMATS, refusal, sniff, wide_encoding
from geodata.readers.archives import DEFAULT_LIMITS, check_archive, require_small

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

COMPANIONS = (".shx", ".dbf")  # parts that a shapefile cannot be without
PARTS = (".shp", *COMPANIONS, ".prj", ".cpg")
MAP_LAYERS = (
    ".shp", ".geojson", ".geojsonl", ".json", ".topojson", ".gpkg", ".fgb", ".kml", ".parquet",
    ".gdb",
)  # fmt: skip
TABLES = (".csv", ".tsv", ".txt")
# What systems put into archives beside the files that were meant.
SHADOWS = ("__macosx", ".ds_store", "thumbs.db", "desktop.ini")
WORKBOOK = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")
GTFS_STOPS, GTFS_OTHERS = "stops.txt", {"routes.txt", "trips.txt", "stop_times.txt", "agency.txt"}
GEODATABASE_PART = re.compile(r"(?:a[0-9a-f]{8}\.\w{1,16}|gdb|timestamps)")
CHUNK = 1 << 20


@contextmanager
def staged(
    path: Path, label: str, layer: str | None = None
) -> Iterator[tuple[Path, str, str | None]]:
    """Yield a file as its reader may see it, unpacked where it is an archive.

    Yields
    ------
    The file, its format, and the layer to read of it: ``layer``, unless that named one of several
    files of a zip archive.

    Raises
    ------
    DataError
        If an archive cannot be trusted or holds no layer or several, a part of a shapefile is
        missing, or the content is of a format that is not read.
    """
    with tempfile.TemporaryDirectory(prefix="saferground-layer-") as made:
        folder = Path(made)
        if sniff(path) == "gzip":
            plain = folder / "unpacked"
            unpack_gzip(path, plain, label)
            path = plain
        kind = kind_of(path, label)
        if kind == "zip":
            named = len(members_of(path)) > 1
            here, kind = _unpack(path, label, folder, layer)
            yield here, kind, None if named else layer
        elif kind in ("text", "spreadsheet"):
            yield path, kind, layer
        else:
            yield _link(path.absolute(), kind, label, folder), kind, layer


def kind_of(path: Path, label: str) -> str:
    """Return the format of a file, looked into as far as a zip archive.

    Raises
    ------
    DataError
        If it is of a format that is not read, or an archive that cannot be trusted.
    """
    kind = sniff(path)
    if why := refusal(kind):
        msg = f"{label}: {why}"
        raise DataError(msg)
    if kind == "zip":
        check_archive(path, label)
        with zipfile.ZipFile(path) as archive:
            names = {name.lower() for name in archive.namelist()}
        if names.intersection(WORKBOOK):
            return "spreadsheet"
    return kind


def _link(path: Path, kind: str, label: str, folder: Path) -> Path:
    driven = FORMATS[kind].driver or kind == "parquet"
    if not driven:
        msg = f"{label}: is {FORMATS[kind].title}, not a map layer"
        raise DataError(msg)
    here = folder / f"layer{FORMATS[kind].endings[0]}"
    with path.open("rb") as file:
        wide = wide_encoding(file.read(512))
    if wide:
        here.write_text(path.read_text(encoding=wide, errors="replace"), encoding="utf-8")
        return here
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


def _unpack(path: Path, label: str, folder: Path, layer: str | None) -> tuple[Path, str]:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        member = _member(names, label, layer)
        if member.lower().endswith(".gdb"):
            here = folder / "layer.gdb"
            here.mkdir()
            for name in names:
                last = PurePosixPath(name).name
                inside = str(PurePosixPath(name).parent) == member
                if inside and GEODATABASE_PART.fullmatch(last.lower()):
                    _copy(archive, name, here / last)
            return here, "geodatabase"
        ending = PurePosixPath(member).suffix.lower()
        for part in PARTS if ending == ".shp" else (ending,):
            wanted = (member[: len(member) - len(ending)] + part).lower()
            there = next((name for name in names if name.lower() == wanted), None)
            if there is not None:
                _copy(archive, there, folder / f"layer{part}")
            elif part in COMPANIONS:
                msg = f"{label}: {member} lacks its {part} part; zip all parts together"
                raise DataError(msg)
    here = folder / f"layer{ending}"
    kind = sniff(here)
    if refusal(kind) or (ending == ".shp") != (kind == "shp"):
        text = refusal(kind) or f"holds {FORMATS[kind].title}; export it again"
        msg = f"{label}: {member[:80]} in the archive {text}"
        raise DataError(msg)
    return here, kind


def _copy(archive: zipfile.ZipFile, name: str, to: Path) -> None:
    with archive.open(name) as packed, to.open("wb") as plain:
        shutil.copyfileobj(packed, plain, CHUNK)


def unpack_gzip(path: Path, to: Path, label: str) -> None:
    """Unpack a gzip file whose few bytes do not become gigabytes.

    Raises
    ------
    DataError
        If it is damaged or unpacks to too much.
    """
    total, size = 0, path.stat().st_size
    try:
        with gzip.open(path, "rb") as packed, to.open("wb") as plain:
            while piece := packed.read(CHUNK):
                total += len(piece)
                require_small(total, size, label, DEFAULT_LIMITS)
                plain.write(piece)
    except (EOFError, OSError, zlib.error) as error:
        msg = f"{label}: the compressed file is damaged ({error}); export it again"
        raise DataError(msg) from error


def members_of(path: Path) -> list[str]:
    """Name the layers of a zip archive as a person would: maps, or tables where it has no map."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    return [PurePosixPath(member).stem for member in _members(names)]


def _member(names: Sequence[str], label: str, layer: str | None) -> str:
    """Return the one file of an archive that is meant.

    Raises
    ------
    DataError
        If it holds none, or several and none is named.
    """
    found = _members(names)
    if layer is not None and len(found) != 1:
        wanted = layer.casefold()
        every = _files(names, (*MAP_LAYERS, *TABLES))
        found = [
            one
            for one in every
            if wanted in (one.casefold(), PurePosixPath(one).name.casefold(),
                          PurePosixPath(one).stem.casefold())
        ] or found  # fmt: skip
    if len(found) == 1:
        return found[0]
    if not found:
        msg = (
            f"{label}: the archive holds no map layer and no table; put one layer or one CSV "
            "file into it"
        )
        raise DataError(msg)
    known = ", ".join(PurePosixPath(one).stem for one in found[:8])
    msg = f'{label}: the archive holds {len(found)} layers ({known}); name one with layer = "..."'
    raise DataError(msg)


def _members(names: Sequence[str]) -> list[str]:
    """Return the map layers of an archive, or its tables where it has none."""
    stops = [name for name in _files(names, TABLES) if PurePosixPath(name).name == GTFS_STOPS]
    if stops and GTFS_OTHERS.intersection(PurePosixPath(name).name for name in names):
        return stops[:1]
    maps = _files(names, MAP_LAYERS)
    texts = _files(names, TABLES)
    tables = [name for name in texts if not name.lower().endswith(".txt")] or texts
    return maps or tables


def _files(names: Sequence[str], endings: tuple[str, ...]) -> list[str]:
    """Return the files and geodatabases of some endings, each once, without systems' shadows."""
    found: dict[str, None] = {}
    for name in names:
        path = PurePosixPath(name)
        low = [part.lower() for part in path.parts]
        if any(part in SHADOWS or part.startswith("._") for part in low):
            continue
        folder = next((i for i, part in enumerate(low[:-1]) if part.endswith(".gdb")), None)
        if folder is not None:
            path = PurePosixPath(*path.parts[: folder + 1])
        if not name.endswith("/") and str(path).lower().endswith(endings):
            found[str(path)] = None
    return list(found)


ABOUT, ROWS_ENDING = b"saferground", ".rows"


ROW = "saferground:row"


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """Rows of a source as they were read, still in the source's reference system.

    ``rows`` are the numbers that a person would give the rows of ``frame``: 2 for the first of a
    table with a header. ``unread`` has, by reason, those of rows that could not even be taken apart
    into columns.
    """

    frame: pd.DataFrame | gpd.GeoDataFrame
    rows: NDArray[np.int64]
    sha256: str
    notes: tuple[str, ...]
    unread: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)


def rows_path(file: Path, layer: str | None) -> Path:
    """Return where the rows of a layer of a file are kept, beside it."""
    digest = hashlib.sha256((layer or "").encode()).hexdigest()[:16]
    return file.with_name(f"{file.name.partition('.')[0]}.{digest}{ROWS_ENDING}")


@functools.cache
def reader_version() -> str:
    """Return what changes with every change of the readers: rows of another are read anew."""
    whole = hashlib.sha256()
    for module in sorted(Path(__file__).parent.glob("*.py")):
        whole.update(module.read_bytes())
    return whole.hexdigest()[:16]


def kept_rows(file: Path, layer: str | None, sha256: str) -> Layer | None:
    """Return the rows that were kept of a file when it was handed in; nothing without any.

    They count where this content was read, by these readers.
    """
    kept = rows_path(file, layer)
    if not kept.is_file():
        return None
    try:
        with pa.OSFile(str(kept), "rb") as source, pa.ipc.open_file(source) as reader:
            about = json.loads(reader.schema.metadata[ABOUT])
        same = (about["sha256"], about["reader"]) == (sha256, reader_version())
        return load_rows(kept, file.name) if same else None
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException, DataError):
        return None


def save_rows(layer: Layer, path: Path) -> None:
    """Write a layer; values of mixed kinds become text."""
    about: dict[str, Any] = {
        "sha256": layer.sha256,
        "reader": reader_version(),
        "notes": list(layer.notes),
        "unread": {reason: rows.tolist() for reason, rows in layer.unread.items()},
    }
    frame = layer.frame
    plain = pd.DataFrame(frame).copy()
    if isinstance(frame, gpd.GeoDataFrame):
        about["geometry"] = name = frame.geometry.name
        about["crs"] = frame.crs.srs if frame.crs else None
        plain[name] = pd.Series(shapely.to_wkb(frame.geometry.array), dtype=object)
    for name in plain.columns:
        plain[name] = _of_one_kind(plain[name])
    plain[ROW] = layer.rows
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
        unread = {
            str(reason): np.array(rows, dtype=np.int64) for reason, rows in about["unread"].items()
        }
        frame = table.to_pandas()
        rows = frame.pop(ROW).to_numpy(dtype=np.int64)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException) as error:
        msg = f"{label}: what was read of it is not here any more; hand it in again"
        raise DataError(msg) from error
    if "geometry" in about:
        name = about["geometry"]
        shapes = shapely.from_wkb(frame[name].to_numpy(dtype=object))
        frame = gpd.GeoDataFrame(frame.assign(**{name: shapes}), geometry=name, crs=about["crs"])
    return Layer(
        frame=frame,
        rows=rows,
        sha256=str(about["sha256"]),
        notes=tuple(about["notes"]),
        unread=unread,
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
