import numpy as np
import pytest

from spatial.spec import RiskFactor
from spatial.terrain import forest
from spatial.terrain.forest import forest_table, grow_forest

BARS, PARKS = RiskFactor(name="bars"), RiskFactor(name="parks")


@pytest.fixture
def scene(make_grid, make_points):
    grid = make_grid(30, 20, cell=100.0)
    layers = {
        PARKS: make_points([[grid.x0 + 2550, grid.y0 + 950]]),
        BARS: make_points([[grid.x0 + 250, grid.y0 + 250]]),
    }
    return grid, layers


def test_the_table_holds_distances_in_blocks_by_name_and_place(scene):
    grid, layers = scene
    table = forest_table(grid, layers, 200.0)
    to_bar = np.hypot(grid.x - grid.x0 - 250, grid.y - grid.y0 - 250) / 200
    np.testing.assert_allclose(table[:, 0], np.minimum(to_bar, 10.0), atol=1e-5)
    np.testing.assert_array_equal(table[:, 2:], np.column_stack([grid.cols, grid.rows]))
    turned = forest_table(grid, dict(reversed(layers.items())), 200.0)
    np.testing.assert_array_equal(turned, table)


def test_a_forest_sees_what_factors_do_together(scene):
    grid, layers = scene
    table = forest_table(grid, layers, 200.0)
    both = (table[:, 0] < 8) & (table[:, 1] < 9)
    counts = np.random.default_rng(1).poisson(np.where(both, 1.5, 0.1))
    found = grow_forest(table, counts, trees=30)
    assert found[both].mean() > 5 * found[~both].mean()


def test_threads_and_pieces_change_nothing_but_the_seed_does(scene, monkeypatch):
    grid, layers = scene
    table = forest_table(grid, layers, 200.0)
    counts = np.random.default_rng(1).poisson(0.3, len(grid))
    found = grow_forest(table, counts, trees=8, workers=1)
    monkeypatch.setattr(forest, "AT_ONCE", 100)
    np.testing.assert_array_equal(grow_forest(table, counts, trees=8, workers=3), found)
    assert (grow_forest(table, counts, trees=8, seed=2) != found).any()


def test_trees_can_be_grown_on_fewer_cells(scene):
    grid, layers = scene
    table = forest_table(grid, layers, 200.0)
    counts = np.zeros(len(grid))
    counts[7] = 100.0
    few = grow_forest(table, counts, trees=50, most_sampled=60)
    all_ = grow_forest(table, counts, trees=50)
    assert few[7] < 0.5 * all_[7]
    np.testing.assert_array_equal(grow_forest(table, counts, trees=50, most_sampled=10_000), all_)
