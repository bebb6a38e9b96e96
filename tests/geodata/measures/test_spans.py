import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from geodata.measures.spans import last_year, this_year

LONG_AGO = dt.date(1999, 12, 17)
days = st.dates(dt.date(2001, 2, 1), dt.date(2100, 1, 1))


@given(days)
def test_twelve_months_are_whole_months_of_one_year(end):
    start, after = last_year(LONG_AGO, end)
    assert (start.day, after.day) == (1, 1)
    assert (after.year - start.year, after.month) == (1, start.month)
    assert (after - start).days in (365, 366)
    assert after <= end < after + dt.timedelta(days=32)


@given(days)
def test_this_year_begins_in_january_and_ends_with_the_same_month(end):
    start, after = this_year(LONG_AGO, end)
    assert (start.month, start.day) == (1, 1)
    assert after == last_year(LONG_AGO, end)[1]
    assert 28 <= (after - start).days <= 366


@given(days, st.integers(1, 800))
def test_periods_lie_in_the_months_that_there_are_rows_of(end, length):
    first = end - dt.timedelta(days=length)
    for start, after in (last_year(first, end), this_year(first, end)):
        assert first.replace(day=1) <= start < after <= end


def test_days_before_the_first_whole_month_are_told_as_they_are():
    first, end = dt.date(2024, 3, 5), dt.date(2024, 3, 20)
    assert last_year(first, end) == this_year(first, end) == (first, end)
