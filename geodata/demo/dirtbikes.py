"""Dirt bikes of the demonstration city: complaints as dated points, everything else as totals."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geodata.demo.crime import FIRST_DAY, LAST_DAY

if TYPE_CHECKING:
    from numpy.random import Generator

    from geodata.demo.geography import Land
    from geodata.demo.gunfire import Places
    from geodata.demo.streets import Network

COMPLAINTS = {2023: 260, 2024: 300, 2025: 280}
SEASON = np.array([0.06, 0.08, 0.35, 0.95, 1.2, 1.3, 1.35, 1.25, 1.05, 0.7, 0.2, 0.08])
KINDS, KIND_SHARES = ("dirt bike", "ATV"), (0.68, 0.32)
NEAR_GREEN_M, NEAR_GREEN = 150.0, 5.0  # how much likelier beside parks and trails
TOTALS = {  # measure: kinds, whether by district, and the mean of a month and district at its peak
    "dirtbike.seizures": (("dirt bike", "ATV", "moped"), True, 0.9),
    "dirtbike.citations": (("",), True, 3.2),
    "dirtbike.arrests": (("",), True, 0.7),
    "dirtbike.injury_crashes": (("",), True, 0.3),
    "dirtbike.contacts": (("",), True, 6.0),
    "dirtbike.ride_outs": (("",), False, 2.4),
}


def draw_complaints(places: Places, network: Network, land: Land, rng: Generator) -> pd.DataFrame:
    """Draw complaints: day, kind and place."""
    greens = shapely.STRtree(
        [*(shape for _, shape in land.parks), *(line for _, line in network.trails)]
    )
    near, _ = greens.query(shapely.points(places.xy), predicate="dwithin", distance=NEAR_GREEN_M)
    weight = np.ones(len(places.xy))
    weight[near] = NEAR_GREEN
    parts = []
    for year, number in COMPLAINTS.items():
        days = pd.date_range(f"{year}-01-01", f"{year}-12-31")
        share = SEASON[days.month - 1] * np.where(days.day_of_week >= 5, 1.9, 0.8)
        day = np.sort(rng.choice(len(days), number, p=share / share.sum()))
        place = rng.choice(len(weight), number, p=weight / weight.sum())
        kind = rng.choice(KINDS, number, p=KIND_SHARES)
        parts.append(pd.DataFrame({"date": days[day], "kind": kind, "place": place}))
    table = pd.concat(parts, ignore_index=True)
    table.insert(0, "id", [f"DB-{i:04d}" for i in range(1, len(table) + 1)])
    table["x"], table["y"] = places.xy[table["place"]].T
    table["district"] = places.district[table["place"]]
    return table


def draw_totals(land: Land, rng: Generator) -> pd.DataFrame:
    """Draw monthly totals; a month in which nothing happened says zero."""
    busy = dict(zip(land.districts, rng.dirichlet(np.full(len(land.districts), 6.0)), strict=True))
    rows = []
    for month in pd.date_range(FIRST_DAY, LAST_DAY, freq="MS"):
        season = SEASON[month.month - 1] / SEASON.max()
        after = month + pd.offsets.MonthBegin()
        for measure, (kinds, by_district, mean) in TOTALS.items():
            for district, kind in product(busy if by_district else ("",), kinds):
                share = busy[district] * len(busy) if district else 1.0
                value = int(rng.poisson(mean * season * share))
                rows.append((measure, month, after, district, kind, value))
    return pd.DataFrame(rows, columns=["measure", "from", "to", "district", "kind", "value"])
