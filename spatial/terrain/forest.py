"""Random forest on place and the distance to each factor (Wheeler, Steenbeek 2021).

It is a rival that a forecast is compared with (``spatial/history/baselines.py``) and one of the
parts of the combined risk (``spatial/combined.py``): it sees how factors act together, which
neither a risk terrain nor a kernel does.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from spatial.terrain.factors import distance_to_nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoSeries
    from numpy.typing import ArrayLike, NDArray

    from spatial.grid import Grid
    from spatial.spec import RiskFactor

    Floats = NDArray[np.float64]

LEAF = 5  # cells, as in the trials of docs/combined-risk.md
FAR_BLOCKS = 10  # distances are cut here: a choice, beyond the reach of usual columns
AT_ONCE = 65_536  # cells predicted together
# 30, 60, 100, 150 and 200 trees were tried: no gain above 100 (docs/combined-risk.md).
TREES, FEWEST_TREES = 100, 20
MOST_SAMPLED = 40_000  # cells that a tree of the combined risk is grown on


def forest_table(
    grid: Grid, layers: Mapping[RiskFactor, GeoSeries], block_units: float
) -> NDArray[np.float32]:
    """Return what a forest reads of each cell, shape ``(cells, factors + 2)``.

    Distances to the nearest feature of each factor in blocks, cut at ten, by the factor's name;
    column and row of the lattice. Neither the order of the layers nor the unit or origin of the
    reference system changes the table.
    """
    reach = FAR_BLOCKS * block_units
    columns = [
        np.minimum(distance_to_nearest(grid, layers[factor], reach), reach) / block_units
        for factor in sorted(layers, key=lambda factor: factor.name)
    ]
    table = np.column_stack([*columns, grid.cols, grid.rows])
    return np.round(table, 5).astype(np.float32)


def affordable_trees(n_cells: int) -> int:
    """Choose how many trees the combined risk takes: 100, from 40,000 cells on fewer, 20 at least.

    >>> [affordable_trees(n) for n in (5_000, 40_000, 100_000, 2_000_000)]
    [100, 100, 40, 20]
    """
    return max(FEWEST_TREES, TREES * MOST_SAMPLED // max(n_cells, MOST_SAMPLED))


def grow_forest(
    table: NDArray[np.float32],
    counts: ArrayLike,
    *,
    trees: int,
    most_sampled: int | None = None,
    seed: int = 1,
    workers: int = 2,
) -> Floats:
    """Predict each cell's count from its row of a table, the cell itself among the trained ones.

    Parameters
    ----------
    table
        From :func:`forest_table`.
    counts
        What is predicted, shape ``(cells,)``.
    trees
        How many; leaves of five cells, a third of the columns tried at each split.
    most_sampled
        Cells that one tree is grown on, at most; all of them, drawn with replacement, if left out.
    seed
        Of the trees.
    workers
        Threads; the result does not depend on them.
    """
    # imported here: it takes a second, and most commands and pages grow no forest
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(
        trees,
        min_samples_leaf=LEAF,
        max_features=1 / 3,
        max_samples=None if most_sampled is None else min(most_sampled, len(table)),
        random_state=seed,
        n_jobs=workers,
    )
    forest.fit(table, counts)
    forest.n_jobs = 1  # threads would add the trees up in any order, and rounding would follow it
    parts = [table[start : start + AT_ONCE] for start in range(0, len(table), AT_ONCE)]
    with ThreadPoolExecutor(workers) as threads:
        return np.concatenate(list(threads.map(forest.predict, parts)))
