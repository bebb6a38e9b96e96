"""The map files of a release as layers of one GeoPackage, the same bytes every time."""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pyogrio
import shapely
from shapely import MultiLineString, MultiPoint, MultiPolygon

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from shapely.geometry.base import BaseGeometry

PACKAGE = "data/release.gpkg"
LAYERS = ("districts", "zones", "alerts", "complaints")
STAMP = "OGR_CURRENT_DATE"  # GDAL writes it as the time of the last change


def package_file(files: Mapping[str, bytes], day: dt.date) -> dict[str, bytes]:
    """Write the GeoJSON files of a release as one GeoPackage.

    Parameters
    ----------
    files
        Of the release.
    day
        What the file gives as the time of its last change.
    """
    layers = package_layers(files)
    if not layers:
        return {}
    with tempfile.TemporaryDirectory() as folder, _stamped(day):
        path = Path(folder) / "release.gpkg"
        for position, (name, frame) in enumerate(layers.items()):
            frame.to_file(path, layer=name, driver="GPKG", engine="pyogrio", append=position > 0)
        return {PACKAGE: path.read_bytes()}


def package_layers(files: Mapping[str, bytes]) -> dict[str, gpd.GeoDataFrame]:
    """Return the GeoJSON files of a release as the layers of a GeoPackage, one frame a layer.

    Lists become JSON text, which a layer has none of. A layer has one type of geometry: where
    some features have one part and others more, all of them become multi-part.
    """
    found = {}
    for name in LAYERS:
        content = files.get(f"data/{name}.geojson")
        if content is None:
            continue
        features = json.loads(content)["features"]
        if not features:
            continue
        frame = gpd.GeoDataFrame.from_features(features, crs=4326)
        if frame.geom_type.nunique() > 1:
            frame.geometry = [_multi(shape) for shape in frame.geometry]
        for column in ("reasons",):
            if column in frame:
                frame[column] = [json.dumps(value) for value in frame[column]]
        found[name] = frame
    return found


def _multi(shape: BaseGeometry) -> BaseGeometry:
    """Return a shape as the multi-part type of its own dimension."""
    of_parts = (MultiPoint, MultiLineString, MultiPolygon)
    return of_parts[int(shapely.get_dimensions(shape))](list(shapely.get_parts(shape)))


def read_package(content: bytes) -> dict[str, gpd.GeoDataFrame]:
    """Read every layer of a GeoPackage."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "release.gpkg"
        path.write_bytes(content)
        return {name: gpd.read_file(path, layer=name) for name, _ in pyogrio.list_layers(path)}


@contextmanager
def _stamped(day: dt.date) -> Iterator[None]:
    before = pyogrio.get_gdal_config_option(STAMP)
    pyogrio.set_gdal_config_options({STAMP: f"{day.isoformat()}T00:00:00.000Z"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({STAMP: before})
