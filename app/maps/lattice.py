"""The cells of a grid as lines: what a person has to see before a run, at any number of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spatial.grid import Grid

    Floats = NDArray[np.floating[Any]]


def cell_lines(grid: Grid, crs: str) -> gpd.GeoDataFrame:
    """Draw the edges of all cells, each edge once, in as few straight lines as there can be."""
    there = grid.index_raster >= 0
    west, south, size = grid.x0, grid.y0, grid.cell_units
    level, first, last = _edges(there)
    y = south + level * size
    across = _lines(west + first * size, y, west + last * size, y)
    level, first, last = _edges(there.T)
    x = west + level * size
    upward = _lines(x, south + first * size, x, south + last * size)
    return gpd.GeoDataFrame(geometry=np.concatenate([across, upward]), crs=crs)


def _edges(there: NDArray[np.bool_]) -> tuple[NDArray[np.intp], ...]:
    """Give level, first and last place of each unbroken row of edges along the rows of a raster.

    Edge ``j`` lies between rows ``j - 1`` and ``j``; it is drawn where there is a cell on a side.
    """
    empty = np.zeros((1, there.shape[1]), dtype=bool)
    drawn = np.concatenate([empty, there]) | np.concatenate([there, empty])
    framed = np.pad(drawn, ((0, 0), (1, 1))).astype(np.int8)
    level, place = np.nonzero(np.diff(framed, axis=1))
    return level[::2], place[::2], place[1::2]


def _lines(x: Floats, y: Floats, to_x: Floats, to_y: Floats) -> NDArray[np.object_]:
    ends = np.stack([np.stack([x, y], axis=-1), np.stack([to_x, to_y], axis=-1)], axis=1)
    return np.asarray(shapely.linestrings(ends), dtype=object)
