"""The risk surface as a picture: risk classes in a palette, warped for web maps."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import rasterio.transform
import rasterio.warp
from PIL import Image
from rasterio.crs import CRS
from rasterio.enums import Resampling

from app.maps.palette import RISK
from geodata.publishing.surroundings import NO_CLASS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geodata.store.runs import RunRecord

WEB = CRS.from_epsg(3857)
FINEST = 4_000_000  # pixels; cells are supersampled up to this
SHARPNESS = 3  # pixels a cell


@dataclass(frozen=True, kw_only=True)
class Surface:
    """A picture and where it lies: south, west, north, east in degrees."""

    png: bytes
    bounds: tuple[float, float, float, float]


def warped_surface(run: RunRecord) -> Surface:
    """Paint the risk classes in Web Mercator, where Leaflet stretches pictures exactly."""
    classes, transform = _lattice(run)
    source = CRS.from_wkt(run.zones.crs.to_wkt())
    height, width = classes.shape
    west, south, east, north = run.grid.bounds
    scale = min(SHARPNESS, max(1, int(np.sqrt(FINEST / (height * width)))))
    to_web, columns, rows = rasterio.warp.calculate_default_transform(
        source, WEB, width * scale, height * scale, west, south, east, north
    )
    painted = np.zeros((rows, columns), dtype=np.uint8)
    rasterio.warp.reproject(
        classes,
        painted,
        src_transform=transform,
        src_crs=source,
        dst_transform=to_web,
        dst_crs=WEB,
        resampling=Resampling.nearest,
    )
    left, bottom, right, top = rasterio.transform.array_bounds(rows, columns, to_web)
    lon, lat = rasterio.warp.transform(WEB, CRS.from_epsg(4326), [left, right], [bottom, top])
    return Surface(png=_png(painted), bounds=(lat[0], lon[0], lat[1], lon[1]))


def flat_surface(run: RunRecord) -> bytes:
    """Paint the risk classes on their own lattice, a pixel a cell, north up."""
    return _png(_lattice(run)[0])


def levels_picture(levels: NDArray[np.uint8]) -> bytes:
    """Paint risk classes as they lie in a surface's file: north row first, 255 outside."""
    return _png(np.ascontiguousarray(np.where(levels == NO_CLASS, 0, levels).astype(np.uint8)))


def _lattice(run: RunRecord) -> tuple[NDArray[np.uint8], rasterio.Affine]:
    grid = run.grid
    classes = grid.to_raster(run.cells["risk_class"].to_numpy(np.uint8), fill=0).astype(np.uint8)
    west, _, _, north = grid.bounds
    transform = rasterio.transform.from_origin(west, north, grid.cell_units, grid.cell_units)
    return np.ascontiguousarray(classes[::-1]), transform


def _png(classes: NDArray[np.uint8]) -> bytes:
    picture = Image.fromarray(classes)
    picture.putpalette([value for colour in RISK for value in colour[:3]])
    buffer = io.BytesIO()
    picture.save(
        buffer, "PNG", optimize=True, transparency=bytes(colour[3] for colour in RISK), bits=2
    )
    return buffer.getvalue()
