"""What somebody drew on a map or typed as GeoJSON -> a checked shape in a city's system."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import shapely
from pyproj import Transformer

from geodata.errors import DataError

MOST_CORNERS = 2_000
REMEDY = "draw it on the map, or copy the example"


def read_shape(text: str, wanted: str, crs: Any) -> Any:
    """Read a shape in degrees and give it in a projected system.

    Parameters
    ----------
    text
        GeoJSON (RFC 7946): a geometry, a feature, or a collection of one feature.
    wanted
        ``Polygon`` or ``LineString``.
    crs
        The system to give it in.

    Raises
    ------
    DataError
        If it is no such shape, lies nowhere on earth, or has too many corners.
    """
    geometry = _geometry(_parsed(text))
    kind = geometry.get("type")
    if kind != wanted:
        msg = f"this step takes a {wanted}, not a {kind!r:.40}; {REMEDY}"
        raise DataError(msg)
    points = geometry.get("coordinates")
    rings = points if wanted == "Polygon" else [points]
    if not isinstance(rings, list) or not rings:
        msg = f"the shape has no coordinates; {REMEDY}"
        raise DataError(msg)
    turn = Transformer.from_crs(4326, crs, always_xy=True)
    turned = [_turned(ring, turn) for ring in rings]
    try:
        if wanted == "LineString":
            return shapely.LineString(turned[0])
        return shapely.Polygon(turned[0], turned[1:])
    except ValueError as error:
        msg = f"a {wanted} cannot be made of these corners ({error}); {REMEDY}"
        raise DataError(msg) from error


def _parsed(text: str) -> Any:
    if not text.strip():
        msg = "nothing is drawn yet: draw on the map, or type the shape as GeoJSON"
        raise DataError(msg)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"this is no GeoJSON; {REMEDY}"
        raise DataError(msg) from error


def _geometry(told: Any) -> dict[str, Any]:
    """Find the one geometry."""
    if isinstance(told, dict) and told.get("type") == "FeatureCollection":
        features = told.get("features")
        if not isinstance(features, list) or len(features) != 1:
            msg = f"one shape is wanted, not a collection of several; {REMEDY}"
            raise DataError(msg)
        told = features[0]
    if isinstance(told, dict) and told.get("type") == "Feature":
        told = told.get("geometry")
    if not isinstance(told, dict):
        msg = f"this is no GeoJSON geometry; {REMEDY}"
        raise DataError(msg)
    return told


def _turned(ring: Any, turn: Transformer) -> Any:
    if not isinstance(ring, list) or not 2 <= len(ring) <= MOST_CORNERS:
        msg = f"a shape has 2 to {MOST_CORNERS:,} corners; {REMEDY}"
        raise DataError(msg)
    corners = np.array([_corner(corner) for corner in ring], dtype=np.float64)
    x, y = turn.transform(corners[:, 0], corners[:, 1])
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        msg = "the shape lies where the city's reference system cannot be used; draw it in the city"
        raise DataError(msg)
    return np.column_stack([x, y])


def _corner(corner: Any) -> tuple[float, float]:
    good = isinstance(corner, list) and len(corner) >= 2
    pair = corner[:2] if good else []
    if good and all(isinstance(v, int | float) and not isinstance(v, bool) for v in pair):
        lon, lat = pair
        if abs(lon) <= 180 and abs(lat) <= 90 and math.isfinite(lon) and math.isfinite(lat):
            return float(lon), float(lat)
    msg = f"corners are pairs of degrees, longitude first, not {corner!r:.60}"
    raise DataError(msg)
