"""What the demonstration city records, read back from the database and counted by other code."""

import hashlib
import json
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.cityfile.description import read_city_file
from geodata.demo import generate, write_city
from geodata.demo.gunfire import APART_METRES, APART_MINUTES

MINUTE = 60_000
SECTIONS = {
    "alerts": "alerts.csv",
    "calls": "calls.csv",
    "verified": "verified_gunfire.csv",
    "visits": "visits.csv",
    "occurrences": "dirtbike_complaints.csv",
    "counts": "dirtbike_counts.csv",
}
SCOPES = ["year", *(f"2025-{month:02d}" for month in range(1, 13)), "D1", "D2", "D3", "D4", "D5"]


def scoped(brought, section, scope):
    """Rows of a section in a scope."""
    rows = brought.stored[section]
    start, end = pd.Timestamp("2025-01-01"), pd.Timestamp("2026-01-01")
    if scope.startswith("2025-"):
        start = pd.Timestamp(f"{scope}-01")
        end = start + pd.offsets.MonthBegin()
    rows = rows[(rows["local"] >= start) & (rows["local"] < end)]
    return rows[rows["district"] == scope] if scope.startswith("D") else rows


def covered(brought, rows):
    return shapely.intersects_xy(brought.coverage, rows["x"].to_numpy(), rows["y"].to_numpy())


def in_order(rows, first, last):
    gap = rows[last] - rows[first]
    return gap[gap >= 0]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def items(brought):
    """Alerts and calls together, in the order of time, with the event that they truly tell of."""
    drawn = brought.truth.recorded.gunfire
    event = pd.concat([t.set_index("id")["event"] for t in (drawn.alerts, drawn.calls)])
    alerts, calls = brought.stored["alerts"], brought.stored["calls"]
    both = pd.concat(
        [
            alerts.assign(what="alert", when=alerts["triggered_ms"], number=alerts["call"]),
            calls.assign(what="call", when=calls["received_ms"], number=calls["event"]),
        ]
    )[["row_key", "what", "when", "number", "x", "y", "local"]]
    both["true_event"] = event.reindex(both["row_key"]).to_numpy()
    both["covered"] = covered(brought, both)
    return both.sort_values("when", ignore_index=True)


def near_pairs(items, minutes, metres):
    """Positions of two items near each other in time and place, the earlier first."""
    when, xy = items["when"].to_numpy(), items[["x", "y"]].to_numpy()
    for first in range(len(items)):
        last = np.searchsorted(when, when[first] + minutes * MINUTE, side="right")
        later = np.arange(first + 1, last)
        away = np.hypot(*(xy[later] - xy[first]).T)
        yield from ((first, int(second)) for second in later[away <= metres])


def linked(items, *, numbers=True, windows=True):
    """Label events by the plainest reading of the rules: same number, else the window."""
    label = np.arange(len(items))

    def join(a, b):
        label[label == label[b]] = label[a]

    if numbers:
        for rows in items[items["number"].notna()].groupby("number").indices.values():
            known = np.flatnonzero(items["number"].notna())[rows]
            for a, b in pairwise(known):
                join(a, b)
    if windows:
        what, when = items["what"].to_numpy(), items["when"].to_numpy()
        for a, b in near_pairs(items, 10, 400):
            if what[a] == what[b]:
                continue
            alert, call = (a, b) if what[a] == "alert" else (b, a)
            if -2 * MINUTE <= when[call] - when[alert] <= 10 * MINUTE:
                join(a, b)
    return label


def same_partition(first, second):
    pairs = {(a, b) for a, b in zip(first, second, strict=True)}
    return len(pairs) == len(set(first)) == len(set(second))


def kinds_of(items, label):
    has = items.assign(label=label).groupby("label")["what"].agg(set)
    return {
        "count": len(has),
        "alert_only": int((has == {"alert"}).sum()),
        "both": int((has == {"alert", "call"}).sum()),
        "call_only": int((has == {"call"}).sum()),
    }


def test_incidents_do_not_depend_on_what_is_recorded(brought, tmp_path, monkeypatch):
    monkeypatch.setattr(generate, "RECORDS_STREAM", 5)
    write_city(tmp_path)
    for path in brought.folder.iterdir():
        if path.suffix in (".geojson", ".toml") or path.name in ("incidents.csv", "addresses.csv"):
            assert digest(path) == digest(tmp_path / path.name), path.name
        elif path.suffix == ".csv":
            assert digest(path) != digest(tmp_path / path.name), path.name


@pytest.mark.parametrize("section", SECTIONS)
def test_an_import_leaves_out_exactly_the_faulty_rows(brought, section):
    report, file = brought.reports[section], SECTIONS[section]
    account = brought.truth.measures["files"][file]
    assert report["source"] == file
    assert {name: report[name] for name in ("read", "stored", "left_out")} == account


def test_an_import_tells_of_every_oddity(brought):
    drawn = brought.truth.recorded
    alerts, calls = drawn.gunfire.alerts, drawn.gunfire.calls

    def number(rows, late, early):
        return int((rows[late] < rows[early]).sum())

    expected = {
        "alerts": {
            "published before triggered": number(alerts, "published", "triggered"),
            "published before review_started": number(alerts, "published", "review_started"),
            "arrived before dispatched": number(alerts, "arrived", "dispatched"),
            "class 'Fog' is not known": int((alerts["class"] == "Fog").sum()),
            "casings: no whole number": int((alerts["casings"] < 0).sum()),
        },
        "calls": {"arrived before dispatched": number(calls, "arrived", "dispatched")},
        "visits": {"end before start": number(drawn.visits, "end", "start")},
        "verified": {},
        "occurrences": {},
        "counts": {},
    }
    for section, told in expected.items():
        report = brought.reports[section]
        notes = [n for n in report["notes"] if not n.startswith(tuple(report["left_out"]))]
        assert len(notes) == len(told), notes  # and nothing about clocks that change
        for text, count in told.items():
            assert count > 0
            (note,) = [n for n in notes if n.startswith(text)]
            assert f": {count} (" in note


def test_the_truth_beside_the_files_is_the_one_given(brought):
    written = json.loads((brought.folder / "demo_truth.json").read_text())
    assert written["measures"] == json.loads(json.dumps(brought.truth.measures))
    described = read_city_file(brought.folder / "city.toml")
    assert described.today.isoformat() == "2026-01-05"


def test_a_year_has_the_published_pattern(brought):
    year = brought.truth.measures["year"]
    inside = year["events"]["inside_coverage"]
    assert [inside[k] for k in ("count", "alert_only", "both", "call_only")] == [
        1447,
        825,
        217,
        405,
    ]
    assert sum(inside["confirmed"].values()) == 282
    assert year["events"]["all"]["alert_only"] == 825
    assert year["events"]["all"]["call_only"] > 405
    assert round(year["alerts.performance"]["value"], 2) == 0.97
    assert round(year["alerts.confirmed"]["value"], 2) == 0.17
    assert abs(year["response"]["difference_minutes"] + 1.2) < 0.2
    assert abs(year["alerts.published_60s.trigger"]["value"] - 0.88) < 0.02
    assert abs(year["alerts.published_60s.review"]["value"] - 0.95) < 0.02
    assert year["alerts.guns"]["value"] == year["alerts.arrests"]["value"] == 20
    assert year["alerts.guns"]["summed_over_rows"] > 20


@pytest.mark.parametrize("seed", [7, 8])
def test_another_seed_has_the_pattern_too(seed, city_of_seed):
    _, truth = city_of_seed(seed)
    inside = truth.measures["year"]["events"]["inside_coverage"]
    assert [inside[k] for k in ("alert_only", "both", "call_only")] == [825, 217, 405]
    gunfire = truth.recorded.gunfire
    share = gunfire.coverage.area / truth.land.limit.area
    assert share == pytest.approx(0.25, abs=0.001)
    districts = sorted(gunfire.alerts["district"].value_counts().to_numpy())
    assert sum(districts[-2:]) > 0.75 * len(gunfire.alerts)


def test_linking_has_one_right_answer(brought, items):
    true = items["true_event"].to_numpy()
    assert same_partition(linked(items), true)
    assert not same_partition(linked(items, windows=False), true)
    assert not same_partition(linked(items, numbers=False), true)
    span = items.groupby("true_event")["when"].agg(lambda when: when.max() - when.min())
    assert span.max() <= 15 * MINUTE


def test_no_two_events_come_near_each_other(items):
    true = items["true_event"].to_numpy()
    pairs = list(near_pairs(items, APART_MINUTES - 0.1, APART_METRES - 1))
    assert len(pairs) > 500  # rows of one event do
    assert all(true[a] == true[b] for a, b in pairs)


@pytest.mark.parametrize("scope", ["year", "2025-01", "2025-07", "2025-12", "D2", "D5"])
def test_events_count_as_the_truth_says(brought, items, scope):
    keys = pd.concat([scoped(brought, s, scope)["row_key"] for s in ("alerts", "calls")])
    mine = items[items["row_key"].isin(keys)].reset_index(drop=True)
    true = brought.true[scope]["events"]
    for name, rows in (("all", mine), ("inside_coverage", mine[mine["covered"]])):
        found = kinds_of(rows, linked(rows.reset_index(drop=True)))
        assert found == {k: true[name][k] for k in found}


@pytest.mark.parametrize("scope", SCOPES)
def test_clocks_count_as_the_truth_says(brought, scope):
    alerts, true = scoped(brought, "alerts", scope), brought.true[scope]
    assert len(alerts) == true["alerts.count"]
    assert len(scoped(brought, "calls", scope)) == true["calls.count"]
    for name, first in (("trigger", "triggered_ms"), ("review", "review_started_ms")):
        told = true[f"alerts.published_60s.{name}"]
        gap = in_order(alerts, first, "published_ms")
        assert (gap <= 60_000).sum() == told["numerator"]
        assert len(gap) == told["denominator"]
        assert len(alerts) - len(gap) == told["missing"]
        assert np.quantile(gap / 1000, [0.5, 0.9]) == pytest.approx(
            [told["seconds_p50"], told["seconds_p90"]]
        )


@pytest.mark.parametrize("scope", SCOPES)
def test_performance_counts_as_the_truth_says(brought, scope):
    alerts, verified = scoped(brought, "alerts", scope), scoped(brought, "verified", scope)
    verified = verified[covered(brought, verified)]
    true = brought.true[scope]
    for name, holidays in (("", True), (".excluding_holidays", False)):
        published = alerts if holidays else alerts[~festive(alerts)]
        proven = verified if holidays else verified[~festive(verified)]
        heard = proven.merge(published, left_on="alert", right_on="row_key", suffixes=("", "_a"))
        away = np.hypot(heard["x"] - heard["x_a"], heard["y"] - heard["y_a"])
        assert ((away >= 4) & (away <= 61) & (np.abs(away - 25) > 0.5)).all()
        told = true[f"alerts.performance{name}"]
        accurate, mislocated = int((away <= 25).sum()), int((away > 25).sum())
        missed = int(proven["alert"].isna().sum())
        assert accurate + mislocated + missed == len(proven)
        assert (told["accurate"], told["mislocated"]) == (accurate, mislocated)
        assert told["not_detected"] == missed
        assert told["other"] == len(published) - accurate - mislocated
        assert told["numerator"] == accurate + told["other"]
        assert told["denominator"] == len(published) + missed
    told = true["alerts.located_25m"]
    assert told["denominator"] == len(verified)


def festive(rows):
    day = rows["local"].dt.strftime("%m-%d")
    return day.isin(["12-31", "01-01", "07-04", "07-05"])


def test_holidays_are_noisy(brought):
    alerts = brought.stored["alerts"]
    assert festive(alerts).sum() > 3 * 12 / 1096 * len(alerts)
    year = brought.truth.measures["year"]
    assert (
        year["alerts.performance.excluding_holidays"]["denominator"]
        < year["alerts.performance"]["denominator"] - 30
    )


def test_no_unit_is_at_two_places_at_once(brought):
    visits = brought.stored["visits"].sort_values(["unit", "start_ms"])
    visits = visits[visits["end_ms"] >= visits["start_ms"]]
    for _, mine in visits.groupby("unit"):
        assert (mine["end_ms"].to_numpy()[:-1] < mine["start_ms"].to_numpy()[1:]).all()


def test_visits_go_where_robbery_is_expected_in_two_years(brought):
    drawn, grid = brought.truth.recorded, brought.truth.grid
    expected = brought.truth.expected["robbery"]
    visits = drawn.visits
    there = expected[grid.locate(visits["x"], visits["y"])]
    assert there.mean() > 4 * expected[expected > 0].mean()  # quiet districts are visited too
    days = pd.to_datetime(visits["start"], unit="ms").dt.normalize()
    assert (days.min(), days.max()) == (pd.Timestamp("2024-01-01"), pd.Timestamp("2025-12-31"))
    assert len(visits) / len(drawn.spots) / 731 == pytest.approx(0.4, abs=0.02)
    for district, spots in drawn.spots.groupby("district"):
        cells = (grid.district == grid.district_ids.index(district)).sum()
        assert len(spots) == max(2, round(cells / 250))


def test_dirt_bikes_come_with_the_warm_months(brought):
    months = pd.to_datetime(brought.stored["occurrences"]["date"]).dt.month
    assert months.between(4, 10).mean() > 0.85
