import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from gunfire import SPRING, degrees

from geodata.measures.record import Scope
from geodata.measures.registry import MEASURES, work_out_scopes
from spatial.intervals import wilson


def parts(value):
    figure = value.figure
    return figure.numerator, figure.denominator, figure.n, figure.missing


def test_published_within_sixty_seconds_by_both_clocks(town, figures):
    town.alert(reviewed=20, published=60.0)
    town.alert(reviewed=20, published=60.001)
    town.alert(reviewed=20, published=80.0)
    town.alert(reviewed=20, published=80.001)
    town.alert(published=30)  # no review
    town.alert(reviewed=10)  # not published
    town.alert(published=-5)  # before its trigger
    town.alert(reviewed=50, published=40)  # before its review
    found = figures()
    trigger, review = (found[f"alerts.published_60s.{clock}"] for clock in ("trigger", "review"))
    assert parts(trigger) == (3, 6, 6, 2)
    assert parts(review) == (3, 4, 4, 4)
    assert trigger.figure.value == 0.5
    assert (trigger.figure.low, trigger.figure.high) == pytest.approx(wilson(3, 6))
    seconds = [60.0, 60.001, 80.0, 80.001, 30.0, 40.0]
    for q in (50, 90):
        value = found[f"alerts.publish_seconds.p{q}"]
        assert value.figure.value == pytest.approx(np.quantile(seconds, q / 100))
        assert (value.figure.n, value.figure.missing) == (6, 2)
        assert value.figure.low <= value.figure.value <= value.figure.high


def test_contract_and_audit_of_the_same_rows(town, figures):
    """A share of 97 % beside one of 17 %, as a vendor and an auditor read one table."""
    for i in range(100):
        result = "REPORT" if i < 17 else "unconfirmed"
        town.alert(day=i % 28, at=60 * i, x=500 + 20 * i, result=result)
    for i, metres in enumerate((0, 24.9, 25.1, 60)):
        town.verify(day=i, at=60 * i, x=500 + 20 * i + metres, alert=f"A{i}")
    town.verify(day=5, x=2000)  # heard by nobody
    town.verify(day=5, x=3500)  # outside the coverage area
    found = figures()
    assert parts(found["alerts.performance"]) == (98, 101, 101, 0)
    assert found["alerts.performance"].figure.value == pytest.approx(98 / 101)
    assert found["alerts.performance"].status == "met"
    assert parts(found["alerts.located_25m"]) == (2, 5, 5, 0)
    assert parts(found["alerts.confirmed"]) == (17, 100, 100, 0)
    shares = [
        found[f"alerts.{name}"].figure.value
        for name in ("confirmed", "unconfirmed", "unfounded", "no_disposition")
    ]
    assert shares == [0.17, 0.83, 0.0, 0.0]


def test_holidays_are_left_out_of_one_of_the_two(town, figures):
    new_year = (dt.date(2024, 12, 31) - dt.date(2024, 3, 1)).days
    inside = [new_year, new_year + 1.49, (dt.date(2024, 7, 5) - dt.date(2024, 3, 1)).days]
    outside = [new_year - 0.6, new_year + 1.51, (dt.date(2024, 7, 3) - dt.date(2024, 3, 1)).days]
    for day in (*inside, *outside):
        town.alert(day=day, x=800)
        town.verify(day=day, x=2000)
    year = Scope(start=dt.date(2024, 3, 1), end=dt.date(2025, 3, 1))
    found = figures(year, today=dt.date(2025, 3, 1))
    assert parts(found["alerts.performance"])[:2] == (6, 12)
    assert parts(found["alerts.performance.excluding_holidays"])[:2] == (3, 6)


def test_a_verified_place_on_the_alert_itself_counts(town, figures):
    town.change('class = "type"', 'verified_x = "rounds"\nverified_y = "guns"')
    town.change('guns = "guns"\n', "")
    town.change('rounds = "rounds"\n', "")
    for metres in (10, 40):
        lon, lat = degrees(1000 + metres, 1000)
        town.alert(rounds=lon, guns=lat)
    town.alert()
    found = figures()
    assert parts(found["alerts.located_25m"]) == (1, 2, 2, 0)
    assert parts(found["alerts.performance"]) == (2, 3, 3, 0)


def test_verified_gunfire_of_an_alert_that_is_not_stored_is_missing(town, figures):
    town.alert()
    town.verify(alert="A7")
    town.verify(alert="A0")
    assert parts(figures()["alerts.located_25m"]) == (1, 1, 1, 1)


def test_what_is_found_at_one_event_counts_once(town, figures):
    town.alert(guns=1, arrests=2, casings=5, number="E1")
    town.alert(at=30, guns=2, arrests=2, number="E1")
    town.alert(at=60, casings=3, number="E1")
    town.alert(day=1, guns=1, number="E2")
    town.alert(day=2, guns=1)
    town.alert(day=3, guns=1)
    town.call(day=2, at=30)
    found = figures()
    assert found["alerts.guns"].figure.value == 5
    assert found["alerts.arrests"].figure.value == 2
    assert found["alerts.casings"].figure.value == 5
    assert (found["alerts.guns"].figure.n, found["alerts.guns"].figure.missing) == (5, 1)
    assert found["alerts.victims"].figure.value is None
    per_100 = found["alerts.guns_per_100"].figure
    assert (per_100.value, per_100.numerator, per_100.denominator) == (125.0, 5, 4)


def test_missing_is_never_zero(town, figures):
    town.alert(day=2)
    town.change('disposition = "result"\n', "")
    town.change('[alerts.dispositions]\n"REPORT" = "confirmed"\n', "")
    found = figures()
    for name in ("confirmed", "no_disposition", "guns", "publish_seconds.p50", "performance"):
        assert found[f"alerts.{name}"].figure.value is None, name
        assert found[f"alerts.{name}"].status == "not enough data"
    assert found["alerts.confirmed"].figure.missing == 1
    for name, value in found.items():
        if name.startswith(("events", "response", "dirtbike", "dosage", "zones")):
            assert value.figure.value is None, name


def test_a_count_of_days_nobody_told_of_is_missing_and_of_quiet_days_is_zero(town, figures):
    town.alert(day=0)
    town.alert(day=40)
    quiet = Scope(start=dt.date(2024, 3, 10), end=dt.date(2024, 3, 20))
    assert figures(quiet)["alerts.count"].figure.value == 0
    before = Scope(start=dt.date(2023, 3, 10), end=dt.date(2023, 3, 20))
    assert figures(before)["alerts.count"].figure.value is None


def test_days_are_local_and_half_open(town, figures):
    town.alert(day=0, at=-43_200)  # March 1, midnight
    town.alert(day=30, at=43_199)  # March 31, a second before midnight
    town.alert(day=31, at=-43_200)  # April 1, midnight
    assert figures()["alerts.count"].figure.value == 2


def test_districts_are_apart(town, ledger_of):
    town.alert(x=1000)
    town.alert(x=2500)
    town.alert(x=2600)
    scopes = [replace(SPRING, district=code) for code in ("D1", "D2")]
    values = work_out_scopes(ledger_of(), scopes, [MEASURES["alerts.count"]], {}).values()
    assert [(v.scope.district, v.figure.value) for v in values] == [("D1", 1), ("D2", 2)]
