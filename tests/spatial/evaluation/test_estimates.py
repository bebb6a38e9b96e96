import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from spatial.errors import OutcomeError
from spatial.evaluation.estimates import (
    detectable_drop,
    dispersion,
    e_test,
    rate_ratio,
    running_difference,
    weighted_difference,
)

PAPER = ((308, 318), (207, 110), (150, 140), (178, 157))  # Wheeler and Ratcliffe 2018
counts = st.tuples(st.integers(0, 500), st.integers(0, 500))


def test_the_plain_difference():
    found = weighted_difference((20, 20), (20, 10), alpha=0.1)
    assert found.displacement is None
    assert found.total == found.local
    assert found.total.value == -10
    assert found.total.se == pytest.approx(8.366600265, abs=5e-10)
    assert found.total.z == pytest.approx(-1.195228609, abs=5e-10)
    assert (found.total.low, found.total.high) == pytest.approx(
        (-23.761832792, 3.761832792), abs=5e-10
    )


def test_the_published_example_in_its_parts():
    found = weighted_difference(*PAPER)
    assert (found.local.value, found.displacement.value, found.total.value) == (-107, -11, -118)
    assert found.local.se == pytest.approx(30.708305066, abs=5e-10)
    assert found.displacement.se == 25
    assert found.total.se == pytest.approx(39.597979746, abs=1e-9)
    assert found.total.z == pytest.approx(-2.979950006, abs=5e-10)
    assert (found.total.low, found.total.high) == pytest.approx((-195.6106, -40.3894), abs=5e-5)


def test_area_weights_come_in_the_order_of_the_areas():
    found = weighted_difference(*PAPER, area_weights=(0.9, 1.2, 1.6, 1.5)).total
    assert found.value == pytest.approx(-99.694444444, abs=5e-10)
    assert found.se == pytest.approx(35.428075504, abs=5e-10)
    assert found.z == pytest.approx(-2.813995483, abs=5e-10)
    assert (found.low, found.high) == pytest.approx((-169.1321965, -30.25669241), abs=5e-8)


def test_time_weights_make_it_incidents_per_time():
    found = weighted_difference((100, 50), (80, 20), time_weights=(2, 1)).total
    assert found.value == -20
    assert found.se == pytest.approx(10.723805, abs=5e-7)


def test_the_two_scales_can_disagree():
    control, treated = (447, 435), (729, 617)
    difference = weighted_difference(control, treated).total
    ratio = rate_ratio(control, treated)
    assert difference.value == -100
    assert difference.high < 0
    assert ratio.value == pytest.approx(0.869713, abs=5e-7)
    assert (ratio.low, ratio.high) == pytest.approx((0.7337, 1.0309), abs=5e-5)


def test_without_a_count_there_is_no_ratio():
    assert rate_ratio((5, 0), (3, 4)) is None


@pytest.mark.parametrize(
    ("pair", "p"), [((6, 2), 0.1748748209), ((20, 10), 0.0688317821), ((10, 5), 0.2061644141)]
)
def test_e_test_of_two_counts(pair, p):
    assert e_test(*pair) == pytest.approx(p, abs=5e-11)
    assert e_test(*pair[::-1]) == pytest.approx(p, abs=5e-11)


def test_e_test_of_two_rates():
    assert e_test(100, 25, exposure=(10, 5)) == pytest.approx(0.0015380663, abs=5e-11)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 120), st.integers(0, 120))
def test_e_test_counts_every_pair_that_is_as_far_apart(first, second):
    """Distances compared as whole numbers, so that ties such as (6, 12) and (12, 20) are exact."""
    a, b = np.ogrid[:400, :400]
    far = (a - b) ** 2 * (first + second) >= (first - second) ** 2 * (a + b)
    far[0, 0] = first == second  # two zeros do not differ
    chance = stats.poisson.pmf(np.arange(400), (first + second) / 2)
    assert e_test(first, second) == pytest.approx(float(chance @ far @ chance), abs=1e-12)


def test_e_test_weighs_large_counts_in_parts():
    assert e_test(6_000, 6_200) == pytest.approx(
        stats.poisson_means_test(6_000, 1, 6_200, 1).pvalue, abs=1e-7
    )


def test_detectable_drop():
    assert detectable_drop(50) == pytest.approx(stats.norm.isf(0.05) * np.sqrt(200))
    assert round(detectable_drop(50), 1) == 23.3
    assert detectable_drop(50, displacement=50) == pytest.approx(
        stats.norm.isf(0.05) * np.sqrt(400)
    )
    assert detectable_drop(50, before=1e9) == pytest.approx(detectable_drop(50) / np.sqrt(2))


def test_a_drop_of_the_detectable_size_is_found_half_of_the_time():
    rng = np.random.default_rng(4)
    mean, before = 80.0, 2.0
    drop = detectable_drop(mean, before=before)
    draws = rng.poisson([before * mean, mean, before * mean, mean - drop], (4_000, 4))
    found = [
        weighted_difference(row[:2], row[2:], time_weights=(before, 1)).total.z
        < -stats.norm.isf(0.05)
        for row in draws
    ]
    assert np.mean(found) == pytest.approx(0.5, abs=0.06)


@settings(max_examples=60, deadline=None)
@given(counts, counts, counts, counts)
def test_parts_add_up_and_swapping_areas_turns_the_sign(control, treated, far, near):
    there = weighted_difference(control, treated, far, near)
    assert there.total.value == pytest.approx(there.local.value + there.displacement.value)
    assert there.total.se**2 == pytest.approx(sum(control + treated + far + near))
    back = weighted_difference(treated, control, near, far)
    assert back.total.value == pytest.approx(-there.total.value)
    assert (back.total.low, back.total.high) == pytest.approx((-there.total.high, -there.total.low))


@settings(max_examples=60, deadline=None)
@given(counts, counts, st.floats(0.1, 10))
def test_doubling_every_length_halves_the_figures_and_keeps_z(control, treated, length):
    one = weighted_difference(control, treated, time_weights=(length, 1)).total
    two = weighted_difference(control, treated, time_weights=(2 * length, 2)).total
    assert two.value == pytest.approx(one.value / 2)
    assert two.z == (None if one.z is None else pytest.approx(one.z))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=24),
    counts,
    st.floats(0.2, 5),
)
def test_the_running_difference_ends_at_the_whole(steps, before, length):
    control, treated = np.array(steps).T
    elapsed = np.arange(1, len(steps) + 1) / len(steps)
    weights = (length, 1.0)
    last = running_difference(control, treated, before, elapsed, time_weights=weights)[-1]
    whole = weighted_difference(
        (before[0], control.sum()), (before[1], treated.sum()), time_weights=weights
    ).total
    assert (last.value, last.se) == pytest.approx((whole.value, whole.se))


def test_the_running_difference_allows_for_the_gap_before():
    found = running_difference([10, 10], [14, 14], (60, 84), [1 / 6, 2 / 6])
    assert [at.value for at in found] == pytest.approx([0, 0])
    assert found[1].se == pytest.approx(np.sqrt(48 + (2 / 6) ** 2 * 144))


def coverage(rng, *, inflation=1.0, drift=0.0, draws=6_000):
    mean, effect = 50.0, -0.2
    held = 0
    for _ in range(draws):
        means = np.array([mean, mean, mean, mean * (1 + effect + drift)])
        if inflation > 1:
            means = rng.gamma(means / (inflation - 1), inflation - 1)
        c0, c1, t0, t1 = rng.poisson(means)
        found = weighted_difference((c0, c1), (t0, t1)).total
        held += found.low <= mean * effect <= found.high
    return held / draws


def test_intervals_hold_the_truth_only_if_counts_are_poisson_and_trends_parallel():
    """The figures that docs/evaluation.md states."""
    rng = np.random.default_rng(1)
    assert coverage(rng) == pytest.approx(0.95, abs=0.012)
    assert coverage(rng, inflation=2.0) == pytest.approx(0.83, abs=0.02)
    assert coverage(rng, inflation=3.0) == pytest.approx(0.75, abs=0.025)
    assert coverage(rng, drift=-0.2) == pytest.approx(0.89, abs=0.02)


def test_dispersion_is_one_for_poisson_and_grows_with_the_variance():
    rng = np.random.default_rng(2)
    assert np.mean([dispersion(rng.poisson(20, 60)) for _ in range(400)]) < 1.15
    loose = [dispersion(rng.poisson(rng.gamma(20 / 2, 2, 60))) for _ in range(400)]
    assert np.mean(loose) == pytest.approx(3.0, abs=0.2)
    for series in ([7], [0, 0, 0], [4] * 12):
        assert dispersion(series) == 1.0


def test_widening_keeps_the_value():
    found = weighted_difference((20, 20), (20, 10)).total
    wide = found.widened(1.5, 0.05)
    assert (wide.value, wide.se) == pytest.approx((found.value, 1.5 * found.se))
    assert wide.high - wide.low == pytest.approx(1.5 * (found.high - found.low))


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"control": (1, -1)}, "0 or more"),
        ({"control": (1, np.nan)}, "0 or more"),
        ({"control": (1, 2, 3)}, "before and after"),
        ({"displacement": (1, 2)}, "or neither"),
        ({"time_weights": (0, 1)}, "above 0"),
        ({"area_weights": (1, 1)}, "give 4 weights"),
        ({"alpha": 0.0}, "between 0 and 1"),
        ({"alpha": float("nan")}, "between 0 and 1"),
    ],
)
def test_what_cannot_be_is_refused(given, word):
    with pytest.raises(OutcomeError, match=word):
        weighted_difference(**({"control": (1, 1), "treated": (1, 1)} | given))


def test_no_incident_at_all_has_no_z():
    assert weighted_difference((0, 0), (0, 0)).total.z is None
