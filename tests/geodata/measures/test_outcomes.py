import datetime as dt

import numpy as np
import pandas as pd
import pytest
import shapely
from gunfire import degrees
from scipy.stats import chi2
from town import SOUTH, WEST
from using import put_to_use

from geodata.measures.registry import work_out
from geodata.repositories import actions, runs
from geodata.repositories.cities import get_city
from spatial.intervals import poisson
from spatial.measures.scopes import Scope

MAY = Scope(start=dt.date(2024, 5, 1), end=dt.date(2024, 6, 1))


def place(town, rows):
    """Incidents of (day, offense, metres east); north is 1,000 m."""
    table = [
        [f"R{i}", offense, day, *degrees(east, 1000)] for i, (day, offense, east) in enumerate(rows)
    ]
    town.incidents = pd.DataFrame(table, columns=["id", "offense", "date", "lon", "lat"])


@pytest.fixture
def years(town, ledger_of):
    """Five robberies in May 2024, three in May 2023, and what lies just outside of both."""
    place(
        town,
        [
            *(("2024-05-01", "ROBBERY", 100 + 400 * i) for i in range(4)),
            ("2024-05-31", "ROBBERY", 2500),
            ("2024-06-01", "ROBBERY", 100),
            ("2024-05-10", "BURGLARY", 100),
            *(("2023-05-31", "ROBBERY", 100) for _ in range(2)),
            ("2023-05-01", "ROBBERY", 2500),
            ("2023-04-30", "ROBBERY", 100),
            ("2023-06-01", "ROBBERY", 100),
        ],
    )
    return ledger_of(dt.date(2024, 7, 1))


def figure(ledger, scope, measure="incidents.robbery"):
    (found,) = work_out(ledger, scope, [measure])
    return found.figure


def test_incidents_are_counted_against_the_same_days_of_the_year_before(years):
    found = figure(years, MAY)
    assert (found.value, found.n, found.year_before) == (5, 5, 3)
    assert (found.low, found.high) == pytest.approx(
        (chi2.ppf(0.025, 10) / 2, chi2.ppf(0.975, 12) / 2)
    )
    assert figure(years, MAY, "incidents.burglary").value == 1
    of_district = figure(years, Scope(start=MAY.start, end=MAY.end, district="D2"))
    assert (of_district.value, of_district.year_before) == (1, 1)


def test_a_year_before_that_is_not_wholly_known_is_missing_and_not_a_fall(years):
    """The data begin on April 30, 2023: of April 2023 nobody knows the first 29 days."""
    april = Scope(start=dt.date(2024, 4, 1), end=dt.date(2024, 5, 1))
    assert figure(years, april).value == 0
    assert figure(years, april).year_before is None
    since = Scope(start=dt.date(2024, 4, 30), end=dt.date(2024, 5, 1))
    assert figure(years, since).year_before == 1


def test_days_that_no_data_speak_of_have_no_count(years):
    assert figure(years, Scope(start=dt.date(2024, 6, 2), end=dt.date(2024, 7, 1))).value is None


def test_a_leap_day_meets_the_day_after_the_28th(years):
    leap = Scope(start=dt.date(2024, 2, 29), end=dt.date(2024, 3, 1))
    found = figure(years, leap)  # a period of the year before without any day
    assert (found.value, found.year_before) == (0, None)


@pytest.mark.parametrize("count", [0, 1, 7, 250])
def test_the_interval_of_a_count_is_garwoods(count):
    low, high = poisson(count)
    assert low == pytest.approx(0 if count == 0 else chi2.ppf(0.025, 2 * count) / 2)
    assert high == pytest.approx(chi2.ppf(0.975, 2 * count + 2) / 2)


@pytest.fixture
def in_use(years, ledger_of, sqlite_database, make_run):
    """A run whose only zone covers the first 600 m from the west, put to use."""
    record = make_run("town", "feedfacecafe")
    zone = shapely.box(WEST, SOUTH + 900, WEST + 600, SOUTH + 1100)
    zones = record.zones.iloc[:1].set_geometry([zone], crs=record.zones.crs)
    zones = zones.assign(district="D1")
    runs_in = record.__class__(**{**vars(record), "zones": zones, "outcome": "robbery"})
    with sqlite_database.session(write=True) as session:
        runs.save_run(session, runs_in)
    put_to_use(sqlite_database, runs_in)
    return lambda: ledger_of(dt.date(2024, 7, 1))  # what is read begins with its session


def test_incidents_inside_zones_in_use(in_use):
    ledger = in_use()
    found = figure(ledger, MAY, "incidents.robbery.in_zones")
    assert (found.value, found.numerator, found.denominator) == (2, 2, 5)
    assert found.year_before == 2
    assert figure(ledger, MAY, "incidents.burglary.in_zones").value is None


def test_work_that_was_done_and_how_long_it_took(in_use, sqlite_database):
    noted = dt.datetime(2024, 5, 2, 3)  # 23:00 on May 1 in the city
    assert figure(in_use(), MAY, "actions.done").value is None
    with sqlite_database.session(write=True) as session:
        city = get_city(session, "town")
        for closed, state in (
            ("2024-05-03", "done"),
            ("2024-05-11", "done"),
            ("2024-05-09", "dropped"),
        ):
            session.add(
                actions.Action(
                    city_id=city.id,
                    district="D1",
                    run_id="feedfacecafe",
                    zone="1",
                    factor=actions.ANY_FACTOR,
                    kind="lighting",
                    what="lamp",
                    owner="Public Works",
                    state=state,
                    created_at=noted,
                    created_by="ana",
                    changed_at=noted,
                    closed_on=dt.date.fromisoformat(closed),
                )
            )
    ledger = in_use()
    assert figure(ledger, MAY, "actions.done").value == 2
    assert figure(ledger, MAY, "actions.days_to_close.p50").value == np.median([2, 10])
    other = Scope(start=MAY.start, end=MAY.end, district="D2")
    assert figure(ledger, other, "actions.done").value == 0


@pytest.mark.parametrize(
    ("first", "number", "known"),
    [
        ("2023-05-01", 30, True),
        ("2023-05-03", 30, True),  # two days without one: chance leaves as many
        ("2023-05-06", 30, False),  # five days: some six would be missing
        ("2023-05-06", 5, True),
        ("2023-05-31", 5, False),
    ],
)
def test_rows_that_begin_a_little_late_by_chance_cover_the_year_before(
    town, ledger_of, first, number, known
):
    start, end = dt.date.fromisoformat(first), dt.date(2023, 6, 1)
    days = [start + (end - start) * i / number for i in range(number)]
    place(town, [(day.isoformat(), "ROBBERY", 100) for day in [*days, dt.date(2024, 5, 4)]])
    found = figure(ledger_of(dt.date(2024, 7, 1)), MAY)
    assert found.year_before == (number if known else None)
