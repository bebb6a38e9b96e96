"""One file of vector tiles (PMTiles, version 3): put together; checked where a city brings it."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pyogrio
import shapely
from pmtiles.tile import (
    Compression,
    HeaderDict,
    MagicNumberNotFound,
    SpecVersionUnsupported,
    TileType,
    deserialize_header,
    zxy_to_tileid,
)
from pmtiles.writer import Writer

from geodata.basemap.tile_layers import FIRST_ZOOM, LAST_ZOOM, tile_layers, window_of
from geodata.errors import DataError
from geodata.formats import NO_NETWORK

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

HEADER_BYTES = 127
SECONDS = 600
E7 = 10_000_000
MOST_OWN_BYTES = 100_000_000
LEAST_OWN_ZOOM = 12  # streets of a file that ends before this have no names
CUT = "cut the city out of a Protomaps build: pmtiles extract BUILD city.pmtiles --bbox=W,S,E,N"


def make_archive(base: gpd.GeoDataFrame, area: BaseGeometry) -> bytes:
    """Return the base map of a city as PMTiles: vector tiles in the Protomaps schema.

    Parameters
    ----------
    base
        ``kind``, ``name``, ``rank`` and geometry of what is drawn under the map.
    area
        The study area, in the same reference system.

    Raises
    ------
    DataError
        If the shapes cannot be cut into tiles.
    """
    with tempfile.TemporaryDirectory(prefix="saferground-tiles-") as name:
        folder = Path(name)
        for band, layer, frame in tile_layers(base, area):
            if len(frame):
                path = folder / f"{band.first}-{band.last}-{layer}.fgb"
                pyogrio.write_dataframe(
                    frame, path, driver="FlatGeobuf", layer_options={"SPATIAL_INDEX": "NO"}
                )
        _cut(folder)
        tiles = _tiles(folder)
    return _archive(tiles, _degrees(window_of(area), base.crs))


def check_own(content: bytes, label: str, area: BaseGeometry, crs: object) -> None:
    """Refuse a file of tiles that cannot lie under the maps of a city.

    Parameters
    ----------
    content, label
        The file, and what the city file calls it.
    area, crs
        The study area and its reference system.

    Raises
    ------
    DataError
        If it is no PMTiles file of vector tiles, ends at too small a zoom, is too large or lies
        elsewhere; the message says what to do.
    """
    if len(content) > MOST_OWN_BYTES:
        msg = f"{label}: has more than {MOST_OWN_BYTES / 1e6:,.0f} MB; {CUT}"
        raise DataError(msg, code="tiles_too_large")
    try:
        header = deserialize_header(content[:HEADER_BYTES])
    except (MagicNumberNotFound, SpecVersionUnsupported, ValueError, IndexError) as error:
        msg = f"{label}: is no PMTiles file of version 3; {CUT}"
        raise DataError(msg, code="no_tiles") from error
    ends = header["tile_data_offset"] + header["tile_data_length"]
    if header["tile_type"] is not TileType.MVT:
        msg = f"{label}: holds no vector tiles (MVT), but {header['tile_type'].name}; {CUT}"
    elif ends > len(content):
        msg = f"{label}: breaks off, it has {len(content):,} of {ends:,} bytes; copy it anew"
    elif header["max_zoom"] < LEAST_OWN_ZOOM:
        msg = f"{label}: ends at zoom {header['max_zoom']}, streets need {LEAST_OWN_ZOOM}; {CUT}"
    elif not _covers(header, area, crs):
        msg = f"{label}: lies elsewhere than the city; {CUT}"
    else:
        return
    raise DataError(msg, code="tiles_unfit")


def _covers(header: HeaderDict, area: BaseGeometry, crs: object) -> bool:
    west, south = header["min_lon_e7"] / E7, header["min_lat_e7"] / E7
    east, north = header["max_lon_e7"] / E7, header["max_lat_e7"] / E7
    return bool(shapely.box(west, south, east, north).intersects(shapely.box(*_degrees(area, crs))))


def _degrees(shape: BaseGeometry, crs: object) -> tuple[float, float, float, float]:
    """Return west, south, east and north of a shape in degrees."""
    west, south, east, north = gpd.GeoSeries([shape], crs=crs).to_crs(4326).total_bounds
    return float(west), float(south), float(east), float(north)


def _cut(folder: Path) -> None:
    """Let GDAL cut every layer of a folder into tiles, in a process of its own."""
    passed = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-P", str(Path(__file__).with_name("tiling.py")), str(folder)],
            capture_output=True,
            timeout=SECONDS,
            env={**passed, **NO_NETWORK, "TMPDIR": str(folder)},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        msg = f"the base map takes more than {SECONDS} s to be cut into tiles; name fewer shapes"
        raise DataError(msg, code="tiles_too_slow") from error
    if done.returncode:
        msg = f"the base map cannot be cut into tiles: {done.stderr.decode()[-500:].strip()}"
        raise DataError(msg, code="tiles_failed")


def _tiles(folder: Path) -> dict[int, bytes]:
    """Return every tile by its number; layers of a tile are stated one after another."""
    found: dict[int, list[bytes]] = {}
    for path in sorted(folder.glob("*/*/*/*.pbf")):
        zoom, x, y = (int(part) for part in (*path.parts[-3:-1], path.stem))
        found.setdefault(zxy_to_tileid(zoom, x, y), []).append(path.read_bytes())
    return {number: b"".join(layers) for number, layers in sorted(found.items())}


def _archive(tiles: dict[int, bytes], degrees: tuple[float, float, float, float]) -> bytes:
    file = io.BytesIO()
    writer = Writer(file)  # type: ignore[no-untyped-call]
    for number, content in tiles.items():
        writer.write_tile(number, gzip.compress(content, 9, mtime=0))  # type: ignore[no-untyped-call]
    west, south, east, north = (round(side * E7) for side in degrees)
    header = {
        "tile_type": TileType.MVT,
        "tile_compression": Compression.GZIP,
        "min_lon_e7": west,
        "min_lat_e7": south,
        "max_lon_e7": east,
        "max_lat_e7": north,
    }
    zooms = {"minzoom": FIRST_ZOOM, "maxzoom": LAST_ZOOM}
    metadata = {"name": "base map", "schema": "protomaps", **zooms}
    writer.finalize(header, metadata)  # type: ignore[no-untyped-call]
    return file.getvalue()
