"""The measure registry gives what the demonstration city truly is."""

import datetime as dt

import pytest

from geodata.cityfile.measures import usual_measures
from geodata.measures.record import Scope
from geodata.measures.registry import work_out

DISPOSITIONS = ("confirmed", "unconfirmed", "unfounded", "no_disposition")
FOUND = ("guns", "arrests", "casings", "victims")


def scope_of(name):
    if name.startswith("2025-"):
        start = dt.date.fromisoformat(f"{name}-01")
        return Scope(start=start, end=(start + dt.timedelta(days=31)).replace(day=1))
    district = name if name.startswith("D") else None
    return Scope(start=dt.date(2025, 1, 1), end=dt.date(2026, 1, 1), district=district)


@pytest.fixture(
    params=["year", *(f"2025-{month:02d}" for month in range(1, 13)), "D1", "D2", "D3", "D4", "D5"]
)
def pair(request, brought):
    """What is true in a scope, and the figures that the registry works out for it."""
    values = work_out(brought.ledger, scope_of(request.param))
    return brought.true[request.param], {value.measure.id: value.figure for value in values}


def test_every_measure_is_as_it_truly_is(pair):
    true, figures = pair
    check_alerts(true, figures)
    check_events(true["events"], figures)
    check_response(true["response"], figures)
    check_dosage(true["dosage"], figures)
    for measure in (one.id for one in usual_measures()):
        if measure in true:
            assert figures[measure].value == true[measure]["value"], measure


def check_share(told, figure):
    assert figure.numerator == told["numerator"]
    assert figure.denominator == told["denominator"]
    assert figure.value == pytest.approx(told["value"])


def check_alerts(true, figures):
    assert figures["alerts.count"].value == true["alerts.count"]
    for name, seconds in (("trigger", "publish"), ("review", "review")):
        told = true[f"alerts.published_60s.{name}"]
        check_share(told, figures[f"alerts.published_60s.{name}"])
        assert figures[f"alerts.published_60s.{name}"].missing == told["missing"]
        for percent in ("p50", "p90"):
            found = figures[f"alerts.{seconds}_seconds.{percent}"].value
            assert found == pytest.approx(told[f"seconds_{percent}"])
    for name in ("alerts.performance", "alerts.performance.excluding_holidays"):
        check_share(true[name], figures[name])
    if true["alerts.located_25m"]["denominator"]:
        check_share(true["alerts.located_25m"], figures["alerts.located_25m"])
    for name in DISPOSITIONS:
        check_share(true[f"alerts.{name}"], figures[f"alerts.{name}"])
    for name in FOUND:
        assert figures[f"alerts.{name}"].value == true[f"alerts.{name}"]["value"]


def check_events(true, figures):
    for prefix, told in (("events", true["all"]), ("events.covered", true["inside_coverage"])):
        assert figures[f"{prefix}.count"].value == told["count"]
        for kind in ("alert_only", "both", "call_only"):
            assert figures[f"{prefix}.{kind}"].numerator == told[kind]
            assert figures[f"{prefix}.{kind}"].denominator == told["count"]


def check_response(true, figures):
    for name in ("alert", "call"):
        found = figures[f"response.{name}_minutes.p50"]
        assert found.value == pytest.approx(true[f"{name}_median_minutes"])
        assert (found.n, found.missing) == (true[f"{name}_n"], true[f"{name}_missing"])
    found = figures["response.difference_minutes"].value
    assert found == pytest.approx(true["difference_minutes"])


def check_dosage(true, figures):
    assert true["visits"] > 0
    assert figures["dosage.visits"].value == true["visits"]
    assert figures["dosage.minutes"].value == pytest.approx(true["minutes"])
    assert figures["dosage.minutes"].missing == true["without_minutes"]
    check_share(true["share_10_16"], figures["dosage.share_10_16"])
