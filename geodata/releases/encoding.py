"""Values -> bytes that are always the same: CSV, JSON and GeoJSON without clock or chance."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import shapely

from geodata.documents import from_json, to_json
from geodata.errors import BrokenReleaseError
from geodata.spreadsheets import inert

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import geopandas as gpd

_T = TypeVar("_T")
DECIMALS = 6  # of numbers; of degrees that is about a decimetre


def number(value: Any) -> float | int | None:
    """Round a number; whole ones become whole, NaN becomes nothing.

    >>> number(3.0), number(0.12345678), number(float("nan")), number(-0.0)
    (3, 0.123457, None, 0)
    """
    if value is None or not math.isfinite(value):
        return None
    rounded = round(float(value), DECIMALS)
    return int(rounded) if rounded.is_integer() else rounded


def csv_bytes(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> bytes:
    """Write a table; missing values are empty, and no text is a formula.

    Raises
    ------
    ValueError
        If a row has another column.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: inert(value) for name, value in row.items()} for row in rows)
    return text.getvalue().encode()


def json_bytes(document: Any) -> bytes:
    """Write a document as people can read it, keys in the order given."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)
    return f"{text}\n".encode()


def document_bytes(kind: type[_T] | Any, document: _T) -> bytes:
    """Write a document of a class, its fields in the order of the class."""
    return json_bytes(to_json(document, kind))


def read_document(kind: type[_T], content: bytes, name: str) -> _T:
    """Read a document that :func:`document_bytes` wrote.

    Raises
    ------
    BrokenReleaseError
        If it has not the fields of the class: another version of this software wrote it.
    """
    remedy = "draft and approve a new release"
    return from_json(kind, content, name, remedy, BrokenReleaseError)


def canonical(document: Any) -> bytes:
    """Write a document in the one form that digests are taken of."""
    return json.dumps(
        document, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    ).encode()


def digest(content: bytes) -> str:
    """Return the SHA-256 in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def geojson_bytes(shapes: gpd.GeoSeries, properties: Sequence[Mapping[str, object]]) -> bytes:
    """Write shapes by RFC 7946: degrees, right-hand rings, one feature a line."""
    degrees = np.asarray(shapes.to_crs(4326).array, dtype=object)
    rounded = shapely.transform(degrees, lambda xy: np.round(xy, DECIMALS) + 0.0)
    features = [
        json.dumps(
            {"type": "Feature", "properties": result, "geometry": json.loads(shape)},
            ensure_ascii=False,
            allow_nan=False,
            separators=(",", ":"),
        )
        for shape, result in zip(
            shapely.to_geojson(shapely.orient_polygons(rounded)), properties, strict=True
        )
    ]
    body = ",\n".join(features)
    return f'{{"type":"FeatureCollection","features":[\n{body}\n]}}\n'.encode()
