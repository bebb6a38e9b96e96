"""All scopes of a measure are worked out together: compared with a filter of rows for each cell."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from gunfire import SPRING, degrees

from geodata.measures.record import Scope
from geodata.measures.registry import MEASURES, steps, work_out_one, work_out_scopes
from spatial.intervals import difference_interval, quantile_interval, wilson

SECTIONS = """
[[visits]]
source = "visits.csv"
fields = { id = "id", start = "start", end = "end", x = "lon", y = "lat" }
[[occurrences]]
source = "points.csv"
fields = { id = "id", measure = "measure", date = "day", value = "n", x = "lon", y = "lat" }
[[counts]]
source = "counts.csv"
fields = { measure = "measure", from = "from", to = "to", district = "district", value = "n" }
"""
DAYS = 75


def maybe(rng, share, value):
    return value if rng.random() < share else None


def draw_gunfire(town, rng):
    for _ in range(160):
        when = {"day": int(rng.integers(DAYS)), "at": float(rng.integers(-40_000, 40_000))}
        spot = {"x": float(rng.uniform(100, 3900)), "y": float(rng.uniform(100, 3900))}
        facts = {
            "reviewed": float(rng.integers(-5, 30)),
            "published": maybe(rng, 0.9, float(rng.integers(5, 90))) or 61.0,
            "arrived": float(rng.integers(60, 1500)),
            "result": maybe(rng, 0.8, str(rng.choice(["REPORT", "unconfirmed", "unfounded"]))),
            "guns": maybe(rng, 0.5, int(rng.integers(0, 3))),
            "arrests": maybe(rng, 0.5, int(rng.integers(0, 2))),
            "number": maybe(rng, 0.4, f"E{rng.integers(60)}"),
        }
        alert = town.alert(**when, **spot, **facts)
        if rng.random() < 0.4:
            later = {**when, "at": when["at"] + float(rng.integers(-100, 900))}
            town.call(**later, **spot, arrived=float(rng.integers(60, 1500)))
        if rng.random() < 0.4:
            near = {**spot, "x": spot["x"] + float(rng.integers(0, 50))}
            town.verify(**when, **near, alert=maybe(rng, 0.7, alert))


def draw_work(town, rng):
    visits, points, totals = [], [], []
    for number in range(120):
        start = dt.datetime(2024, 3, 1, 8) + dt.timedelta(minutes=int(rng.integers(DAYS * 1440)))
        end = maybe(rng, 0.9, start + dt.timedelta(seconds=int(rng.integers(300, 1500))))
        visits.append([f"S{number}", start, end, *degrees(rng.uniform(1, 3999), 1000)])
        day = dt.date(2024, 3, 1) + dt.timedelta(days=int(rng.integers(DAYS)))
        kind = str(rng.choice(["complaints", "seizures", "arrests"]))
        place = degrees(rng.uniform(1, 3999), 1000)
        points.append([f"P{number}", f"dirtbike.{kind}", day, int(rng.integers(1, 4)), *place])
    for number in range(24):
        first = dt.date(2024, 3, 1) + dt.timedelta(days=3 * number)
        last = first + dt.timedelta(days=int(rng.integers(1, 20)))
        district = str(rng.choice(["", "D1", "D2"]))
        totals.append(
            [f"dirtbike.{('seizures', 'citations')[number % 2]}", first, last, district, 2]
        )
    for name, rows, columns in (
        ("visits", visits, "id start end lon lat"),
        ("points", points, "id measure day n lon lat"),
        ("counts", totals, "measure from to district n"),
    ):
        frame = pd.DataFrame(rows, columns=columns.split())
        frame.to_csv(town.folder / f"{name}.csv", index=False)
    town.city += SECTIONS


@pytest.fixture
def ledger(town, ledger_of):
    rng = np.random.default_rng(7)
    draw_gunfire(town, rng)
    draw_work(town, rng)
    return ledger_of(dt.date(2024, 5, 20))


@pytest.fixture
def cells():
    whole = SPRING.within(dt.date(2024, 2, 20), dt.date(2024, 5, 20))
    spans = [whole, SPRING, *steps(whole, "month"), *steps(whole, "week")]
    spans += [whole.within(dt.date(2023, 1, 1), dt.date(2023, 2, 1))]  # before every row
    spans = list(dict.fromkeys(spans))
    return [replace(span, district=code) for span in spans for code in (None, "D1", "D2")]


def test_a_figure_worked_out_alone_is_that_of_the_pass(ledger, cells):
    together = work_out_scopes(ledger, cells, MEASURES.values(), {})
    assert len(together) == len(MEASURES) * len(cells)
    for (identity, scope), value in together.items():
        alone = work_out_one(ledger, scope, MEASURES[identity], {})
        assert replace(alone, computed_at=value.computed_at) == value


def inside(frame: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """Filter rows of a scope, one cell at a time."""
    day = frame["day"]
    mask = (day >= pd.Timestamp(scope.start)) & (day < pd.Timestamp(scope.end))
    return frame[mask if scope.district is None else mask & (frame["district"] == scope.district)]


def a_share(met, known):
    hits, of = float((met & known).sum()), float(known.sum())
    low, high = wilson(hits, of) if of else (None, None)
    return (hits / of if of else None, int((~known).sum()), low, high)


def a_quantile(values, q):
    known = values.dropna().to_numpy()
    if len(known) == 0:
        return (None, len(values), None, None)
    low, high = quantile_interval(known, q) or (None, None)
    return (float(np.quantile(known, q)), len(values) - len(known), low, high)


def a_sum(values):
    known = values.dropna()
    return (float(known.sum()) if len(known) else None, len(values) - len(known), None, None)


def a_difference(first, second):
    one, two = first.dropna().to_numpy(), second.dropna().to_numpy()
    missing = len(first) + len(second) - len(one) - len(two)
    if not len(one) or not len(two):
        return (None, missing, None, None)
    low, high = difference_interval(one, two, 0.5) or (None, None)
    return (float(np.median(one) - np.median(two)), missing, low, high)


def performance(alerts, verified):
    others = (~alerts["row_key"].isin(set(verified["alert"].dropna()))).sum()
    state = verified["state"]
    good = float((state == "accurate").sum() + others)
    of = good + float(state.isin(["mislocated", "not detected"]).sum())
    low, high = wilson(good, of) if of else (None, None)
    return (good / of if of else None, int((state == "unknown").sum()), low, high)


def tally(ledger, scope, identity):
    """Totals that lie in a scope, and points of days and districts without such a total."""
    points = inside(ledger.occurrences[ledger.occurrences["measure"] == identity], scope)
    totals = ledger.counts[ledger.counts["measure"] == identity]
    start, end = pd.Timestamp(scope.start), pd.Timestamp(scope.end)
    whole = (totals["day"] >= start) & (totals["last"] < end)
    meets = (totals["last"] >= start) & (totals["day"] < end)
    if scope.district is not None:
        here = totals["district"] == scope.district
        whole, meets = whole & here, meets & (here | totals["district"].isna())
    counted = totals[whole]
    alone = [
        not any(
            first <= row.day <= last and (not isinstance(code, str) or code == row.district)
            for first, last, code in zip(
                counted["day"], counted["last"], counted["district"], strict=True
            )
        )
        for row in points.itertuples()
    ]
    missing = int((meets & ~whole).sum())
    if len(counted) + sum(alone) == 0 and missing:
        return (None, missing, None, None)
    value = float(counted["value"].sum() + points[np.array(alone, dtype=bool)]["value"].sum())
    return (value, missing, None, None)


def test_the_pass_gives_what_a_filter_of_each_cell_gives(ledger, cells):
    found = work_out_scopes(ledger, cells, MEASURES.values(), {})
    compared = 0
    for scope in cells:
        alerts, calls, verified, events, visits = (
            inside(ledger.table(name), scope)
            for name in ("alerts", "calls", "verified", "events", "visits")
        )
        near, called = alerts[alerts["covered"] != 0], calls[calls["covered"] != 0]
        counting = verified[verified["counts"]]
        state, seconds, minutes = counting["state"], alerts["publish_s"], visits["minutes"]
        result, covered = alerts["disposition"], events[events["covered"] == 1]
        every = pd.Series(data=True, index=covered.index)
        expected = {
            "alerts.published_60s.trigger": a_share(seconds <= 60, seconds.notna()),
            "alerts.publish_seconds.p90": a_quantile(seconds, 0.9),
            "alerts.review_seconds.p50": a_quantile(alerts["review_publish_s"], 0.5),
            "alerts.confirmed": a_share(result == "confirmed", result.notna()),
            "alerts.guns": a_sum(alerts["guns"]),
            "alerts.located_25m": a_share(state == "accurate", state != "unknown"),
            "alerts.performance": performance(alerts, counting),
            "events.covered.both": a_share(covered["both"], every),
            "response.difference_minutes": a_difference(
                near["response_min"], called["response_min"]
            ),
            "response.call_minutes.p50": a_quantile(called["response_min"], 0.5),
            "dosage.minutes": a_sum(minutes),
            "dosage.share_10_16": a_share(minutes.between(10, 16), minutes.notna()),
            **{
                identity: tally(ledger, scope, identity)
                for identity in (
                    "dirtbike.complaints",
                    "dirtbike.seizures",
                    "dirtbike.citations",
                    "dirtbike.arrests",
                )
            },
        }
        for identity, figure in expected.items():
            one = found[identity, scope].figure
            found_here = (one.value, one.missing, one.low, one.high)
            quiet = identity.startswith("dirtbike") and one.value is None and figure[0] == 0
            assert quiet or found_here == figure, (identity, scope)
            compared += one.value is not None
        for name, rows in (("alerts", alerts), ("events", events)):
            value = found[f"{name}.count", scope].figure.value
            assert value == len(rows) or (value is None and len(rows) == 0)
    assert compared > 400
