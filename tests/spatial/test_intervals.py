import numpy as np
import pytest
from scipy.stats import norm

from spatial.intervals import LEAST_VALUES, difference_interval, quantile_interval, wilson


def resampled(values, q, rng, times=4_000):
    draws = rng.choice(values, (times, len(values)))
    return np.quantile(draws, q, axis=1)


@pytest.mark.parametrize("n", [7, 40, 501])
@pytest.mark.parametrize("q", [0.5, 0.9])
def test_the_short_way_gives_what_resampling_gives(n, q):
    rng = np.random.default_rng(n)
    values = rng.lognormal(3, 0.5, n)
    long_way = np.quantile(resampled(values, q, rng), [0.025, 0.975])
    spread = np.ptp(long_way)
    assert quantile_interval(values, q) == pytest.approx(long_way, abs=0.12 * spread)


def test_difference_is_that_of_two_resamples():
    rng = np.random.default_rng(3)
    first, second = rng.lognormal(1, 0.4, 90), rng.lognormal(1.3, 0.4, 60)
    draws = resampled(first, 0.5, rng) - resampled(second, 0.5, rng)
    low, high = np.quantile(draws, [0.025, 0.975])
    assert difference_interval(first, second, 0.5) == pytest.approx(
        (low, high), abs=0.1 * (high - low)
    )
    turned = difference_interval(second, first, 0.5)
    assert turned == pytest.approx((-high, -low), abs=0.1 * (high - low))


def test_the_order_of_values_decides_nothing():
    values = np.random.default_rng(0).normal(50, 9, 60)
    assert quantile_interval(values, 0.5) == quantile_interval(values[::-1].copy(), 0.5)


def test_few_values_have_no_interval():
    few = np.arange(LEAST_VALUES - 1.0)
    assert quantile_interval(few, 0.5) is None
    assert difference_interval(few, np.arange(50.0), 0.5) is None
    assert difference_interval(np.arange(50.0), few, 0.5) is None
    same = np.full(9, 4.0)
    assert quantile_interval(same, 0.9) == (4.0, 4.0)


def test_wilson_solves_its_equation():
    low, high = wilson(30, 40)
    for edge in (low, high):
        assert abs(0.75 - edge) == pytest.approx(
            norm.ppf(0.975) * np.sqrt(edge * (1 - edge) / 40), rel=1e-9
        )
