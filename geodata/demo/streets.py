"""Streets of the demonstration city: arterials, collectors, local streets, a rail line, trails."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import numpy as np
import shapely
import shapely.ops
from shapely import LineString, Point
from shapely.affinity import rotate

from geodata.demo.geography import DOWNTOWN, DOWNTOWN_RADIUS, smooth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.random import Generator
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geodata.demo.geography import Land, Neighbourhood

ARTERIAL, COLLECTOR, LOCAL = 1, 2, 3
SPACING = {  # metres between streets, along and across
    "core": (105.0, 105.0),
    "grid": (190.0, 105.0),
    "suburb": (240.0, 150.0),
    "works": (420.0, 300.0),
}


@dataclass(frozen=True, slots=True, eq=False)
class Street:
    """One street; rank 1 is an arterial, 2 a collector, 3 a local street."""

    name: str
    rank: int
    line: LineString


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """Everything that moves on the ground."""

    streets: tuple[Street, ...]
    rail: LineString
    trails: tuple[tuple[str, LineString], ...]


def lay_streets(land: Land, rng: Generator) -> Network:
    """Lay streets over the land; local streets stop at water, parks and the rail line."""
    arterials = _arterials(land, rng)
    major = shapely.union_all([street.line for street in arterials])
    collectors = _collectors(land, major)
    rail = _rail(land, rng)
    spared = shapely.union_all(
        [land.water.buffer(18), rail.buffer(14), *(shape for _, shape in land.parks)]
    )
    names = _names(rng)
    local = [street for part in land.neighbourhoods for street in _local(part, spared, rng, names)]
    return Network(
        streets=(*arterials, *collectors, *local),
        rail=rail,
        trails=_trails(land),
    )


def _arterials(land: Land, rng: Generator) -> list[Street]:
    names = (
        "Harbor Road",
        "Northgate Avenue",
        "Mill Street",
        "East Turnpike",
        "Canal Road",
        "Southern Avenue",
        "Quarry Road",
        "Westover Street",
    )
    streets = []
    for number, name in enumerate(names):
        angle = 2 * np.pi * (number + rng.uniform(-0.15, 0.15)) / len(names) + 0.3
        bend = rng.normal(0, 0.14)
        points = [
            (
                DOWNTOWN[0] + r * np.cos(angle + bend * r / 5000),
                DOWNTOWN[1] + r * np.sin(angle + bend * r / 5000),
            )
            for r in (330 + 210 * (number % 2), 900, 1800, 2900, 4100, 5500, 7600)
        ]
        streets.append((name, smooth(points, 3)))
    angles = np.linspace(-0.75, 0.98 * np.pi, 22)  # the belt was never closed in the south west
    radius = 3350 * (1 + 0.11 * np.sin(2 * angles + 1) + 0.07 * np.sin(3 * angles + 2))
    belt = np.column_stack([radius * np.cos(angles) * 1.1, radius * np.sin(angles)])
    belt = belt + rng.normal(0, 90, belt.shape)
    streets.append(("Beltline Road", smooth([tuple(p) for p in belt], 3)))
    block = rotate(shapely.box(-820, -640, 820, 640), 28, origin=(0, 0)).exterior.coords
    loop = [(x + DOWNTOWN[0], y + DOWNTOWN[1]) for x, y in block]
    corners = [p for a, b in pairwise(loop) for p in _thirds(a, b)]
    streets.append(("Market Loop", smooth([*corners, corners[0]], 2)))
    return [
        Street(name, ARTERIAL, part)
        for name, line in streets
        for part in _lines(line.intersection(land.limit))
    ]


def _thirds(start: tuple[float, float], end: tuple[float, float]) -> list[tuple[float, float]]:
    """Points at an eighth, the half and seven eighths, so that corners are tight when smoothed."""
    return [
        (start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1]))
        for t in (0.12, 0.5, 0.88)
    ]


def _collectors(land: Land, major: BaseGeometry) -> list[Street]:
    """Collectors run between neighbourhoods, away from the river's bed and not beside arterials."""
    edges = shapely.union_all([part.shape.exterior for part in land.neighbourhoods])
    edges = edges.difference(land.limit.exterior.buffer(60))
    edges = edges.difference(land.river_line.buffer(120)).difference(land.lake.buffer(40))
    edges = edges.difference(major.buffer(70))
    lines = [line for line in _lines(shapely.line_merge(edges)) if line.length > 250]
    streets = []
    for number, line in enumerate(lines):
        soft = smooth([tuple(p) for p in shapely.get_coordinates(line.simplify(25))], 3)
        stem = COLLECTOR_NAMES[number % len(COLLECTOR_NAMES)]
        streets.append(Street(f"{stem} {'Avenue' if number % 2 else 'Street'}", COLLECTOR, soft))
    return streets


def _rail(land: Land, rng: Generator) -> LineString:
    points = [
        (-7200, -4300 + rng.normal(0, 150)),
        (-3800, -2300),
        (-1500, -1150),
        (300, -1000),
        (2300, 300),
        (4300, 1900),
        (7400, 3700 + rng.normal(0, 150)),
    ]
    inside = _lines(smooth(points, 4).intersection(land.limit))
    return max(inside, key=lambda line: line.length)


def _trails(land: Land) -> tuple[tuple[str, LineString], ...]:
    bank = land.river_line.parallel_offset(95, "left")
    parts = _lines(bank.intersection(land.limit).difference(land.water))
    path = [("River Trail", line) for line in parts if line.length > 200]
    around = land.lake.buffer(90).exterior.intersection(land.limit.buffer(-40))
    path += [("Reservoir Loop", line) for line in _lines(around) if line.length > 200]
    return tuple(path)


def _local(
    part: Neighbourhood, spared: BaseGeometry, rng: Generator, names: Iterator[str]
) -> Iterator[Street]:
    """Fill a neighbourhood with its pattern: straight, warped into curves, or sparse."""
    along, across = SPACING.get(part.pattern, (300.0, 220.0))
    centre = part.shape.centroid
    reach = float(np.hypot(*(np.array(part.shape.bounds[2:]) - part.shape.bounds[:2]))) / 2
    inner = part.shape.buffer(-6).difference(spared)
    shapely.prepare(inner)
    warp = _warp(rng, 0.0 if part.pattern in ("core", "works") else 1.0, part.pattern == "suburb")
    for turn, spacing in ((0.0, across), (90.0, along)):
        offsets = np.arange(-reach, reach, spacing) + rng.uniform(0, spacing)
        for offset in offsets:
            if part.pattern == "suburb" and rng.random() < 0.16:
                continue
            xs = np.arange(-reach, reach + 40, 40.0)
            straight = LineString(
                np.column_stack([xs + centre.x, np.full(len(xs), offset + centre.y)])
            )
            line = shapely.transform(rotate(straight, part.angle + turn, origin=centre), warp)
            name = next(names)
            for piece in _lines(line.intersection(inner)):
                for kept in _broken(piece, part.pattern, rng):
                    if kept.length > 70:
                        yield Street(name, LOCAL, cast("LineString", kept.simplify(2.0)))


def _broken(line: LineString, pattern: str, rng: Generator) -> list[LineString]:
    """Suburban streets end in between: cut some of them where no through street should run."""
    if pattern != "suburb" or line.length < 500:
        return [line]
    start, kept = 0.0, []
    while start < line.length:
        run = rng.uniform(320, 900)
        part = shapely.ops.substring(line, start, min(start + run, line.length))
        if isinstance(part, LineString):
            kept.append(part)
        start += run + rng.uniform(0, 130)
    return kept


def _warp(
    rng: Generator, strength: float, curly: bool
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Bend the ground smoothly, so that straight lines curve."""
    size = (70.0 if curly else 14.0) * strength
    length = 620.0 if curly else 1500.0
    a, b = rng.uniform(0, 2 * np.pi, 2)

    def bend(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        dx = size * np.sin(2 * np.pi * xy[:, 1] / length + a)
        dy = size * np.sin(2 * np.pi * xy[:, 0] / length + b)
        return xy + np.column_stack([dx, dy])

    return bend


def _lines(shape: BaseGeometry) -> list[LineString]:
    return [part for part in shapely.get_parts(shape) if isinstance(part, LineString)]


def near_downtown(point: Point) -> bool:
    """Return whether a place belongs to downtown."""
    return bool(point.distance(Point(DOWNTOWN)) < DOWNTOWN_RADIUS)


def _names(rng: Generator) -> Iterator[str]:
    endings = ("Street", "Street", "Avenue", "Lane", "Drive", "Court", "Way")
    while True:
        stem = STREET_NAMES[int(rng.integers(len(STREET_NAMES)))]
        if rng.random() < 0.2:
            stem = f"{ORDINALS[int(rng.integers(len(ORDINALS)))]}"
        yield f"{stem} {endings[int(rng.integers(len(endings)))]}"


ORDINALS = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth")
COLLECTOR_NAMES = (
    "Granite",
    "Linden",
    "Depot",
    "Garnet",
    "Prospect",
    "Orchard",
    "Market",
    "Summit",
    "Spruce",
    "Academy",
    "Union",
    "Meridian",
    "Valley",
    "Copper",
    "Laurel",
    "Commerce",
    "Bridge",
    "Holly",
)
STREET_NAMES = (
    "Acorn",
    "Alder",
    "Amber",
    "Ash",
    "Aspen",
    "Barley",
    "Basswood",
    "Beacon",
    "Birch",
    "Bramble",
    "Briar",
    "Brook",
    "Cedar",
    "Cherry",
    "Cinder",
    "Clover",
    "Cobble",
    "Coral",
    "Cypress",
    "Dogwood",
    "Elder",
    "Elm",
    "Fern",
    "Finch",
    "Flint",
    "Forge",
    "Gable",
    "Grove",
    "Harvest",
    "Hawthorn",
    "Hazel",
    "Heather",
    "Heron",
    "Hickory",
    "Ivy",
    "Juniper",
    "Kettle",
    "Lantern",
    "Larch",
    "Lilac",
    "Locust",
    "Magnolia",
    "Maple",
    "Marble",
    "Meadow",
    "Mint",
    "Moss",
    "Myrtle",
    "Oak",
    "Olive",
    "Pebble",
    "Persimmon",
    "Pine",
    "Plum",
    "Poplar",
    "Quince",
    "Reed",
    "Robin",
    "Rose",
    "Rowan",
    "Sage",
    "Slate",
    "Sorrel",
    "Sparrow",
    "Sumac",
    "Tamarack",
    "Thistle",
    "Tulip",
    "Walnut",
    "Willow",
)
