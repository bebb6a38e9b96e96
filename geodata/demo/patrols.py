"""Dosage visits of the demonstration city: officers stop where robbery is likeliest.

They have done so since the pilot began; what it does to robbery is in the module of the pilot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from geodata.demo.moments import HOUR, MINUTE, SECOND, milliseconds
from geodata.demo.pilot import FIRST_DAY, LAST_DAY

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from geodata.demo.gunfire import Places
    from spatial.grid import Grid

    Floats = NDArray[np.float64]

SPOTS_A_CELL, FEWEST_SPOTS, SPOTS_APART_M = 1 / 250, 2, 250.0  # of each district
DAYS = pd.date_range(FIRST_DAY, LAST_DAY)
VISITS_A_DAY, MOST_A_DAY = 0.4, 12  # of a spot, and of the spots of one district together
HOURS = np.arange(10, 24)
HOUR_WEIGHTS = 0.3 + np.exp(-((HOURS - 20) ** 2) / 18)
UNITS = 3  # of each district
DURATIONS = ((0.72, 10, 16), (0.16, 3, 10), (0.12, 16, 35))  # share, from, to, in minutes
ACTIVITIES = (
    "foot patrol",
    "parked and visible",
    "business check",
    "resident contact",
    "lighting check",
)
NO_END, END_FIRST, EXACT = 0.03, 6, 10  # a share, and numbers of rows


def choose_spots(grid: Grid, rates: Floats, places: Places) -> pd.DataFrame:
    """Choose in each district the cells where robbery is likeliest, apart from each other.

    ``rates`` are those that robberies are drawn from, as officers know their beat, so that visits
    depend on no fitted run and on no robbery that happened; they are smoothed over one cell.
    """
    raster = gaussian_filter(grid.to_raster(rates, fill=0.0), 1.0)
    around = raster[grid.rows, grid.cols]
    chosen: list[int] = []
    place: list[int] = []
    for position, district in enumerate(grid.district_ids):
        mine = np.flatnonzero(grid.district == position)
        number, first = max(FEWEST_SPOTS, round(SPOTS_A_CELL * len(mine))), len(chosen)
        for cell in mine[np.argsort(-around[mine], kind="stable")]:
            away = np.hypot(grid.x[chosen] - grid.x[cell], grid.y[chosen] - grid.y[cell])
            if (away >= SPOTS_APART_M).all():
                chosen.append(int(cell))
            if len(chosen) - first == number:
                break
        own = np.flatnonzero(places.district == district)
        _, near = cKDTree(places.xy[own]).query(
            np.column_stack([grid.x[chosen[first:]], grid.y[chosen[first:]]])
        )
        place += own[near].tolist()
    return pd.DataFrame({"cell": chosen, "place": place, "district": places.district[place]})


def draw_visits(spots: pd.DataFrame, places: Places, rng: Generator) -> pd.DataFrame:
    """Draw visits; no unit is at two places at once."""
    rows: list[tuple[int, float, str]] = []
    midnights = milliseconds(DAYS)
    for position, (_, group) in enumerate(spots.groupby("district")):
        numbers = np.minimum(rng.poisson(VISITS_A_DAY * len(group), len(DAYS)), MOST_A_DAY)
        for midnight, number in zip(midnights, numbers, strict=True):
            weights = HOUR_WEIGHTS / HOUR_WEIGHTS.sum()
            hours = np.sort(rng.choice(HOURS, number, replace=False, p=weights))
            for hour in hours:  # within 20 minutes of the full hour, and never longer than 35
                start = midnight + hour * HOUR + rng.integers(0, 20 * 60) * SECOND
                spot = int(rng.choice(group["place"].to_numpy()))
                unit = f"{'ABCDE'[position]}{11 + rng.integers(UNITS)}"
                rows.append((places.near(spot, 0, 60, rng), start, unit))
    table = pd.DataFrame(rows, columns=["place", "start", "unit"])
    table = table.sort_values(["start", "unit"], ignore_index=True)
    number = len(table)
    table.insert(0, "id", [f"V-{i:05d}" for i in range(1, number + 1)])
    table["activity"] = rng.choice(ACTIVITIES, number, p=[0.3, 0.3, 0.18, 0.14, 0.08])
    table["end"] = table["start"] + _durations(number, rng)
    table["x"], table["y"] = places.xy[table["place"]].T
    table["district"] = places.district[table["place"]]
    table.loc[rng.random(number) < NO_END, "end"] = np.nan
    wrong = rng.choice(np.flatnonzero(table["end"].notna()), END_FIRST, replace=False)
    table.loc[wrong, "end"] = table.loc[wrong, "start"] - 5 * MINUTE
    return table


def _durations(number: int, rng: Generator) -> Floats:
    """Draw whole seconds, in milliseconds; some are exactly 10 or 16 minutes."""
    shares = np.array([share for share, _, _ in DURATIONS])
    kind = rng.choice(len(DURATIONS), number, p=shares)
    low = np.array([least for _, least, _ in DURATIONS])[kind]
    high = np.array([most for _, _, most in DURATIONS])[kind]
    minutes = low + rng.random(number) * (high - low)
    some = rng.choice(number, 2 * EXACT, replace=False)
    minutes[some[:EXACT]], minutes[some[EXACT:]] = 10, 16
    return np.asarray(np.floor(minutes * 60) * SECOND)
