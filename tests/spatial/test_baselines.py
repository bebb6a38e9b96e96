import numpy as np

from spatial.history.baselines import KDE_BANDWIDTHS_CELLS, baselines, kernel_density
from spatial.history.forecast import score_levels
from spatial.history.kernels import lay_past
from spatial.spec import RiskFactor


def clustered(grid, sd, seed=0, n=1500):
    rng = np.random.default_rng(seed)
    centres = np.column_stack(
        [grid.x0 + rng.uniform(500, 5500, 15), grid.y0 + rng.uniform(500, 4500, 15)]
    )
    xy = centres[rng.integers(0, 15, n)] + rng.normal(0, sd, (n, 2))
    return lay_past(grid, xy[:, 0], xy[:, 1])


def test_the_bandwidth_follows_the_incidents(make_grid):
    grid = make_grid(60, 50)
    tight, loose = (kernel_density(grid, clustered(grid, sd)) for sd in (80.0, 500.0))
    assert tight.bandwidth_units < loose.bandwidth_units
    assert min(KDE_BANDWIDTHS_CELLS) * 100 < loose.bandwidth_units


def test_baselines_place_incidents_better_than_chance(make_grid, make_points):
    grid = make_grid(60, 50)
    factor = RiskFactor(name="bars")
    layers = {factor: make_points([[grid.x0 + 300, grid.y0 + 300]])}
    found = baselines(grid, clustered(grid, 300.0), layers, 200.0)
    assert set(found.scores) == {"prior", "kde", "forest"}
    later = np.bincount(clustered(grid, 300.0, n=800).cell, minlength=len(grid))
    for name, score in found.scores.items():
        assert score_levels(score, later, shares=(0.05,))[0].pai > 2, name
    again = baselines(grid, clustered(grid, 300.0), layers, 200.0)
    np.testing.assert_array_equal(again.scores["forest"], found.scores["forest"])
