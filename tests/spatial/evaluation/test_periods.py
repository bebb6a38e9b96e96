import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial.errors import OutcomeError
from spatial.evaluation.design import Periods, within


def periods(*days):
    a, b, c, d = map(dt.date.fromisoformat, days)
    return Periods(before=(a, b), after=(c, d))


def test_half_years_are_equal_whatever_their_days():
    found = periods("2018-01-01", "2018-07-01", "2018-07-01", "2019-01-01")
    assert found.time_weights == (1.0, 1.0)
    assert found.unit == "month"
    assert len(found.steps_before) == len(found.steps_after) == 6
    assert found.elapsed == pytest.approx([i / 6 for i in range(1, 7)])


def test_a_year_before_weighs_two_half_years():
    found = periods("2017-01-01", "2018-01-01", "2018-01-01", "2018-07-01")
    assert found.time_weights == (2.0, 1.0)


def test_other_periods_are_weighed_by_days():
    found = periods("2018-01-01", "2018-07-11", "2018-08-01", "2018-11-10")
    assert found.time_weights == (191 / 101, 1.0)
    assert found.steps_before[-1] == (dt.date(2018, 6, 11), dt.date(2018, 7, 11))
    assert found.steps_before[0][0] == dt.date(2018, 1, 11)  # ten days are in no step
    assert found.steps_after[-1] == (dt.date(2018, 11, 1), dt.date(2018, 11, 10))
    assert found.elapsed[-1] == 1.0


def test_short_periods_are_cut_into_weeks():
    found = periods("2018-01-01", "2018-03-26", "2018-03-26", "2018-06-18")
    assert found.unit == "week"
    assert len(found.steps_before) == len(found.steps_after) == 12
    assert found.time_weights == (1.0, 1.0)


def test_steps_at_the_end_of_a_month_stay_there():
    found = periods("2018-01-31", "2018-05-31", "2018-05-31", "2018-09-30")
    assert [start.day for start, _ in found.steps_before] == [31, 28, 31, 30]


def test_a_period_shorter_than_a_step_is_one():
    found = periods("2018-01-01", "2018-01-04", "2018-01-04", "2018-01-06")
    assert found.steps_before == ((dt.date(2018, 1, 1), dt.date(2018, 1, 4)),)
    assert found.time_weights == (1.5, 1.0)


starts = st.dates(dt.date(2010, 1, 1), dt.date(2020, 12, 31))
lengths = st.integers(1, 900)


@given(starts, lengths, st.integers(0, 60), lengths)
def test_steps_lie_side_by_side_within_their_periods(start, first, gap, second):
    middle = start + dt.timedelta(days=first)
    later = middle + dt.timedelta(days=gap)
    found = Periods(before=(start, middle), after=(later, later + dt.timedelta(days=second)))
    for steps in (found.steps_before, found.steps_after):
        assert all(a[1] == b[0] for a, b in itertools.pairwise(steps))
        assert all(a < b for a, b in steps)
    assert found.steps_before[-1][1] == middle
    assert found.steps_before[0][0] >= start
    assert (found.steps_after[0][0], found.steps_after[-1][1]) == found.after
    assert len(found.elapsed) == len(found.steps_after)
    assert found.elapsed[-1] == pytest.approx(1.0)
    assert all(a < b for a, b in itertools.pairwise(found.elapsed))
    days = [later, later + dt.timedelta(days=second), middle - dt.timedelta(days=1)]
    assert found.step_of(days).tolist() == [
        len(found.steps_before),
        -1,
        len(found.steps_before) - 1,
    ]


def test_ends_are_excluded():
    day = dt.date(2018, 7, 1)
    assert within([day], (day, day + dt.timedelta(days=1))).all()
    assert not within([day], (day - dt.timedelta(days=1), day)).any()


@pytest.mark.parametrize(
    ("days", "word"),
    [
        (("2018-01-01", "2018-01-01", "2018-02-01", "2018-03-01"), "before.* is empty"),
        (("2018-01-01", "2018-02-01", "2018-03-01", "2018-02-01"), "after.* is empty"),
        (("2018-01-01", "2018-02-02", "2018-02-01", "2018-03-01"), "on both sides"),
        (("2018-02-01", "2018-03-01", "2018-01-01", "2018-02-01"), "on both sides"),
    ],
)
def test_empty_and_overlapping_periods_are_refused(days, word):
    with pytest.raises(OutcomeError, match=word):
        periods(*days)
