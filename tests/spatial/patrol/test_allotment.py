import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial.errors import DosageError
from spatial.patrol.allocation import PlanSpec, allocate_visits, capacity, units_for

expectations = st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 50)), min_size=1, max_size=30)
SPEC = PlanSpec(shift_min=720, units=4)


@given(expectations, st.integers(0, 700))
def test_visits_are_within_bounds_and_none_is_lost(expected, number):
    given_ = allocate_visits(np.array(expected), number, SPEC)
    assert given_.sum() == min(number, len(expected) * SPEC.most)
    assert (given_ >= (1 if number >= len(expected) else 0)).all()
    assert (given_ <= SPEC.most).all()
    if number >= len(expected) * SPEC.enough:
        assert (given_ >= SPEC.enough).all()


@given(expectations, st.integers(0, 700))
def test_who_expects_more_never_gets_less(expected, number):
    expected = np.array(expected)
    given_ = allocate_visits(expected, number, SPEC)
    order = np.argsort(expected, kind="stable")
    for one, two in itertools.pairwise(order):
        if expected[two] > expected[one] * (1 + 1e-6):
            assert given_[two] >= given_[one]


@given(st.permutations(list(range(7))), st.integers(0, 120))
def test_the_order_of_zones_changes_nothing(order, number):
    expected = np.array([0.1, 0.7, 1.3, 2.9, 4.1, 8.3, 16.7])
    straight = allocate_visits(expected, number, SPEC)
    assert (allocate_visits(expected[order], number, SPEC) == straight[order]).all()


def test_beyond_the_floor_visits_follow_expected_incidents():
    given_ = allocate_visits(np.array([1.0, 1.0, 4.0]), 3 * 6 + 6, SPEC)
    assert given_.tolist() == [6, 6, 12]


def test_of_equal_remainders_the_zone_that_expects_more_gets_the_visit():
    assert allocate_visits(np.array([17.0, 25.0]), 21, SPEC).tolist() == [8, 13]
    assert allocate_visits(np.array([25.0, 17.0]), 21, SPEC).tolist() == [13, 8]


def test_with_too_few_visits_the_zones_that_expect_most_come_first():
    assert allocate_visits(np.array([1.0, 5.0, 3.0]), 2, SPEC).tolist() == [0, 1, 1]


def test_without_any_expectation_zones_share_alike():
    assert allocate_visits(np.zeros(4), 10, SPEC).tolist() == [3, 3, 2, 2]


@pytest.mark.parametrize(
    ("shift", "visit", "enough"), [(720, 15, 5), (480, 15, 3), (120, 15, 1), (60, 15, 1)]
)
def test_so_many_visits_keep_gaps_within_two_hours(shift, visit, enough):
    spec = PlanSpec(shift_min=shift, units=1, visit_min=visit, break_min=0)
    assert spec.enough == enough
    left = shift - enough * visit
    assert left <= (enough + 1) * spec.gap_min
    assert enough == 1 or left + visit > enough * spec.gap_min  # one less is too few


def test_capacity_counts_visits_ways_and_breaks():
    travel = np.full((5, 5), 5) - 5 * np.eye(5, dtype=int)
    assert capacity(SPEC, travel) == int(4 * (720 - 30) * 0.9 / 20)
    assert capacity(SPEC, travel[:1, :1]) == int(4 * (720 - 30) * 0.9 / 15)
    need = units_for(SPEC, travel)
    assert capacity(SPEC, travel, units=need) >= 5 * SPEC.enough


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"units": 0}, "1 to 200 units"),
        ({"shift_min": 0}, "up to 24 hours"),
        ({"shift_min": 1441}, "up to 24 hours"),
        ({"visit_min": 4}, "5 to 60 minutes"),
        ({"visit_min": 61}, "5 to 60 minutes"),
        ({"shift_min": 40, "break_min": 30}, "no room"),
        ({"break_min": -1}, "no room"),
        ({"limit_s": 0.0}, "time limit"),
        ({"limit_s": float("nan")}, "time limit"),
    ],
)
def test_what_cannot_be_is_refused(change, told):
    with pytest.raises(DosageError, match=told):
        PlanSpec(**{"shift_min": 720, "units": 2, **change})
