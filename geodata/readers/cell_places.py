"""One column that holds places -> shapes: "(lat, lon)", WKT, WKB in hex, GeoJSON, Socrata's words.

A pair has the latitude first, as portals write it; WKT, WKB and GeoJSON have x first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBER = r"(-?\d{1,3}(?:\.\d{1,20})?)"
PAIR = rf"^(?:\( ?)?{NUMBER}(?: ?[,;] ?| ){NUMBER}(?: ?\))?$"
LAST_PAIR = (
    rf"\( ?{NUMBER}(?: ?[,;] ?| ){NUMBER} ?\)$"  # below an address, as older portals have it
)
ENDS_WITH_PAIR = r"\( ?-?\d{1,3}(?:\.\d{1,20})?(?: ?[,;] ?| )-?\d{1,3}(?:\.\d{1,20})? ?\)$"
LATITUDE = rf"latitude['\"]? ?: ?['\"]?{NUMBER}"  # as Socrata writes places in CSV
LONGITUDE = rf"longitude['\"]? ?: ?['\"]?{NUMBER}"
SRID = r"^SRID=(\d{3,6});"
WKT = r"^(?:SRID=\d{3,6};)? ?(?:MULTI)?(?:POINT|LINESTRING|POLYGON) ?(?:Z|M|ZM)? ?\("
HEX = r"^(?:\\x)?[0-9A-Fa-f]{42,}$"
MOSTLY = 0.9
DEGREES = "EPSG:4326"


def holds_places(column: pd.Series[Any]) -> bool:
    """Tell whether most values of a column say a place by themselves, beyond two bare numbers."""
    texts = _texts(column)
    texts = texts[texts != ""]
    if not len(texts):
        return False
    sure = (
        texts.str.match(WKT, case=False)
        | texts.str.match(HEX)
        | texts.str.contains(ENDS_WITH_PAIR, regex=True)
        | texts.str.startswith('{"type":')
        | texts.str.contains("latitude", regex=False) & texts.str.contains("longitude", regex=False)
    )
    return bool(sure.mean() >= MOSTLY)


def read_places(column: pd.Series[Any]) -> tuple[NDArray[np.object_], int | None]:
    """Return the shape that each value says, nothing where it says none, and the EPSG code stated.

    Without a code, places are in degrees or in the system that the city file states.
    """
    shapes = np.full(len(column), None, dtype=object)
    if column.map(lambda value: isinstance(value, bytes)).any():
        found = [value if isinstance(value, bytes) else None for value in column]
        shapes[:] = shapely.from_wkb(np.array(found, dtype=object), on_invalid="ignore")
        return shapes, _srid(shapes)
    texts = _texts(column)
    codes = pd.to_numeric(texts.str.extract(SRID, expand=False)).dropna().unique()
    plain = texts.str.replace(SRID, "", regex=True)
    wkt = plain.str.match(WKT, case=False).to_numpy(dtype=bool)
    if wkt.any():
        shapes[wkt] = shapely.from_wkt(plain[wkt].to_numpy(dtype=object), on_invalid="ignore")
    packed = texts.str.match(HEX).to_numpy(dtype=bool)
    if packed.any():
        bare = texts[packed].str.replace("\\x", "", regex=False).to_numpy(dtype=object)
        shapes[packed] = shapely.from_wkb(bare, on_invalid="ignore")
    marked = texts.str.startswith('{"').to_numpy(dtype=bool) & texts.str.contains('"coordinates"')
    if marked.any():
        json = texts[marked].to_numpy(dtype=object)
        shapes[np.asarray(marked)] = shapely.from_geojson(json, on_invalid="ignore")
    left = shapely.is_missing(shapes)
    rest = texts.where(left, "").str.replace(r"\s+", " ", regex=True)
    named = pd.concat(
        [rest.str.extract(LATITUDE, expand=False), rest.str.extract(LONGITUDE, expand=False)],
        axis=1,
    )
    for pair in (rest.str.extract(PAIR), rest.str.extract(LAST_PAIR), named):
        values = pair.astype(float).to_numpy(dtype=float)
        rows = np.isfinite(values).all(axis=1) & left
        shapes[rows] = shapely.points(values[rows, 1], values[rows, 0])
        left &= ~rows
    return shapes, int(codes[0]) if len(codes) == 1 else _srid(shapes)


def with_places(frame: pd.DataFrame, column: str, crs: str | None) -> gpd.GeoDataFrame:
    """Return rows with the shapes that a column says; the column stays.

    Raises
    ------
    DataError
        If no value says a place.
    """
    shapes, code = read_places(frame[column])
    if len(frame) and shapely.is_missing(shapes).all():
        first = next((text for text in _texts(frame[column]) if text), "nothing")
        msg = (
            f"column {column!r} says no place (it has {first[:60]!r}); write it as "
            '"(latitude, longitude)" or as "POINT (x y)"'
        )
        raise DataError(msg)
    system = crs or (f"EPSG:{code}" if code else DEGREES)
    return gpd.GeoDataFrame(pd.DataFrame(frame), geometry=shapes, crs=system)


def find_place_column(frame: pd.DataFrame) -> str | None:
    """Name the one column that says places; nothing where there are none or several."""
    found = [str(name) for name in frame.columns if holds_places(frame[name].head(500))]
    return found[0] if len(found) == 1 else None


def _texts(column: pd.Series[Any]) -> pd.Series[Any]:
    return column.astype("string").fillna("").str.strip().str.replace("°", "", regex=False)


def _srid(shapes: NDArray[np.object_]) -> int | None:
    there = shapes[~shapely.is_missing(shapes)]
    codes = {int(code) for code in shapely.get_srid(there) if code > 0}
    return codes.pop() if len(codes) == 1 else None
