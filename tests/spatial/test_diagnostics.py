import numpy as np
import pytest

from spatial.terrain.diagnostics import morans_i, neighbours, pearson_residuals, variance_inflation
from spatial.terrain.families import CountFit
from spatial.terrain.model import TerrainModel


def test_neighbours_share_a_side(make_grid):
    one, other = neighbours(make_grid(3, 2))
    assert {tuple(sorted(pair)) for pair in zip(one.tolist(), other.tolist(), strict=True)} == {
        (0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (1, 4), (2, 5),
    }  # fmt: skip


def test_morans_i_by_hand(make_grid):
    """A chequerboard is -1, two halves of a square are near 1."""
    grid = make_grid(10, 10)
    board = ((grid.cols + grid.rows) % 2).astype(float)
    assert morans_i(grid, board).i == pytest.approx(-1.0)
    assert morans_i(grid, board).p == 1.0
    halves = (grid.cols < 5).astype(float)
    found = morans_i(grid, halves)
    assert found.i == pytest.approx((180 - 2 * 10) / 180)
    assert found.p == pytest.approx(1 / 100)
    assert found.expected == pytest.approx(-1 / 99)


def test_noise_has_no_pattern_and_flat_values_none_at_all(make_grid):
    grid = make_grid(30, 30)
    found = morans_i(grid, np.random.default_rng(4).normal(size=900))
    assert abs(found.i) < 0.06
    assert found.p > 0.05
    assert morans_i(grid, np.ones(900)).p == 1.0


def test_residuals_use_the_familys_variance():
    def model(family, dispersion):
        fit = CountFit(
            family=family,
            beta=np.zeros(1),
            covariance=np.eye(1),
            dispersion=dispersion,
            loglik=0.0,
            n_cells=2,
            converged=True,
        )
        return TerrainModel(family=family, columns=(), fit=fit)

    counts, mu = np.array([3, 0]), np.array([2.0, 0.5])
    for family, dispersion, variance in (
        ("poisson", None, mu),
        ("nb1", 0.5, mu * 1.5),
        ("nb2", 0.5, mu + mu**2 / 0.5),
    ):
        found = pearson_residuals(counts, mu, model(family, dispersion))
        np.testing.assert_allclose(found, (counts - mu) / np.sqrt(variance))


def test_variance_inflation_is_that_of_a_regression_on_the_others():
    rng = np.random.default_rng(6)
    a = rng.integers(0, 2, 500)
    b = np.where(rng.random(500) < 0.85, a, 1 - a)
    c = rng.integers(0, 2, 500)
    columns = np.column_stack([a, b, c]).astype(np.uint8)
    found = variance_inflation(columns)
    design = np.column_stack([np.ones(500), b, c])
    left = a - design @ np.linalg.lstsq(design, a, rcond=None)[0]
    assert found[0] == pytest.approx(a.var() / left.var())
    assert variance_inflation(columns[:, :1]).tolist() == [1.0]
