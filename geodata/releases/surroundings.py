"""What is at a place, and in an area that somebody drew: arithmetic on what is public, no more.

Everything here is worked out from zones, risk classes and the public places of alerts and
complaints, as a release gives them. Nothing is read or written.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from spatial.grid import area_of

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geodata.releases.activity import Activity, ActivityChoice, ActivityLayer
    from geodata.releases.gazetteer import Gazetteer, Spot

NO_CLASS = 255
MOSTLY = 0.5  # of an approximate area
WHOLLY = 0.999  # circles are drawn with corners
CIRCLE = 24  # corners of a quarter circle


@dataclass(frozen=True, kw_only=True, eq=False)
class RiskClasses:
    """Risk classes on their lattice: ``levels`` from 0 to 3, 255 outside; north row first.

    Parameters
    ----------
    levels
        Shape ``(n_rows, n_cols)``.
    west, north
        Upper left corner, in units of the city's reference system.
    cell_units
        Side of a cell.
    """

    levels: NDArray[np.uint8]
    west: float
    north: float
    cell_units: float

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Lattice bounds as ``(min x, min y, max x, max y)``."""
        n_rows, n_cols = self.levels.shape
        east = self.west + n_cols * self.cell_units
        return self.west, self.north - n_rows * self.cell_units, east, self.north

    def at(self, x: float, y: float) -> int | None:
        """Return the class of the cell that holds a point, nothing outside."""
        column = int(np.floor((x - self.west) / self.cell_units))
        row = int(np.ceil((self.north - y) / self.cell_units)) - 1  # a cell holds its lower edge
        n_rows, n_cols = self.levels.shape
        if not (0 <= row < n_rows and 0 <= column < n_cols):
            return None
        level = int(self.levels[row, column])
        return None if level == NO_CLASS else level

    def areas(self, shape: BaseGeometry) -> NDArray[np.float64]:
        """Return how much of a shape each class covers, in square units; four numbers."""
        west, south, east, north = shape.bounds
        size, (n_rows, n_cols) = self.cell_units, self.levels.shape
        columns = np.arange(
            max(0, int((west - self.west) // size)),
            min(n_cols, int((east - self.west) // size) + 1),
        )
        rows = np.arange(
            max(0, int((self.north - north) // size)),
            min(n_rows, int((self.north - south) // size) + 1),
        )
        row, column = (part.ravel() for part in np.meshgrid(rows, columns, indexing="ij"))
        level = self.levels[row, column]
        row, column, level = (part[level != NO_CLASS] for part in (row, column, level))
        left, top = self.west + column * size, self.north - row * size
        cells = shapely.box(left, top - size, left + size, top)
        covered = shapely.area(shapely.intersection(cells, shape))
        return np.bincount(level, weights=covered, minlength=4).astype(np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Touching:
    """How many rows of a layer lie in approximate areas that hold a point."""

    layer: str
    areas: int
    number: int


@dataclass(frozen=True, kw_only=True)
class Here:
    """What is at a point; what does not apply is missing.

    ``near`` is the nearest crossing or street with its distance; ``zones`` are positions.
    """

    district: str | None
    neighbourhood: str | None
    near: tuple[Spot, float] | None
    zones: tuple[int, ...]
    level: int | None
    touching: tuple[Touching, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerCount:
    """Rows of a layer whose approximate areas lie mostly within an area.

    ``least`` counts areas that lie within wholly, ``most`` those that touch it. ``by_month`` has
    the first day of each month and its rows of ``number``. ``apart`` are rows of the districts
    that it touches of which nothing but the district is known; they are in none of the numbers.
    """

    layer: str
    number: int
    least: int
    most: int
    by_month: tuple[tuple[dt.date, int], ...]
    apart: int


@dataclass(frozen=True, kw_only=True)
class AreaReport:
    """What an area holds; areas are in square units.

    ``zones`` has each zone's position, the share of the zone that lies within the area and the
    share of the area that it covers; ``levels`` what each risk class covers, of which the sum is
    the part that lies in the city.
    """

    area: float
    districts: tuple[str, ...]
    zones: tuple[tuple[int, float, float], ...]
    levels: tuple[float, ...]
    layers: tuple[LayerCount, ...]

    @property
    def rated(self) -> float:
        """How much of the area has a risk class."""
        return sum(self.levels)


@dataclass(frozen=True, kw_only=True, eq=False)
class Surroundings:
    """What is public of a city, to be asked about; all in its reference system."""

    districts: gpd.GeoDataFrame
    neighbourhoods: gpd.GeoDataFrame
    zones: gpd.GeoDataFrame
    classes: RiskClasses | None
    gazetteer: Gazetteer
    activity: Activity | None


def what_is_here(ground: Surroundings, x: float, y: float, choice: ActivityChoice | None) -> Here:
    """Tell what is at a point.

    Parameters
    ----------
    ground
        Of the city.
    x, y
        The point.
    choice
        Weeks and classes of alerts; its district says nothing here. Missing with the activity.
    """
    district = area_of(np.array([x]), np.array([y]), list(ground.districts.geometry))[0]
    around = ground.neighbourhoods
    home = around["name"][shapely.intersects_xy(around.geometry.to_numpy(), x, y)]
    inside = shapely.intersects_xy(ground.zones.geometry.to_numpy(), x, y)
    return Here(
        district=None if district < 0 else str(ground.districts["code"].iloc[district]),
        neighbourhood=str(home.iloc[0]) if len(home) else None,
        near=_nearest(ground, x, y),
        zones=tuple(np.flatnonzero(inside).tolist()),
        level=ground.classes.at(x, y) if ground.classes else None,
        touching=_touching(ground.activity, x, y, choice) if ground.activity and choice else (),
    )


def _nearest(ground: Surroundings, x: float, y: float) -> tuple[Spot, float] | None:
    spots = ground.gazetteer.of("crossing") or ground.gazetteer.of("street")
    if not spots:
        return None
    into = Transformer.from_crs(4326, ground.districts.crs, always_xy=True)
    xs, ys = into.transform([s.longitude for s in spots], [s.latitude for s in spots])
    apart = np.hypot(np.asarray(xs) - x, np.asarray(ys) - y)
    place = int(np.argmin(apart))
    return spots[place], float(apart[place])


def _touching(
    activity: Activity, x: float, y: float, choice: ActivityChoice
) -> tuple[Touching, ...]:
    found = []
    for layer in activity.layers:
        sites, numbers = layer.sites, activity.by_site(layer, choice)
        apart = (sites["x"] - x) ** 2 + (sites["y"] - y) ** 2
        near = (apart <= sites["radius_units"] ** 2).to_numpy(dtype=bool)
        holds = near & (sites["rule"] != "district").to_numpy(dtype=bool) & (numbers > 0)
        number = int(numbers[holds].sum())
        found.append(Touching(layer=layer.id, areas=int(holds.sum()), number=number))
    return tuple(found)


def report_area(
    ground: Surroundings, shape: BaseGeometry, choice: ActivityChoice | None
) -> AreaReport:
    """Tell what an area holds.

    An alert or complaint is known by an approximate area. It is counted where more than half of
    that lies within; how many lie within wholly and how many touch bound what is not known.

    Parameters
    ----------
    ground
        Of the city.
    shape
        A polygon in the city's reference system.
    choice
        Weeks and classes of alerts. Missing with the activity.
    """
    zones = ground.zones.geometry.to_numpy()
    shared = shapely.area(shapely.intersection(zones, shape))
    touched = shapely.area(shapely.intersection(ground.districts.geometry.to_numpy(), shape)) > 0
    return AreaReport(
        area=shape.area,
        districts=tuple(ground.districts["code"].to_numpy()[touched].tolist()),
        zones=tuple(
            (int(i), float(shared[i] / zones[i].area), float(shared[i] / shape.area))
            for i in np.flatnonzero(shared > 0)
        ),
        levels=tuple(ground.classes.areas(shape).tolist()) if ground.classes else (),
        layers=tuple(
            _count(ground.activity, layer, shape, choice) for layer in ground.activity.layers
        )
        if ground.activity and choice
        else (),
    )


def _count(
    activity: Activity, layer: ActivityLayer, shape: BaseGeometry, choice: ActivityChoice
) -> LayerCount:
    sites, counts = layer.sites, activity.chosen(layer, choice)
    within = shares_within(sites, shape)
    coarse = (sites["rule"] == "district").to_numpy()
    numbers = np.bincount(counts["site"], weights=counts["n"], minlength=len(sites))
    chosen = counts[(within > MOSTLY)[counts["site"]] & ~coarse[counts["site"]]]
    return LayerCount(
        layer=layer.id,
        number=int(chosen["n"].sum()),
        least=int(numbers[(within > WHOLLY) & ~coarse].sum()),
        most=int(numbers[(within > 0) & ~coarse].sum()),
        by_month=_by_month(activity, chosen, choice),
        apart=int(numbers[(within > 0) & coarse].sum()),
    )


def shares_within(sites: pd.DataFrame, shape: BaseGeometry) -> NDArray[np.float64]:
    """Return the share of each site's circle that lies within a shape."""
    x, y, radius = (sites[name].to_numpy() for name in ("x", "y", "radius_units"))
    found = np.zeros(len(sites))
    points = np.asarray(shapely.points(x, y), dtype=object)
    near = np.flatnonzero(shapely.distance(points, shape) <= radius)
    circles = shapely.buffer(points[near], radius[near], quad_segs=CIRCLE)
    found[near] = shapely.area(shapely.intersection(circles, shape)) / shapely.area(circles)
    return found


def _by_month(
    activity: Activity, chosen: pd.DataFrame, choice: ActivityChoice
) -> tuple[tuple[dt.date, int], ...]:
    """Count by calendar month, months without any included."""
    monday = pd.Timestamp(activity.weeks[0])
    first = pd.Timestamp(activity.weeks[choice.first])
    last = min(
        pd.Timestamp(activity.weeks[choice.last]) + pd.Timedelta(days=6),
        pd.Timestamp(activity.through),
    )
    months = pd.period_range(first, last, freq="M")
    of_row = (monday + pd.to_timedelta(chosen["day"], unit="D")).dt.to_period("M")
    numbers = chosen["n"].groupby(of_row).sum()
    return tuple((dt.date(m.year, m.month, 1), int(numbers.get(m, 0))) for m in months)
