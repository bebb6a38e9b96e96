"""Exact distance and kernel density on a grid, written outward from each feature.

Nothing beyond the farthest influence is ever needed, so each feature visits only the cells within
its reach: the cost is features times reach squared, whatever the number of cells. Compiled by
numba on first use and kept in its cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@numba.njit(cache=True, nogil=True)
def _span(low: float, high: float, origin: float, cell: float, n: int) -> tuple[int, int]:
    """First and one past the last place whose centre can lie between low and high."""
    first = max(0, int(np.ceil((low - origin) / cell - 0.5 - 1e-9)))
    last = min(n, int(np.floor((high - origin) / cell - 0.5 + 1e-9)) + 1)
    return first, last


@numba.njit(cache=True, nogil=True)
def nearest_squared(
    segments: Any, x0: float, y0: float, cell: float, n_cols: int, n_rows: int, reach: float
) -> Any:
    """Squared distance from each centre to the nearest segment, infinite beyond the reach.

    Parameters
    ----------
    segments
        Shape ``(m, 4)``: from x, y to x, y; a point is a segment of no length.
    x0, y0, cell, n_cols, n_rows
        The lattice.
    reach
        Farthest distance of interest, in units.

    Returns
    -------
    Shape ``(n_rows, n_cols)``.
    """
    found = np.full((n_rows, n_cols), np.inf)
    for k in range(segments.shape[0]):
        ax, ay, bx, by = segments[k, 0], segments[k, 1], segments[k, 2], segments[k, 3]
        dx, dy = bx - ax, by - ay
        length2 = dx * dx + dy * dy
        col0, col1 = _span(min(ax, bx) - reach, max(ax, bx) + reach, x0, cell, n_cols)
        row0, row1 = _span(min(ay, by) - reach, max(ay, by) + reach, y0, cell, n_rows)
        for row in range(row0, row1):
            py = y0 + (row + 0.5) * cell
            for col in range(col0, col1):
                px = x0 + (col + 0.5) * cell
                t = 0.0
                if length2 > 0.0:
                    t = ((px - ax) * dx + (py - ay) * dy) / length2
                    t = min(1.0, max(0.0, t))
                ex, ey = px - ax - t * dx, py - ay - t * dy
                d2 = ex * ex + ey * ey
                if d2 < found[row, col]:
                    found[row, col] = d2
    return found


@numba.njit(cache=True, nogil=True)
def quartic_density(
    points: Any, x0: float, y0: float, cell: float, n_cols: int, n_rows: int, radius: float
) -> Any:
    """Sum of quartic kernels ``(1 - (r / radius)^2)^2`` over the points, at each centre.

    Parameters
    ----------
    points
        Shape ``(m, 2)``.
    x0, y0, cell, n_cols, n_rows
        The lattice.
    radius
        Radius of the kernel, in units.

    Returns
    -------
    Shape ``(n_rows, n_cols)``; not scaled to an area, since only its z-score is used.
    """
    total = np.zeros((n_rows, n_cols))
    radius2 = radius * radius
    for k in range(points.shape[0]):
        px, py = points[k, 0], points[k, 1]
        col0, col1 = _span(px - radius, px + radius, x0, cell, n_cols)
        row0, row1 = _span(py - radius, py + radius, y0, cell, n_rows)
        for row in range(row0, row1):
            ey = y0 + (row + 0.5) * cell - py
            for col in range(col0, col1):
                ex = x0 + (col + 0.5) * cell - px
                u2 = (ex * ex + ey * ey) / radius2
                if u2 < 1.0:
                    total[row, col] += (1.0 - u2) * (1.0 - u2)
    return total
