"""One geometry type for both databases: WKB on SQLite, ``geometry`` on PostGIS.

Values in Python are Shapely geometries. Bounding-box queries go through :func:`meets_box`, which
uses an R*Tree on SQLite and the GiST index on PostGIS; the migrations make both. Both keep boxes as
32-bit numbers rounded outward, so a shape a hand's breadth outside the box may be let in.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import shapely
from shapely.errors import ShapelyError
from sqlalchemy import Boolean, ColumnElement, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import UserDefinedType

from geodata.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Dialect
    from sqlalchemy.orm import InstrumentedAttribute

Bounds = tuple[float, float, float, float]


def known_fault(error: Exception, work: str) -> DataError | None:
    """Return the ``DataError`` that stands for a failed geometry operation, none for other errors.

    Parameters
    ----------
    error
        What was raised.
    work
        The file that was read or the work that was done; it begins the message.
    """
    if not isinstance(error, ShapelyError):
        return None
    cause = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return DataError(
        f"{work}: a shape cannot be worked with ({cause}); repair the shapes of districts and "
        "layers (a GIS program calls it 'fix geometries') and import them again"
    )


@contextmanager
def geometry_faults(work: str) -> Iterator[None]:
    """Raise ``DataError`` for a geometry operation that fails; ``work`` begins its message."""
    try:
        yield
    except ShapelyError as error:
        raise known_fault(error, work) or error from error


class Geometry(UserDefinedType[Any]):
    """A Shapely geometry, whole and exact."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Name the column type; SQLite takes any name and stores the bytes."""
        return "geometry"

    def bind_processor(self, dialect: Dialect) -> Any:
        """Turn a geometry into what the driver takes."""
        if dialect.name == "postgresql":
            return lambda value: (
                None if value is None else shapely.to_wkb(value, hex=True, include_srid=True)
            )
        return lambda value: None if value is None else shapely.to_wkb(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:  # noqa: ARG002
        """Turn the driver's value back; PostGIS answers in hexadecimal."""
        return lambda value: None if value is None else shapely.from_wkb(value)


class _MeetsBox(ColumnElement[bool]):
    """Whether a shape's box meets a box."""

    inherit_cache = False
    type = Boolean()

    def __init__(self, column: InstrumentedAttribute[Any], bounds: Bounds) -> None:
        self.column = column
        self.bounds = [literal(float(edge)) for edge in bounds]


def meets_box(column: InstrumentedAttribute[Any], bounds: Bounds) -> ColumnElement[bool]:
    """Ask whether a shape's bounding box meets a box, through the index of either database.

    Parameters
    ----------
    column
        A geometry column of a table that has a box index (see the migrations).
    bounds
        West, south, east and north, in the reference system of the shapes requested.
    """
    return _MeetsBox(column, bounds)


@compiles(_MeetsBox, "postgresql")
def _on_postgis(element: _MeetsBox, compiler: Any, **kw: Any) -> str:
    column = compiler.process(element.column.__clause_element__(), **kw)
    west, south, east, north = (compiler.process(edge, **kw) for edge in element.bounds)
    return f"{column} && ST_MakeEnvelope({west}, {south}, {east}, {north})"


@compiles(_MeetsBox, "sqlite")
def _on_sqlite(element: _MeetsBox, compiler: Any, **kw: Any) -> str:
    table = element.column.class_.__tablename__
    west, south, east, north = (compiler.process(edge, **kw) for edge in element.bounds)
    meets = f"west <= {east} AND east >= {west} AND south <= {north} AND north >= {south}"
    return f"{table}.id IN (SELECT id FROM {table}_box WHERE {meets})"  # noqa: S608 - names are ours
