import numpy as np
import pytest

from spatial.errors import ForecastError
from spatial.history.forecast import capture, score_levels
from spatial.intervals import wilson

OBSERVED = np.array([6, 7, 3, 2, 1, 0])
PREDICTED = np.array([8, 4, 4, 2, 1, 0])


def test_vectors_of_a_published_comparison():
    """Six areas of equal size, ties in ascending order of what was observed (method, section 4)."""
    curve = capture(PREDICTED, OBSERVED, ties="pessimistic")
    assert curve.pai == pytest.approx(
        [1.8947368, 1.4210526, 1.6842105, 1.4210526, 1.2, 1], abs=1e-7
    )
    assert curve.pei == pytest.approx([0.85714286, 0.69230769, 1, 1, 1, 1], abs=1e-8)
    assert curve.predicted_over_observed == pytest.approx([1.3333333, 1.3333333, 1, 1, 1, 1])


def test_ties_are_spread_evenly():
    curve = capture(PREDICTED, OBSERVED)
    assert curve.hits == pytest.approx([6, 11, 16, 18, 19, 19])
    assert curve.block.tolist() == [1, 2, 2, 1, 1, 1]


def test_a_flat_score_finds_what_chance_finds():
    rng = np.random.default_rng(3)
    observed = rng.poisson(0.1, 1000)
    levels = score_levels(np.ones(1000), observed)
    assert [level.pai for level in levels] == pytest.approx([1.0] * 6)
    assert {level.tied for level in levels} == {1000}
    assert capture(np.ones(1000), observed).under_curve == pytest.approx(0.5)


def test_rounding_noise_does_not_break_a_tie():
    score = np.array([3.0, 0.1 + 0.2, 0.3, 0.0])
    curve = capture(score, np.array([0, 4, 0, 0]))
    assert curve.block.tolist() == [1, 2, 2, 1]
    assert curve.hits == pytest.approx([0, 2, 4, 4])


@pytest.mark.parametrize(("apart", "tied"), [(1e-13, 2), (8e-13, 2), (1e-11, 1), (1e-9, 1)])
def test_scores_are_the_same_within_a_trillionth_of_the_largest(apart, tied):
    curve = capture(np.array([4.0, 2.0 + 4.0 * apart, 2.0, 1.0]), np.array([0, 4, 0, 0]))
    assert curve.block.tolist() == [1, tied, tied, 1]


def test_scores_do_not_depend_on_the_order_of_cells():
    rng = np.random.default_rng(5)
    score, observed = rng.integers(0, 9, 400), rng.poisson(0.3, 400)
    there = score_levels(score, observed)
    turn = rng.permutation(400)
    again = score_levels(score[turn], observed[turn])
    for one, other in zip(there, again, strict=True):
        assert other.hits == pytest.approx(one.hits, rel=1e-12)
        assert other.tied == one.tied


def test_areas_weigh_cells():
    curve = capture([2, 1], [1, 1], area=[1, 3])
    assert curve.pai == pytest.approx([2.0, 1.0])


def test_a_perfect_score_has_pei_one_and_calibration():
    observed = np.array([5, 3, 1, 0, 0, 0, 0, 0, 0, 0])
    levels = score_levels(observed / 2, observed, shares=(0.1, 0.2), expected_total=9.0)
    assert [level.pei for level in levels] == pytest.approx([1.0, 1.0])
    assert [level.calibration for level in levels] == pytest.approx([1.0, 1.0])
    assert levels[0].hits == 5


def test_interval_is_wilsons_over_the_share_of_area():
    observed = np.zeros(100)
    observed[0], observed[50:] = 15, 0.7
    (level,) = score_levels(observed, observed, shares=(0.01,))
    assert (level.pai_low, level.pai_high) == pytest.approx((19.10, 43.75), abs=0.01)
    assert wilson(0, 10)[0] == 0.0
    assert wilson(10, 10)[1] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("score", "observed", "word"),
    [
        ([1, 2], [1], "one value a cell"),
        ([1, np.nan], [1, 1], "finite"),
        ([1, 2], [0, 0], "no inc"),
    ],
)
def test_what_cannot_be_scored_says_so(score, observed, word):
    with pytest.raises(ForecastError, match=word):
        capture(score, observed)
