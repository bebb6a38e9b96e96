"""Find the parts of each zone's name: streets by their length inside, crossings, neighborhoods.

What is measured of a street is how far it runs in the zone along its own direction, so that two
carriageways, or a street that is drawn twice, count once. Nobody stops on a motorway, so a zone is
never "along" one; slip roads and what has no name are passed over, alleys and service ways stand
behind streets.
"""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from spatial.named_streets import Crossings, street_crossings
from spatial.zones.name_words import crossing_name, long_name, short_name
from spatial.zones.names import DIRECTIONS, Nearby, PlaceName, StretchOf

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from spatial.zones.names import Direction

    Floats = NDArray[np.float64]
    Lines = NDArray[np.object_]

MOTORWAYS = ("motorway",)
SLIP_ROADS = ("motorway_link", "trunk_link", "primary_link", "secondary_link", "tertiary_link")
ALLEYS = ("service", "alley", "track", "footway", "path", "cycleway", "steps", "corridor")
MOTORWAY_NAME = re.compile(  # of files that do not tell the class of a street
    r"(?:I|Interstate)[ -]{0,2}\d{1,3}\b.{0,40}|.{1,60} (?:Freeway|Fwy|Expressway|Expy|Motorway)",
    re.IGNORECASE,
)
SIDES = frozenset(["north", "south", "east", "west", "n", "s", "e", "w", "n.", "s.", "e.", "w."])
STREET_WORD = re.compile(r"^(?:street|st\.?)$|(?:stra(?:ss|ß)e|str\.?)$")
BESIDE_M = 12.0  # a street that runs so near to the edge of a zone runs along it
LEAST_M = 40.0  # of a street inside: with less of it a zone is at a crossing, not along a street
ROUND_M = 20.0  # streets whose lengths differ by less are as long; the larger one is named
SAME_M = 25.0  # crossings so near to one another are one place
LEAST_SHARE = 0.22  # of all street inside: where no street has more, no street prevails
SEVERAL = 4  # streets at least, half as long as the longest, where none prevails
HALF, WHOLE = 0.35, 0.75  # of a block: from here on half a block, and a whole one
REACH = 1.25  # blocks from the zone, a long one; a crossing farther away does not bound it
ALSO_SHARE = 0.4  # of the longest street: with less a further one is not worth a word
MOST_ALSO, MOST_NEAR = 2, 6
LEAST_INSIDE = 0.3  # of a zone's area: with less in it a neighborhood is not the zone's
FARTHEST_M = 5000.0  # a crossing or place farther away says nothing


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ZoneOutline:
    """A zone to be named: what it is known by, and its outline."""

    id: str
    district: str
    code: str
    shape: BaseGeometry


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PublicPlaces:
    """Streets, neighborhoods and landmarks of a city, as :func:`public_places` made them."""

    names: tuple[str, ...]
    lines: Lines
    rank: NDArray[np.int64]
    rank_of: Mapping[str, int]
    motorway: NDArray[np.bool_]
    alley: NDArray[np.bool_]
    crossings: Crossings
    neighbourhoods: tuple[tuple[str, BaseGeometry], ...]
    landmarks: tuple[tuple[str, BaseGeometry], ...]
    unit_m: float
    block_m: float
    tree: shapely.STRtree

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing at all that a zone could be named by."""
        return not (self.names or self.neighbourhoods or self.landmarks)


def public_places(
    *,
    names: Sequence[str],
    lines: Sequence[BaseGeometry] | Lines,
    classes: Sequence[str],
    ranks: Sequence[int],
    neighbourhoods: Iterable[tuple[str, BaseGeometry]] = (),
    landmarks: Iterable[tuple[str, BaseGeometry]] = (),
    unit_m: float,
    block_m: float,
) -> PublicPlaces:
    """Put in order what zones are named by; the order of the rows does not count.

    Parameters
    ----------
    names, lines, classes, ranks
        One a street or piece of one: its name (empty where it has none), its line, its class as
        OpenStreetMap has it (``highway``; empty where unknown), 1 for large streets to 3.
    neighbourhoods, landmarks
        Names with polygons; parks and water are landmarks.
    unit_m, block_m
        Meters a unit of the reference system; the length of a block in meters.
    """
    rows = sorted(
        (plain, int(rank), kind, shapely.to_wkb(shapely.normalize(line)))
        for name, line, kind, rank in zip(names, lines, classes, ranks, strict=True)
        if (plain := plain_street(name)) and kind not in SLIP_ROADS and not line.is_empty
    )
    shapes = shapely.from_wkb(np.array([row[3] for row in rows], dtype=object))
    known = tuple(row[0] for row in rows)
    motorway = np.array([_is_motorway(row[0], row[2]) for row in rows], dtype=bool)
    alley = np.array([row[2] in ALLEYS for row in rows], dtype=bool)
    meeting = [
        "" if fast or small else one
        for one, fast, small in zip(known, motorway, alley, strict=True)
    ]
    return PublicPlaces(
        names=known,
        lines=shapes,
        rank=np.array([row[1] for row in rows], dtype=np.int64),
        rank_of={row[0]: row[1] for row in reversed(rows)},
        motorway=motorway,
        alley=alley,
        crossings=street_crossings(meeting, shapes, unit_m),
        neighbourhoods=_sorted_places(neighbourhoods),
        landmarks=_sorted_places(landmarks),
        unit_m=unit_m,
        block_m=block_m,
        tree=shapely.STRtree(shapes),
    )


def plain_street(name: str) -> str:
    """Return a street's name without spaces too many; of several the first.

    >>> plain_street("  Main  St;US 70 ")
    'Main St'
    """
    return " ".join(name.split(";")[0].split())


def same_street(name: str) -> str:
    """Return what parts of one street have in common, whatever their side or way of writing.

    >>> same_street("North Wolfe Street") == same_street("S Wolfe St")
    True
    >>> same_street("Key Highway East"), same_street("Josef-Straße"), same_street("East Street")
    ('key highway', 'josef-str', 'str')
    """
    words = [STREET_WORD.sub("str", word) for word in name.casefold().split()]
    kept = [word for word in words if word not in SIDES]
    return " ".join(kept or words)


def name_zones(
    zones: Sequence[ZoneOutline], places: PublicPlaces, taken: Collection[str] = ()
) -> dict[str, PlaceName]:
    """Return the name of each zone by its id; no two share one, nor one of those ``taken``.

    Names depend neither on the order of the zones nor on that of the streets.
    """
    ordered = sorted(
        zones, key=lambda zone: (shapely.to_wkb(shapely.normalize(zone.shape)), zone.id)
    )
    found = {zone.id: _Naming(zone, places).name() for zone in ordered}
    middles = {zone.id: shapely.get_coordinates(zone.shape.centroid)[0] for zone in ordered}
    return _set_apart(found, middles, taken)


def _is_motorway(name: str, kind: str) -> bool:
    return kind in MOTORWAYS or (not kind and MOTORWAY_NAME.fullmatch(name) is not None)


def _sorted_places(
    places: Iterable[tuple[str, BaseGeometry]],
) -> tuple[tuple[str, BaseGeometry], ...]:
    named = ((" ".join(name.split()), shape) for name, shape in places)
    kept = [(name, shape) for name, shape in named if name and not shape.is_empty]
    return tuple(sorted(kept, key=lambda one: (one[0], shapely.to_wkb(one[1]))))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Run:
    """A street inside a zone: how long (meters), from where to where along its direction."""

    name: str
    length_m: float
    rank: int
    alley: bool
    axis: Floats
    low: float
    high: float


class _Naming:
    """One zone while it is named."""

    def __init__(self, zone: ZoneOutline, places: PublicPlaces) -> None:
        self.zone, self.places, self.unit_m = zone, places, places.unit_m
        self.middle = shapely.get_coordinates(zone.shape.centroid)[0]
        around = zone.shape.buffer(BESIDE_M / self.unit_m, join_style="mitre")
        self.runs, self.motorways = self._inside(around)

    def name(self) -> PlaceName:
        """Return the parts of the zone's name."""
        streets = [run for run in self.runs if run.length_m >= LEAST_M]
        home = self._neighbourhood()
        near = self._nearest(within=None)
        about = Nearby(
            streets=tuple(run.name for run in self.runs if not run.alley)[:MOST_NEAR],
            crossing=crossing_name(*near[0]) if near else "",
            neighbourhood=home,
        )
        found = self._along(streets) if streets else self._without_street(near, home)
        us_units = abs(self.unit_m - 1.0) > 0.5
        return dataclasses.replace(found, neighbourhood=home, near=about, us_units=us_units)

    def _inside(self, around: BaseGeometry) -> tuple[list[_Run], list[str]]:
        """Measure every named street in the zone, the longest first; and name the motorways."""
        places = self.places
        rows = np.sort(places.tree.query(around, predicate="intersects"))
        groups: defaultdict[str, list[int]] = defaultdict(list)
        motorways: defaultdict[str, float] = defaultdict(float)
        for row in rows.tolist():
            if places.motorway[row]:
                inside = shapely.length(shapely.intersection(places.lines[row], around))
                motorways[places.names[row]] += float(inside)
            else:
                groups[places.names[row]].append(row)
        runs = [
            run for name, of in groups.items() if (run := self._run(name, of, around)) is not None
        ]
        runs.sort(key=lambda r: (r.alley, -round(r.length_m / ROUND_M), r.rank, r.name))
        return runs, sorted(motorways, key=lambda name: (-round(motorways[name]), name))

    def _run(self, name: str, rows: list[int], around: BaseGeometry) -> _Run | None:
        places = self.places
        clipped = shapely.get_parts(shapely.intersection(places.lines[rows], around))
        clipped = clipped[shapely.length(clipped) > 0]
        if len(clipped) == 0:
            return None
        axis = _axis(clipped)
        xy, owner = shapely.get_coordinates(clipped, return_index=True)
        along = (xy - self.middle) @ axis
        low, high = (
            np.array([getattr(along[owner == i], end)() for i in range(len(clipped))])
            for end in ("min", "max")
        )
        total = float(shapely.length(clipped).sum())
        length = min(total, max(_covered(low, high), total / 2)) * self.unit_m
        return _Run(
            name=name,
            length_m=length,
            rank=int(places.rank[rows].min()),
            alley=bool(places.alley[rows].all()),
            axis=axis,
            low=float(low.min()),
            high=float(high.max()),
        )

    def _along(self, streets: list[_Run]) -> PlaceName:
        """Name a zone by its longest street, or a crossing where no street prevails."""
        first = streets[0]
        total = sum(run.length_m for run in streets)
        rivals = sum(run.length_m >= first.length_m / 2 for run in streets)
        if first.length_m < LEAST_SHARE * total and rivals >= SEVERAL:
            near = self._nearest(within=self.zone.shape)
            if near:
                one, other = self._larger_first(near[0])
                return PlaceName(form="around", street=one, start=other)
        found = self._stretch(first)
        also = [
            StretchOf(street=run.name, blocks=blocks)
            for run in streets[1:]
            if run.length_m >= ALSO_SHARE * first.length_m
            and (blocks := self._blocks(run.length_m)) > 0
        ]
        return dataclasses.replace(found, also=tuple(also[:MOST_ALSO]))

    def _larger_first(self, pair: tuple[str, str]) -> tuple[str, str]:
        order = {run.name: place for place, run in enumerate(self.runs)}
        one, other = sorted(pair, key=lambda name: (order.get(name, len(order)), name))
        return one, other

    def _blocks(self, length_m: float) -> float:
        blocks = length_m / self.places.block_m
        if blocks >= WHOLE:
            return float(max(1, round(blocks)))
        return 0.5 if blocks >= HALF else 0.0

    def _stretch(self, run: _Run) -> PlaceName:
        """Say from where to where a street runs in the zone, by what crosses it."""
        meets = self._meets(run)
        if not meets:
            return self._past(run)
        start = min(meets, key=lambda one: (abs(one[0] - run.low), one[1]))
        others = [one for one in meets if one[1] != start[1] and one[0] > start[0]]
        end = min(others, key=lambda one: (abs(one[0] - run.high), one[1]), default=None)
        if end is None or self._is_one_place(start[0], end[0], run):
            nearest = min(meets, key=lambda one: (abs(one[0] - (run.low + run.high) / 2), one[1]))
            edge = SAME_M / self.unit_m
            inside = run.low - edge <= nearest[0] <= run.high + edge
            return PlaceName(form="at" if inside else "near", street=run.name, start=nearest[1])
        gap = SAME_M / self.unit_m
        passed = [one for one in meets if start[0] + gap < one[0] < end[0] - gap]
        return PlaceName(
            form="from_to" if passed else "between", street=run.name, start=start[1], end=end[1]
        )

    def _past(self, run: _Run) -> PlaceName:
        """Name a street where nothing crosses it, by the next crossing on it."""
        crossings = self.places.crossings
        mine = np.array(
            [
                i
                for i in self._crossings_of(run).tolist()
                if len({*map(same_street, crossings.of(i))}) > 1
            ],
            dtype=np.intp,
        )
        if len(mine) == 0:
            return PlaceName(form="street", street=run.name)
        apart = np.hypot(*(crossings.xy[mine] - self.middle).T) * self.unit_m
        if apart.min() > FARTHEST_M:
            return PlaceName(form="street", street=run.name)
        place = int(mine[int(np.argmin(np.round(apart, 1)))])
        one, other = crossings.of(place)
        return PlaceName(
            form="past",
            street=run.name,
            start=other if one == run.name else one,
            distance_m=float(apart.min()),
            direction=direction(self.middle - crossings.xy[place]),
        )

    def _crossings_of(self, run: _Run) -> NDArray[np.intp]:
        crossings = self.places.crossings
        if run.name not in crossings.names:
            return np.empty(0, dtype=np.intp)
        number = crossings.names.index(run.name)
        return np.flatnonzero((crossings.one == number) | (crossings.other == number))

    def _is_one_place(self, start: float, end: float, run: _Run) -> bool:
        return (end - start) * self.unit_m < SAME_M or end < run.low or start > run.high

    def _meets(self, run: _Run) -> list[tuple[float, str]]:
        """Return what crosses a street in the zone or about a block from it, along the street.

        Of several that cross at one place the one of the largest rank stands for it.
        """
        crossings, mine = self.places.crossings, self._crossings_of(run)
        reach = self.zone.shape.buffer(REACH * self.places.block_m / self.unit_m)
        xy = crossings.xy[mine]
        mine = mine[shapely.intersects_xy(reach, xy[:, 0], xy[:, 1])] if len(mine) else mine
        found = []
        for i in mine.tolist():
            one, other = crossings.of(i)
            at = float((crossings.xy[i] - self.middle) @ run.axis)
            name = other if one == run.name else one
            if same_street(name) != same_street(
                run.name
            ):  # North Main is no crossing of South Main
                found.append((at, name))
        gap = SAME_M / self.unit_m
        return [
            one
            for one in sorted(found)
            if not any(
                abs(one[0] - at) < gap and self._is_larger(name, one[1]) for at, name in found
            )
        ]

    def _is_larger(self, name: str, than: str) -> bool:
        return self.places.rank_of[name] < self.places.rank_of[than]

    def _nearest(
        self, within: BaseGeometry | None
    ) -> tuple[tuple[str, str], float, Direction] | None:
        """Return the crossing nearest the zone's middle, how far (meters) and which way from it."""
        crossings = self.places.crossings
        where = np.arange(len(crossings))
        if within is not None and len(crossings):
            where = where[shapely.intersects_xy(within, crossings.xy[:, 0], crossings.xy[:, 1])]
        if len(where) == 0:
            return None
        apart = np.hypot(*(crossings.xy[where] - self.middle).T) * self.unit_m
        place = int(where[int(np.argmin(np.round(apart, 1)))])
        far = float(apart.min())
        if far > FARTHEST_M:
            return None
        return crossings.of(place), far, direction(self.middle - crossings.xy[place])

    def _without_street(
        self, near: tuple[tuple[str, str], float, Direction] | None, home: str
    ) -> PlaceName:
        """Name a zone that no street runs through: by a crossing, a street or a place near it."""
        beside = self.motorways[0] if self.motorways else ""
        if near is not None:
            (one, other), far, way = near
            inside = self._nearest(within=self.zone.shape)
            if inside:
                one, other = inside[0]
                return PlaceName(form="around", street=one, start=other, beside=beside)
            return PlaceName(
                form="away", street=one, start=other, distance_m=far, direction=way, beside=beside
            )
        for name, shape in self.places.landmarks:
            if shapely.intersects_xy(shape, *self.middle):
                return PlaceName(form="inside", street=name, beside=beside)
        found = self._nearest_place()
        if found is not None:
            name, far, way = found
            return PlaceName(form="away", street=name, distance_m=far, direction=way, beside=beside)
        if home:
            return PlaceName(form="neighbourhood", beside=beside)
        return PlaceName(
            form="district", district=self.zone.district, code=self.zone.code, beside=beside
        )

    def _nearest_place(self) -> tuple[str, float, Direction] | None:
        """Return the nearest street or landmark, how far it is and which way the zone lies."""
        places, here = self.places, shapely.Point(self.middle)
        streets = [
            (name, line)
            for name, line, fast in zip(places.names, places.lines, places.motorway, strict=True)
            if not fast
        ]
        reach = FARTHEST_M / self.unit_m
        near = [
            (round(shapely.distance(shape, here), 1), name, shape)
            for name, shape in [*streets, *places.landmarks]
            if shapely.dwithin(shape, here, reach)
        ]
        if not near:
            return None
        far, name, shape = min(near, key=lambda one: one[:2])
        foot = shapely.get_coordinates(shapely.shortest_line(shape, here))[0]
        return name, far * self.unit_m, direction(self.middle - foot)

    def _neighbourhood(self) -> str:
        """Return the neighborhood that most of the zone lies in."""
        whole = self.zone.shape.area
        shares = [
            (shapely.area(shapely.intersection(shape, self.zone.shape)) / whole, name)
            for name, shape in self.places.neighbourhoods
            if shapely.intersects(shape, self.zone.shape)
        ]
        share, name = max(shares, key=lambda one: (round(one[0], 6), one[1]), default=(0.0, ""))
        return name if share >= LEAST_INSIDE else ""


def direction(step: Floats) -> Direction:
    """Return which way a step leads, of the eight of the compass.

    >>> direction(np.array([0.0, 5.0])), direction(np.array([-3.0, -3.1]))
    ('north', 'southwest')
    """
    eighth = round(float(np.arctan2(step[1], step[0])) / (np.pi / 4))
    return DIRECTIONS[eighth % 8]


def _axis(lines: Lines) -> Floats:
    """Return the direction that lines run in, whichever way they were drawn, as a unit vector.

    It points east, or north where that is nearer: names tell a street from west to east.
    """
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    step = np.diff(xy, axis=0)[owner[1:] == owner[:-1]]
    length = np.hypot(step[:, 0], step[:, 1])
    twice = 2 * np.arctan2(step[:, 1], step[:, 0])
    angle = np.arctan2((length * np.sin(twice)).sum(), (length * np.cos(twice)).sum()) / 2
    axis = np.array([np.cos(angle), np.sin(angle)])
    forward = axis[0] if abs(axis[0]) >= abs(axis[1]) else axis[1]
    return axis if forward >= 0 else -axis


def _covered(low: Floats, high: Floats) -> float:
    """Return the length of the union of intervals."""
    order = np.argsort(low, kind="stable")
    low, high = low[order], np.maximum.accumulate(high[order])
    before = np.concatenate([[-np.inf], high[:-1]])
    return float(np.maximum(0.0, high - np.maximum(low, before)).sum())


def _set_apart(
    found: dict[str, PlaceName], middles: dict[str, Floats], taken: Collection[str]
) -> dict[str, PlaceName]:
    """Give zones that share a name, long or short, a side of the compass, else a number."""
    names = dict(found)
    for step in (_by_side, _by_number):
        for group in _sharing(names, taken):
            step(names, group, middles)
    number = 1
    while shared := _sharing(names, taken):  # a number may be what another zone is called
        number += 1
        for one in (zone for group in shared for zone in group):
            number += 1
            names[one] = dataclasses.replace(names[one], number=number)
    return names


def _sharing(names: dict[str, PlaceName], taken: Collection[str]) -> list[list[str]]:
    """Return groups of zones that share a long or a short name, each zone in one group."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for zone, name in names.items():
        groups[short_name(name)].append(zone)
    done = {zone for text, group in groups.items() if _shared(text, group, taken) for zone in group}
    found = [group for text, group in groups.items() if _shared(text, group, taken)]
    longer: defaultdict[str, list[str]] = defaultdict(list)
    for zone, name in names.items():
        longer[long_name(name)].append(zone)
    for text, group in longer.items():
        if _shared(text, group, taken) and not done & set(group):
            found.append(group)
    return found


def _shared(text: str, group: list[str], taken: Collection[str]) -> bool:
    return len(group) > 1 or text in taken


def _by_side(names: dict[str, PlaceName], group: list[str], middles: dict[str, Floats]) -> None:
    centre = np.mean([middles[zone] for zone in group], axis=0)
    sides = {zone: direction(middles[zone] - centre) for zone in group}
    if len(group) > 1 and len(set(sides.values())) == len(group):
        for zone, side in sides.items():
            names[zone] = dataclasses.replace(names[zone], side=side)


def _by_number(names: dict[str, PlaceName], group: list[str], middles: dict[str, Floats]) -> None:
    ordered = sorted(group, key=lambda zone: (*middles[zone].round(3).tolist(), zone))
    for number, zone in enumerate(ordered, start=1):
        names[zone] = dataclasses.replace(names[zone], number=number)
