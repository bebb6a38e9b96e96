"""Classes of cells as a picture: in a palette, warped for web maps."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio.transform
import rasterio.warp
from PIL import Image
from rasterio.crs import CRS
from rasterio.enums import Resampling

from app.maps.palette import RISK
from geodata.releases.surroundings import NO_CLASS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geodata.repositories.runs import RunRecord
    from spatial.grid import Grid

    Colours = Sequence[tuple[int, int, int, int]]

WEB = CRS.from_epsg(3857)
FINEST = 4_000_000  # pixels; cells are supersampled up to this
SHARPNESS, FINE = 3, 9  # pixels a cell; fine ones still fit outlines that are looked at closely


@dataclass(frozen=True, kw_only=True)
class Surface:
    """A picture and where it lies: south, west, north, east in degrees."""

    png: bytes
    bounds: tuple[float, float, float, float]


def warped_surface(run: RunRecord) -> Surface:
    """Paint the risk classes in Web Mercator, where Leaflet stretches pictures exactly."""
    return warped_classes(run.grid, run.zones.crs, run.cells["risk_class"].to_numpy(), RISK)


def warped_classes(
    grid: Grid, crs: Any, classes: NDArray[Any], colours: Colours, sharpness: int = SHARPNESS
) -> Surface:
    """Paint classes of cells in Web Mercator.

    Parameters
    ----------
    grid, crs
        The cells and their reference system.
    classes
        Of each cell, the place of its colour; shape ``(n,)``.
    colours
        Red, green, blue and how opaque; up to 16, the first also stands for what is no cell.
    sharpness
        Pixels a cell, fewer where there are very many cells.
    """
    lattice, transform = _lattice(grid, classes)
    to_web, columns, rows = _frame(grid, crs, sharpness)
    painted = np.zeros((rows, columns), dtype=np.uint8)
    rasterio.warp.reproject(
        lattice,
        painted,
        src_transform=transform,
        src_crs=CRS.from_wkt(crs.to_wkt()),
        dst_transform=to_web,
        dst_crs=WEB,
        resampling=Resampling.nearest,
    )
    return Surface(png=_png(painted, colours), bounds=web_bounds(grid, crs, sharpness))


def web_bounds(
    grid: Grid, crs: Any, sharpness: int = SHARPNESS
) -> tuple[float, float, float, float]:
    """Tell where a picture of a grid's cells lies: south, west, north, east in degrees."""
    to_web, columns, rows = _frame(grid, crs, sharpness)
    left, bottom, right, top = rasterio.transform.array_bounds(rows, columns, to_web)
    lon, lat = rasterio.warp.transform(WEB, CRS.from_epsg(4326), [left, right], [bottom, top])
    return lat[0], lon[0], lat[1], lon[1]


def _frame(grid: Grid, crs: Any, sharpness: int) -> tuple[rasterio.Affine, int, int]:
    """Return the transform of a grid's picture, its columns and rows."""
    height, width = grid.n_rows, grid.n_cols
    west, south, east, north = grid.bounds
    scale = min(sharpness, max(1, int(np.sqrt(FINEST / (height * width)))))
    to_web, columns, rows = rasterio.warp.calculate_default_transform(
        CRS.from_wkt(crs.to_wkt()), WEB, width * scale, height * scale, west, south, east, north
    )
    return to_web, int(columns), int(rows)


def flat_surface(run: RunRecord) -> bytes:
    """Paint the risk classes on their own lattice, a pixel a cell, north up."""
    return _png(_lattice(run.grid, run.cells["risk_class"].to_numpy())[0], RISK)


def levels_picture(levels: NDArray[np.uint8]) -> bytes:
    """Paint risk classes as they lie in a surface's file: north row first, 255 outside."""
    visible = np.ascontiguousarray(np.where(levels == NO_CLASS, 0, levels).astype(np.uint8))
    return _png(visible, RISK)


def _lattice(grid: Grid, classes: NDArray[Any]) -> tuple[NDArray[np.uint8], rasterio.Affine]:
    raster = grid.to_raster(classes.astype(np.uint8), fill=0).astype(np.uint8)
    west, _, _, north = grid.bounds
    transform = rasterio.transform.from_origin(west, north, grid.cell_units, grid.cell_units)
    return np.ascontiguousarray(raster[::-1]), transform


def _png(classes: NDArray[np.uint8], colours: Colours) -> bytes:
    picture = Image.fromarray(classes)
    picture.putpalette([value for colour in colours for value in colour[:3]])
    buffer = io.BytesIO()
    picture.save(
        buffer,
        "PNG",
        optimize=True,
        transparency=bytes(colour[3] for colour in colours),
        bits=2 if len(colours) <= 4 else 4,
    )
    return buffer.getvalue()
