"""GeoJSON, Shapefile (zipped too), GeoPackage, GeoParquet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from geodata.errors import DataError
from geodata.formats import DRIVERS, FORMATS
from geodata.readers.geojson import check_geojson, json_fault
from geodata.readers.geopackages import check_geopackage
from geodata.readers.parquets import read_parquet
from geodata.readers.staging import staged

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from geodata.cityfile.tables import Place

LONGEST_FAULT = 200
CLAMPED = (np.iinfo(np.int64).min, np.iinfo(np.int64).max)  # what GDAL makes of larger numbers
CHECKS = {"json": check_geojson, "json-lines": check_geojson, "sqlite": check_geopackage}


def read_features(path: Path, label: str, layer: str | None) -> gpd.GeoDataFrame:
    """Read the features of a file through the one driver that its format has.

    Raises
    ------
    DataError
        If the file is damaged, not what it says or lacks a companion, or if the layer is not in it.
    """
    with staged(path, label) as (source, kind):
        if FORMATS[kind].driver is None:
            return read_parquet(source, label)
        _require_few_drivers()
        if kind in CHECKS:
            CHECKS[kind](source, label)
        try:
            with np.errstate(invalid="ignore"):  # NaN is told where it is used
                return _plain(_read_ogr(source, label, layer), label)
        except DataError:
            if kind.startswith("json"):
                fault = json_fault(source, label)
                if "no JSON" in fault:
                    raise DataError(fault) from None
            raise


def layers_in(path: Path, label: str) -> tuple[str, ...]:
    """Name the layers of a file.

    Raises
    ------
    DataError
        As :func:`read_features` does.
    """
    with staged(path, label) as (source, kind):
        if FORMATS[kind].driver is None:
            return ()
        _require_few_drivers()
        if kind in CHECKS:
            CHECKS[kind](source, label)
        try:
            return tuple(str(name) for name in pyogrio.list_layers(source)[:, 0])
        except (DataSourceError, ValueError, OSError) as error:
            raise _unreadable(label, error) from error


def in_a_system(
    frame: pd.DataFrame | gpd.GeoDataFrame, place: Place, name: str
) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Give features the reference system that their file states, or the city file for it.

    Raises
    ------
    DataError
        If no reference system is stated anywhere.
    """
    notes: list[str] = []
    if not isinstance(frame, gpd.GeoDataFrame):
        if place.x is None:
            msg = f"{name}: has no geometry; name its x and y columns in the city file"
            raise DataError(msg)
        return gpd.GeoDataFrame(frame), notes
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


def _require_few_drivers() -> None:
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


def _read_ogr(source: Path, label: str, layer: str | None) -> gpd.GeoDataFrame:
    try:
        if layer is not None:
            return pyogrio.read_dataframe(source, layer=layer, fid_as_index=False)
        layers = pyogrio.list_layers(source)
        if len(layers) > 1:
            names = ", ".join(str(name) for name in layers[:, 0])
            msg = f'{label}: holds several layers ({names}); name one with layer = "..."'
            raise DataError(msg)
        return pyogrio.read_dataframe(source)
    except DataLayerError as error:
        msg = f"{label}: has no layer {layer!r} ({_short(error)})"
        raise DataError(msg) from error
    except (DataSourceError, ValueError, OSError, RecursionError, OverflowError) as error:
        raise _unreadable(label, error) from error


def _unreadable(label: str, error: Exception) -> DataError:
    return DataError(f"{label}: cannot be read as a map layer ({_short(error)}); export it again")


def _short(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text if len(text) <= LONGEST_FAULT else f"{text[:LONGEST_FAULT]} ..."


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
