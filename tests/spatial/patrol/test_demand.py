import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial.errors import DosageError
from spatial.patrol.demand import aoristic, expected_in_shift, hour_of_week, shift_hours

moments = st.floats(-5_000, 500_000, allow_nan=False)


@given(st.lists(st.tuples(moments, st.floats(0, 900)), max_size=12))
def test_every_incident_weighs_one_however_little_is_known_of_its_time(rows):
    start = np.array([row[0] for row in rows])
    weights = aoristic(start, start + np.array([row[1] for row in rows]))
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-9)
    assert (weights >= 0).all()
    assert hour_of_week(weights).sum() == pytest.approx(1.0)


def test_an_interval_is_spread_by_the_part_that_lies_in_each_hour():
    (row,) = aoristic([22.5], [25.0])  # Monday 22:30 to Tuesday 1:00
    assert row[[22, 23, 24]] == pytest.approx([0.2, 0.4, 0.4])
    assert row.sum() == pytest.approx(1.0)


def test_a_known_moment_and_a_known_day():
    weights = aoristic([30.75, 24.0, 200.0], [30.75, 48.0, 200.0])
    assert weights[0, 30] == 1.0
    assert weights[1, 24:48] == pytest.approx(np.full(24, 1 / 24))
    assert weights[2, 200 - 168] == 1.0  # the next week


def test_a_whole_week_and_more_says_nothing_of_the_hour():
    assert aoristic([10.5], [10.5 + 336])[0] == pytest.approx(np.full(168, 1 / 168))


@pytest.mark.parametrize("end", [9.0, np.nan, np.inf, 200_000.0])
def test_an_interval_that_cannot_be_is_refused(end):
    with pytest.raises(DosageError, match="in order and within ten years"):
        aoristic([10.0], [end])


def test_the_profile_follows_the_counts_and_is_never_zero():
    profile = hour_of_week(aoristic(np.full(5000, 40.5), np.full(5000, 40.5)))
    assert profile[40] > 0.95
    assert (profile > 0).all()
    assert hour_of_week(np.zeros((0, 168))) == pytest.approx(np.full(168, 1 / 168))


def test_a_shift_covers_its_hours_also_over_the_end_of_the_week():
    covered = shift_hours(6 * 24 + 22.5, 180)  # Sunday 22:30, three hours
    assert covered[[166, 167, 0, 1]] == pytest.approx([0.5, 1.0, 1.0, 0.5])
    assert covered.sum() == pytest.approx(3.0)


def test_zones_alike_share_the_common_profile():
    rng = np.random.default_rng(4)
    hours = rng.integers(0, 168, 4000) + 0.5
    covered = shift_hours(20.0, 720)
    found = expected_in_shift(
        np.array([2.0, 1.0]), aoristic(hours, hours), np.arange(4000) % 2, covered
    )
    assert found[0] == pytest.approx(2 * found[1], rel=0.02)
    assert found.sum() == pytest.approx(3.0 * 12 / 168, rel=0.15)


def test_a_zone_of_the_night_expects_more_at_night():
    night, day = np.full(200, 22.5), np.full(200, 10.5)
    hours = np.concatenate([night, day])
    zone = np.repeat([0, 1], 200)
    rate = np.array([1.0, 1.0])
    found = expected_in_shift(rate, aoristic(hours, hours), zone, shift_hours(20.0, 240))
    assert found[0] > 0.9
    assert found[1] < 0.1


def test_one_incident_in_the_night_makes_no_zone_of_the_night():
    rng = np.random.default_rng(5)
    hours = np.append(rng.integers(0, 168, 2000) + 0.5, 22.5)
    zone = np.append(rng.integers(0, 20, 2000), 20)
    found = expected_in_shift(np.ones(21), aoristic(hours, hours), zone, shift_hours(20.0, 240))
    assert found[20] < 0.1  # by itself it would be 1


def test_a_city_without_incidents_takes_every_hour_to_be_alike():
    found = expected_in_shift(
        np.array([7.0]), np.zeros((0, 168)), np.zeros(0, dtype=int), shift_hours(0.0, 1440)
    )
    assert found == pytest.approx([1.0])
