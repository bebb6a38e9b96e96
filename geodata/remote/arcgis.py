"""Shapes of Esri JSON -> GeoJSON.

Rings of a polygon come as one list: clockwise ones are outer rings, the others are holes of the
outer ring that they lie in.

Features of many pages into one GeoJSON file, as they come.

Layers of ArcGIS feature and map services, page by page.

A layer tells how many rows one answer may hold (``maxRecordCount``) and whether it can start at an
offset; one that cannot is requested its object ids, and then for rows by ids. A service tells its
errors inside answers that say 200. Places are requested in degrees (``outSR=4326``).
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import numpy as np
import shapely

from geodata.errors import DataError
from geodata.remote.http import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from shapely.geometry.base import BaseGeometry

    from geodata.remote.http import Web


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


def shape_of(document: Mapping[str, Any]) -> BaseGeometry | None:
    """Return the shape that Esri JSON tells, flat; nothing where it tells none.

    Raises
    ------
    ValueError, TypeError, KeyError, IndexError
        If what it tells is no shape.
    """
    shape: BaseGeometry | None = None
    if "x" in document:
        x, y = float(document["x"]), float(document["y"])  # "NaN" is how an empty point is written
        shape = shapely.Point(x, y) if math.isfinite(x) and math.isfinite(y) else None
    elif document.get("points"):
        shape = shapely.MultiPoint(_flat(document["points"]))
    elif document.get("paths"):
        shape = shapely.MultiLineString([_flat(path) for path in document["paths"]])
    elif document.get("rings"):
        shape = _polygons([_flat(ring) for ring in document["rings"]])
    return shape


def _flat(points: Any) -> Any:
    return np.array([point[:2] for point in points], dtype=float)


def _polygons(rings: list[Any]) -> BaseGeometry:
    """Return each hole to the smallest outer ring around it; a hole outside all is a polygon."""
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


class FeatureFile:
    """Writes features one after another; ``count`` is how many."""

    def __init__(self, path: Path, label: str, most_bytes: int) -> None:
        self.path, self.label, self.most = path, label, most_bytes
        self.count = 0
        self._size = 0
        self._file = path.open("w", encoding="utf-8")

    def __enter__(self) -> Self:
        self._write('{"type": "FeatureCollection", "features": [')
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._write("\n]}\n")
        self._file.close()
        if kind is not None:
            self.path.unlink(missing_ok=True)

    def add(self, features: Iterable[Any]) -> int:
        """Write features and tell how many.

        Raises
        ------
        DataError
            If one is no feature, or the file grows too long.
        """
        before = self.count
        for feature in features:
            if not isinstance(feature, dict) or not isinstance(feature.get("properties"), dict):
                msg = f"{self.label}: the service answers with something that is no feature"
                raise DataError(msg)
            plain = {
                "type": "Feature",
                "properties": feature["properties"],
                "geometry": feature.get("geometry"),
            }
            self._write((",\n" if self.count else "\n") + json.dumps(plain, ensure_ascii=False))
            self.count += 1
        return self.count - before

    def _write(self, text: str) -> None:
        self._size += len(text)
        if self._size > self.most:
            msg = (
                f"{self.label}: holds more than {self.most / 1e6:,.0f} MB; ask for fewer rows with "
                "a where in its address"
            )
            raise DataError(msg)
        self._file.write(text)


LAYER = re.compile(r"(?P<layer>.*/(?:FeatureServer|MapServer)/\d+)(?:/query)?/?", re.IGNORECASE)
SERVICE = re.compile(r".*/(?:FeatureServer|MapServer)/?", re.IGNORECASE)
OURS = {
    "f", "outsr", "resultoffset", "resultrecordcount", "returncountonly", "returnidsonly",
    "objectids", "orderbyfields", "returngeometry",
}  # fmt: skip
MOST_AT_ONCE = 2_000
IDS_AT_ONCE = 100  # an address with more ids may be too long for a server
MOST_PAGES = 100_000


def is_arcgis(url: str) -> bool:
    """Return whether an address is one of an ArcGIS service."""
    path = urlsplit(url).path
    return bool(LAYER.fullmatch(path) or SERVICE.fullmatch(path))


@dataclass(frozen=True, kw_only=True, eq=False)
class ArcGisLayer:
    """One layer and what it says of itself."""

    web: Web
    label: str
    url: str
    asked: Mapping[str, str]  # parameters of whoever wrote the address, such as a where
    about: Mapping[str, Any]

    @classmethod
    def open(cls, web: Web, url: str, label: str) -> ArcGisLayer:
        """Ask a layer what it is.

        Raises
        ------
        DataError
            If it cannot be reached, names no layer, or cannot be queried.
        """
        parts = urlsplit(url)
        found = LAYER.fullmatch(parts.path)
        if found is None:
            msg = f"{label}: names a service, not a layer of it; add its number, as in .../0"
            raise DataError(msg)
        base = urlunsplit((parts.scheme, parts.netloc, found["layer"], "", ""))
        query = {k: v for k, v in parse_qsl(parts.query) if k.lower() not in OURS}
        about = _ask(web, label, base, {**_token(query), "f": "json"})
        if "query" not in str(about.get("capabilities", "Query")).lower():
            msg = f"{label}: the layer does not let itself be queried; ask its owner for a download"
            raise DataError(msg)
        return cls(web=web, label=label, url=base, asked=query, about=about)

    def save(self, file: FeatureFile) -> list[str]:
        """Write every row to a file; give what is worth a note.

        Raises
        ------
        DataError
            If rows are missing or come twice, or the service tells an error.
        """
        expected = self.count()
        pages = self._by_offset(expected) if self._can_page() else self._by_ids()
        for page in pages:
            file.add(page)
        if file.count != expected:
            msg = (
                f"{self.label}: the service counts {expected} rows and gave {file.count}; it may "
                "have changed meanwhile: try again"
            )
            raise DataError(msg)
        name = plain(self.about.get("name") or "layer")
        return [f"ArcGIS layer {name!r}: {expected} rows"]

    def count(self) -> int:
        """Return the number of rows that the layer counts."""
        found = self._query({"returnCountOnly": "true", "f": "json"}).get("count")
        if not isinstance(found, int):
            msg = f"{self.label}: the service does not tell how many rows it has"
            raise DataError(msg)
        return found

    def _can_page(self) -> bool:
        advanced = self.about.get("advancedQueryCapabilities") or {}
        result = advanced.get("supportsPagination", self.about.get("supportsPagination"))
        return result is True

    def _by_offset(self, expected: int) -> Iterator[list[Any]]:
        """Ask from an offset until the service has no more."""
        key, offset = self._key(), 0
        for _ in range(MOST_PAGES):
            page, more = self._page(
                {
                    "resultOffset": str(offset),
                    "resultRecordCount": str(self._at_once()),
                    **({"orderByFields": key} if key else {}),
                }
            )
            yield page
            offset += len(page)
            if not page or not (more or offset < expected):
                return

    def _by_ids(self) -> Iterator[list[Any]]:
        """Ask for the ids of all rows, then for rows by ids."""
        ids = self._query({"returnIdsOnly": "true", "f": "json"}).get("objectIds") or []
        if not all(isinstance(one, int) for one in ids):
            msg = f"{self.label}: the service tells ids that are no whole numbers"
            raise DataError(msg)
        step = min(IDS_AT_ONCE, self._at_once())
        for start in range(0, len(ids), step):
            some = sorted(ids)[start : start + step]
            page, more = self._page({"objectIds": ",".join(map(str, some))})
            if more or len(page) != len(some):
                msg = f"{self.label}: asked for {len(some)} rows by id, {len(page)} came; try again"
                raise DataError(msg)
            yield page

    def _page(self, extra: Mapping[str, str]) -> tuple[list[Any], bool]:
        """Ask for one page; tell whether the service has more than it gave."""
        formats = str(self.about.get("supportedQueryFormats", "")).lower()
        as_geojson = "geojson" in formats
        answer = self._query({"f": "geojson" if as_geojson else "json", "outSR": "4326", **extra})
        rows = answer.get("features")
        if not isinstance(rows, list):
            msg = f"{self.label}: the service answers without features"
            raise DataError(msg)
        more = answer.get("exceededTransferLimit") or (answer.get("properties") or {}).get(
            "exceededTransferLimit"
        )
        return (rows if as_geojson else [feature_of(row) for row in rows]), more is True

    def _at_once(self) -> int:
        result = self.about.get("maxRecordCount")
        return min(result, MOST_AT_ONCE) if isinstance(result, int) and result > 0 else MOST_AT_ONCE

    def _key(self) -> str:
        """Name the column of object ids, by which pages are put in a fixed order."""
        named = self.about.get("objectIdField") or self.about.get("objectIdFieldName")
        if isinstance(named, str):
            return named
        fields = self.about.get("fields") or []
        return next((f["name"] for f in fields if f.get("type") == "esriFieldTypeOID"), "")

    def _query(self, extra: Mapping[str, str]) -> dict[str, Any]:
        query = {"where": "1=1", "outFields": "*", **self.asked, **extra}
        return _ask(self.web, self.label, f"{self.url}/query", query)


def _ask(web: Web, label: str, url: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Ask and give the answer, unless it is an error that says 200."""
    answer = web.read_json(f"{url}?{urlencode(query)}", label, {})
    if not isinstance(answer, dict):
        msg = f"{label}: the service answers with something that is no object"
        raise DataError(msg)
    error = answer.get("error")
    if error:
        result = error if isinstance(error, dict) else {"message": error}
        details = "; ".join(map(str, result.get("details") or []))
        stated = plain(f"{result.get('code', '')} {result.get('message', '')} {details}")
        msg = f"{label}: the service refuses: {stated}; check the address, its where and its token"
        raise DataError(msg)
    return answer


def _token(query: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in query.items() if name.lower() == "token"}


def save_arcgis(web: Web, url: str, label: str, file: FeatureFile) -> list[str]:
    """Write all rows of a layer to a file; give what is worth a note."""
    return ArcGisLayer.open(web, url, label).save(file)
