"""The land of the demonstration city: limit, river, lake, neighbourhoods, districts, parks.

Coordinates are metres around the city hall; everything is drawn from one seeded generator.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, cast

import numpy as np
import shapely
from shapely import LineString, MultiPoint, Point, Polygon
from shapely.affinity import rotate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

RADIUS = 5_300.0
DOWNTOWN = (250.0, -150.0)
DOWNTOWN_RADIUS = 950.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Neighbourhood:
    """A part of town with one street pattern: core, grid, suburb, works or campus."""

    shape: Polygon
    pattern: str
    angle: float  # degrees
    district: str
    hardship: float  # 0 to 1: where vacant homes gather
    name: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Land:
    """The land, in metres around the city hall."""

    limit: Polygon
    river: BaseGeometry
    river_line: LineString
    lake: BaseGeometry
    neighbourhoods: tuple[Neighbourhood, ...]
    parks: tuple[tuple[str, Polygon], ...]

    @property
    def water(self) -> BaseGeometry:
        """River and lake together."""
        return shapely.union_all([self.river, self.lake])

    @property
    def districts(self) -> dict[str, BaseGeometry]:
        """Union of each district's neighbourhoods; they tile the limit."""
        names = sorted({part.district for part in self.neighbourhoods})
        return {
            name: shapely.union_all([n.shape for n in self.neighbourhoods if n.district == name])
            for name in names
        }


def make_land(rng: Generator) -> Land:
    """Draw the land."""
    limit = _limit(rng)
    line = _river_line(rng)
    widths = line.buffer(42).union(
        shapely.union_all([p.buffer(w) for p, w in _swellings(line, rng)])
    )
    river = widths.buffer(12).buffer(-12).intersection(limit)
    lake = _blob(rng, (-1500.0, 3300.0), 620.0, squeeze=0.55, tilt=25.0).intersection(limit)
    neighbourhoods = _neighbourhoods(rng, limit, line)
    parks = _parks(rng, limit, river, line, lake, neighbourhoods)
    return Land(
        limit=limit,
        river=river,
        river_line=line,
        lake=lake,
        neighbourhoods=neighbourhoods,
        parks=parks,
    )


def _wave(
    rng: Generator, angles: NDArray[np.float64], parts: int, depth: float
) -> NDArray[np.float64]:
    total = np.zeros_like(angles)
    for k in range(2, 2 + parts):
        total += rng.normal(0, depth / k) * np.sin(k * angles + rng.uniform(0, 2 * np.pi))
    return total


def _limit(rng: Generator) -> Polygon:
    """Draw straight survey lines, with two areas annexed along roads and some never joined."""
    angles = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    radius = RADIUS * (1 + _wave(rng, angles, 5, 0.16))
    outline = Polygon(np.column_stack([radius * np.cos(angles) * 1.08, radius * np.sin(angles)]))
    steps = np.round(shapely.get_coordinates(outline.simplify(160)) / 50) * 50
    outline = Polygon(steps).buffer(0)
    east = rotate(shapely.box(4300, -700, 7000, 500), 8, origin=(4300, 0))
    south = rotate(shapely.box(-1500, -6700, -300, -4200), -6, origin=(-900, -4200))
    whole = shapely.union_all([outline, east, south])
    notches = [
        rotate(shapely.box(x - w, y - h, x + w, y + h), turn)
        for x, y, w, h, turn in (
            (-5300, 1900, 800, 650, 10),
            (3700, 4300, 700, 800, -14),
            (4600, -3300, 900, 600, 5),
            (-3800, -3900, 700, 900, 32),
            (-200, 5200, 500, 500, 0),
            (5300, 2200, 420, 300, 8),
        )
    ]
    whole = whole.difference(shapely.union_all(notches))
    return Polygon(max(shapely.get_parts(whole), key=lambda part: part.area).exterior)


def smooth(points: Sequence[tuple[float, float]], rounds: int = 4) -> LineString:
    """Round corners off (Chaikin 1974)."""
    xy = np.array(points, dtype=float)
    for _ in range(rounds):
        first, last = xy[:1], xy[-1:]
        cut = np.empty((2 * (len(xy) - 1), 2))
        cut[0::2] = 0.75 * xy[:-1] + 0.25 * xy[1:]
        cut[1::2] = 0.25 * xy[:-1] + 0.75 * xy[1:]
        xy = np.vstack([first, cut, last])
    return LineString(xy)


def _river_line(rng: Generator) -> LineString:
    x = np.linspace(-7400, 7400, 15)  # a bend every three kilometres
    swing = 700 * np.sin(np.linspace(0, 4.6 * np.pi, 15)) + rng.normal(0, 260, 15)
    y = -0.42 * x - 1150 + swing
    return smooth(list(zip(x, y, strict=True)))


def _swellings(line: LineString, rng: Generator) -> list[tuple[Point, float]]:
    """Places where the river is broader."""
    along = rng.uniform(0, line.length, 26)
    return [(line.interpolate(at), rng.uniform(45, 78)) for at in along]


def _blob(
    rng: Generator, centre: tuple[float, float], size: float, *, squeeze: float, tilt: float
) -> Polygon:
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    radius = size * (1 + _wave(rng, angles, 6, 0.3))
    shape = Polygon(
        np.column_stack([radius * np.cos(angles), squeeze * radius * np.sin(angles)]) + centre
    )
    return rotate(shape.buffer(30).buffer(-30), tilt, origin=centre)


def _neighbourhoods(rng: Generator, limit: Polygon, river: LineString) -> tuple[Neighbourhood, ...]:
    """Cut the limit along the river and between neighbourhood centres; nothing is left over."""
    ring = []
    for radius, number in ((1900.0, 7), (3500.0, 12), (5200.0, 15)):
        start = rng.uniform(0, 2 * np.pi)
        for k in range(number):
            angle = start + 2 * np.pi * (k + rng.uniform(-0.22, 0.22)) / number
            r = radius * rng.uniform(0.9, 1.1)
            ring.append((r * np.cos(angle), r * np.sin(angle)))
    centres = MultiPoint([DOWNTOWN, *ring])
    cells = shapely.voronoi_polygons(centres, extend_to=limit.buffer(4000))
    borders = shapely.union_all(
        [shapely.boundary(cell) for cell in shapely.get_parts(cells)] + [limit.exterior, river]
    )
    pieces = [
        piece
        for piece in shapely.get_parts(shapely.polygonize([borders]))
        if limit.contains(piece.representative_point())
    ]
    pieces = _absorb_slivers(pieces, least=160_000.0)
    core = min(pieces, key=lambda piece: piece.distance(Point(DOWNTOWN)))
    made, names = [], cycle(NEIGHBOURHOOD_NAMES)
    for piece in sorted(pieces, key=lambda p: (round(p.centroid.x), round(p.centroid.y))):
        centre = piece.centroid
        away = float(np.hypot(centre.x - DOWNTOWN[0], centre.y - DOWNTOWN[1]))
        pattern = _pattern(rng, piece is core, away)
        made.append(
            Neighbourhood(
                shape=piece,
                pattern=pattern,
                angle=28.0 if piece is core else float(rng.choice([0, 0, 12, -9, 28, 45])),
                district=_district(piece, core, river),
                hardship=_hardship(centre, away, rng),
                name="Downtown" if piece is core else next(names),
            )
        )
    return tuple(made)


def _absorb_slivers(pieces: list[Polygon], least: float) -> list[Polygon]:
    """Join each small piece to the neighbour it shares the longest border with."""
    pieces = sorted(pieces, key=lambda piece: piece.area)
    while pieces and pieces[0].area < least and len(pieces) > 1:
        small = pieces.pop(0)
        shared = [small.boundary.intersection(other.boundary).length for other in pieces]
        best = int(np.argmax(shared))
        pieces[best] = cast("Polygon", shapely.union_all([pieces[best], small]))
        pieces.sort(key=lambda piece: piece.area)
    return pieces


def _pattern(rng: Generator, core: bool, away: float) -> str:
    if core:
        return "core"
    if away < 2_600:
        return "grid"
    return str(rng.choice(["grid", "suburb", "suburb", "suburb", "works"]))


def _hardship(centre: Point, away: float, rng: Generator) -> float:
    """Old neighbourhoods east and south of downtown have seen better days."""
    pull = np.exp(-((away - 1900) ** 2) / 1_900_000) * (1.0 if centre.x > -300 else 0.3)
    return float(np.clip(pull + rng.normal(0, 0.08), 0, 1))


def _district(piece: Polygon, core: Polygon, river: LineString) -> str:
    """D5 is downtown; the others meet at the river and at two roads."""
    if piece is core or (piece.touches(core) and piece.centroid.distance(core.centroid) < 1_350):
        return "D5"
    centre = piece.representative_point()
    nearest = river.interpolate(river.project(centre))
    north = centre.y > nearest.y
    if north:
        return "D1" if centre.x < -0.35 * centre.y + 300 else "D2"
    return "D4" if centre.x < -700 else "D3"


def _parks(
    rng: Generator,
    limit: Polygon,
    river: BaseGeometry,
    line: LineString,
    lake: BaseGeometry,
    neighbourhoods: tuple[Neighbourhood, ...],
) -> tuple[tuple[str, Polygon], ...]:
    water = shapely.union_all([river, lake])
    found: list[tuple[str, BaseGeometry]] = [
        ("Reservoir Park", lake.buffer(230).buffer(60).buffer(-60)),
    ]
    names = iter(["Millrace Greenway", "Heron Bend Park", "Ferry Landing Park", "Willow Bank Park"])
    for share in (0.30, 0.43, 0.57, 0.69):
        at = line.interpolate(share * line.length)
        stretch = _blob(rng, (at.x, at.y), rng.uniform(300, 480), squeeze=0.5, tilt=-23.0)
        found.append((next(names), stretch))
    small = [n for n in neighbourhoods if n.pattern in ("grid", "suburb")]
    for number, home in enumerate(small):
        size = rng.uniform(70, 150)
        centre = home.shape.representative_point()
        box = shapely.box(
            centre.x - size * 1.3, centre.y - size, centre.x + size * 1.3, centre.y + size
        )
        found.append((f"{PARK_NAMES[number % len(PARK_NAMES)]} Park", rotate(box, home.angle)))
    parks: list[tuple[str, Polygon]] = []
    taken: BaseGeometry = water
    for name, shape in found:
        rest = shape.intersection(limit.buffer(-30)).difference(taken)
        parts = [part for part in shapely.get_parts(rest) if part.area > 9_000]
        parks += [(name, part) for part in parts]
        taken = shapely.union_all([taken, shape.buffer(20)])
    return tuple(parks)


PARK_NAMES = (
    "Orchard",
    "Quarry",
    "Cedar Knoll",
    "Brickyard",
    "Meadow",
    "Larkspur",
    "Foundry",
    "Juniper",
    "Clover",
    "Tannery",
    "Sycamore",
    "Ridgeline",
    "Pond Street",
    "Wren",
    "Hickory",
    "Marigold",
    "Old Depot",
    "Fieldstone",
    "Bluebell",
    "Chestnut",
    "Lantern",
    "Birch",
    "Sundial",
    "Dogwood",
)
NEIGHBOURHOOD_NAMES = (
    "Westlook",
    "Kiln Corner",
    "Saltbox Hill",
    "Fallow End",
    "Tollgate",
    "Heron Bend",
    "Brickyard Flats",
    "Orchard Rise",
    "Millrace",
    "Copperfield",
    "Ferry Landing",
    "Larkspur Heights",
    "Old Tannery",
    "Reservoir Side",
    "Lantern Row",
    "Quarry Edge",
    "Sundial Park",
    "Wickham Green",
    "Foundry Ward",
    "Juniper Hollow",
    "Canal Quarter",
    "Weaver's Walk",
    "Chandler Square",
    "Marigold Terrace",
    "Depot Town",
    "Glassworks",
    "Hickory Nob",
    "Stonebridge",
    "Pepper Lane",
    "Halfmoon",
    "Bellows End",
    "Eastwold",
    "Mariner's Rest",
    "Thornbury",
    "Upper Ridgeline",
    "Cobbler's Yard",
    "Fieldstone",
    "Northgate",
    "Windmill Rise",
    "Clover Bottom",
    "Bluebell Downs",
    "Harrow Side",
    "Lockkeepers",
    "Sparrow Hill",
)
