"""Does a fitted model hold? Dispersion, what its residuals leave in space, and shared variance.

- Dispersion: Pearson's chi-square over its degrees of freedom; near 1 the family's variance fits.
- Moran's I of the Pearson residuals over cells that share a side (Moran 1950): 0 is none, and its
  p-value comes from permutations of the residuals over the cells.
- Variance inflation of each chosen column (Marquardt 1970): 1 is none; above 5 its coefficient
  shares its variance with the others'.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spatial.grid import Grid
    from spatial.terrain.model import RiskTerrain, TerrainModel

    Floats = NDArray[np.float64]

PERMUTATIONS = 99  # the least that can give p = 0.01, the level of the warning


@dataclass(frozen=True, slots=True, kw_only=True)
class Moran:
    """Moran's I, its value under no pattern, and the share of permutations at or above it."""

    i: float
    expected: float
    p: float


@dataclass(frozen=True, kw_only=True)
class Diagnostics:
    """What the fit leaves; ``inflation`` and ``covers`` are one value a chosen column.

    ``covers`` is the share of cells that a column marks; above one half it may stand for populated
    land.
    """

    dispersion: float
    moran: Moran
    inflation: tuple[float, ...]
    covers: tuple[float, ...]


def diagnose(
    grid: Grid, counts: NDArray[np.int64], terrain: RiskTerrain, *, seed: int = 1
) -> Diagnostics:
    """Diagnose a fit on its own cells.

    Parameters
    ----------
    grid, counts
        The cells and what they were fitted to.
    terrain
        The fit.
    seed
        Of the permutations.
    """
    residuals = pearson_residuals(counts, terrain.expected, terrain.model)
    freedom = max(1, len(counts) - len(terrain.model.fit.beta))
    return Diagnostics(
        dispersion=float((residuals**2).sum() / freedom),
        moran=morans_i(grid, residuals, seed=seed),
        inflation=tuple(float(v) for v in variance_inflation(terrain.active)),
        covers=tuple(float(v) for v in terrain.active.mean(axis=0)),
    )


def pearson_residuals(counts: NDArray[np.int64], expected: Floats, model: TerrainModel) -> Floats:
    """Give (observed - expected) / standard deviation under the model's family."""
    variance = expected
    if model.fit.dispersion is not None:
        over = model.fit.dispersion
        nb1 = model.family == "nb1"
        variance = expected * (1 + over) if nb1 else expected + expected**2 / over
    return np.asarray((counts - expected) / np.sqrt(variance), dtype=np.float64)


def morans_i(
    grid: Grid, values: Floats, *, permutations: int = PERMUTATIONS, seed: int = 1
) -> Moran:
    """Work out Moran's I over cells that share a side, each pair counted once.

    Flat values have no pattern: 0, with p = 1.
    """
    one, other = neighbours(grid)
    centred = values - values.mean()
    spread = float((centred**2).mean())
    expected = -1.0 / max(1, len(values) - 1)
    if len(one) == 0 or spread <= 0:
        return Moran(i=0.0, expected=expected, p=1.0)

    def statistic(z: Floats) -> float:
        return float((z[one] * z[other]).mean() / spread)

    found = statistic(centred)
    rng = np.random.default_rng(seed)
    above = sum(statistic(rng.permutation(centred)) >= found for _ in range(permutations))
    return Moran(i=found, expected=expected, p=(above + 1) / (permutations + 1))


def neighbours(grid: Grid) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Pair the cells that share a side: two arrays of cell numbers."""
    index = grid.index_raster
    pairs = [
        (index[:, :-1].ravel(), index[:, 1:].ravel()),
        (index[:-1].ravel(), index[1:].ravel()),
    ]
    one = np.concatenate([a for a, _ in pairs])
    other = np.concatenate([b for _, b in pairs])
    both = (one >= 0) & (other >= 0)
    return one[both], other[both]


def variance_inflation(columns: NDArray[np.uint8]) -> Floats:
    """Return the variance inflation of each column: the diagonal of the inverse correlation."""
    if columns.shape[1] < 2:
        return np.ones(columns.shape[1])
    correlation = np.corrcoef(columns.T.astype(float))
    return np.asarray(np.diag(np.linalg.pinv(correlation)), dtype=np.float64)
