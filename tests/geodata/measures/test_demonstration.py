"""Every measure of the demonstration city against the truth that it was drawn from."""

import datetime as dt
import json

import pytest

from geodata.database import open_database
from geodata.measures.ledger import Ledger
from geodata.measures.record import Scope
from geodata.measures.registry import work_out
from geodata.store.cities import get_city

COUNTED = (
    "alerts.published_60s.trigger",
    "alerts.published_60s.review",
    "alerts.performance",
    "alerts.performance.excluding_holidays",
    "alerts.located_25m",
    "alerts.confirmed",
    "alerts.unconfirmed",
    "alerts.unfounded",
    "alerts.no_disposition",
)
SUMMED = ("alerts.guns", "alerts.arrests", "alerts.casings", "alerts.victims")
DIRTBIKE = ("complaints", "ride_outs", "seizures", "citations", "arrests", "injury_crashes")


@pytest.fixture(scope="module")
def truth(demo_settings):
    folder = demo_settings.instance.parent / "city"
    return json.loads((folder / "demo_truth.json").read_text(encoding="utf-8"))["measures"]


@pytest.fixture(scope="module")
def ledger(demo_settings):
    database = open_database(demo_settings.database_url)
    with database.session() as session:
        city = get_city(session, "alder-falls")
        yield Ledger(session, city, city.this_day())
    database.close()


def scopes(truth):
    """Give every scope that the truth speaks of, with its part of the truth."""
    start, end = dt.date.fromisoformat(truth["from"]), dt.date.fromisoformat(truth["to"])
    yield Scope(start=start, end=end), truth["year"]
    for code, part in truth["districts"].items():
        yield Scope(start=start, end=end, district=code), part
    for month, part in truth["months"].items():
        first = dt.date.fromisoformat(f"{month}-01")
        yield Scope(start=first, end=(first + dt.timedelta(days=31)).replace(day=1)), part


def test_alerts_and_events_are_exactly_those_that_were_drawn(truth, ledger):
    compared = 0
    for scope, true in scopes(truth):
        found = {value.measure.id: value.figure for value in work_out(ledger, scope)}
        assert found["alerts.count"].value == true["alerts.count"], scope
        for name in COUNTED:
            figure, expected = found[name], true[name]
            if expected["denominator"] == 0:
                assert figure.value is None, (scope, name)
                continue
            counted = (figure.numerator, figure.denominator)
            assert counted == (expected["numerator"], expected["denominator"]), (scope, name)
            if "missing" in expected:
                assert figure.missing == expected["missing"], (scope, name)
            compared += 1
        for name in SUMMED:
            assert found[name].value == true[name]["value"], (scope, name)
        for name, place in (("events", "all"), ("events.covered", "inside_coverage")):
            expected = true["events"][place]
            assert found[f"{name}.count"].value == expected["count"], (scope, name)
            for kind in ("alert_only", "both", "call_only"):
                if expected["count"]:
                    assert found[f"{name}.{kind}"].numerator == expected[kind], (scope, name, kind)
        compared += 1
    assert compared > 150


def test_clocks_patrols_and_dirt_bikes_are_exactly_those_that_were_drawn(truth, ledger):
    scope, true = next(scopes(truth))
    found = {value.measure.id: value.figure for value in work_out(ledger, scope)}
    seconds = true["alerts.published_60s.trigger"]
    assert found["alerts.publish_seconds.p50"].value == pytest.approx(seconds["seconds_p50"])
    assert found["alerts.publish_seconds.p90"].value == pytest.approx(seconds["seconds_p90"])
    response = true["response"]
    assert found["response.difference_minutes"].value == pytest.approx(
        response["difference_minutes"]
    )
    assert found["response.alert_minutes.p50"].n == response["alert_n"]
    assert found["dosage.visits"].value == true["dosage"]["visits"]
    assert found["dosage.minutes"].value == pytest.approx(true["dosage"]["minutes"])
    share = true["dosage"]["share_10_16"]
    assert found["dosage.share_10_16"].numerator == share["numerator"]
    for name in DIRTBIKE:
        assert found[f"dirtbike.{name}"].value == true[f"dirtbike.{name}"]["value"], name


def test_a_vendor_and_an_auditor_read_one_table(truth, ledger):
    scope, _ = next(scopes(truth))
    performance, confirmed = work_out(ledger, scope, ["alerts.performance", "alerts.confirmed"])
    assert round(100 * performance.figure.value) == 97
    assert round(100 * confirmed.figure.value) == 17
