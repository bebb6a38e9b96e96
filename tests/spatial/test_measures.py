"""Rules of measures on plain arrays and frames."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial.intervals import quantile_of_sorted
from spatial.measures.days import NOWHERE, WHOLE, DayIndex
from spatial.measures.gunfire import (
    locate_verified,
    location_states,
    on_holiday,
    once_an_event,
    timed_alerts,
    timed_calls,
)

ROWS = st.lists(st.tuples(st.integers(-1, 3), st.integers(-5, 30), st.integers(0, 9)), max_size=40)
CELLS = st.lists(
    st.tuples(st.integers(-1, 3), st.integers(-8, 32), st.integers(-8, 32)), min_size=1, max_size=8
)


@given(rows=ROWS, cells=CELLS)
def test_slices_hold_what_a_filter_of_each_cell_holds(rows, cells):
    district, day, value = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    district = np.where(district == WHOLE, NOWHERE, district)
    place, start, end = np.array(cells, dtype=np.int64).T
    slices = DayIndex.of_table(district, day).cut(place, start, end)
    odd = value % 2 == 1
    pieces, chosen = list(slices.pieces(value)), list(slices.where(odd).pieces(value))
    for i, (where, first, after) in enumerate(cells):
        inside = (day >= first) & (day < after) & ((where == WHOLE) | (district == where))
        inside &= where != NOWHERE
        assert sorted(pieces[i]) == sorted(value[inside])
        assert sorted(chosen[i]) == sorted(value[inside & odd])
        assert slices.sizes[i] == inside.sum()
        assert slices.counts(odd)[i] == (inside & odd).sum()
        assert slices.sums(value.astype(float))[i] == value[inside].sum()


def test_a_row_may_stand_in_two_places_and_in_none():
    row, place, day = np.array([[0, 0, 1, 1], [0, 2, NOWHERE, 2], [5, 5, 5, 6]])
    index = DayIndex(row, place, day)
    slices = index.cut(np.array([0, 2, 2, 1]), np.array([5, 5, 6, 0]), np.array([6, 7, 7, 9]))
    assert [piece.tolist() for piece in slices.pieces(np.array([10, 11]))] == [
        [10],
        [10, 11],
        [11],
        [],
    ]


def test_the_first_and_the_last_day_that_can_be_are_days():
    days = np.array([dt.date.min, dt.date.max], dtype="datetime64[D]").astype(np.int64)
    index = DayIndex.of_table(np.array([1, 1]), days)
    slices = index.cut(np.array([0, 1]), np.repeat(days[0], 2), np.array([days[1], days[1] + 1]))
    assert slices.sizes.tolist() == [1, 2]


@given(
    values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30),
    q=st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]),
)
def test_a_quantile_is_that_of_numpy_to_the_last_bit(values, q):
    ordered = np.sort(np.array(values))
    assert quantile_of_sorted(ordered, q) == np.quantile(ordered, q)


def alert(**clocks):
    names = ("triggered", "review_started", "published", "dispatched", "arrived")
    row = {f"{name}_ms": [float(clocks.get(name, np.nan))] for name in names}
    return timed_alerts(pd.DataFrame({**row, "day": [pd.Timestamp("2024-03-01")]})).iloc[0]


def test_times_between_clocks_that_are_in_order():
    row = alert(triggered=0, review_started=20_000, published=50_000, arrived=650_000)
    assert (row["publish_s"], row["review_publish_s"]) == (50, 30)
    assert row["response_min"] == pytest.approx(650 / 60)
    assert row["after_publish_min"] == pytest.approx(10)


@pytest.mark.parametrize(
    ("clocks", "missing"),
    [
        ({"published": -1}, {"publish_s", "review_publish_s", "after_publish_min"}),
        ({"review_started": 60_000}, {"review_publish_s"}),
        ({"review_started": -1}, {"review_publish_s"}),
        ({"dispatched": 651_000}, {"response_min", "after_publish_min"}),
        ({"arrived": 40_000}, {"after_publish_min"}),
        ({"published": 0, "review_started": 0}, set()),
    ],
)
def test_a_clock_that_is_out_of_order_is_no_clock(clocks, missing):
    usual = {"triggered": 0, "review_started": 20_000, "published": 50_000, "arrived": 650_000}
    row = alert(**{**usual, **clocks})
    names = ("publish_s", "review_publish_s", "response_min", "after_publish_min")
    assert {name for name in names if np.isnan(row[name])} == missing


def test_a_call_that_was_reached_before_it_was_dispatched_has_no_time():
    calls = pd.DataFrame(
        {
            "received_ms": [0.0, 0.0, 0.0],
            "dispatched_ms": [np.nan, 60_000.0, 200_000.0],
            "arrived_ms": [120_000.0, 120_000.0, 120_000.0],
        }
    )
    minutes = timed_calls(calls)["response_min"]
    assert minutes[:2].tolist() == [2.0, 2.0]
    assert np.isnan(minutes[2])


def test_holidays_are_the_days_around_two_midnights():
    days = ["2024-12-30", "2024-12-31", "2025-01-01", "2025-01-02", "2025-07-03", "2025-07-04"]
    days += ["2025-07-05", "2025-07-06"]
    found = on_holiday(pd.Series(pd.to_datetime(days)))
    assert found.tolist() == [False, True, True, False, False, True, True, False]


def test_the_limit_itself_is_accurate_and_a_missed_one_is_not_detected():
    error = np.array([24.9, 25.0, 25.0001, np.nan, np.nan])
    missed = np.array([False, False, False, False, True])
    assert location_states(error, missed, 25.0).tolist() == [
        "accurate",
        "accurate",
        "mislocated",
        "unknown",
        "not detected",
    ]


def test_an_alert_with_a_verified_place_counts_unless_a_row_names_it():
    day = pd.Timestamp("2024-07-04")
    alerts = pd.DataFrame(
        {
            "row_key": ["A", "B", "C"],
            "x": [0.0, 0.0, 0.0],
            "y": [0.0, 0.0, 0.0],
            "verified_x": [30.0, 10.0, np.nan],
            "verified_y": [0.0, 0.0, np.nan],
            "day": [day] * 3,
            "district": ["D1", "D2", "D1"],
        }
    )
    verified = pd.DataFrame(
        {
            "row_key": ["V", "W", "U"],
            "x": [3.0, 0.0, 0.0],
            "y": [4.0, 0.0, 0.0],
            "alert": ["A", None, "Z"],
            "day": [day] * 3,
            "district": ["D1", "D1", None],
        }
    )
    found = locate_verified(verified, alerts, 25.0)
    assert found["state"].tolist() == ["accurate", "not detected", "unknown", "accurate"]
    assert found["alert"].tolist()[3:] == ["B"]
    assert found["x"].tolist()[3:] == [10.0]
    assert found["holiday"].all()


def test_what_alerts_of_one_event_report_counts_once_as_the_most():
    values = pd.Series([1.0, 3.0, np.nan, 2.0, 5.0])
    number = pd.Series(["E1", "E1", "E1", None, "E2"])
    found = once_an_event(values, number)
    assert found[[0, 1, 3, 4]].tolist() == [3.0, 0.0, 2.0, 5.0]
    assert np.isnan(found[2])
