"""One geometry type for both databases: WKB on SQLite, ``geometry`` on PostGIS.

Values in Python are Shapely geometries. Bounding-box queries go through :func:`meets_box`, which
uses an R*Tree on SQLite and the GiST index on PostGIS; the migrations make both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely
from sqlalchemy.types import UserDefinedType

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect


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
