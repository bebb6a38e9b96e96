"""Alerts and calls of the demonstration city: every clock, and what the rows say of an event.

Moments are local milliseconds, NaN where an export has nothing; coordinates are metres around the
city hall.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata.demo.gunfire import draw_events, draw_rows, find_places, lay_coverage, place_in_time
from geodata.demo.moments import HOUR, MINUTE, SECOND, stamps
from geodata.demo.outcomes import NONE, draw_outcomes, draw_verified

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.random import Generator
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geodata.demo.geography import Land
    from geodata.demo.gunfire import Places
    from geodata.demo.streets import Network
    from spatial.grid import Grid

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
    """Give alerts their clocks and the outcome of their event."""
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
    """Give calls their clocks; a call with an alert's number is answered by the same officers."""
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
    """Give rows that share an event number the clocks of its first row, where they come later."""
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
