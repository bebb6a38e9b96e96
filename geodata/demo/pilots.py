"""Dirt bikes of the demonstration city: complaints as dated points, everything else as totals.

The pilot of the demonstration city: dosage patrols with a known effect on robbery.

From the pilot's first day, each robbery near a patrolled place fails to happen with a known chance;
elsewhere and before, none does. Which ones did not happen is kept, so that the true effect in any
areas whatever is known without a model: it is how many robberies were prevented in them.

The initiatives of the demonstration city: made up, in the form of a city's own file.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from geodata.demo.city_files import EAST, NORTH, to_degrees
from geodata.demo.crime import FIRST_DAY, LAST_DAY
from spatial.grid import area_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.random import Generator
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geodata.demo.geography import Land
    from geodata.demo.gunfire import Places
    from geodata.demo.streets import Network
    from spatial.grid import Grid


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


OUTCOME = "robbery"
PILOT_FIRST_DAY, PILOT_LAST_DAY = pd.Timestamp("2024-01-01"), pd.Timestamp("2025-12-31")
PREVENTED = 0.2  # the share of robberies within reach that do not happen
REACH_M = 200.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Pilot:
    """What the pilot truly did.

    Parameters
    ----------
    treated
        Cells that the patrols reach, shape ``(cells,)``.
    drawn
        Robberies of treated cells and of the pilot's time as they were drawn, without it: moment
        and, in metres around the city hall, ``x`` and ``y``.
    prevented
        Which of them did not happen, shape ``(drawn,)``.
    """

    treated: NDArray[np.bool_]
    drawn: pd.DataFrame
    prevented: NDArray[np.bool_]

    def prevented_in(self, areas: Sequence[BaseGeometry]) -> int:
        """Count the robberies prevented in areas, which are in the city's reference system."""
        gone = self.drawn[self.prevented]
        at = area_of(gone["x"].to_numpy() + EAST, gone["y"].to_numpy() + NORTH, areas)
        return int((at >= 0).sum())

    def document(self) -> dict[str, object]:
        """Describe the pilot for the truth that is written beside the files.

        The prevented robberies are told with their days and places, so that whoever chooses areas
        can count the true effect in them.
        """
        gone = self.drawn[self.prevented]
        degrees = shapely.get_coordinates(to_degrees(shapely.points(gone[["x", "y"]].to_numpy())))
        years = self.drawn["moment"].dt.year.to_numpy()
        return {
            "outcome": OUTCOME,
            "from": f"{PILOT_FIRST_DAY:%Y-%m-%d}",
            "to": f"{PILOT_LAST_DAY + pd.Timedelta(days=1):%Y-%m-%d}",
            "effect": -PREVENTED,
            "reach_m": REACH_M,
            "treated_cells": int(self.treated.sum()),
            "treated_share_of_cells": round(float(self.treated.mean()), 4),
            "years": {
                str(year): {
                    "without_the_pilot": int((years == year).sum()),
                    "prevented": int(((years == year) & self.prevented).sum()),
                }
                for year in np.unique(years)
            },
            "prevented": [
                {"day": f"{day:%Y-%m-%d}", "longitude": float(x), "latitude": float(y)}
                for day, (x, y) in zip(gone["moment"], degrees, strict=True)
            ],
        }


def run_pilot(
    grid: Grid, spots: pd.DataFrame, incidents: pd.DataFrame, rng: Generator
) -> tuple[Pilot, pd.DataFrame]:
    """Prevent robberies around patrolled places; give what was done, and the incidents left.

    Parameters
    ----------
    grid
        The city's cells, around the city hall.
    spots
        Patrolled places; ``cell`` of each.
    incidents
        All incidents as drawn: ``outcome``, ``moment``, ``x``, ``y``.
    rng
        A stream of its own, so that no other number depends on the pilot.
    """
    centres = np.column_stack([grid.x, grid.y])
    away, _ = cKDTree(centres[spots["cell"].to_numpy()]).query(centres)
    treated = away <= REACH_M
    cell = grid.locate(incidents["x"].to_numpy(), incidents["y"].to_numpy())
    within = (cell >= 0) & treated[cell] & (incidents["outcome"] == OUTCOME).to_numpy()
    within &= (incidents["moment"] >= PILOT_FIRST_DAY).to_numpy()
    prevented = rng.random(int(within.sum())) < PREVENTED
    gone = np.zeros(len(incidents), dtype=bool)
    gone[within] = prevented
    pilot = Pilot(
        treated=treated,
        drawn=incidents.loc[within, ["moment", "x", "y"]].reset_index(drop=True),
        prevented=prevented,
    )
    return pilot, incidents[~gone].reset_index(drop=True)


CITY = "alder-falls"
UPDATED = dt.date(2026, 1, 4)

TEXT = '''# Generated. A synthetic city: its initiative, its words and its numbers are made up.

city = "{city}"

[[initiatives]]
slug = "community-policing-strategies"
number = "2.13"
title = "Pilot and evaluate new community policing strategies"
goal = "Creating a Safer Community Together"
status = "In Progress"
owner = "Police Department of Alder Falls (synthetic)"
updated = {updated}

[initiatives.narrative]
why = """
Made up, like all of Alder Falls: residents of this synthetic city asked for fewer robberies, faster
help after gunfire and quieter streets, and wanted to see whether what is tried works.

A real city says here, in its own words, why the initiative matters to the people who live there.
"""
doing = """
Made up: since January 2024 officers visit places where robbery is likely, for 10 to 16 minutes at a
time; a part of the city is covered by gunshot detection, and complaints about dirt bikes are
gathered by month and district.

A real city says here what has been done since the last update.
"""
next = """
Made up: the visits go on, and zones are compared with similar places that had none.

A real city says here what comes next, and when.
"""
analysis = """
Made up, and worked out: the measures are computed from generated files by the code that computes
them for a real city. They show what a page holds and say nothing about any real place.

Alerts, calls and events have three different denominators, and each figure names its own.
"""

[[initiatives.strategies]]
slug = "risk-terrain-zones"
title = "Risk terrain zones"
summary = """
Places in each police district where features of the environment come together and robbery is more
likely. Patrols stop there for short visits; departments and owners change what can be changed.
"""
status = "In Progress"
measures = [
  "dosage.visits",
  "dosage.minutes",
  "dosage.share_10_16",
  "dosage.gap_minutes.p50",
  "dosage.plan_met",
  "zones.hit_rate",
  "zones.pai",
]
also_touched = ["alerts.guns", "alerts.arrests"]

[[initiatives.strategies]]
slug = "gunshot-detection"
title = "Gunshot detection"
summary = """
Sensors in a part of the city publish alerts of gunfire. They are held against 911 calls and against
gunfire proven by evidence.
"""
status = "In Progress"
measures = [
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
]

[[initiatives.strategies.targets]]
measure = "alerts.performance"
target = 0.9
source = "Contract (made up)"

[[initiatives.strategies]]
slug = "dirt-bike-mitigation"
title = "Dirt-bike mitigation"
summary = """
Complaints, seizures, citations and arrests, and talks with riders, compared with the same weeks of
earlier years because riding follows the seasons.
"""
status = "In Progress"
measures = [
  "dirtbike.complaints",
  "dirtbike.ride_outs",
  "dirtbike.seizures",
  "dirtbike.citations",
  "dirtbike.arrests",
  "dirtbike.injury_crashes",
  "dirtbike.contacts",
]
'''


def write_initiatives(folder: Path, *, city: str = CITY, updated: dt.date = UPDATED) -> None:
    """Write ``initiatives.toml`` of the demonstration city.

    Parameters
    ----------
    folder
        Where the city's other files are; it must exist.
    city
        Slug of the city.
    updated
        Day of the last update that the initiative states.
    """
    text = TEXT.format(city=city, updated=updated.isoformat())
    (folder / "initiatives.toml").write_text(text, encoding="utf-8")
