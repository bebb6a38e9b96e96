"""What a forecast is compared with: kernel density and random forest, from the same incidents.

Prior counts need no code: they are the counts of the training period.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spatial.history.kernels import Past, smoothed_counts
from spatial.terrain.forest import forest_table, grow_forest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoSeries
    from numpy.typing import NDArray

    from spatial.grid import Grid
    from spatial.spec import RiskFactor

    Floats = NDArray[np.float64]

# Candidates of the leave-one-out likelihood, each 1.3 to 1.5 times the one before.
KDE_BANDWIDTHS_CELLS = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0)
FLOOR = 1e-3  # share given to chance, so that an incident far from all others is not impossible
FOREST_TREES = 200  # as in the trials of docs/combined-risk.md


@dataclass(frozen=True, kw_only=True, eq=False)
class Kde:
    """A kernel density of the training incidents and the bandwidth that they chose."""

    density: Floats
    bandwidth_units: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Baselines:
    """Scores by name: ``prior`` (training counts), ``kde`` and ``forest``."""

    scores: dict[str, Floats]
    kde_bandwidth_units: float


def baselines(
    grid: Grid,
    past: Past,
    layers: Mapping[RiskFactor, GeoSeries],
    block_units: float,
    *,
    seed: int = 1,
) -> Baselines:
    """Work out every baseline from one set of training incidents.

    Parameters
    ----------
    grid
        The cells.
    past
        Training incidents; their age plays no part.
    layers
        Features of each factor.
    block_units
        Length of a block.
    seed
        Of the forest.
    """
    counts = np.bincount(past.cell, minlength=len(grid))
    kde = kernel_density(grid, past)
    return Baselines(
        scores={
            "prior": counts.astype(np.float64),
            "kde": kde.density,
            "forest": grow_forest(
                forest_table(grid, layers, block_units), counts, trees=FOREST_TREES, seed=seed
            ),
        },
        kde_bandwidth_units=kde.bandwidth_units,
    )


def kernel_density(grid: Grid, past: Past) -> Kde:
    """Smooth the training incidents with the bandwidth of the highest leave-one-out likelihood."""
    weight = np.ones(len(past))
    traces = (
        smoothed_counts(grid, past, weight, cells * grid.cell_units)
        for cells in KDE_BANDWIDTHS_CELLS
    )
    best = max(
        traces,
        key=lambda t: float(np.log((1 - FLOOR) * t.without_self + FLOOR / len(grid)).sum()),
    )
    return Kde(density=best.density, bandwidth_units=best.bandwidth_units)
