import numpy as np
import pytest
from scipy import sparse

from spatial.errors import OutcomeError
from spatial.evaluation.controls import distinct, find_controls, ring
from spatial.evaluation.design import FEWER, MORE, Comparison, call, pieces_of
from spatial.evaluation.estimates import detectable_drop, dispersion, weighted_difference

DRAWS = 800


def counts(rng, mean, spread):
    mean = np.asarray(mean, dtype=float)
    return rng.poisson(mean if spread == 1 else rng.gamma(mean / (spread - 1), spread - 1))


def called(treated, controls, *, spread=1.0, before=1.0):
    """What the rule calls, from the estimates that an evaluation prints."""
    found = [
        weighted_difference(control, treated, time_weights=(before, 1.0)).local.widened(
            np.sqrt(spread), 0.05
        )
        for control in controls
    ]
    return call((one.low, one.high) for one in found)


def share_called(rng, comparison, drop, side=FEWER):
    """The share of draws in which the rule calls, with trends alike."""
    b, spread, found = comparison.before, comparison.dispersion, 0
    members, pieces = np.array(comparison.members), np.array(comparison.pieces)
    for _ in range(DRAWS):
        early = members @ counts(rng, pieces, spread)
        late = members @ counts(rng, pieces / b, spread)
        treated = (
            counts(rng, comparison.treated, spread),
            counts(rng, comparison.expected - drop, spread),
        )
        found += side == called(
            treated, zip(early, late, strict=True), spread=spread, before=comparison.before
        )
    return found / DRAWS


@pytest.mark.parametrize("before", [40, 150, 400])
@pytest.mark.parametrize("given", [{}, {"dispersion": 1.6}, {"before": 2.0}])
def test_a_drop_of_the_size_said_is_called_as_often_as_said(before, given):
    """The formula of one test against one area said a drop that this rule seldom calls."""
    rng = np.random.default_rng(before)
    found = Comparison.alike(before, 3, **given)
    for chance in (0.5, 0.8):
        drop = found.drop(chance)
        if drop < found.expected:
            assert share_called(rng, found, drop) == pytest.approx(chance, abs=0.05)
        else:
            assert share_called(rng, found, found.expected) < chance + 0.05
    formula = detectable_drop(found.expected, before=found.before)
    assert share_called(rng, found, formula) < 0.3


@pytest.mark.parametrize("before", [40, 150, 400])
def test_without_an_effect_the_rule_calls_no_more_than_its_level(before):
    rng = np.random.default_rng(before + 1)
    found = Comparison.alike(before, 3, dispersion=1.3)
    assert found.chance(0.0) <= 0.025
    assert share_called(rng, found, 0.0) <= 0.025
    assert share_called(rng, found, 0.0, side=MORE) <= 0.025


def test_what_areas_share_counts_once():
    """Areas that overlap vary together; the chance is that of draws in which they do."""
    rng = np.random.default_rng(5)
    found = Comparison(
        treated=150,
        pieces=[60, 90, 60, 150],
        members=[[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]],
        dispersion=1.3,
    )
    for drop in (40.0, 65.0):
        assert share_called(rng, found, drop) == pytest.approx(found.chance(drop), abs=0.05)
    assert found.drop(0.5) < Comparison.alike(150, 3, dispersion=1.3).drop(0.5)


def test_larger_drops_are_called_more_often_and_drop_is_the_inverse():
    found = Comparison.alike(120, 3, dispersion=1.4, before=2.0)
    chances = [found.chance(drop) for drop in np.linspace(0, 60, 30)]
    assert chances == sorted(chances)
    assert found.chance(found.drop(0.5)) == pytest.approx(0.5, abs=1e-3)
    assert found.chance(found.drop(0.8)) == pytest.approx(0.8, abs=1e-3)


def test_where_not_even_nothing_is_called_the_drop_is_more_than_all():
    found = Comparison.alike(8, 3)
    assert found.chance(8.0) < 0.5
    assert 8.0 < found.drop(0.5) < found.drop(0.8)


def test_more_controls_find_less_and_controls_that_are_one_find_as_one():
    one, three = (Comparison.alike(150, number).drop(0.5) for number in (1, 3))
    same = Comparison(treated=150, pieces=[150], members=[[1], [1], [1]]).drop(0.5)
    assert one < three
    assert same == pytest.approx(one, rel=0.02)
    around = Comparison.alike(150, 3, surroundings=150).drop(0.5)
    assert three < around < 2 * three


def test_the_same_question_has_the_same_answer():
    assert Comparison.alike(77, 2).drop(0.5) == Comparison.alike(77, 2).drop(0.5)


def test_overlapping_areas_are_cut_into_pieces():
    own = np.array([5, 1, 2, 3, 9, 0])
    pieces, members = pieces_of([np.array([0, 1, 2]), np.array([2, 3])], own)
    assert sorted(pieces) == [2, 3, 6]
    assert (members @ np.array(pieces)).tolist() == [8, 5]


def test_where_the_engine_chooses_the_areas_the_promise_holds(make_grid):
    """Cities without trends: areas chosen on counts before, then a drop of the size said."""
    grid, found, cities, after = make_grid(24, 24), 0, 40, 12
    inside = (grid.rows >= 10) & (grid.rows < 14) & (grid.cols >= 10) & (grid.cols < 14)
    treated = np.flatnonzero(inside)
    rate = np.where(inside, 150 / 16 / 12, 0.08)
    free = np.ones(len(grid), dtype=bool)
    free[ring(grid, treated, 2)] = False
    for seed in range(cities):
        rng = np.random.default_rng(seed)
        before = rng.poisson(rate[:, None], (len(grid), 12))
        areas = distinct(find_controls(grid, sparse.csr_array(before), treated, free), 3)
        series = before[treated].sum(axis=0)
        early = before.sum(axis=1)
        pieces, members = pieces_of([area.cells for area in areas], early)
        spread = dispersion(series)
        comparison = Comparison(
            treated=series.sum(),
            pieces=pieces,
            members=members,
            dispersion=dispersion(series, *(before[area.cells].sum(axis=0) for area in areas)),
            widening=spread,
        )
        left = 1 - comparison.drop(0.5) / 150
        for _ in range(after):
            late = rng.poisson(12 * np.where(inside, rate * left, rate))
            pairs = [(early[area.cells].sum(), late[area.cells].sum()) for area in areas]
            mine = (early[treated].sum(), late[treated].sum())
            found += called(mine, pairs, spread=spread) == FEWER
    assert 0.4 < found / (cities * after) < 0.6


@pytest.mark.parametrize(
    "bad",
    [
        {"treated": 0},
        {"treated": 5, "before": 0},
        {"treated": 5, "dispersion": 0.5},
        {"treated": 5, "widening": 0.5},
    ],
)
def test_what_has_no_power_is_refused(bad):
    with pytest.raises(OutcomeError, match="power needs"):
        Comparison(**({"pieces": [5], "members": [[1]]} | bad))


def test_a_comparison_needs_a_control_area():
    with pytest.raises(OutcomeError, match="at least one control area"):
        Comparison(treated=5, pieces=[], members=np.empty((0, 0)))
