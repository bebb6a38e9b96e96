"""What came of gunfire in the demonstration city: dispositions, finds, and proof of shots.

Alerts and calls of the demonstration city: every clock, and what the rows say of an event.

Moments are local milliseconds, NaN where an export has nothing; coordinates are metres around the
city hall.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata.demo.gunfire import (
    HOUR,
    MINUTE,
    PLANS,
    SECOND,
    draw_events,
    draw_rows,
    find_places,
    is_holiday,
    lay_coverage,
    place_in_time,
    stamps,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.random import Generator
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geodata.demo.geography import Land
    from geodata.demo.gunfire import Places
    from geodata.demo.streets import Network
    from spatial.grid import Grid


CONFIRMED, UNCONFIRMED, UNFOUNDED, NONE = "REPORT TAKEN", "NO REPORT", "FALSE", ""
MULTIPLE, SINGLE, PROBABLE = "Multiple Gunshots", "Single Gunshot", "Probable Gunfire"
FINDS = ("guns", "arrests", "victims")
FINDS_WITH_TWO_ALERTS = 4  # events of each kind that would count twice if rows were counted
ACCURATE_M, MISLOCATED_M = (5.0, 24.0), (27.0, 60.0)  # accurate is within 25 m


def draw_outcomes(events: pd.DataFrame, rng: Generator) -> None:
    """Add to each event its disposition, class, rounds, casings, guns, arrests and victims."""
    number = len(events)
    confirmed = events["confirmed"].to_numpy(dtype=bool)
    rest = rng.choice([UNCONFIRMED, UNFOUNDED, NONE], number, p=[0.82, 0.09, 0.09])
    events["disposition"] = np.where(confirmed, CONFIRMED, rest)
    maybe = 0.25 + 0.3 * is_holiday(events["moment"].to_numpy())
    probable = rng.random(number) < np.where(confirmed, 0.05, maybe)
    multiple = rng.random(number) < np.where(confirmed, 0.85, 0.5)
    events["class"] = np.where(probable, PROBABLE, np.where(multiple, MULTIPLE, SINGLE))
    rounds = np.where(multiple & ~probable, 2 + rng.poisson(3, number), 1)
    result = ~probable | (rng.random(number) < 0.8)
    events["rounds"] = np.where(result, rounds, np.nan)
    events["casings"] = np.where(confirmed, rng.binomial(rounds, 0.7), 0)
    for name in FINDS:
        events[name] = _finds(events, name, rng)


def _finds(events: pd.DataFrame, name: str, rng: Generator) -> NDArray[np.int64]:
    """Spread a year's finds over its confirmed events with an alert, some with two alerts."""
    counts = np.zeros(len(events), dtype=np.int64)
    proven = (events["confirmed"] & (events["kind"] != "call only")).to_numpy(dtype=bool)
    twin = events["twin"].to_numpy(dtype=bool)
    for year, plan in PLANS.items():
        mine = proven & (events["year"] == year).to_numpy()
        total = int(getattr(plan, name))
        double = rng.choice(np.flatnonzero(mine & twin), FINDS_WITH_TWO_ALERTS, replace=False)
        number = round(0.85 * total) - FINDS_WITH_TWO_ALERTS
        single = rng.choice(np.flatnonzero(mine & ~twin), number, replace=False)
        chosen = np.concatenate([double, single])
        counts[chosen] = 1
        np.add.at(counts, rng.choice(chosen, total - len(chosen)), 1)
    return counts


def draw_verified(
    events: pd.DataFrame,
    alerts: pd.DataFrame,
    calls: pd.DataFrame,
    places: Places,
    rng: Generator,
) -> pd.DataFrame:
    """Draw gunfire that evidence proves: accurate, mislocated, not detected, outside coverage."""
    heard = alerts.drop_duplicates("event").set_index("event")
    called = calls.drop_duplicates("event").set_index("event")
    rows: list[tuple[str, int, int, float, str]] = []
    confirmed = events[events["confirmed"]]
    for year, plan in PLANS.items():
        mine = confirmed[confirmed["year"] == year]
        left = rng.permutation(mine.index[mine["kind"] != "call only"].to_numpy()).tolist()
        for what, number, reach in (
            ("mislocated", plan.mislocated, MISLOCATED_M),
            ("accurate", plan.accurate, ACCURATE_M),
        ):
            for event, place in _beside(left, number, heard["place"], places, reach, rng):
                when = heard["triggered"][event] - rng.uniform(500, 3_000)
                rows.append((what, event, place, when, str(heard["id"][event])))
        missed = mine[mine["kind"] == "call only"]
        for what, number, covered in (
            ("not detected", plan.not_detected, True),
            ("outside", plan.outside_verified, False),
        ):
            some = missed.index[missed["covered"] == covered].to_numpy()
            for event in rng.choice(some, number, replace=False):
                place = places.near(int(called["place"][event]), *ACCURATE_M, rng)
                when = called["received"][event] - rng.uniform(30, 120) * SECOND
                rows.append((what, int(event), place, when, ""))
    table = pd.DataFrame(rows, columns=["truth", "event", "place", "occurred", "alert"])
    table["occurred"] = table["occurred"] // SECOND * SECOND
    table = table.sort_values(["occurred", "event"], ignore_index=True)
    table["id"] = [f"VG-{i:04d}" for i in range(1, len(table) + 1)]
    table["x"], table["y"] = places.xy[table["place"]].T
    table["district"] = places.district[table["place"]]
    table["covered"] = places.covered[table["place"]]
    return table


def _beside(
    left: list[int],
    number: int,
    home: pd.Series,
    places: Places,
    reach: tuple[float, float],
    rng: Generator,
) -> list[tuple[int, int]]:
    """Take events off the list, each with a true place at a distance from its alert's."""
    taken: list[tuple[int, int]] = []
    passed: list[int] = []
    while len(taken) < number:
        event = left.pop()
        place = places.near(int(home[event]), *reach, rng)
        if place != home[event]:
            taken.append((event, place))
        else:
            passed.append(event)
    left.extend(passed)
    return taken


if TYPE_CHECKING:
    Floats = NDArray[np.float64]

FOUND = ("casings", "guns", "arrests", "victims")
REVIEW_S, PUBLISH_S = (8.0, 0.5), (30.0, 0.42)  # median and spread of logarithms
LONGEST_REVIEW_S = 50
ALERT_WAIT_S, CALL_WAIT_S, DRIVE_S = (65.0, 0.5), (215.0, 0.5), (185.0, 0.4)
SOONEST_S = 20.0  # nobody arrives sooner after a call
UNTOLD = {"review_started": 0.03, "published": 0.02, "received": 0.03}
UNTOLD_DISPATCH, UNTOLD_ARRIVAL = 0.07, 0.06
EARLY_PUBLISHED, EARLY_FOR_REVIEW, HOUR_WRONG, EXACT = 12, 6, 5, 12  # rows of each oddity
NEW_CLASS, NEW_CLASS_ROWS, NEGATIVE_ROWS = "Fog", 4, 3
LONGEST = 70 * MINUTE


@dataclass(frozen=True, kw_only=True, eq=False)
class Gunfire:
    """Everything about gunfire; ``event`` of a row is the true event that it tells of.

    ``events`` holds what is true; ``alerts``, ``calls`` and ``verified`` hold what the files hold,
    before it is written as an export writes it. ``truth`` of verified gunfire is what became of it.
    """

    coverage: BaseGeometry
    places: Places
    events: pd.DataFrame
    alerts: pd.DataFrame
    calls: pd.DataFrame
    verified: pd.DataFrame


def draw_gunfire(
    grid: Grid, expected: Mapping[str, Floats], network: Network, land: Land, rng: Generator
) -> Gunfire:
    """Draw three years of gunfire and what was done about it."""
    coverage = lay_coverage(land)
    places = find_places(grid, expected, coverage, network, land, rng)
    events = draw_events(places, rng)
    rows = draw_rows(events, places, rng)
    events["moment"] = place_in_time(events, rows, rng)
    events["district"] = places.district[events["place"]]
    draw_outcomes(events, rng)
    rows["moment"] = events["moment"].to_numpy()[rows["event"]] + rows["after"]
    rows = rows.sort_values(["moment", "event"], ignore_index=True)
    rows["number"] = _number_texts(rows)
    alerts = _alerts(events, rows[rows["what"] == "alert"].reset_index(drop=True), rng)
    calls = _calls(events, rows[rows["what"] == "call"].reset_index(drop=True), alerts, rng)
    verified = draw_verified(events, alerts, calls, places, rng)
    _add_oddities(alerts, calls, rng)
    return Gunfire(
        coverage=coverage,
        places=places,
        events=events,
        alerts=alerts,
        calls=calls,
        verified=verified,
    )


def _number_texts(rows: pd.DataFrame) -> list[str]:
    """Write event numbers as a dispatch centre does: the year and a running number."""
    texts: dict[int, str] = {-1: ""}
    for number, year in zip(rows["number"], stamps(rows["moment"].to_numpy()).year, strict=True):
        texts.setdefault(number, f"P{year}-{100_000 + 17 * len(texts):06d}")
    return [texts[number] for number in rows["number"]]


def _alerts(events: pd.DataFrame, rows: pd.DataFrame, rng: Generator) -> pd.DataFrame:
    """Return alerts their clocks and the outcome of their event."""
    number = len(rows)
    table = rows[["event", "number", "place", "x", "y", "district"]].copy()
    table.insert(0, "id", [f"GD-{i:05d}" for i in range(1, number + 1)])
    table["triggered"] = rows["moment"]
    review = np.minimum(_lags(REVIEW_S, number, rng), LONGEST_REVIEW_S * SECOND)
    table["review_started"] = table["triggered"] + review
    table["published"] = table["review_started"] + _lags(PUBLISH_S, number, rng)
    limit = rng.choice(number, 2 * EXACT, replace=False)  # exactly a minute, by either clock
    for some, clock in ((limit[:EXACT], "triggered"), (limit[EXACT:], "review_started")):
        table.loc[some, "published"] = table.loc[some, clock] + MINUTE
    received = table["published"] + np.floor(rng.uniform(2, 12, number)) * SECOND
    table["received"] = received // SECOND * SECOND
    table["dispatched"], table["arrived"] = _attend(table["received"], ALERT_WAIT_S, rng)
    _share(table, table[~table.duplicated("event")])
    for name, share in UNTOLD.items():
        table.loc[rng.random(number) < share, name] = np.nan
    mine = events.iloc[table["event"]].reset_index(drop=True)
    again = table.duplicated("event").to_numpy()
    for name in ("class", "rounds", "disposition", *FOUND):
        table[name] = mine[name]
    for name in FOUND:
        table[name] = table[name].astype(float).where(mine["disposition"] != NONE)
    fewer = again & (rng.random(number) < 0.5)  # casings found after this row was written
    table["casings"] = table["casings"].where(~fewer, table["casings"] // 2)
    return table


def _calls(
    events: pd.DataFrame, rows: pd.DataFrame, alerts: pd.DataFrame, rng: Generator
) -> pd.DataFrame:
    """Return calls their clocks; a call with an alert's number is answered by the same officers."""
    table = rows[["event", "number", "place", "x", "y", "district", "covered"]].copy()
    table.insert(0, "id", [f"C-{i:05d}" for i in range(1, len(rows) + 1)])
    table["received"] = rows["moment"] // SECOND * SECOND
    table["dispatched"], table["arrived"] = _attend(table["received"], CALL_WAIT_S, rng)
    first = pd.concat([alerts[~alerts.duplicated("event")], table[~table.duplicated("event")]])
    _share(table, first[first["number"] != ""].drop_duplicates("number"))
    table["result"] = events["disposition"].to_numpy()[table["event"]]
    return table


def _lags(law: tuple[float, float], number: int, rng: Generator) -> Floats:
    """Draw whole milliseconds of a lognormal law."""
    median, spread = law
    return np.floor(rng.lognormal(np.log(median), spread, number) * SECOND)


def _attend(
    received: pd.Series, wait: tuple[float, float], rng: Generator
) -> tuple[Floats, Floats]:
    """Draw when officers are sent and arrive; NaN where nobody noted it."""
    number = len(received)
    start = received.to_numpy()
    dispatched = np.minimum(start + _lags(wait, number, rng), start + LONGEST / 2)
    arrived = np.minimum(dispatched + _lags(DRIVE_S, number, rng), start + LONGEST)
    unsent = rng.random(number) < UNTOLD_DISPATCH
    unseen = unsent | (rng.random(number) < UNTOLD_ARRIVAL)
    dispatched, arrived = dispatched // SECOND * SECOND, arrived // SECOND * SECOND
    return np.where(unsent, np.nan, dispatched), np.where(unseen, np.nan, arrived)


def _share(table: pd.DataFrame, first: pd.DataFrame) -> None:
    """Return rows that share an event number the clocks of its first row, where they come later."""
    known = first[first["number"] != ""].set_index("number")
    mine = table["number"].isin(known.index) & ~table["id"].isin(known["id"])
    numbers, received = table.loc[mine, "number"], table.loc[mine, "received"].to_numpy()
    for name, soonest in (("dispatched", 0.0), ("arrived", SOONEST_S * SECOND)):
        theirs = known[name].reindex(numbers).to_numpy()
        later = theirs >= received + soonest
        table.loc[mine, name] = np.where(later, theirs, np.nan)


def _add_oddities(alerts: pd.DataFrame, calls: pd.DataFrame, rng: Generator) -> None:
    """Add what real exports hold: orders that cannot be, unknown words, numbers below zero."""
    plain = alerts[["review_started", "published"]].notna().all(axis=1)
    plain &= _soon(alerts, "triggered") & ~alerts.duplicated("event", keep=False)
    fit = rng.permutation(np.flatnonzero(plain))
    early, early_review, wrong, new = np.split(
        fit[: EARLY_PUBLISHED + EARLY_FOR_REVIEW + HOUR_WRONG + NEW_CLASS_ROWS],
        np.cumsum([EARLY_PUBLISHED, EARLY_FOR_REVIEW, HOUR_WRONG]),
    )
    start, review = alerts["triggered"].to_numpy(), alerts["review_started"].to_numpy()
    published = alerts["published"].to_numpy(copy=True)
    published[early] = start[early] - rng.integers(1, 20, len(early)) * SECOND
    published[early_review] = (start[early_review] + review[early_review]) // 2
    alerts["published"] = published
    alerts.loc[wrong, "arrived"] -= HOUR
    alerts.loc[new, "class"] = NEW_CLASS
    found = plain & (alerts["casings"] > 0)
    alerts.loc[rng.choice(np.flatnonzero(found), NEGATIVE_ROWS, replace=False), "casings"] *= -1
    soon = np.flatnonzero(_soon(calls, "received"))
    calls.loc[rng.choice(soon, HOUR_WRONG, replace=False), "arrived"] -= HOUR


def _soon(table: pd.DataFrame, start: str) -> pd.Series:
    """Mark rows answered so soon that an arrival noted an hour early lies before the start."""
    return table["arrived"] < table[start] + 50 * MINUTE
