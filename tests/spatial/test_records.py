import numpy as np
import pytest
from scipy.stats import poisson

from spatial.history import empirical_bayes
from spatial.history.empirical_bayes import Record, learn_record


def drawn(factors, shares, *, cells=6000, seed=3):
    rng = np.random.default_rng(seed)
    expected = rng.uniform(0.05, 2.0, cells)
    truth = expected * rng.choice(factors, cells, p=shares)
    return expected, rng.poisson(truth).astype(float), truth


def test_a_factor_is_its_mean_given_the_record():
    record = Record(factors=(0.5, 2.0, 7.0), shares=(0.6, 0.3, 0.1), scale=1.0)
    expected, held = np.array([0.3, 2.5, 2.5]), np.array([2, 0, 9])
    for i in range(3):
        chance = np.array(record.shares) * poisson.pmf(held[i], expected[i] * np.array([0.5, 2, 7]))
        by_hand = chance @ np.array(record.factors) / chance.sum()
        assert record.lift(expected, held.astype(float))[i] == pytest.approx(by_hand, rel=1e-12)


def test_where_cells_are_alike_a_record_says_nothing():
    expected, held, _ = drawn([1.0], [1.0])
    lift = learn_record(expected, held).lift(expected, held)
    np.testing.assert_allclose(lift, 1.0, atol=0.5)
    assert lift.std() < 0.08


def test_where_few_cells_have_most_a_record_comes_near_the_truth():
    expected, held, truth = drawn([0.1, 8.0], [0.9, 0.1])
    record = learn_record(expected, held)
    found = expected * record.lift(expected, held)

    def error(guess):
        return ((guess - truth) ** 2).mean()

    assert error(found) < 0.5 * error(held)
    assert error(found) < 0.2 * error(expected * (held.sum() / expected.sum()))
    near = (np.array(record.factors) > 5) & (np.array(record.factors) < 12)
    assert np.array(record.shares)[near].sum() == pytest.approx(0.1, abs=0.02)


def test_more_rounds_are_more_likely():
    expected, held, _ = drawn([0.2, 3.0], [0.7, 0.3])

    def likelihood(rounds):
        record = learn_record(expected, held, rounds=rounds)
        means = np.outer(expected, record.factors)
        return np.log(poisson.pmf(held[:, None], means) @ np.array(record.shares)).sum()

    found = [likelihood(rounds) for rounds in (0, 1, 10, 100)]
    assert (np.diff(found) > 0).all()


def test_more_incidents_of_less_weight_tell_more():
    """Twice the incidents at half the weight: the same sums, known better."""
    record = learn_record(*drawn([0.3, 4.0], [0.7, 0.3])[:2])
    surer = Record(factors=record.factors, shares=record.shares, scale=2.0)
    expected, held = np.array([2.0]), np.array([0.0])
    assert surer.lift(expected, held)[0] < record.lift(expected, held)[0]


def test_cells_worked_on_apart_give_the_same(monkeypatch):
    expected, held, _ = drawn([0.2, 3.0], [0.7, 0.3], cells=500)
    record = learn_record(expected, held)
    whole = record.lift(expected, held)
    monkeypatch.setattr(empirical_bayes, "AT_ONCE", 64)
    np.testing.assert_array_equal(record.lift(expected, held), whole)
