"""Factor layers of the demonstration city, placed where such things are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import Point

from geodata.demo.geography import DOWNTOWN
from geodata.demo.streets import ARTERIAL, COLLECTOR, LOCAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geodata.demo.geography import Land
    from geodata.demo.streets import Network

Layers = dict[str, list["BaseGeometry"]]


def place_factors(land: Land, network: Network, rng: Generator) -> Layers:
    """Place a dozen layers: points, lines and polygons."""
    arterial = _candidates(network, {ARTERIAL}, land, rng, 9000)
    busy = _candidates(network, {ARTERIAL, COLLECTOR}, land, rng, 12000)
    streets = _candidates(network, {LOCAL}, land, rng, 16000)
    town = np.vstack([busy, streets[np.hypot(*(streets - DOWNTOWN).T) < 900]])
    hardship = _hardship_of(land)

    def downtown(xy: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
        return np.exp(-(np.hypot(*(xy - DOWNTOWN).T) ** 2) / (2 * reach**2))

    layers: Layers = {
        "bars": _pick(town, 84, rng, lambda p: downtown(p, 650) * 1.5 + 0.12, clump=110),
        "liquor_stores": _pick(busy, 58, rng, lambda p: 0.25 + hardship(p), clump=0),
        "convenience_stores": _pick(busy, 150, rng, lambda p: 0.4 + 0.8 * hardship(p), clump=0),
        "gas_stations": _pick(arterial, 62, rng, lambda p: 1 - 0.85 * downtown(p, 900), clump=0),
        "pharmacies": _pick(busy, 38, rng, lambda p: 0.5 + downtown(p, 1500), clump=0),
        "restaurants": _pick(town, 330, rng, lambda p: 0.1 + 1.5 * downtown(p, 800), clump=120),
        "banks_atms": _pick(town, 95, rng, lambda p: 0.2 + 2 * downtown(p, 800), clump=0),
        "hotels": _pick(arterial, 27, rng, lambda p: 0.3 + 2 * downtown(p, 600), clump=120),
        "laundromats": _pick(busy, 44, rng, lambda p: 0.2 + hardship(p), clump=0),
        "vacant_homes": _pick(streets, 620, rng, lambda p: 0.01 + hardship(p) ** 3, clump=170),
        "schools": _pick(streets, 46, rng, lambda p: np.ones(len(p)), clump=0),
        "rail_stops": [
            network.rail.interpolate(share, normalized=True)
            for share in (0.14, 0.3, 0.45, 0.6, 0.78)
        ],
        "bus_stops": _bus_stops(network, land),
        "parks": [shape for _, shape in land.parks],
        "trails": [line for _, line in network.trails],
    }
    return layers


def _candidates(
    network: Network, ranks: set[int], land: Land, rng: Generator, number: int
) -> NDArray[np.float64]:
    """Points beside streets of some ranks, shape ``(number, 2)``."""
    lines = np.array([s.line for s in network.streets if s.rank in ranks], dtype=object)
    length = shapely.length(lines)
    which = rng.choice(len(lines), number, p=length / length.sum())
    at = shapely.line_interpolate_point(lines[which], rng.random(number) * length[which])
    xy = shapely.get_coordinates(at) + rng.normal(0, 12, (number, 2))
    dry = shapely.contains_xy(land.limit, xy) & ~shapely.contains_xy(land.water, xy)
    return xy[dry]


def _pick(
    candidates: NDArray[np.float64],
    number: int,
    rng: Generator,
    weight: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    *,
    clump: float,
) -> list[BaseGeometry]:
    """Choose places by weight; with ``clump`` metres, like draws like."""
    weights = np.maximum(weight(candidates), 0)
    if not clump:
        chosen = rng.choice(len(candidates), number, replace=False, p=weights / weights.sum())
        return [Point(xy) for xy in candidates[chosen]]
    picked: list[int] = []
    current = weights.copy()
    for _ in range(number):
        one = int(rng.choice(len(candidates), p=current / current.sum()))
        picked.append(one)
        near = np.hypot(*(candidates - candidates[one]).T) < clump
        current[near] += 0.35 * weights[near] + 0.1 * weights.mean()
        current[one] = 0
    return [Point(xy) for xy in candidates[picked]]


def _hardship_of(land: Land) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    shapes = [part.shape for part in land.neighbourhoods]
    tree = shapely.STRtree(shapes)
    values = np.array([part.hardship for part in land.neighbourhoods])

    def hardship(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return values[tree.nearest(shapely.points(xy))]

    return hardship


def _bus_stops(network: Network, land: Land) -> list[BaseGeometry]:
    """Put a stop every 380 m along arterials and collectors."""
    stops: list[BaseGeometry] = []
    for street in network.streets:
        if street.rank == LOCAL or street.line.length < 300:
            continue
        for at in np.arange(190, street.line.length, 380):
            stop = street.line.interpolate(at)
            if land.limit.contains(stop) and not land.water.contains(stop):
                stops.append(Point(stop.x + 7, stop.y - 7))
    return stops
