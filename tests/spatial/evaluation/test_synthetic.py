import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import minimize

from spatial.errors import OutcomeError
from spatial.evaluation.synthetic import merge_steps, weigh_donors


def drawn(seed, donors=60, steps=6):
    rng = np.random.default_rng(seed)
    return rng.poisson(1.5, (donors, steps)), rng.poisson(12, steps) + 5


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_weighted_donors_equal_the_treated_series(seed):
    donors, treated = drawn(seed)
    found = weigh_donors(donors, treated)
    assert found.exact
    assert found.method == "raking"
    assert found.series(donors) == pytest.approx(treated, abs=1e-6)
    assert (found.weights > 0).all()
    assert 1 <= found.effective <= len(donors)


def test_weights_are_the_least_that_raking_changes():
    """Against a general optimiser on the problem as Deville and Särndal state it."""
    donors, treated = drawn(3, donors=20, steps=3)
    base = treated.sum() / donors.sum()
    found = weigh_donors(donors, treated)
    assert found.exact

    def distance(w):
        return (w * np.log(w / base) - w + base).sum()

    best = minimize(
        distance,
        np.full(20, base),
        bounds=[(1e-9, None)] * 20,
        constraints={"type": "eq", "fun": lambda w: donors.T @ w - treated},
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    assert found.weights == pytest.approx(best.x, abs=1e-4)


def test_donors_without_incidents_keep_their_part():
    """A control of cells that happened to have incidents would have fewer after."""
    rng = np.random.default_rng(5)
    ratios = []
    for _ in range(40):
        before, after = rng.poisson(0.02, (2, 4_000, 6))
        treated = np.full(6, 8)
        found = weigh_donors(before, treated)
        ratios.append((found.weights @ after).sum() / treated.sum())
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.05)


def test_what_no_weights_can_equal_is_approached():
    donors = np.array([[6, 1], [8, 1], [9, 2]])
    treated = np.array([10, 50])
    found = weigh_donors(donors, treated)
    assert not found.exact
    assert found.method == "least squares"
    assert (found.weights >= 0).all()
    assert found.miss > 0
    only = np.linalg.lstsq(donors[2:].T.astype(float), treated.astype(float), rcond=None)[0]
    assert found.series(donors) == pytest.approx(donors[2] * only[0], rel=0.02)


def test_sparse_and_dense_donors_are_the_same():
    donors, treated = drawn(4)
    dense, thin = weigh_donors(donors, treated), weigh_donors(sparse.csr_array(donors), treated)
    assert thin.weights == pytest.approx(dense.weights)
    assert thin.series(sparse.csr_array(donors)) == pytest.approx(dense.series(donors))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40))
def test_merged_steps_hold_five_incidents_and_lose_none(series):
    series = np.array(series, dtype=float)
    merged = merge_steps(series)
    assert (merged.sum(axis=1) == 1).all()
    held = series @ merged
    assert held.sum() == series.sum()
    assert len(held) == 1 or (held >= 5).all()
    assert (np.diff(merged.argmax(axis=1)) >= 0).all()  # in order of time


def test_the_difference_counts_every_weight():
    donors, treated = drawn(6)
    found = weigh_donors(donors, treated)
    pairs = np.stack([donors.sum(1), donors.sum(1) + 1], axis=1)
    own = (int(treated.sum()), 70)
    change = found.difference(own, pairs, time_weights=(2.0, 1.0))
    w = found.weights
    assert change.value == pytest.approx(
        (own[1] - own[0] / 2) - (w @ pairs[:, 1] - w @ pairs[:, 0] / 2)
    )
    assert change.se**2 == pytest.approx(
        own[1] + own[0] / 4 + (w**2) @ pairs[:, 1] + (w**2) @ pairs[:, 0] / 4
    )


@pytest.mark.parametrize(("donors", "treated"), [([[0, 0]], [3, 4]), ([[1, 2]], [0, 0])])
def test_without_incidents_there_is_no_synthetic_control(donors, treated):
    with pytest.raises(OutcomeError, match="needs incidents"):
        weigh_donors(np.array(donors), treated)
