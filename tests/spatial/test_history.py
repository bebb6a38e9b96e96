import numpy as np
import pytest

from spatial.history.kernels import around, lay_past, smoothed_counts


@pytest.fixture
def scene(make_grid):
    grid = make_grid(30, 20, cell=50.0)
    rng = np.random.default_rng(8)
    x = grid.x0 + rng.uniform(0, 1500, 80)
    y = grid.y0 + rng.uniform(0, 1000, 80)
    age = rng.uniform(0, 900, 80)
    return grid, lay_past(grid, x, y, age)


def dense_kernel(grid, past, sd):
    """Every incident against every centre, kernels normalised over the unbounded lattice."""
    reach = int(np.ceil(4 * sd / grid.cell_units))
    steps = np.arange(-reach, reach + 1) * grid.cell_units
    found = np.zeros((len(past), len(grid)))
    for i in range(len(past)):
        home = grid.x[past.cell[i]], grid.y[past.cell[i]]
        mass = [
            np.exp(-0.5 * ((centre + steps - at) / sd) ** 2).sum()
            for centre, at in zip(home, (past.x[i], past.y[i]), strict=True)
        ]
        dx, dy = grid.x - past.x[i], grid.y - past.y[i]
        near = (np.abs(grid.x - home[0]) <= reach * grid.cell_units + 1) & (
            np.abs(grid.y - home[1]) <= reach * grid.cell_units + 1
        )
        found[i] = near * np.exp(-0.5 * (dx**2 + dy**2) / sd**2) / (mass[0] * mass[1])
    return found


@pytest.mark.parametrize("sd", [25.0, 50.0, 130.0, 400.0])
def test_smoothed_counts_are_the_dense_sum(scene, sd):
    grid, past = scene
    weight = past.weights(400.0)
    kernels = dense_kernel(grid, past, sd)
    density = weight @ kernels
    trace = smoothed_counts(grid, past, weight, sd)
    np.testing.assert_allclose(trace.density, density / density.sum(), atol=1e-14)
    for i in range(0, len(past), 7):
        others = np.arange(len(past)) != i
        without = weight[others] @ kernels[others]
        expected = without[past.cell[i]] / (density.sum() - weight[i])
        assert trace.without_self[i] == pytest.approx(expected, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("sd", [25.0, 130.0])
def test_around_is_the_dense_sum_over_the_incidents_of_all_other_cells(scene, sd):
    grid, past = scene
    weight = past.weights(400.0)
    kernels = dense_kernel(grid, past, sd)
    elsewhere = past.cell[:, None] != np.arange(len(grid))
    expected = weight @ (kernels * elsewhere)
    np.testing.assert_allclose(around(grid, past, weight, sd), expected, atol=1e-14)


def test_a_cell_with_nothing_but_its_own_incidents_has_nothing_around(make_grid):
    grid = make_grid(9, 9, cell=10.0)
    past = lay_past(grid, np.full(3, grid.x0 + 45.3), grid.y0 + np.array([41.0, 44.9, 49.0]))
    found = around(grid, past, np.array([1.0, 0.3, 0.7]), 10.0)
    assert found[past.cell[0]] == 0.0
    assert (np.delete(found.reshape(9, 9)[3:6, 3:6].ravel(), 4) > 0).all()


def test_an_incident_counts_half_after_its_half_life(scene):
    _, past = scene
    weight = past.weights(365.0)
    np.testing.assert_allclose(weight, 0.5 ** (past.age_days / 365.0))
    np.testing.assert_array_equal(past.weights(None), 1.0)


def test_incidents_outside_the_grid_are_left_out(make_grid):
    grid = make_grid(4, 4)
    past = lay_past(
        grid, np.array([grid.x0 + 10, grid.x0 - 10]), np.full(2, grid.y0 + 10), np.array([5.0, 6.0])
    )
    assert len(past) == 1
    assert past.age_days.tolist() == [5.0]
