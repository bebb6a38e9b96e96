import numpy as np
import pytest
from gunfire import SPRING

from geodata.measures.registry import work_out


def test_the_published_pattern_of_a_pilot_year_comes_out_exactly(town, figures):
    """1,447 events: 57 % alert only, 15 % both, 28 % call only; 282 confirmed of them."""
    numbers = {"alert": 825, "both": 217, "call": 405}
    spots = np.random.default_rng(1).permutation(sum(numbers.values()))
    for place, spot in enumerate(spots):
        day = int(spot % 30)
        day += day >= 9  # March 10 has an hour less
        when = {"day": day, "at": 1700.0 * (spot // 30) - 42_000, "x": 1200.0}
        kind = "alert" if place < 825 else "both" if place < 1042 else "call"
        number = f"E{place}" if place % 2 else None
        if kind != "call":
            town.alert(**when, number=number, result="REPORT" if place % 5 == 0 else "unconfirmed")
        if kind != "alert":
            late = 0 if kind == "call" else 500 if number else 300
            away = 0 if kind == "call" or number else 250
            town.call(
                **{**when, "at": when["at"] + late, "x": when["x"] + away},
                number=number if kind == "both" else None,
            )
    found = figures()
    for scope in ("events", "events.covered"):
        assert found[f"{scope}.count"].figure.value == 1447
        for kind, of in (("alert_only", 825), ("both", 217), ("call_only", 405)):
            figure = found[f"{scope}.{kind}"].figure
            assert (figure.numerator, figure.denominator) == (of, 1447)
    shares = [
        round(100 * found[f"events.{kind}"].figure.value)
        for kind in ("alert_only", "both", "call_only")
    ]
    assert shares == [57, 15, 28]


def test_events_outside_the_coverage_area_count_apart(town, figures):
    town.alert()
    town.call(day=1)
    town.call(day=2, x=3500)
    town.call(day=3, x=3500)
    found = figures()
    assert found["events.count"].figure.value == 4
    assert found["events.covered.count"].figure.value == 2
    assert found["events.covered.call_only"].figure.value == 0.5
    town.change('[coverage]\nsource = "coverage.geojson"\n', "")
    without = figures()
    assert without["events.covered.count"].figure.value is None
    assert without["events.count"].figure.value == 4


def test_without_calls_nothing_is_called_alert_only(town, figures):
    town.alert()
    found = figures()
    assert found["events.count"].figure.value is None
    assert found["events.alert_only"].figure.value is None
    assert found["events.alert_only"].figure.missing == 1


def test_an_event_has_the_day_and_district_of_its_first_alert(town, ledger_of):
    town.call(at=-60, x=1900)
    town.alert(at=0, x=2100, number="E")
    town.alert(at=60, x=1900, number="E")
    events = ledger_of().events
    assert events["district"].tolist() == ["D2"]
    assert events["both"].tolist() == [True]


def test_response_is_a_difference_of_medians_inside_the_coverage_area(town, figures):
    for i, minutes in enumerate((4, 5, 6, 7, 8)):
        town.alert(day=i, published=30, arrived=60 * minutes)
        town.call(day=i + 10, arrived=60 * (minutes + 2))
    town.alert(day=20, dispatched=500, arrived=400)  # out of order
    town.alert(day=21)
    town.alert(day=22, x=3500, arrived=60 * 90)
    town.call(day=23, x=3500, arrived=60 * 90)
    found = figures()
    figure = found["response.difference_minutes"].figure
    assert figure.value == pytest.approx(-2.0)
    assert (figure.n, figure.missing) == (10, 2)
    assert figure.low <= -2.0 <= figure.high
    assert found["response.difference_minutes.published"].figure.value == pytest.approx(-2.5)
    assert found["response.alert_minutes.p50"].figure.value == pytest.approx(6.0)
    assert found["response.call_minutes.p50"].figure.value == pytest.approx(8.0)


def test_the_city_may_have_no_district_but_itself(town, ledger_of):
    town.alert(x=3900, y=3900)
    ledger = ledger_of()
    assert len(ledger.rows("alerts", SPRING)) == 1
    assert len(work_out(ledger, SPRING, ["alerts.count", "events.count"])) == 2
