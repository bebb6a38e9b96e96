"""The map files of a release as layers of one GeoPackage, the same bytes every time."""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pyogrio

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

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
    """Read the GeoJSON files of a release; lists become JSON text, a layer has none."""
    found = {}
    for name in LAYERS:
        content = files.get(f"data/{name}.geojson")
        if content is None:
            continue
        features = json.loads(content)["features"]
        if not features:
            continue
        frame = gpd.GeoDataFrame.from_features(features, crs=4326)
        for column in ("reasons",):
            if column in frame:
                frame[column] = [json.dumps(value) for value in frame[column]]
        found[name] = frame
    return found


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
