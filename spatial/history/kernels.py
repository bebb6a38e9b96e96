"""What happened where: smoothed counts, with and without what happened in the cell itself.

Incidents lose weight with age (``2 ** (-age / half life)``). Smoothed counts are Gaussian kernel
densities at the cells' centres, exact to the incident's own coordinates, cut at four standard
deviations. To judge a density, an incident is taken out before it is asked about its own cell,
because a forecast never holds the incident that it is to place; to say what surroundings lead one
to expect, all incidents of a cell are taken out of its own value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spatial.grid import Grid

    Floats = NDArray[np.float64]

REACH_SD = 4.0  # beyond lie 0.03 % of a bivariate Gaussian: exp(-4^2 / 2)


@dataclass(frozen=True, kw_only=True, eq=False)
class Past:
    """Incidents of a period, those outside the grid left out.

    Parameters
    ----------
    x, y
        Coordinates, shape ``(incidents,)``.
    cell
        Cell of each incident.
    age_days
        Days from each incident to the end of the period, 0 or more.
    """

    x: Floats
    y: Floats
    cell: NDArray[np.int32]
    age_days: Floats

    def __len__(self) -> int:
        return len(self.cell)

    def weights(self, half_life_days: float | None) -> Floats:
        """Weigh incidents by age: 1 at the end of the period, a half one half-life before it."""
        if half_life_days is None:
            return np.ones(len(self))
        return np.asarray(2.0 ** (-self.age_days / half_life_days), dtype=np.float64)

    def held(self, n_cells: int, weight: Floats) -> Floats:
        """Add the incidents' weights up by cell, shape ``(n_cells,)``."""
        return np.asarray(np.bincount(self.cell, weight, minlength=n_cells), dtype=np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """A kernel density over the cells that sums to 1.

    ``without_self`` gives, for each incident, the density that its own cell would have had without
    it, over cells that then sum to 1.
    """

    bandwidth_units: float
    density: Floats
    without_self: Floats


def lay_past(grid: Grid, x: Floats, y: Floats, age_days: Floats | None = None) -> Past:
    """Place incidents in the cells of a grid.

    Parameters
    ----------
    grid
        The cells.
    x, y
        Coordinates in the grid's reference system.
    age_days
        Days before the end of the period; all alike if left out.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    age = np.zeros(len(x)) if age_days is None else np.asarray(age_days, dtype=np.float64)
    cell = grid.locate(x, y)
    inside = cell >= 0
    return Past(x=x[inside], y=y[inside], cell=cell[inside], age_days=age[inside])


def smoothed_counts(grid: Grid, past: Past, weight: Floats, bandwidth_units: float) -> Trace:
    """Return the Gaussian kernel density of the weighted incidents over the cells.

    Parameters
    ----------
    grid, past
        Where and what.
    weight
        Weight of each incident.
    bandwidth_units
        Standard deviation of the kernel.
    """
    density, own = _kernels(grid, past, weight, bandwidth_units)
    total = density.sum()
    left = np.maximum(density[past.cell] - weight * own, 0.0)
    return Trace(
        bandwidth_units=bandwidth_units,
        density=density / total,
        without_self=left / np.maximum(total - weight, 1e-300),
    )


def around(grid: Grid, past: Past, weight: Floats, bandwidth_units: float) -> Floats:
    """Return the kernel density at each cell of the incidents of all other cells.

    What happened in a cell itself has no part in its value, shape ``(cells,)``; where a cell's own
    incidents are all there are within reach, it is 0. The unit is weighted incidents a cell.

    Parameters
    ----------
    grid, past
        Where and what.
    weight
        Weight of each incident.
    bandwidth_units
        Standard deviation of the kernel.
    """
    sum_, own = _kernels(grid, past, weight, bandwidth_units)
    left = sum_ - past.held(len(grid), weight * own)
    return np.where(left > 1e-12 * sum_, left, 0.0)  # below it there is rounding alone


def _kernels(
    grid: Grid, past: Past, weight: Floats, bandwidth_units: float
) -> tuple[Floats, Floats]:
    """Give the sum of kernels at each cell, and each kernel's value at its incident's own cell."""
    sum_, own = _spread(
        (past.x - grid.x0) / grid.cell_units,
        (past.y - grid.y0) / grid.cell_units,
        weight,
        grid.n_cols,
        grid.n_rows,
        bandwidth_units / grid.cell_units,
    )
    return sum_[grid.rows, grid.cols], own


@numba.njit(cache=True, nogil=True)
def _spread(u: Any, v: Any, weight: Any, n_cols: int, n_rows: int, sd: float) -> Any:
    """Add one Gaussian an incident over the lattice; ``u``, ``v`` and ``sd`` are in cells.

    Returns
    -------
    The sum, shape ``(n_rows, n_cols)``, and each kernel's value at its incident's own cell. A
    kernel sums to 1 over the unbounded lattice.
    """
    reach = int(np.ceil(REACH_SD * sd))
    width = 2 * reach + 1
    total = np.zeros((n_rows, n_cols))
    own = np.zeros(len(u))
    along, across = np.empty(width), np.empty(width)
    for i in range(len(u)):
        col, row = int(np.floor(u[i])), int(np.floor(v[i]))
        sum_along, sum_across = 0.0, 0.0
        for k in range(width):
            du = (col - reach + k + 0.5 - u[i]) / sd
            dv = (row - reach + k + 0.5 - v[i]) / sd
            along[k], across[k] = np.exp(-0.5 * du * du), np.exp(-0.5 * dv * dv)
            sum_along += along[k]
            sum_across += across[k]
        scale = 1.0 / (sum_along * sum_across)
        own[i] = along[reach] * across[reach] * scale
        first, last = max(0, reach - col), min(width, n_cols - col + reach)
        for a in range(max(0, reach - row), min(width, n_rows - row + reach)):
            lift = weight[i] * across[a] * scale
            there = row - reach + a
            for k in range(first, last):
                total[there, col - reach + k] += lift * along[k]
    return total, own
