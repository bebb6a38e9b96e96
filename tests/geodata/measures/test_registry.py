import datetime as dt
import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from gunfire import SPRING

from geodata.errors import DataError
from geodata.measures.describe import as_markdown
from geodata.measures.record import Figure, Scope, status_of
from geodata.measures.registry import (
    GROUPS,
    MEASURES,
    data_through,
    find_measure,
    steps,
    whole_scope,
    work_out,
    work_out_scopes,
    year_to_date,
)

FIXED = (
    "alerts.count",
    "alerts.published_60s.trigger",
    "alerts.published_60s.review",
    "alerts.publish_seconds.p50",
    "alerts.publish_seconds.p90",
    "alerts.performance",
    "alerts.performance.excluding_holidays",
    "alerts.located_25m",
    "alerts.confirmed",
    "alerts.unconfirmed",
    "alerts.unfounded",
    "alerts.no_disposition",
    "alerts.guns",
    "alerts.arrests",
    "alerts.casings",
    "events.count",
    "events.alert_only",
    "events.both",
    "events.call_only",
    "response.difference_minutes",
    "dosage.visits",
    "dosage.minutes",
    "dosage.share_10_16",
    "dosage.gap_minutes.p50",
    "dosage.plan_met",
    "zones.hit_rate",
    "zones.pai",
    "dirtbike.complaints",
    "dirtbike.seizures",
    "dirtbike.citations",
    "dirtbike.arrests",
)


def test_every_fixed_id_is_there_and_every_record_is_whole():
    assert set(FIXED) <= set(MEASURES)
    for identity, measure in MEASURES.items():
        assert measure.id == identity
        assert measure.group in GROUPS or measure.adds_up
        for text in (measure.title, measure.definition, measure.formula, measure.owner):
            assert text.strip() == text
            assert len(text) > 3
        assert measure.definition.endswith(".")
        assert (measure.numerator is None) == (measure.denominator is None)
        assert not measure.is_share or measure.numerator
        assert (measure.target is None) == (measure.target_source == "")


def test_docs_are_made_from_the_registry():
    text = (Path(__file__).parents[3] / "docs" / "measures.md").read_text(encoding="utf-8")
    assert text.endswith(as_markdown()), "run: python -m geodata.measures.describe"


def test_an_unknown_measure_is_named_with_those_there_are():
    with pytest.raises(DataError, match=r"no measure 'alerts.luck'; the ids are alerts.count"):
        find_measure("alerts.luck")


@pytest.mark.parametrize(
    ("value", "n", "target", "stale", "status"),
    [
        (0.91, 50, 0.9, False, "met"),
        (0.9, 50, 0.9, False, "met"),
        (0.89, 50, 0.9, False, "not met"),
        (0.91, 50, 0.9, True, "stale"),
        (0.91, 9, 0.9, True, "not enough data"),
        (None, 0, None, False, "not enough data"),
        (0.5, 3, None, False, None),
        (0.5, 3, None, True, "stale"),
    ],
)
def test_status(value, n, target, stale, status):
    measure = MEASURES["alerts.performance"]
    assert status_of(measure, Figure(value=value, n=n), target, stale=stale) == status
    down = replace(measure, direction="down")
    if status in ("met", "not met") and value != target:
        turned = {"met": "not met", "not met": "met"}[status]
        assert status_of(down, Figure(value=value, n=n), target, stale=stale) == turned


def test_months_and_weeks_cover_a_scope_once():
    scope = Scope(start=dt.date(2023, 11, 17), end=dt.date(2024, 2, 3), district="D1")
    for by, number in (("month", 4), ("week", 12)):
        parts = steps(scope, by)
        assert len(parts) == number
        assert (parts[0].start, parts[-1].end) == (scope.start, scope.end)
        assert all(a.end == b.start for a, b in itertools.pairwise(parts))
        assert {part.district for part in parts} == {"D1"}
    assert {part.start.weekday() for part in steps(scope, "week")[1:]} == {0}
    assert {part.start.day for part in steps(scope, "month")[1:]} == {1}
    with pytest.raises(DataError, match="more than 600 weeks"):
        steps(scope.within(dt.date(1999, 1, 1), scope.end), "week")


def test_a_series_adds_up_to_its_whole(town, ledger_of):
    for day in (0, 3, 3, 12, 30):
        town.alert(day=day)
    ledger = ledger_of()
    counted = [MEASURES["alerts.count"]]
    weeks = work_out_scopes(ledger, steps(SPRING, "week"), counted, {}).values()
    assert [value.figure.value for value in weeks] == [1, 2, 1, 0, 1]


def test_the_year_to_date_meets_the_same_weekdays_a_year_before(town, ledger_of):
    town.alert(day=0)
    town.alert(day=1)
    town.alert(day=-364)
    town.alert(day=-363)
    town.alert(day=-362)  # the weekday after the last of this year's
    now, before = year_to_date(ledger_of(), "alerts.count")
    assert (now.scope.start, now.scope.end) == (dt.date(2024, 1, 1), dt.date(2024, 3, 3))
    assert before.scope.start.weekday() == now.scope.start.weekday()
    assert (now.figure.value, before.figure.value) == (2, 2)


def test_data_through_is_the_earliest_end_and_old_data_are_stale(town, ledger_of):
    town.alert(day=0)
    town.alert(day=20, published=30)
    town.call(day=9)
    ledger = ledger_of(dt.date(2024, 3, 28))
    assert data_through(ledger, MEASURES["alerts.count"]) == dt.date(2024, 3, 21)
    assert data_through(ledger, MEASURES["events.count"]) == dt.date(2024, 3, 10)
    count, events = work_out(ledger, SPRING, ["alerts.count", "events.count"])
    assert (count.status, events.status) == (None, "stale")
    early = Scope(start=dt.date(2024, 3, 1), end=dt.date(2024, 3, 12))
    (events,) = work_out(ledger, early, ["events.count"])
    assert events.status is None


def test_targets_of_the_city_replace_those_of_the_registry(town, ledger_of):
    for _ in range(12):
        town.alert(day=30, published=30)
    identity = "alerts.published_60s.trigger"
    (value,) = work_out(ledger_of(), SPRING, [identity], targets={identity: (1.1, "a contract")})
    assert (value.target, value.target_source, value.status) == (1.1, "a contract", "not met")


def test_the_whole_scope_reaches_to_today(town, ledger_of):
    town.incidents["date"] = "2/3/2024"
    town.alert(day=0)
    scope = whole_scope(ledger_of())
    assert (scope.start, scope.end) == (dt.date(2024, 2, 3), dt.date(2024, 4, 3))


def test_the_age_of_the_data_is_a_measure(town, ledger_of):
    town.incidents["date"] = "2/3/2024"
    town.alert(day=30)
    (age,) = work_out(ledger_of(), SPRING, ["site.data_age_days"])
    assert (age.figure.value, age.status) == (2.0, "met")
    (old,) = work_out(ledger_of(dt.date(2024, 4, 20)), SPRING, ["site.data_age_days"])
    assert (old.figure.value, old.status) == (20.0, "not met")
