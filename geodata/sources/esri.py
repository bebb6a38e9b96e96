"""Shapes of Esri JSON -> GeoJSON.

Rings of a polygon come as one list: clockwise ones are outer rings, the others are holes of the
outer ring that they lie in.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shapely.geometry.base import BaseGeometry


def feature_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Turn one feature of Esri JSON into GeoJSON; a shape that cannot be read is missing.

    >>> feature_of({"attributes": {"n": 1}, "geometry": {"x": 1.5, "y": 2}})["geometry"]
    {'type': 'Point', 'coordinates': [1.5, 2.0]}
    """
    try:
        shape = shape_of(row.get("geometry") or {})
    except (ValueError, TypeError, KeyError, IndexError):
        shape = None
    return {
        "type": "Feature",
        "properties": dict(row.get("attributes") or {}),
        "geometry": None if shape is None else json.loads(shapely.to_geojson(shape)),
    }


def shape_of(told: Mapping[str, Any]) -> BaseGeometry | None:
    """Give the shape that Esri JSON tells, flat; nothing where it tells none.

    Raises
    ------
    ValueError, TypeError, KeyError, IndexError
        If what it tells is no shape.
    """
    shape: BaseGeometry | None = None
    if "x" in told:
        x, y = float(told["x"]), float(told["y"])  # "NaN" is how an empty point is written
        shape = shapely.Point(x, y) if math.isfinite(x) and math.isfinite(y) else None
    elif told.get("points"):
        shape = shapely.MultiPoint(_flat(told["points"]))
    elif told.get("paths"):
        shape = shapely.MultiLineString([_flat(path) for path in told["paths"]])
    elif told.get("rings"):
        shape = _polygons([_flat(ring) for ring in told["rings"]])
    return shape


def _flat(points: Any) -> Any:
    return np.array([point[:2] for point in points], dtype=float)


def _polygons(rings: list[Any]) -> BaseGeometry:
    """Give each hole to the smallest outer ring around it; a hole outside all is a polygon."""
    closed = [shapely.LinearRing(ring) for ring in rings]
    outer = [shapely.Polygon(ring) for ring in closed if not ring.is_ccw]
    holes = [ring for ring in closed if ring.is_ccw]
    inside: dict[int, list[Any]] = {}
    for hole in holes:
        point = shapely.Polygon(hole).representative_point()
        around = [i for i, shell in enumerate(outer) if shell.contains(point)]
        if around:
            inside.setdefault(min(around, key=lambda i: outer[i].area), []).append(hole)
        else:
            outer.append(shapely.Polygon(hole))
    shapes = [shapely.Polygon(shell.exterior, inside.get(i, [])) for i, shell in enumerate(outer)]
    return shapes[0] if len(shapes) == 1 else shapely.MultiPolygon(shapes)
