"""Where the places of a file would fall, before anything of it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from geodata.cityfile.tables import DEGREES
from geodata.gathering.placing import CityFrame
from geodata.gathering.records import DEGREES_PAIR
from geodata.readers import read_place

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from geodata.cityfile.tables import Place
    from geodata.store.cities import CityRecord

    Floats = NDArray[np.float64]

MOST_SHOWN = 4_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Sighting:
    """Where rows fall.

    ``rows`` is how many there are; of these ``inside`` fall into a district, ``near`` near the city
    but into none, ``far`` elsewhere and ``missing`` have no place. ``shapes`` are those in or near
    the city, with column ``inside``, ``MOST_SHOWN`` of them at most, taken evenly.
    """

    rows: int
    inside: int
    near: int
    far: int
    missing: int
    shapes: gpd.GeoDataFrame


def frame_of(city: CityRecord) -> CityFrame:
    """Give where a stored city is."""
    return CityFrame(crs=CRS.from_user_input(city.crs), bounds=city.study_area.bounds)


def sight(place: Place, city: CityRecord, *, pair: str | None = None) -> Sighting:
    """Find out where the places of a local file fall.

    Parameters
    ----------
    place
        The file, its columns and its system.
    city
        The stored city.
    pair
        A column that holds "(latitude, longitude)", instead of two columns.

    Raises
    ------
    DataError
        If the file cannot be read or states no system.
    """
    layer, frame = read_place(place), frame_of(city)
    shapes = _shapes(layer.frame, place, frame, pair)
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    bounds = shapely.bounds(shapes)
    x, y = (bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2
    reached = ~missing & frame.near(x, y)
    whole = shapely.union_all(city.districts.geometry.to_numpy())
    shapely.prepare(whole)
    inside = reached & shapely.intersects_xy(whole, x, y)
    shown = np.flatnonzero(reached)
    if len(shown) > MOST_SHOWN:
        shown = shown[np.linspace(0, len(shown) - 1, MOST_SHOWN).astype(int)]
    return Sighting(
        rows=len(shapes),
        inside=int(inside.sum()),
        near=int((reached & ~inside).sum()),
        far=int((~missing & ~reached).sum()),
        missing=int(missing.sum()),
        shapes=gpd.GeoDataFrame({"inside": inside[shown]}, geometry=shapes[shown], crs=city.crs),
    )


def _shapes(
    table: pd.DataFrame, place: Place, frame: CityFrame, pair: str | None
) -> NDArray[np.object_]:
    """Give the shape of each row in the city's reference system, nothing where there is none."""
    if pair is None and place.x is None and isinstance(table, gpd.GeoDataFrame):
        turned = table.geometry.to_crs(frame.crs)
        return np.asarray(shapely.force_2d(np.asarray(turned.array, dtype=object)), dtype=object)
    if pair is not None:
        found = table[pair].astype("string").str.extract(DEGREES_PAIR)
        x, y, crs = _numbers(found[1]), _numbers(found[0]), DEGREES
    elif place.x is not None and place.y is not None:
        x, y = _numbers(table[place.x]), _numbers(table[place.y])
        crs = place.crs or DEGREES
    else:
        return np.full(len(table), None, dtype=object)
    there = np.isfinite(x) & np.isfinite(y) & ~((x == 0) & (y == 0))
    there_x, there_y = frame.transform(x, y, crs)
    points = np.full(len(table), None, dtype=object)
    points[there] = shapely.points(there_x[there], there_y[there])
    return points


def _numbers(column: pd.Series[Any]) -> Floats:
    texts = column.str.strip() if pd.api.types.is_string_dtype(column) else column
    return pd.to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
