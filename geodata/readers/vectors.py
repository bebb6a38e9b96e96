"""GeoJSON, Shapefile (zipped too), GeoPackage, GeoParquet."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import geopandas as gpd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from geodata.archives import check_archive
from geodata.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from geodata.cityfile.tables import Place

COMPANIONS = (".shx", ".dbf")


def read_vector(path: Path, place: Place) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Read features with the reference system that the file states, or the city file for it.

    Raises
    ------
    DataError
        If the file is damaged or lacks a companion, if the layer is not in it, or if no reference
        system is stated anywhere.
    """
    notes: list[str] = []
    if path.suffix.lower() in (".parquet", ".geoparquet"):
        frame = _read_parquet(path)
    else:
        frame = _read_ogr(path, place)
    if not isinstance(frame, gpd.GeoDataFrame):
        if place.x is None:
            msg = f"{path.name}: has no geometry; name its x and y columns in the city file"
            raise DataError(msg)
        return gpd.GeoDataFrame(frame), notes
    if place.x is not None:
        return frame, notes
    if frame.crs is None:
        if place.crs is None:
            msg = (
                f'{path.name}: states no reference system; add crs = "EPSG:..." to its section '
                "of the city file"
            )
            raise DataError(msg)
        frame = frame.set_crs(place.crs)
    elif place.crs is not None and frame.crs != place.crs:
        notes.append(f"the file says {frame.crs.to_string()}, the city file {place.crs}: taken")
        frame = frame.set_crs(place.crs, allow_override=True)
    return frame, notes


def _read_parquet(path: Path) -> gpd.GeoDataFrame:
    try:
        return gpd.read_parquet(path)
    except (ValueError, OSError) as error:
        msg = f"{path.name}: is not GeoParquet ({error}); export it with its geometry"
        raise DataError(msg) from error


def _read_ogr(path: Path, place: Place) -> gpd.GeoDataFrame:
    source: str | Path = path
    if path.suffix.lower() == ".zip":
        check_archive(path, path.name)
        source = f"/vsizip/{path}/{layer_in_zip(path, path.name)}"
    elif path.suffix.lower() == ".shp":
        for ending in COMPANIONS:
            if not any(path.with_suffix(case).is_file() for case in (ending, ending.upper())):
                msg = f"{path.name}: its companion {path.stem}{ending} is missing; copy all parts"
                raise DataError(msg)
    try:
        if place.layer is not None:
            return pyogrio.read_dataframe(source, layer=place.layer, fid_as_index=False)
        layers = pyogrio.list_layers(source)
        if len(layers) > 1:
            names = ", ".join(str(name) for name in layers[:, 0])
            msg = f'{path.name}: holds several layers ({names}); name one with layer = "..."'
            raise DataError(msg)
        return pyogrio.read_dataframe(source)
    except DataLayerError as error:
        msg = f"{path.name}: has no layer {place.layer!r} ({error})"
        raise DataError(msg) from error
    except (DataSourceError, ValueError, OSError) as error:
        msg = f"{path.name}: cannot be read as a map layer ({error}); export it again"
        raise DataError(msg) from error


def layer_in_zip(path: Path, label: str) -> str:
    """Name the one map layer of a zip archive.

    Raises
    ------
    DataError
        If the archive is damaged, holds none or several, or lacks a part of a shapefile.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile as error:
        msg = f"{label}: the zip archive is damaged; export it again"
        raise DataError(msg) from error
    found = [n for n in names if n.lower().endswith((".shp", ".geojson", ".json", ".gpkg"))]
    if len(found) != 1:
        what = "no map layer" if not found else f"{len(found)} map layers ({', '.join(found[:5])})"
        msg = f"{label}: the archive holds {what}; put exactly one shapefile into it"
        raise DataError(msg)
    if found[0].lower().endswith(".shp"):
        stem = found[0][:-4].lower()
        for ending in COMPANIONS:
            if stem + ending not in [name.lower() for name in names]:
                msg = f"{label}: {found[0]} lacks its {ending} part; zip all parts together"
                raise DataError(msg)
    return found[0]
