import numpy as np
import pytest

from spatial.combined import combine, learn_weights, recombine
from spatial.errors import FitError
from spatial.history.kernels import lay_past
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
    assert sum(risk.record.shares) == pytest.approx(1.0)


def test_weights_follow_where_the_incidents_come_from(make_grid):
    """Truth: no history but repeat places, no environment but one surface."""
    grid, past, environment, _ = town(make_grid, hot=0.0, by_environment=0.9)
    bare = combine(grid, past, environment, SPEC)
    assert bare.environment_share > 0.8
    grid, past, environment, _ = town(make_grid, hot=0.8, by_environment=0.0)
    repeated = combine(grid, past, environment, SPEC)
    assert repeated.environment_share < 0.35


def test_incidents_that_spread_around_are_the_history_of_the_mixture(make_grid):
    grid = make_grid(50, 40, cell=100.0)
    rng = np.random.default_rng(3)
    centres = rng.uniform([500, 500], [4500, 3500], (6, 2)) + np.array([grid.x0, grid.y0])
    xy = centres[rng.integers(0, 6, 700)] + rng.normal(0, 250, (700, 2))
    environment = {"rtm": np.where(grid.cols % 7 == 0, 5.0, 1.0)}
    risk = combine(grid, lay_past(grid, xy[:, 0], xy[:, 1]), environment, SPEC)
    kinds = by_kind(risk)
    assert kinds["history"] + kinds["both"] > 0.9
    assert kinds["history"] > kinds["both"]


def test_a_record_is_history_and_its_lack_lowers_both(make_grid):
    grid, past, environment, _ = town(make_grid, hot=0.6, by_environment=0.3)
    risk = combine(grid, past, environment, SPEC)
    counts = np.bincount(past.cell, minlength=len(grid))
    top = int(counts.argmax())
    alike = (counts == 0) & (environment["rtm"] == environment["rtm"][top])
    assert risk.score[top] > 5 * risk.score[alike].mean()
    assert risk.history[top] / risk.score[top] > 0.8
    assert (risk.environment[alike] / risk.score[alike]).mean() > 0.3


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
    held = rng.integers(1, 5, 400).astype(float)
    weights = learn_weights(densities, held, rounds=5000)
    best = held @ np.log(densities @ weights)
    for _ in range(200):
        other = rng.dirichlet(np.ones(3))
        assert held @ np.log(densities @ other) <= best + 1e-9


def test_a_forest_is_weighed_in_and_changes_no_share(make_grid):
    grid, past, environment, _ = town(make_grid, hot=0.3, by_environment=0.4)
    alone = combine(grid, past, environment, SPEC)
    forest = np.where(grid.cols < 25, 3.0, 0.0)
    risk = combine(grid, past, environment, SPEC, forest=forest)
    np.testing.assert_allclose(risk.environment + risk.history, risk.score, rtol=1e-12)
    np.testing.assert_allclose(
        risk.environment / risk.score, alone.environment / alone.score, rtol=1e-9
    )
    ratio = risk.score / alone.score
    other = 0.999 * forest / forest.mean() + 0.001
    expected = (other / alone.score) ** (1 / 3)
    np.testing.assert_allclose(ratio / ratio[0], expected / expected[0], rtol=1e-9)
    assert risk.score.min() > 0


def test_a_forest_that_saw_nothing_is_left_out(make_grid):
    grid, past, environment, _ = town(make_grid, hot=0.3, by_environment=0.4)
    alone = combine(grid, past, environment, SPEC)
    empty = combine(grid, past, environment, SPEC, forest=np.zeros(len(grid)))
    np.testing.assert_array_equal(empty.score, alone.score)


def test_a_cell_weighs_by_its_incidents_in_the_mixture(make_grid):
    grid = make_grid(40, 20)
    bad = np.arange(len(grid)) < 40
    cells = np.concatenate([np.repeat(np.arange(20), 10), np.arange(100, 300)])
    past = lay_past(grid, grid.x[cells], grid.y[cells])
    spec = HistorySpec(bandwidths_cells=())
    risk = combine(grid, past, {"rtm": np.where(bad, 20.0, 1.0)}, spec)
    place = np.where(bad, 20.0, 1.0) / (40 * 20 + 760)
    shares = np.linspace(0, 0.999, 1000)
    found = [np.log(w * place[cells] + (1 - w) / len(grid)).sum() for w in shares]
    assert risk.components[1].environment == "rtm"
    assert risk.components[1].weight == pytest.approx(shares[np.argmax(found)], abs=0.01)


def test_where_nothing_can_lie_around_there_is_no_such_component(make_grid):
    grid = make_grid(1, 1)
    past = lay_past(grid, np.repeat(grid.x, 2), np.repeat(grid.y, 2))
    risk = combine(grid, past, {}, SPEC)
    assert [component.kind for component in risk.components] == ["base"]
    np.testing.assert_allclose(risk.score, 1.0)


def test_two_incidents_of_one_cell_are_enough(make_grid):
    grid = make_grid(9, 9)
    past = lay_past(grid, np.repeat(grid.x[40], 2), np.repeat(grid.y[40], 2))
    risk = combine(grid, past, {}, SPEC)
    assert risk.score.argmax() == 40
    assert np.isfinite(risk.score).all()


def test_recombine_with_the_same_incidents_is_the_same_score(make_grid):
    grid, past, environment, _ = town(make_grid, hot=0.3, by_environment=0.4)
    risk = combine(grid, past, environment, SPEC)
    turned = tuple(reversed(risk.components))
    same = recombine(grid, past, environment, SPEC, turned, risk.record, times=np.ones(len(past)))
    np.testing.assert_allclose(same, risk.score, rtol=1e-12)
    forest = np.arange(len(grid), dtype=float)
    with_forest = combine(grid, past, environment, SPEC, forest=forest).score
    same = recombine(grid, past, environment, SPEC, turned, risk.record, forest=forest)
    np.testing.assert_allclose(same, with_forest, rtol=1e-12)


def test_recombine_follows_the_incidents_drawn(make_grid):
    grid, past, environment, _ = town(make_grid, hot=0.3, by_environment=0.4)
    risk = combine(grid, past, environment, SPEC)
    top = int(np.bincount(past.cell).argmax())
    without = recombine(
        grid,
        past,
        environment,
        SPEC,
        risk.components,
        risk.record,
        times=np.where(past.cell == top, 0.0, 1.0),
    )
    assert without[top] < 0.2 * risk.score[top]


def test_one_incident_is_not_a_history(make_grid):
    grid = make_grid(5, 5)
    past = lay_past(grid, grid.x[:1], grid.y[:1])
    with pytest.raises(FitError, match="at least two"):
        combine(grid, past, {}, SPEC)
