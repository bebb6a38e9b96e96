"""When things happen in the demonstration city: local time, in milliseconds since 1970.

Local time is counted as if it had no zone. Nothing happens around a change of the clocks, so a
difference of two local times is the time that went by; and nothing starts so close to midnight of a
month that what belongs together could lie in two months.

Gunfire of the demonstration city: events, and the alerts and calls that tell of them.

The truth comes first: an event is drawn with its kind (alert only, both, call only), its place and
its moment, and then the rows that tell of it. Rows of different events never lie within
``APART_MINUTES`` and ``APART_METRES`` of each other, so linking has one right answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree
from shapely.affinity import rotate

from geodata.demo.crime import street_places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.random import Generator
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geodata.demo.geography import Land
    from geodata.demo.streets import Network
    from spatial.grid import Grid


if TYPE_CHECKING:
    Floats = NDArray[np.float64]

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
EPOCH = pd.Timestamp("1970-01-01")
HOLIDAYS = ((12, 31), (1, 1), (7, 4), (7, 5))  # 48 hours around two noisy midnights
PEAK = 16.0  # how much more is heard in the noisy hours
QUIET_MONTH_START, QUIET_MONTH_END = 10 * 60, 20 * 60  # seconds


def milliseconds(moments: pd.DatetimeIndex | pd.Timestamp) -> NDArray[np.float64]:
    """Count the milliseconds since 1970."""
    return np.asarray((moments - EPOCH) / pd.Timedelta(milliseconds=1), dtype=np.float64)


def stamps(ms: NDArray[np.float64]) -> pd.DatetimeIndex:
    """Return moments back; NaN becomes NaT."""
    return pd.DatetimeIndex(pd.to_datetime(pd.Series(ms), unit="ms"))


def is_holiday(ms: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark moments of the days around New Year's Eve and 4 July."""
    when = stamps(ms)
    code = np.asarray(when.month * 100 + when.day)
    return np.isin(code, [month * 100 + day for month, day in HOLIDAYS])


def hours_of(year: int) -> pd.DatetimeIndex:
    """Return every hour of a year."""
    return pd.date_range(f"{year}-01-01", f"{year + 1}-01-01", freq="h", inclusive="left")


def gunfire_weights(hours: pd.DatetimeIndex) -> Floats:
    """Weigh hours as gunfire does: evenings, weekends, summers and two noisy nights."""
    hour = hours.hour.to_numpy()
    away = np.minimum(np.abs(hour - 23), 24 - np.abs(hour - 23))
    clock = 0.14 + np.exp(-(away**2) / 14)
    season = 1 + 0.22 * np.sin(2 * np.pi * (hours.day_of_year.to_numpy() - 105) / 365)
    weekend = np.where(hours.day_of_week.to_numpy() >= 4, 1.3, 0.88)
    return clock * season * weekend * np.where(_noisy(hours), PEAK, 1.0) * ~_clocks_change(hours)


def draw_moments(hours: pd.DatetimeIndex, weights: Floats, number: int, rng: Generator) -> Floats:
    """Draw whole milliseconds within hours, away from midnight of a month."""
    slot = rng.choice(len(hours), number, p=weights / weights.sum())
    drawn = hours[slot]
    hour = drawn.hour.to_numpy()
    low = np.where(hour == 0, 30, 0)
    low = np.where((hour == 0) & (drawn.day.to_numpy() == 1), QUIET_MONTH_START, low)
    high = np.where((hour == 23) & drawn.is_month_end, 3_600 - QUIET_MONTH_END, 3_600)
    seconds = low + rng.random(number) * (high - low)
    return milliseconds(drawn) + np.floor(seconds * SECOND)


def _noisy(hours: pd.DatetimeIndex) -> NDArray[np.bool_]:
    code = hours.month.to_numpy() * 100 + hours.day.to_numpy()
    before, after = np.isin(code, (1231, 704)), np.isin(code, (101, 705))
    hour = hours.hour.to_numpy()
    return (before & (hour >= 20)) | (after & (hour < 3))


def _clocks_change(hours: pd.DatetimeIndex) -> NDArray[np.bool_]:
    """Mark three hours on either side of the changes: last Sundays of March and October."""
    quiet = np.zeros(len(hours), dtype=bool)
    for year in np.unique(hours.year):
        for month in (3, 10):
            last = pd.Timestamp(year=int(year), month=month, day=31)
            sunday = last - pd.Timedelta(days=(last.day_of_week + 1) % 7)
            quiet |= np.abs((hours - sunday) / pd.Timedelta(hours=1)) <= 3
    return quiet


COVERED_SHARE = 0.25  # of the city's area
COVERAGE_CENTRE, COVERAGE_TURN = (1_800.0, -1_800.0), 20.0
EDGE_M = 5.0  # nothing lies so close to a border that rounding could carry it across
APART_MINUTES, APART_METRES = 20.0, 850.0  # beyond every window that linking tries
WINDOW_METRES = 380.0  # linked by window: from 2 minutes before to 10 after, within 400 m
BY_NUMBER, FAR, OTHER_NUMBER, SECOND_CALL = 0.6, 0.12, 0.5, 0.18
ROUNDS = 200
KINDS = ("alert only", "both", "call only")


@dataclass(frozen=True, slots=True, kw_only=True)
class YearPlan:
    """How much happens in a year: events inside coverage by kind, and calls outside it.

    ``confirmed`` are the events of each kind, then of those outside, that evidence confirms;
    ``twins`` are events with two alerts, ``double_calls`` call-only events with two calls.
    ``accurate`` to ``outside_verified`` are rows of verified gunfire.
    """

    alert_only: int
    both: int
    call_only: int
    outside: int
    confirmed: tuple[int, int, int, int]
    twins: int
    double_calls: int
    accurate: int
    mislocated: int
    not_detected: int
    outside_verified: int
    guns: int
    arrests: int
    victims: int


PLANS = {
    2023: YearPlan(
        alert_only=630,
        both=170,
        call_only=330,
        outside=250,
        confirmed=(55, 74, 92, 66),
        twins=10,
        double_calls=6,
        accurate=82,
        mislocated=8,
        not_detected=19,
        outside_verified=11,
        guns=15,
        arrests=14,
        victims=19,
    ),
    2024: YearPlan(
        alert_only=740,
        both=195,
        call_only=355,
        outside=270,
        confirmed=(64, 85, 99, 72),
        twins=12,
        double_calls=7,
        accurate=95,
        mislocated=9,
        not_detected=20,
        outside_verified=13,
        guns=18,
        arrests=17,
        victims=22,
    ),
    2025: YearPlan(  # the pattern that an independent study of a pilot year published
        alert_only=825,
        both=217,
        call_only=405,
        outside=300,
        confirmed=(73, 96, 113, 80),
        twins=16,
        double_calls=8,
        accurate=110,
        mislocated=10,
        not_detected=22,
        outside_verified=15,
        guns=20,
        arrests=20,
        victims=26,
    ),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Places:
    """Places beside streets, clear of every border; ``risk`` adds to 1 over the city."""

    xy: Floats
    district: NDArray[np.object_]
    covered: NDArray[np.bool_]
    risk: Floats
    tree: cKDTree

    def near(self, place: int, least: float, most: float, rng: Generator) -> int:
        """Choose a place at a distance, on the same side of every border; else the same place."""
        found = np.array(self.tree.query_ball_point(self.xy[place], most))
        alike = self.district[found] == self.district[place]
        alike &= self.covered[found] == self.covered[place]
        alike &= np.hypot(*(self.xy[found] - self.xy[place]).T) >= least
        found = np.sort(found[alike])
        return int(found[rng.integers(len(found))]) if len(found) else place


def lay_coverage(land: Land) -> BaseGeometry:
    """Lay the area that detects gunshots: a turned rectangle, cut at the city limit."""
    low, high = 100.0, 12_000.0
    x, y = COVERAGE_CENTRE
    while high - low > 0.5:
        half = (low + high) / 2
        box = shapely.box(x - 1.15 * half, y - 0.87 * half, x + 1.15 * half, y + 0.87 * half)
        area = rotate(box, COVERAGE_TURN).intersection(land.limit)
        small = area.area < COVERED_SHARE * land.limit.area
        low, high = (half, high) if small else (low, half)
    return area


def find_places(
    grid: Grid,
    expected: Mapping[str, Floats],
    coverage: BaseGeometry,
    network: Network,
    land: Land,
    rng: Generator,
) -> Places:
    """Find places beside streets; their risk follows the expected assaults and robberies."""
    xy = street_places(network, land, rng)
    district = np.full(len(xy), None, dtype=object)
    for code, shape in land.districts.items():
        district[shapely.contains_xy(shape.buffer(-EDGE_M), xy)] = code
    covered = shapely.contains_xy(coverage.buffer(-EDGE_M), xy)
    clear = covered | ~shapely.contains_xy(coverage.buffer(EDGE_M), xy)
    cell = grid.locate(xy[:, 0], xy[:, 1])
    keep = (cell >= 0) & clear & (district != None)  # noqa: E711 - element by element
    xy, district, covered, cell = xy[keep], district[keep], covered[keep], cell[keep]
    by_cell = sum(expected[name] / expected[name].sum() for name in ("assault", "robbery"))
    by_cell = np.asarray(by_cell) + 0.1 * np.mean(by_cell)
    risk = (by_cell / np.maximum(np.bincount(cell, minlength=len(grid)), 1))[cell]
    return Places(
        xy=xy, district=district, covered=covered, risk=risk / risk.sum(), tree=cKDTree(xy)
    )


def draw_events(places: Places, rng: Generator) -> pd.DataFrame:
    """Draw the events without their moments, a row each."""
    parts = []
    for year, plan in PLANS.items():
        numbers = (plan.alert_only, plan.both, plan.call_only, plan.outside)
        for number, kind, covered, confirmed in zip(
            numbers, (*KINDS, KINDS[2]), (True, True, True, False), plan.confirmed, strict=True
        ):
            weight = places.risk * (places.covered == covered)
            part = pd.DataFrame(
                {
                    "year": year,
                    "kind": kind,
                    "covered": covered,
                    "confirmed": np.arange(number) < confirmed,
                    "place": rng.choice(len(weight), number, p=weight / weight.sum()),
                    "twin": False,
                }
            )
            parts.append(part)
    events = pd.concat(parts, ignore_index=True)
    for year, plan in PLANS.items():
        mine = events["year"] == year
        heard = mine & (events["kind"] != "call only")
        proven = round(0.6 * plan.twins)
        for some, number in (
            (heard & events["confirmed"], proven),
            (heard & ~events["confirmed"], plan.twins - proven),
            (mine & (events["kind"] == "call only") & events["covered"], plan.double_calls),
        ):
            events.loc[rng.choice(np.flatnonzero(some), number, replace=False), "twin"] = True
    return events


def draw_rows(events: pd.DataFrame, places: Places, rng: Generator) -> pd.DataFrame:
    """Draw the alerts and calls of each event: what each is, where, and how long after the event.

    ``number`` tells rows that share an event number; -1 is a row without one.
    """
    rows: list[tuple[int, str, int, float, int]] = []  # event, what, place, after, number
    free = iter(range(10_000_000))
    for event, (kind, place, twin) in enumerate(
        zip(events["kind"], events["place"], events["twin"], strict=True)
    ):
        number = next(free)
        if kind == "call only":
            rows.append((event, "call", place, 0, number if twin or rng.random() < 0.85 else -1))
            if twin:
                there = places.near(place, 0, 300, rng)
                rows.append((event, "call", there, rng.uniform(60, 360), number))
            continue
        by_number = kind == "both" and rng.random() < BY_NUMBER
        known = by_number or twin or rng.random() < (0.6 if kind == "both" else 0.9)
        rows.append((event, "alert", place, 0, number if known else -1))
        if twin:
            there = places.near(place, 0, 120, rng)
            rows.append((event, "alert", there, rng.uniform(20, 240), number))
        if kind == "both":
            for there, after, shared in _calls(place, places, rng, by_number=by_number):
                own = next(free) if rng.random() < OTHER_NUMBER else -1
                rows.append((event, "call", there, after, number if shared else own))
    table = pd.DataFrame(rows, columns=["event", "what", "place", "after", "number"])
    table["after"] = np.round(table["after"]) * SECOND
    table["x"], table["y"] = places.xy[table["place"]].T
    table["district"] = places.district[table["place"]]
    table["covered"] = places.covered[table["place"]]
    return table


def _calls(
    place: int, places: Places, rng: Generator, *, by_number: bool
) -> list[tuple[int, float, bool]]:
    """Return the calls about an alert: place, seconds after it, whether they share its number."""
    if by_number and rng.random() < FAR:  # only the number tells that these belong together
        if rng.random() < 0.5:
            return [(places.near(place, 430, 700, rng), rng.uniform(-60, 300), True)]
        return [(places.near(place, 0, WINDOW_METRES, rng), rng.uniform(640, 800), True)]
    calls = [by_number] if rng.random() >= SECOND_CALL else [by_number, False]
    return [
        (
            places.near(place, 0, WINDOW_METRES, rng),
            float(np.clip(rng.normal(70, 120), -100, 560)),
            shared,
        )
        for shared in calls
    ]


def place_in_time(events: pd.DataFrame, rows: pd.DataFrame, rng: Generator) -> Floats:
    """Draw the moment of each event so that no two events come near each other.

    Returns
    -------
    Milliseconds, shape ``(events,)``.
    """
    moment = np.zeros(len(events))
    again = np.arange(len(events))
    home, after = rows["event"].to_numpy(), rows["after"].to_numpy()
    xy = rows[["x", "y"]].to_numpy()
    for _ in range(ROUNDS):
        year = events["year"].to_numpy()[again]
        for each in PLANS:
            mine = again[year == each]
            hours = hours_of(each)
            moment[mine] = draw_moments(hours, gunfire_weights(hours), len(mine), rng)
        again = _too_near(moment[home] + after, xy, home)
        if len(again) == 0:
            return moment
    msg = f"{len(again)} events of the demonstration city still lie too near to others"
    raise RuntimeError(msg)


def _too_near(when: Floats, xy: Floats, home: NDArray[np.int64]) -> NDArray[np.int64]:
    """Name the later event of each two that come near each other."""
    order = np.argsort(when, kind="stable")
    when, xy, home = when[order], xy[order], home[order]
    found: list[NDArray[np.int64]] = []
    for step in range(1, len(when)):
        close = when[step:] - when[:-step] <= APART_MINUTES * MINUTE
        if not close.any():
            break
        close &= home[step:] != home[:-step]
        close &= np.hypot(*(xy[step:] - xy[:-step]).T) <= APART_METRES
        found.append(np.maximum(home[step:][close], home[:-step][close]))
    return np.unique(np.concatenate(found)) if found else np.array([], dtype=np.int64)
