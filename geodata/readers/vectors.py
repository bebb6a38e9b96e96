"""GeoJSON before GDAL reads it: what it says of itself, and links that GDAL would follow.

GeoPackages before GDAL reads them: an SQLite file is a program as much as a table.

A view, a generated column or a virtual table runs what its author wrote when it is read, with the
functions and modules that GDAL brings: reading other files is one of them. A layer must therefore
be a plain table. Triggers only run on writing, and nothing is written.

GeoParquet: measured before it is unpacked, as a few bytes can stand for gigabytes.

Features of the formats that GDAL reads here, and of GeoParquet.
"""

from __future__ import annotations

import json
import mmap
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from geodata.errors import DataError
from geodata.formats import DRIVERS, FORMATS, GEOJSON, HEAD_BYTES, TYPE
from geodata.readers.archives import DEFAULT_LIMITS

if TYPE_CHECKING:
    from pathlib import Path

    from geodata.cityfile.schema import SourcePlace


# GDAL finds the member whatever its case, and JSON may spell every letter as an escape.
CRS = re.compile(
    rb'"(?:c|\\u00[46]3)(?:r|\\u00[57]2)(?:s|\\u00[57]3)"[ \t\r\n]*:[ \t\r\n]*(?=\{)', re.I
)
LONGEST_CRS = 20_000  # characters; a reference system in PROJJSON has fewer
NAMED = re.compile(
    r"(?:urn:(?:x-)?ogc:def:crs:|EPSG:|ESRI:|OGC:|IAU|https?://www\.opengis\.net/def/crs/"
    r"|https?://www\.opengis\.net/gml/srs/)[\w:.,/#+-]{1,200}|CRS:?84|WGS:?\s?84|NAD83|NAD27",
    re.I,
)
LONGEST_FAULT = 200
MOST_EXPLAINED = 50_000_000  # bytes of a file that is parsed once more to say what is wrong with it


def check_geojson(path: Path, label: str) -> None:
    """Refuse JSON that is not GeoJSON, and GeoJSON that names its reference system by a link.

    GDAL fetches such links, in a collection and in every geometry; the reference system is
    therefore taken by its name only.

    Raises
    ------
    DataError
        With the remedy.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES).lstrip(b"\xef\xbb\xbf \t\r\n\x1e")
        if head[:1] != b"{" or not GEOJSON.intersection(TYPE.findall(head)):
            raise DataError(json_fault(path, label))
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            for found in CRS.finditer(whole):
                _check_crs(whole[found.end() : found.end() + LONGEST_CRS], label)


def json_fault(path: Path, label: str) -> str:
    """Return what is wrong with a file that is no GeoJSON, with the remedy."""
    if path.stat().st_size <= MOST_EXPLAINED:
        try:
            with path.open(encoding="utf-8-sig") as file:
                json.load(file)
        except UnicodeDecodeError as error:
            return f"{label}: its text is not UTF-8 ({error.reason}); save it as UTF-8"
        except (ValueError, RecursionError) as error:
            why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
            return (
                f"{label}: cannot be read as a map layer, as it is no JSON that can be read "
                f"({why[:LONGEST_FAULT]}); export it again"
            )
    return f"{label}: is JSON, but not GeoJSON; export it as a feature collection"


def _check_crs(text: bytes, label: str) -> None:
    try:
        stated, _ = json.JSONDecoder().raw_decode(text.decode("utf-8", errors="replace"))
    except (ValueError, RecursionError) as error:
        msg = f"{label}: its crs cannot be read; export it again, in degrees (EPSG:4326)"
        raise DataError(msg) from error
    properties = stated.get("properties")
    name = properties.get("name") if isinstance(properties, dict) else None
    if _is_named(stated, name):
        return
    msg = (
        f"{label}: tells its reference system by {str(stated.get('type'))[:40]!r}, which is not "
        "followed; export it with the system's name, such as EPSG:4326"
    )
    raise DataError(msg)


def _is_named(options: dict[str, Any], name: Any) -> bool:
    """Return whether a crs is a bare name, or no crs at all but a property that is called so."""
    if "type" not in {key.lower() for key in options}:
        return True
    kinds = [value for key, value in options.items() if key.lower() == "type"]
    if kinds == ["EPSG"]:
        return True
    return kinds == ["name"] and isinstance(name, str) and bool(NAMED.fullmatch(name.strip()))


def check_kml(path: Path, label: str) -> None:
    """Refuse KML that declares entities or a document type, which no export of a layer does.

    Raises
    ------
    DataError
        With the remedy.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        for word in (b"<!DOCTYPE", b"<!ENTITY", b"<!doctype", b"<!entity"):
            if whole.find(word) >= 0:
                msg = f"{label}: declares a document type, which is not followed; export it again"
                raise DataError(msg)


NAME = r"""(?:"(?:[^"]|"")*"|'(?:[^']|'')*'|\[[^\]]*\]|`[^`]*`|\w+)"""
RTREE = re.compile(
    rf"\s*create\s+virtual\s+table\s+(?:if\s+not\s+exists\s+)?{NAME}\s+using\s+rtree\s*\(", re.I
)
VIRTUAL = re.compile(r"\s*create\s+virtual\b", re.I)
# Views of the geometry columns that GDAL wrote in the first years; it does not read them.
OLD_VIEWS = {"spatial_ref_sys", "st_spatial_ref_sys", "geometry_columns", "st_geometry_columns"}
SYSTEM = re.compile(r"\s*(?:undefined|unknown|[A-Za-z_]+\s*\[|(?:EPSG|ESRI|OGC):\w+|\{|\Z)", re.I)
MOST_LAYERS = 1_000
READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_PRAGMA}


def check_geopackage(path: Path, label: str) -> None:
    """Refuse an SQLite file whose layers are not plain tables.

    Raises
    ------
    DataError
        With what was found and the remedy.
    """
    # With changes that are not written into the file yet, those count as well.
    waiting = path.resolve().with_name(f"{path.resolve().name}-wal").exists()
    address = f"file:{quote(str(path))}?mode=ro{'' if waiting else '&immutable=1'}"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.set_authorizer(_only_reading)
            fault = _fault(connection)
    except (sqlite3.Error, UnicodeDecodeError, OverflowError) as error:
        msg = f"{label}: cannot be read as a map layer ({error}); export it again"
        raise DataError(msg) from error
    if fault:
        msg = f"{label}: {fault}"
        raise DataError(msg)


def _only_reading(action: int, *_: object) -> int:
    return sqlite3.SQLITE_OK if action in READING else sqlite3.SQLITE_DENY


def _fault(connection: sqlite3.Connection) -> str:
    made = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    tables = {str(name).lower() for kind, name, _ in made if kind == "table"}
    views = {str(name).lower() for kind, name, _ in made if kind == "view"} - OLD_VIEWS
    for _, name, sql in made:
        if VIRTUAL.match(str(sql or "")) and not RTREE.match(str(sql)):
            return (
                f"its table {str(name)[:60]!r} is virtual and is not read; export its rows as a "
                "table of their own"
            )
    if views:
        return (
            f"its view {min(views)[:60]!r} is not read; save what it shows as a table, and leave "
            "the view out"
        )
    if "gpkg_contents" not in tables:
        return "is an SQLite database, but no GeoPackage; export it as GeoPackage or CSV"
    names = connection.execute(
        "SELECT table_name FROM gpkg_contents LIMIT ?", (MOST_LAYERS + 1,)
    ).fetchall()
    if len(names) > MOST_LAYERS:
        return f"holds more than {MOST_LAYERS:,} layers; export the one that is needed"
    for table in sorted({str(name) for (name,) in names} | {"gpkg_contents"}):
        quoted = table.replace('"', '""')
        columns = connection.execute(f'PRAGMA table_xinfo("{quoted}")').fetchall()
        computed = [str(column[1]) for column in columns if column[6] in (2, 3)]
        if computed:
            return (
                f"column {computed[0][:60]!r} of {table[:60]!r} is computed when it is read; "
                "export it with plain columns"
            )
    return _system_fault(connection) if "gpkg_spatial_ref_sys" in tables else ""


def _system_fault(connection: sqlite3.Connection) -> str:
    """Return what is wrong with the reference systems: they are texts, never addresses or paths."""
    rows = connection.execute("SELECT definition FROM gpkg_spatial_ref_sys")
    for (text,) in rows:
        if text is not None and not SYSTEM.match(str(text)):
            return (
                f"a reference system is told as {str(text)[:40]!r}, which is no definition; export "
                "it again"
            )
    return ""


VALUE_BYTES = 8  # of a number, or of the reference to a text, in a frame
ROWS_AT_ONCE = 8_192
MOST_COLUMNS = 10_000
FAULTS = (ValueError, OSError, KeyError, TypeError, RecursionError, pa.ArrowException)


def read_parquet(path: Path, label: str) -> pd.DataFrame:
    """Read GeoParquet, or Parquet without a geometry, no larger than any export of a map layer.

    Raises
    ------
    DataError
        If it is no Parquet, or too large when unpacked.
    """
    try:
        check_parquet(path, label)
        if b"geo" not in (pq.read_schema(path).metadata or {}):
            return pd.read_parquet(path)
        return gpd.read_parquet(path)
    except FAULTS as error:
        msg = f"{label}: is not Parquet that can be read ({str(error)[:200]}); export it again"
        raise DataError(msg) from error


def check_parquet(path: Path, label: str, most_bytes: int = DEFAULT_LIMITS.total_bytes) -> None:
    """Refuse a file that unpacks to more than ``most_bytes``.

    What its footer says comes first. That counts packed values, and a text that comes a million
    times is packed once: texts are then read as references into their dictionary and added up.

    Raises
    ------
    DataError
        If it is too large when unpacked.
    """
    with path.open("rb") as handle:
        file = pq.ParquetFile(handle)
        about = file.metadata
        if about.num_columns > MOST_COLUMNS:
            msg = f"{label}: has more than {MOST_COLUMNS:,} columns; export those that are needed"
            raise DataError(msg)
        stated, values = 0, 0
        for number in range(about.num_row_groups):
            group = about.row_group(number)
            stated += group.total_byte_size
            values += sum(group.column(i).num_values for i in range(group.num_columns))
            _require_small(max(stated, values * VALUE_BYTES), path, label, most_bytes)
        texts = [field.name for field in file.schema_arrow if _is_text(field.type)]
        nested = [field.name for field in file.schema_arrow if pa.types.is_nested(field.type)]
        handle.seek(0)
        file = pq.ParquetFile(handle, read_dictionary=texts)
        total = values * VALUE_BYTES
        for columns, rows in ((texts, ROWS_AT_ONCE), (nested, ROWS_AT_ONCE // 64)):
            for batch in file.iter_batches(batch_size=rows, columns=columns) if columns else ():
                total += sum(_unpacked(column) for column in batch.columns)
                _require_small(total, path, label, most_bytes)


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_string(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_dictionary(kind)
    )


def _unpacked(column: Any) -> int:
    """Return how many bytes a column holds when every value is written out."""
    if not pa.types.is_dictionary(column.type) or pa.types.is_primitive(column.type.value_type):
        return int(column.nbytes)
    lengths = pc.binary_length(column.dictionary)
    return int(pc.sum(pc.take(lengths, column.indices)).as_py() or 0)


def _require_small(total: int, path: Path, label: str, most_bytes: int) -> None:
    if total > most_bytes:
        packed = path.stat().st_size
        msg = (
            f"{label}: unpacks to more than {most_bytes / 1e6:,.0f} MB from {packed / 1e6:,.1f} MB,"
            " which no export of a map layer does; export fewer rows or columns"
        )
        raise DataError(msg)


LONGEST_GDAL_FAULT = 200
CLAMPED = (np.iinfo(np.int64).min, np.iinfo(np.int64).max)  # what GDAL makes of larger numbers
CHECKS = {"json": check_geojson, "json-lines": check_geojson, "sqlite": check_geopackage,
          "kml": check_kml}  # fmt: skip


def read_features(source: Path, kind: str, label: str, layer: str | None) -> pd.DataFrame:
    """Read the features of a staged file through the one driver that its format has.

    Raises
    ------
    DataError
        If the file is damaged, not what it says or lacks a companion, or if the layer is not in it.
    """
    if FORMATS[kind].driver is None:
        return read_parquet(source, label)
    _check(source, kind, label)
    try:
        with np.errstate(invalid="ignore"):  # NaN is reported where it is used
            frame = _plain(_read_ogr(source, kind, label, layer), label)
    except DataError:
        if kind.startswith("json"):
            fault = json_fault(source, label)
            if "no JSON" in fault:
                raise DataError(fault) from None
        raise
    if kind == "topojson" and frame.crs is None and _in_degrees(frame):
        return frame.set_crs(4326)  # as of GeoJSON, unless it was projected to be drawn
    return frame


def _in_degrees(frame: gpd.GeoDataFrame) -> bool:
    west, south, east, north = frame.total_bounds
    return bool(west >= -180 and east <= 180 and south >= -90 and north <= 90)


def map_layers(source: Path, kind: str, label: str) -> tuple[str, ...]:
    """Name the layers of a staged file that have a geometry, or all where none has.

    A style that a GIS keeps beside its layer is a table without one.

    Raises
    ------
    DataError
        As :func:`read_features` does.
    """
    if FORMATS[kind].driver is None or kind.startswith("json"):
        return ()
    _check(source, kind, label)
    try:
        found = pyogrio.list_layers(source)
    except (DataSourceError, ValueError, OSError) as error:
        raise _unreadable(label, error) from error
    placed = [str(name) for name, shape in found if shape is not None]
    return tuple(placed or (str(name) for name in found[:, 0]))


def _check(source: Path, kind: str, label: str) -> None:
    """Refuse what GDAL must not see, and drivers that nobody chose."""
    require_few_drivers()
    if kind in CHECKS:
        CHECKS[kind](source, label)


def in_a_system(
    frame: gpd.GeoDataFrame, place: SourcePlace, name: str
) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Return features in the reference system that their file states, or the city file for it.

    Raises
    ------
    DataError
        If no reference system is stated anywhere.
    """
    notes: list[str] = []
    if place.x is not None:
        return frame, notes
    if frame.crs is None:
        if place.crs is None:
            msg = (
                f'{name}: states no reference system; add crs = "EPSG:..." to its section '
                "of the city file"
            )
            raise DataError(msg)
        frame = frame.set_crs(place.crs)
    elif place.crs is not None and frame.crs != place.crs:
        notes.append(f"the file says {frame.crs.to_string()}, the city file {place.crs}: taken")
        frame = frame.set_crs(place.crs, allow_override=True)
    return frame, notes


def require_few_drivers() -> None:
    """Refuse to read with drivers that nobody chose.

    Raises
    ------
    DataError
        If GDAL was loaded before this package, or has drivers that it does not know.
    """
    more = sorted(set(pyogrio.list_drivers()) - DRIVERS)
    if more:
        msg = (
            f"GDAL has drivers that are not allowed ({', '.join(more[:5])}): import geodata before "
            "pyogrio, or name them in the environment variable OGR_SKIP"
        )
        raise DataError(msg)


def _read_ogr(source: Path, kind: str, label: str, layer: str | None) -> gpd.GeoDataFrame:
    try:
        layers = map_layers(source, kind, label)
        if layer is None and len(layers) > 1:
            names = ", ".join(layers)
            msg = f'{label}: holds several layers ({names}); name one with layer = "..."'
            raise DataError(msg)
        if layer is None and layers:
            layer = layers[0]
        driver = pyogrio.read_info(source, layer=layer)["driver"]
        if driver != FORMATS[kind].driver:
            msg = f"{label}: is not {FORMATS[kind].title} as its content says; export it again"
            raise DataError(msg)
        return pyogrio.read_dataframe(source, layer=layer, fid_as_index=False)
    except DataLayerError as error:
        msg = f"{label}: has no layer {layer!r} ({_short(error)})"
        raise DataError(msg) from error
    except (DataSourceError, ValueError, OSError, RecursionError, OverflowError) as error:
        raise _unreadable(label, error) from error


def _unreadable(label: str, error: Exception) -> DataError:
    return DataError(f"{label}: cannot be read as a map layer ({_short(error)}); export it again")


def _short(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text if len(text) <= LONGEST_GDAL_FAULT else f"{text[:LONGEST_GDAL_FAULT]} ..."


def _plain(frame: gpd.GeoDataFrame, label: str) -> gpd.GeoDataFrame:
    """Write values that are JSON themselves as text again: nothing here looks into them.

    Raises
    ------
    DataError
        If one is nested too deeply to be written, or a whole number is too large to be kept.
    """
    for name in frame.columns:
        column = frame[name]
        if column.dtype == np.int64 and column.isin(CLAMPED).any():
            msg = (
                f"{label}: column {str(name)!r} holds whole numbers of more than 64 bits; export "
                "them as text"
            )
            raise DataError(msg)
        if column.dtype != object or not column.map(_is_nested).any():
            continue
        try:
            frame[name] = column.map(_as_text)
        except (RecursionError, TypeError, ValueError) as error:
            msg = f"{label}: values of column {str(name)!r} are nested too deeply; export it flat"
            raise DataError(msg) from error
    return frame


def _is_nested(value: Any) -> bool:
    return isinstance(value, (dict, list))


def _as_text(value: Any) -> Any:
    return json.dumps(value) if _is_nested(value) else value
