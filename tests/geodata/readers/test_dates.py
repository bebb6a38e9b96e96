"""How exports of records systems, dispatch systems and portals write when something happened."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.readers.dates import (
    MONTHS,
    YEARS,
    in_columns,
    read_instants,
    read_moments,
    read_times,
)

ZONE = "America/New_York"


def moments(dates, times=None, date_format=None):
    found = read_moments(
        pd.Series(dates),
        None if times is None else pd.Series(times),
        date_format=date_format,
        timezone=ZONE,
    )
    written = []
    for day, seconds in zip(found.day, found.seconds, strict=True):
        clock = (
            "" if np.isnan(seconds) else f" {int(seconds // 3600):02}:{seconds // 60 % 60:02.0f}"
        )
        written.append(None if np.isnat(day) else f"{str(day)[:10]}{clock}")
    return written, found


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        # an offset of hours only, as ArcGIS Hub writes it; with minutes, without a colon; names
        (["2024/02/01 03:15:00+00", "2024/07/09 01:05:00+00"], "2024-01-31 22:15"),
        (["2024-02-01T03:15:00+0000", "2024-07-09T01:05:00Z"], "2024-01-31 22:15"),
        (["02/01/2024 03:15 UTC", "07/09/2024 01:05 GMT"], "2024-01-31 22:15"),
        (["Thu, 01 Feb 2024 03:15:00 GMT"], "2024-01-31 22:15"),
        # digits written together, as dispatch systems write them
        (["202401312215", "202402010205"], "2024-01-31 22:15"),
        (["20240131221507", "20240201020500"], "2024-01-31 22:15"),
        ([202401312215.0, 202402010205.0], "2024-01-31 22:15"),
        (["20240131 2215", "20240201 0205"], "2024-01-31 22:15"),
        (["1/31/2024 2215", "2/1/2024 0205"], "2024-01-31 22:15"),
        # counted from 1970 UTC, in four units
        (["1706757300", "1720000000"], "2024-01-31 22:15"),
        (["1706757300000", "1720000000000"], "2024-01-31 22:15"),
        (["1706757300000000", "1720000000000000"], "2024-01-31 22:15"),
        ([1706757300000, 1720000000000], "2024-01-31 22:15"),
        # dots, months by name, Oracle, SAS, SQL Server
        (["01/31/2024 22.15.07", "02/01/2024 02.05.00"], "2024-01-31 22:15"),
        (
            ["31-JAN-24 10.15.07.000000000 PM", "01-FEB-24 02.05.00.000000000 AM"],
            "2024-01-31 22:15",
        ),
        (["31JAN2024:22:15:00"], "2024-01-31 22:15"),
        (["Jan 31 2024 10:15PM", "Feb  1 2024  2:05AM"], "2024-01-31 22:15"),
        (["Wednesday, January 31, 2024 10:15 p.m."], "2024-01-31 22:15"),
        (["31.01.2024 22:15", "01.02.2024 02:05"], "2024-01-31 22:15"),
        # zones by name, regions, ctime, JavaScript, .NET
        (["01/31/2024 22:15 EST", "07/31/2024 22:15 EDT"], "2024-01-31 22:15"),
        (["2024-01-31 10:15 PM CST"], "2024-01-31 23:15"),
        (["31-JAN-24 10.15.07.000000 PM AMERICA/NEW_YORK"], "2024-01-31 22:15"),
        (["31-JAN-24 08.15.07.000000 PM US/Mountain"], "2024-01-31 22:15"),
        (["Wed Jan 31 22:15:00 EST 2024", "Thu Feb  1 02:05:00 EST 2024"], "2024-01-31 22:15"),
        (["Wed Jan 31 22:15:00 2024"], "2024-01-31 22:15"),
        (
            ["Wed Jan 31 2024 22:15:00 GMT-0500 (Eastern Standard Time)"],
            "2024-01-31 22:15",
        ),
        (["/Date(1706757300000)/", "/Date(1720000000000-0400)/"], "2024-01-31 22:15"),
        # as people write in other languages
        (["31.01.2024 22:15 Uhr", "13.02.2024 9:05 Uhr"], "2024-01-31 22:15"),
        (["31/01/2024 22h15", "13/02/2024 9h05"], "2024-01-31 22:15"),
        (["31-ene-2024 22:15", "13-feb-2024 9:05"], "2024-01-31 22:15"),
        (["31 de enero de 2024 22:15"], "2024-01-31 22:15"),
        (["1/31/2024 10:15p", "2/1/2024 2:05 a"], "2024-01-31 22:15"),
        # days of Excel and Access with a part of a day
        (["45322.927083333", "45323.5"], "2024-01-31 22:15"),
    ],
)
def test_the_same_moment_in_the_forms_of_exports(dates, expected):
    assert moments(dates)[0][0] == expected


def test_an_offset_within_a_stated_form_may_change_over_the_year():
    dates = ["2024-01-31T22:05:07-05:00", "2024-07-01T02:05:00-04:00"]
    assert moments(dates, date_format="%Y-%m-%dT%H:%M:%S%z")[0] == [
        "2024-01-31 22:05",
        "2024-07-01 02:05",
    ]


@pytest.mark.parametrize(
    "dates",
    [
        ["2024-01-16T00:00:00Z", "2024-02-01T00:00:00Z"],
        [1705363200000, 1706745600000],
        list(pd.to_datetime(["2024-01-16", "2024-02-01"], utc=True)),
    ],
)
def test_days_that_a_service_writes_as_midnight_utc_stay_the_days_they_are(dates):
    written, found = moments(dates)
    assert written == ["2024-01-16", "2024-02-01"]
    assert "midnight UTC" in found.notes[0]


@pytest.mark.parametrize(
    ("dates", "form"),
    [
        (["2024", "2023"], YEARS),
        ([2024, 2023], YEARS),
        (["2024-01", "2024-02"], MONTHS),
        (["202401", "202402"], MONTHS),
        (["Jan 2024", "Feb 2024"], MONTHS),
        (["01/2024", "02/2024"], MONTHS),
    ],
)
def test_a_year_or_a_month_alone_is_no_day(dates, form):
    written, found = moments(dates)
    assert written == [None, None]
    assert found.form == form


def test_the_first_day_of_1900_stands_for_no_date():
    assert moments(["1/1/1900", "01/31/2024"])[0] == [None, "2024-01-31"]


def test_counts_from_1970_of_insane_years_are_no_dates():
    assert moments(["86400", "172800"])[0] == [None, None]
    assert moments(["1706757300"] * 3 + ["0", "99"])[0] == ["2024-01-31 22:15"] * 3 + [None] * 2


@pytest.mark.parametrize(
    ("times", "seconds", "note"),
    [
        (["1448", "2400", "0012"], [53_280, 86_400, 720], ""),
        (["1448", "2475", "0012"], [53_280, np.nan, 720], ""),
        (["14", "2", "22", "0"], [50_400, 7_200, 79_200, 0], "hours"),
        (["144807", "000012", "235959"], [53_287, 12, 86_399], "seconds written together"),
        (["0.5", "0.25"], [43_200, 21_600], "parts of a day"),
        (["12/30/1899 2:05:00 PM", "12/30/1899 2:30:00 AM"], [50_700, 9_000], ""),
        (["1899-12-30 14:05:00", "1900-01-01T02:30:00"], [50_700, 9_000], ""),
        (["14.05", "2.30.00"], [50_700, 9_000], ""),
        (["2:05 p.m.", "12:30AM", "12 PM"], [50_700, 1_800, 43_200], ""),
        (["2:05p", "12:30 a", "0205P", "1145 AM"], [50_700, 1_800, 50_700, 42_300], ""),
        (["24:00", "00:00", "1430"], [86_400, 0, 52_200], ""),
        (["25:00", "12:61", "soon"], [np.nan] * 3, ""),
    ],
)
def test_times_of_day_by_majority(times, seconds, note):
    found, notes = read_times(pd.Series(times))
    np.testing.assert_array_equal(found, seconds)
    assert note in "".join(notes)


def test_twenty_four_hundred_is_the_next_midnight_and_an_unreadable_time_is_marked():
    written, found = moments(["1/16/2024"] * 3, ["1448", "2400", "2475"])
    assert written == ["2024-01-16 14:48", "2024-01-17 00:00", "2024-01-16"]
    assert found.unread.tolist() == [False, False, True]
    clock = read_instants(
        pd.Series(["1/16/2024"]), pd.Series(["2400"]), date_format=None, timezone=ZONE
    )
    assert pd.Timestamp(clock.ms[0], unit="ms") == pd.Timestamp("2024-01-17 05:00")


def test_an_unreadable_time_beside_its_date_leaves_the_day():
    written, found = moments(["1/16/2024 14:48", "1/17/2024 25:10", "1/18/2024"])
    assert written == ["2024-01-16 14:48", "2024-01-17", "2024-01-18"]
    assert found.unread.tolist() == [False, True, False]


def test_parts_in_columns_of_their_own():
    frame = pd.DataFrame(
        {
            "Y": ["2024", "2024"],
            "M": ["1", "July"],
            "D": ["31", "4"],
            "H": ["14", ""],
            "MI": ["5", ""],
        }
    )
    dates, times = in_columns(frame, ["Y", "M", "D", "H", "MI"])
    written, _ = moments(dates, times)
    assert written == ["2024-01-31 14:05", "2024-07-04"]
    assert in_columns(frame, ["Y", "M", "D"])[1] is None


CELLS = st.one_of(
    st.none(),
    st.text(max_size=25),
    st.integers(-(10**19), 10**19).map(str),
    st.floats().map(str),
    st.datetimes().map(str),
    st.from_regex(
        r"\d{1,4}[/.:-]\d{1,4}[/.:-]\d{1,4}[ T]?(\d{1,2}[:.]\d{2})?[ +-]?\d{0,4}Z?", fullmatch=True
    ),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(CELLS, max_size=8), st.lists(CELLS, min_size=8, max_size=8))
def test_no_column_of_texts_breaks_the_reading(dates, times):
    column, clocks = pd.Series(dates, dtype=object), pd.Series(times[: len(dates)], dtype=object)
    for other in (None, clocks):
        found = read_moments(column, other, date_format=None, timezone=ZONE)
        assert len(found.day) == len(found.seconds) == len(column)
        known = found.seconds[~np.isnan(found.seconds)]
        assert ((known >= 0) & (known < 86_400)).all()
        read_instants(column, other, date_format=None, timezone=ZONE)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.floats(), st.integers(-(2**62), 2**62)), max_size=6))
def test_no_column_of_numbers_breaks_the_reading(values):
    column = pd.Series(values, dtype=float)
    read_moments(column, column, date_format=None, timezone=ZONE)
    read_instants(column, None, date_format=None, timezone=ZONE)
