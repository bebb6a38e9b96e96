"""Incidents of the demonstration city, drawn from a known risk, and that truth.

A cell's expected incidents are ``exp(intercept + sum of effects + leftover)`` where the leftover is
a smooth field that no layer explains; around that the counts vary as a gamma mixture, the same in
every year. The effects have exactly the form of the engine's candidates, worked out here apart from
the engine, from the definitions in docs/method.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from geodata.demo.geography import Land
    from geodata.demo.places import Layers
    from geodata.demo.streets import Network
    from spatial.grid import Grid

    Floats = NDArray[np.float64]

FIRST_DAY, LAST_DAY = pd.Timestamp("2023-01-01"), pd.Timestamp("2025-12-31")
DAYS = pd.date_range(FIRST_DAY, LAST_DAY)
EARLIER = pd.date_range("2020-01-01", "2022-12-31")  # as many days, drawn from the same rates
FIELD_METRES = 650.0  # how far the leftover is alike


@dataclass(frozen=True, slots=True)
class Effect:
    """One true effect: a factor, how it works, how far, and its coefficient."""

    factor: str
    operation: str
    distance_m: float
    coefficient: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeTruth:
    """How one kind of incident comes about; ``size`` is the gamma mixture's shape."""

    outcome: str
    expected_total: float
    intercept: float
    effects: tuple[Effect, ...]
    leftover_sd: float
    size: float


PLANS: dict[str, tuple[float, tuple[Effect, ...]]] = {
    "robbery": (
        1_800,
        (
            Effect("convenience_stores", "proximity", 200.0, 1.00),
            Effect("bars", "density", 300.0, 1.10),
            Effect("bus_stops", "proximity", 200.0, 0.75),
            Effect("vacant_homes", "density", 400.0, 0.90),
        ),
    ),
    "assault": (
        3_500,
        (
            Effect("bars", "proximity", 200.0, 1.20),
            Effect("vacant_homes", "density", 300.0, 0.95),
            Effect("liquor_stores", "proximity", 300.0, 0.65),
        ),
    ),
    "burglary": (
        4_500,
        (
            Effect("vacant_homes", "proximity", 300.0, 0.70),
            Effect("laundromats", "proximity", 400.0, 0.45),
            Effect("rail_stops", "proximity", 600.0, 0.60),
        ),
    ),
}
LEFTOVER_SD = 0.45
SIZE = 2.2


def indicator(grid: Grid, layers: Layers, effect: Effect) -> NDArray[np.bool_]:
    """Mark the cells that an effect reaches, shape ``(cells,)``."""
    xy = shapely.get_coordinates(np.array(layers[effect.factor], dtype=object))
    centres = np.column_stack([grid.x, grid.y])
    tree = cKDTree(xy)
    if effect.operation == "proximity":
        return tree.query(centres)[0] <= effect.distance_m
    density = np.zeros(len(grid))
    for cell, near in enumerate(tree.query_ball_point(centres, effect.distance_m)):
        r2 = ((xy[near] - centres[cell]) ** 2).sum(axis=1) / effect.distance_m**2
        density[cell] = ((1 - r2) ** 2).sum()
    return (density - density.mean()) / density.std() > 2


def expected_counts(
    grid: Grid, layers: Layers, network: Network, land: Land, outcome: str, rng: Generator
) -> tuple[OutcomeTruth, Floats, Floats]:
    """Return the truth of an outcome, its expected count by cell, and those with their leftover.

    Cells without a street see no incident.
    """
    total, effects = PLANS[outcome]
    eta = np.zeros(len(grid))
    for effect in effects:
        eta += effect.coefficient * indicator(grid, layers, effect)
    streets = shapely.union_all([street.line for street in network.streets])
    shapely.prepare(streets)
    half = grid.cell_units / 2
    boxes = shapely.box(grid.x - half, grid.y - half, grid.x + half, grid.y + half)
    lived_in = shapely.intersects(streets, boxes) & ~shapely.contains_xy(land.water, grid.x, grid.y)
    smooth = rng.normal(size=(grid.n_rows, grid.n_cols))
    smooth = gaussian_filter(smooth, FIELD_METRES / grid.cell_units)[grid.rows, grid.cols]
    leftover = LEFTOVER_SD * (smooth - smooth.mean()) / smooth.std()
    relative = np.exp(eta + leftover) * lived_in
    intercept = float(np.log(total / relative.sum()))
    plain = np.exp(intercept + eta) * lived_in
    truth = OutcomeTruth(
        outcome=outcome,
        expected_total=float(total),
        intercept=intercept,
        effects=effects,
        leftover_sd=LEFTOVER_SD,
        size=SIZE,
    )
    return truth, plain, relative * np.exp(intercept)


def draw_rates(mean: Floats, rng: Generator) -> Floats:
    """Draw what each cell truly expects, the same in every year, shape ``(cells,)``."""
    return mean * rng.gamma(SIZE, 1 / SIZE, len(mean))


def draw_incidents(
    grid: Grid,
    rates: Floats,
    days: pd.DatetimeIndex,
    network: Network,
    land: Land,
    outcome: str,
    rng: Generator,
) -> pd.DataFrame:
    """Draw incidents of days: day, minute and place beside a street of their cell.

    ``rates`` are what each cell expects over all of the days.
    """
    cell = np.repeat(np.arange(len(grid)), rng.poisson(rates))
    x, y = _beside_streets(grid, cell, network, land, rng)
    season = 1 + 0.16 * np.sin(2 * np.pi * (days.day_of_year.to_numpy() - 110) / 365)
    weekend = np.where(days.day_of_week.to_numpy() >= 4, 1.2, 0.92)
    share = season * weekend
    day = days[rng.choice(len(days), len(cell), p=share / share.sum())]
    hours = np.arange(24)
    peak = {"robbery": 22, "assault": 23, "burglary": 14}[outcome]
    away = np.minimum(np.abs(hours - peak), 24 - np.abs(hours - peak))
    clock = 0.35 + np.exp(-(away**2) / 18)
    hour = rng.choice(24, len(cell), p=clock / clock.sum())
    return pd.DataFrame(
        {
            "outcome": outcome,
            "moment": day + pd.to_timedelta(hour * 60 + rng.integers(0, 60, len(cell)), unit="min"),
            "x": x,
            "y": y,
        }
    )


def street_places(network: Network, land: Land, rng: Generator) -> Floats:
    """Scatter dry places beside every street, shape ``(places, 2)``."""
    lines = np.array([street.line for street in network.streets], dtype=object)
    points = shapely.get_coordinates(
        np.concatenate([shapely.get_parts(shapely.segmentize(line, 18.0)) for line in lines])
    )
    points = points + rng.normal(0, 6, points.shape)
    dry = shapely.contains_xy(land.limit, points) & ~shapely.contains_xy(land.water, points)
    return np.asarray(points[dry])


def _beside_streets(
    grid: Grid, cell: NDArray[np.int64], network: Network, land: Land, rng: Generator
) -> tuple[Floats, Floats]:
    """Choose a dry place near a street inside each cell."""
    points = street_places(network, land, rng)
    home = grid.locate(points[:, 0], points[:, 1])
    order = np.argsort(home, kind="stable")
    home, points = home[order], points[order]
    start = np.searchsorted(home, cell, side="left")
    number = np.searchsorted(home, cell, side="right") - start
    half = grid.cell_units / 2
    x = grid.x[cell] + rng.uniform(-half, half, len(cell)) * 0.2
    y = grid.y[cell] + rng.uniform(-half, half, len(cell)) * 0.2
    out = ~shapely.contains_xy(land.limit, x, y)  # a cell's centre is in the city, its edge may not
    x[out], y[out] = grid.x[cell[out]], grid.y[cell[out]]
    there = number > 0
    pick = start[there] + (rng.random(there.sum()) * number[there]).astype(int)
    x[there], y[there] = points[pick].T
    return x, y
