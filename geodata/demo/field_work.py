"""Dosage visits of the demonstration city: officers stop where robbery is likeliest.

They have done so since the pilot began; what it does to robbery is in the module of the pilot.

Work in the zones of the demonstration city: visits that officers logged, actions on places.

The people are invented, as the city is, and every note says so. All follows from the zones of a
run, the plans of its shifts and a seed, so the same of them gives the same work, stored once.
"""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from geodata.demo.gunfire import HOUR, MINUTE, SECOND, milliseconds
from geodata.demo.pilots import PILOT_FIRST_DAY, PILOT_LAST_DAY
from geodata.repositories.actions import (
    ANY_FACTOR,
    DONE,
    OPEN,
    UNDER_WAY,
    ActionFacts,
    ActionQuery,
    add_action,
    add_comment,
    change_action,
    get_action,
    list_actions,
)
from geodata.repositories.patrol_plans import standing_plans
from geodata.repositories.visits import VisitFacts, log_visit
from geodata.repositories.zone_versions import district_zones

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from geodata.demo.gunfire import Places
    from geodata.repositories.cities import CityRecord
    from geodata.repositories.patrol_plans import PlanRecord
    from geodata.repositories.zone_versions import ZoneRecord
    from spatial.grid import Grid


if TYPE_CHECKING:
    Floats = NDArray[np.float64]

SPOTS_A_CELL, FEWEST_SPOTS, SPOTS_APART_M = 1 / 250, 2, 250.0  # of each district
DAYS = pd.date_range(PILOT_FIRST_DAY, PILOT_LAST_DAY)
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


SEED = 20260105
OFFICER, COMMANDER = "demonstration-officer", "demonstration-commander"
SPACE = uuid.UUID("5b0f1d3e-6f0a-4c67-9a39-2f5f0f6c7f11")  # ids of these visits are named in it
MINUTE_MS = 60_000
MISSED = 0.15  # the share of planned visits that nobody makes
LATE_MIN, VISIT_MIN = (-2, 9), (9, 18)  # minutes after the planned start; minutes of a visit
SYNTHETIC = "Synthetic."
WORK = {  # what a factor's name holds: kind, what, owner
    "vacant": ("boarding-up", "Board up the open house and clear the ground", "Code enforcement"),
    "bus": ("lighting", "Repair the lamp at the stop and cut the hedge behind it", "Transit"),
    "bars": ("business check", "Agree on closing times and door staff", "Business manager"),
    "store": ("business check", "Keep the shop window clear so that one sees in", "Property owner"),
}
OTHERWISE = ("landscaping", "Cut back what hides the path", "Parks")


def keep_work(session: Session, city: CityRecord, run: str) -> tuple[int, int]:
    """Store the work of every district of a synthetic city; give numbers of visits and actions.

    Visits are those of stored plans for shifts that were over when the city's day began.

    Raises
    ------
    ValueError
        If the city is no synthetic one.
    """
    if not city.synthetic or city.today is None:
        msg = f"{city.slug} is no synthetic city; nothing is invented about it"
        raise ValueError(msg)
    rng = np.random.default_rng(SEED)
    codes = list(city.districts["code"])
    midnight = dt.datetime.combine(city.today, dt.time(), zoneinfo.ZoneInfo(city.timezone))
    morning = round(midnight.timestamp() * 1000)
    there, _ = list_actions(session, city.id, codes, ActionQuery(), start=0, size=1)
    visits = actions = 0
    for code in codes:
        found = district_zones(session, run, code)
        if not found:
            continue
        for plan in standing_plans(session, city.slug, district=code):
            if plan.shift_end_ms <= morning:
                visits += _visits(session, city, plan, rng)
        if not there:
            actions += _actions(session, city, code, run, found, city.today)
    return visits, actions


def _visits(session: Session, city: CityRecord, plan: PlanRecord, rng: Generator) -> int:
    """Log the visits of a shift as officers do who keep a plan, but for a few visits."""
    zone, stored = zoneinfo.ZoneInfo(city.timezone), 0
    for unit in plan.document.units:
        free = plan.shift_start_ms
        for number, visit in enumerate(unit.visits):
            made, late = rng.random() >= MISSED, int(rng.integers(*LATE_MIN)) * MINUTE_MS
            minutes = int(rng.integers(*VISIT_MIN))
            activity = city.activities[int(rng.integers(len(city.activities) - 1))]
            planned = visit.start.replace(tzinfo=zone)
            start = max(round(planned.timestamp() * 1000) + late, free)
            if not made or start + minutes * MINUTE_MS > plan.shift_end_ms:
                continue
            free = start + (minutes + 1) * MINUTE_MS
            taken = log_visit(
                session,
                city,
                plan.district,
                plan.run,
                str(uuid.uuid5(SPACE, f"{plan.id} {unit.unit} {number}")),
                VisitFacts(
                    zone=visit.zone,
                    unit=unit.unit,
                    start_ms=start,
                    end_ms=start + minutes * MINUTE_MS,
                    activity=activity,
                    note=SYNTHETIC,
                ),
                who=OFFICER,
                when=dt.datetime.fromtimestamp(free / 1000, dt.UTC).replace(tzinfo=None),
                now_ms=free,
            )
            stored += taken == "new"
    return stored


def _actions(
    session: Session,
    city: CityRecord,
    district: str,
    run: str,
    found: list[ZoneRecord],
    today: dt.date,
) -> int:
    """Make an action for each of the first zones: some done, some late, some ahead."""
    when = dt.datetime.combine(today - dt.timedelta(days=40), dt.time(9))
    states = ((DONE, -20), (UNDER_WAY, -3), (OPEN, 9), (OPEN, 24))
    made = 0
    for zone, (state, days) in zip(found, states, strict=False):
        factor = zone.factors[made % len(zone.factors)] if zone.factors else ANY_FACTOR
        kind, what, owner = next(
            (result for key, result in WORK.items() if key in factor), OTHERWISE
        )
        facts = ActionFacts(
            zone=zone.code,
            factor=factor,
            kind=kind,
            what=what,
            owner=owner,
            due=today + dt.timedelta(days=days),
        )
        number = add_action(
            session,
            city,
            district,
            run,
            facts,
            who=COMMANDER,
            when=when,
            today=when.date(),
        )
        if state != OPEN:
            _go_on(session, city, number, state, when + dt.timedelta(days=15))
        made += 1
    return made


def _go_on(session: Session, city: CityRecord, number: int, state: str, when: dt.datetime) -> None:
    before = get_action(session, city.id, number)
    add_comment(
        session, city, number, f"{SYNTHETIC} The owner agreed to a day.", who=OFFICER, when=when
    )
    facts = {name: getattr(before.facts, name) for name in ActionFacts.__dataclass_fields__}
    change_action(
        session,
        city,
        number,
        ActionFacts(**{**facts, "state": state, "cost": 350 if state == DONE else None}),
        version=before.version,
        who=COMMANDER,
        when=when,
        today=when.date(),
    )
