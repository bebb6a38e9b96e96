import numpy as np
import pytest

from spatial.combined import combine, learn_weights, recombine
from spatial.errors import FitError
from spatial.history import lay_past
from spatial.spec import HistorySpec

SPEC = HistorySpec()


def town(make_grid, *, hot, by_environment, n=600, seed=4):
    """Incidents: a share at a few repeat places, a share where the environment is bad."""
    grid = make_grid(50, 40, cell=100.0)
    rng = np.random.default_rng(seed)
    environment = np.where((grid.cols // 5 + grid.rows // 5) % 4 == 0, 8.0, 1.0)
    chance = np.full(len(grid), (1 - hot - by_environment) / len(grid))
    chance += by_environment * environment / environment.sum()
    places = rng.choice(len(grid), 12, replace=False)
    chance[places] += hot / 12
    cells = rng.choice(len(grid), n, p=chance / chance.sum())
    x = grid.x[cells] + rng.uniform(-50, 50, n)
    y = grid.y[cells] + rng.uniform(-50, 50, n)
    return grid, lay_past(grid, x, y), {"rtm": environment}, chance / chance.sum()


def by_kind(risk):
    kinds = {}
    for component in risk.components:
        kinds[component.kind] = kinds.get(component.kind, 0.0) + component.weight
    return kinds


def test_parts_add_up_and_are_never_negative(make_grid):
    grid, past, environment, _ = town(make_grid, hot=0.3, by_environment=0.4)
    risk = combine(grid, past, environment, SPEC)
    np.testing.assert_allclose(risk.environment + risk.history, risk.score, rtol=1e-12)
    assert risk.environment.min() >= 0
    assert risk.history.min() >= 0
    assert risk.score.mean() == pytest.approx(1.0)
    assert risk.expected.sum() == pytest.approx(len(past))
    assert sum(c.weight for c in risk.components) == pytest.approx(1.0)


def test_weights_follow_where_the_incidents_come_from(make_grid):
    """Truth: no history but repeat places, no environment but one surface."""
    grid, past, environment, _ = town(make_grid, hot=0.0, by_environment=0.9)
    bare = combine(grid, past, environment, SPEC)
    assert bare.environment_share > 0.8
    grid, past, environment, _ = town(make_grid, hot=0.8, by_environment=0.0)
    repeated = combine(grid, past, environment, SPEC)
    assert repeated.environment_share < 0.35
    assert by_kind(repeated)["history"] + by_kind(repeated)["both"] > 0.65


def test_the_combination_places_later_incidents_better_than_its_parts(make_grid):
    grid, past, environment, truth = town(make_grid, hot=0.3, by_environment=0.5, n=900)
    risk = combine(grid, past, environment, SPEC)
    later = np.random.default_rng(99).multinomial(20_000, truth)
    counts = np.bincount(past.cell, minlength=len(grid)) + 0.5

    def surprise(score):
        return -(later * np.log(score / score.sum())).sum()

    assert surprise(risk.score) < surprise(environment["rtm"])
    assert surprise(risk.score) < surprise(counts.astype(float))


def test_the_same_under_another_order_and_another_place(make_grid):
    grid, past, environment, _ = town(make_grid, hot=0.3, by_environment=0.4)
    risk = combine(grid, past, environment, SPEC)
    turn = np.random.default_rng(1).permutation(len(past))
    again = combine(
        grid, lay_past(grid, past.x[turn], past.y[turn], past.age_days[turn]), environment, SPEC
    )
    np.testing.assert_allclose(again.score, risk.score, rtol=1e-8)
    moved = make_grid(50, 40, cell=100.0, x0=700_000.0, y0=3_000_000.0)
    shifted = lay_past(moved, past.x - grid.x0 + moved.x0, past.y - grid.y0 + moved.y0)
    there = combine(moved, shifted, environment, SPEC)
    np.testing.assert_allclose(there.score, risk.score, rtol=1e-6)


def test_a_flat_environment_adds_nothing(make_grid):
    grid, past, _, _ = town(make_grid, hot=0.5, by_environment=0.2)
    alone = combine(grid, past, {}, SPEC)
    flat = combine(grid, past, {"rtm": np.ones(len(grid))}, SPEC)
    np.testing.assert_array_equal(flat.score, alone.score)
    assert {c.environment for c in flat.components} == {None}


def test_weights_maximise_the_likelihood():
    rng = np.random.default_rng(2)
    densities = rng.uniform(0.1, 2.0, (400, 3))
    weights = learn_weights(densities, rounds=5000)
    best = np.log(densities @ weights).sum()
    for _ in range(200):
        other = rng.dirichlet(np.ones(3))
        assert np.log(densities @ other).sum() <= best + 1e-9


def test_recombine_with_the_same_incidents_is_the_same_score(make_grid):
    grid, past, environment, _ = town(make_grid, hot=0.3, by_environment=0.4)
    risk = combine(grid, past, environment, SPEC)
    turned = tuple(reversed(risk.components))
    same = recombine(grid, past, environment, SPEC, turned, times=np.ones(len(past)))
    np.testing.assert_allclose(same, risk.score, rtol=1e-12)


def test_one_incident_is_not_a_history(make_grid):
    grid = make_grid(5, 5)
    past = lay_past(grid, grid.x[:1], grid.y[:1])
    with pytest.raises(FitError, match="at least two"):
        combine(grid, past, {}, SPEC)
