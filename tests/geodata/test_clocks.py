import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.readers import dates
from geodata.readers.dates import local_days, read_instants, settle_twice

ZONE = "America/New_York"


def read(days, times=None, date_format=None):
    return read_instants(
        pd.Series(days),
        None if times is None else pd.Series(times),
        date_format=date_format,
        timezone=ZONE,
    )


def utc(ms):
    return [None if np.isnan(value) else f"{pd.Timestamp(value, unit='ms')}" for value in ms]


@pytest.mark.parametrize(
    ("dates", "times", "first"),
    [
        (["2023-01-31T14:05:00"], None, "2023-01-31 19:05:00"),
        (["2023-01-31 14:05:00.250"], None, "2023-01-31 19:05:00.250000"),
        (["2023-07-31 14:05:00"], None, "2023-07-31 18:05:00"),
        (["2023-01-31T14:05:00-05:00"], None, "2023-01-31 19:05:00"),
        (["2023-01-31T19:05:00Z"], None, "2023-01-31 19:05:00"),
        (["1/31/2023 14:05"], None, "2023-01-31 19:05:00"),
        (["01/31/2023 02:05:07 PM"], None, "2023-01-31 19:05:07"),
        (["1/31/2023 0:00", "1/31/2023 0:00"], None, "2023-01-31 05:00:00"),
        (["1/31/2023"], ["14:05:07"], "2023-01-31 19:05:07"),
        (["1/31/2023"], ["7740.0"], "2023-01-31 07:09:00"),
        (["1675191907"], None, "2023-01-31 19:05:07"),
        (["1675191907250"], None, "2023-01-31 19:05:07.250000"),
    ],
)
def test_forms_of_exports(dates, times, first):
    assert utc(read(dates, times).ms)[0] == first


def test_what_cannot_be_read_is_missing_and_known_to_be_given():
    found = read(["2023-01-31 14:05:00", "", "soon", None])
    assert np.isnan(found.ms).tolist() == [False, True, True, True]
    assert found.given.tolist() == [True, False, True, False]
    apart = read(["1/31/2023", "1/31/2023"], ["14:05", ""])
    assert apart.given.tolist() == [True, False]
    assert np.isnan(apart.ms).tolist() == [False, True]


def test_a_day_alone_is_no_moment():
    assert np.isnan(read(["2023-01-31", "2023-02-01"]).ms).all()


def test_the_repeated_hour_is_the_first_and_counted():
    found = read(["2023-11-05 01:30:00", "2023-11-05 02:30:00", "2023-11-05 00:59:59"])
    assert utc(found.ms) == ["2023-11-05 05:30:00", "2023-11-05 07:30:00", "2023-11-05 04:59:59"]
    assert found.twice.tolist() == [True, False, False]
    told = read(["2023-11-05T01:30:00-05:00", "2023-11-05T01:30:00-04:00"])
    assert utc(told.ms) == ["2023-11-05 06:30:00", "2023-11-05 05:30:00"]
    assert not told.twice.any()


def test_the_skipped_hour_is_read_an_hour_later():
    found = read(["2023-03-12 02:30:00", "2023-03-12 03:30:00"])
    assert utc(found.ms) == ["2023-03-12 07:30:00", "2023-03-12 07:30:00"]
    assert found.skipped == 1


def test_other_clocks_settle_the_repeated_hour():
    clocks = {
        "triggered": read(["2023-11-05 01:59:50", "2023-11-05 01:59:50", "2023-11-05 01:10:00"]),
        "published": read(["2023-11-05 01:00:20", "2023-11-05 02:00:20", "2023-11-05 01:10:30"]),
    }
    ms = settle_twice(clocks)
    assert utc(ms["triggered"]) == [
        "2023-11-05 05:59:50",  # the first, and the publication is in the second
        "2023-11-05 06:59:50",  # the second, half a minute before two o'clock
        "2023-11-05 05:10:00",
    ]
    assert ((ms["published"] - ms["triggered"]) / 1000).tolist() == [30.0, 30.0, 30.0]


def test_local_days_are_the_citys():
    late = pd.Timestamp("2024-01-01 04:30").value / 1e6
    days = local_days(np.array([late, np.nan]), ZONE)
    assert str(days[0]) == "2023-12-31 23:30:00"
    assert pd.isna(days[1])


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.one_of(
            st.builds(
                lambda day, form: day.strftime(form).upper(),
                st.dates(dt.date(1950, 1, 1), dt.date(2080, 1, 1)),
                st.sampled_from([dates.ISO, *dates.FORMS]),
            ),
            st.text(alphabet="0123 /-.,JANMY", max_size=12),
        ),
        min_size=1, max_size=6,
    )
)  # fmt: skip
def test_forms_that_are_not_tried_are_forms_that_no_value_has(values):
    texts = pd.Series(values, dtype="string")
    fit = {
        form
        for form in dates.FORMS
        if pd.to_datetime(texts, format=form, errors="coerce").notna().any()
    }
    assert fit <= set(dates._likely_forms(texts))
