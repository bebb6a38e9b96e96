"""GeoPackages before GDAL reads them: an SQLite file is a program as much as a table.

A view, a generated column or a virtual table runs what its author wrote when it is read, with the
functions and modules that GDAL brings: reading other files is one of them. A layer must therefore
be a plain table. Triggers only run on writing, and nothing is written.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import quote

from geodata.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

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
