"""What came of gunfire in the demonstration city: dispositions, finds, and proof of shots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata.demo.gunfire import PLANS
from geodata.demo.moments import SECOND, is_holiday

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from geodata.demo.gunfire import Places

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
    told = ~probable | (rng.random(number) < 0.8)
    events["rounds"] = np.where(told, rounds, np.nan)
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
