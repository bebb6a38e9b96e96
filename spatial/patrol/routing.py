"""What passes between the steps of planning: stops, pins, rounds, and the room each stop has.

A better plan: a team orienteering problem with time windows, by the routing solver of OR-tools.

Each visit of the plan at hand is a node that may be left out at a price. Its window is what it can
move by without making a gap too long or a return too early, so whatever order is found keeps both.
Visits that could not be placed are nodes as well, where their zone has room for them. The search
walks downhill from the plan at hand until no exchange is better: nothing in it is random and
nothing depends on the clock, unless the time limit ends it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from spatial.errors import DosageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from spatial.patrol.allocation import PlanSpec


if TYPE_CHECKING:
    Ints = NDArray[np.int64]

EVEN = 0.6  # a drawn gap lies within this share of the mean gap
SPARE_MIN = 25  # a visit is due this much before the gap grows too long


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A visit that the commander has fixed; ``unit`` and ``zone`` are positions from 0."""

    unit: int
    zone: int
    start_min: int


@dataclass(frozen=True, slots=True)
class Stop:
    """One visit of a round; minutes count from the start of the shift."""

    zone: int
    start_min: int
    pinned: bool = False


@dataclass(slots=True)
class Rounds:
    """What each unit does: its stops in order, and when its break starts."""

    stops: list[list[Stop]]
    breaks: list[int | None] = field(default_factory=list)

    def starts(self, zones: int) -> list[list[int]]:
        """Return the starts of visits in each zone, in order."""
        found: list[list[int]] = [[] for _ in range(zones)]
        for stops in self.stops:
            for stop in stops:
                found[stop.zone].append(stop.start_min)
        return [sorted(starts) for starts in found]

    def travel_min(self, travel: Ints) -> int:
        """Add up the minutes between stops."""
        return sum(
            int(travel[a.zone, b.zone])
            for stops in self.stops
            for a, b in itertools.pairwise(stops)
        )


def gaps_of(starts: Sequence[int], visit_min: int, shift_min: int) -> list[int]:
    """Return the minutes of a shift without a visit: before the first, between, after the last."""
    begins, ends = [*starts, shift_min], [0, *(start + visit_min for start in starts)]
    return [max(0, begin - end) for begin, end in zip(begins, ends, strict=True)]


def excess_min(starts: Sequence[Sequence[int]], spec: PlanSpec) -> int:
    """Add up the minutes by which gaps are too long."""
    return sum(
        max(0, gap - spec.gap_min)
        for of_zone in starts
        for gap in gaps_of(of_zone, spec.visit_min, spec.shift_min)
    )


def draw_starts(number: int, spec: PlanSpec, rng: Generator) -> list[int]:
    """Draw when a zone might be visited: spread over the shift, but never evenly.

    Each gap is drawn within 60 % of the mean gap, and well within the rule wherever the number of
    visits allows that.
    """
    length, visit = spec.shift_min, spec.visit_min
    mean = max(0.0, (length - number * visit) / (number + 1))
    least = min(mean, max(spec.least_gap_min, (1 - EVEN) * mean))
    due = spec.gap_min - SPARE_MIN
    most = max(mean + 1, min(due, (1 + EVEN) * mean)) if mean <= spec.gap_min else 1.2 * mean
    starts: list[int] = []
    for left in range(number - 1, -1, -1):
        before = starts[-1] + visit if starts else 0
        low = max(
            before + (least if starts else 0.0), length - most - left * (visit + most) - visit
        )
        high = min(before + most, length - visit - left * (visit + least))
        starts.append(int(rng.uniform(min(low, high), high)))
    return starts


def break_windows(spec: PlanSpec, pins: Sequence[Pin], travel: Ints, rng: Generator) -> list[Ints]:
    """Choose between when and when each unit's break may start, staggered over the units.

    Raises
    ------
    DosageError
        If pins of one unit overlap or leave no time to travel, or no room for its break.
    """
    third = spec.shift_min - spec.break_min
    middles = third * (0.4 + 0.2 * (rng.permutation(spec.units) + 0.5) / spec.units)
    found = []
    for unit in range(spec.units):
        own = sorted((pin for pin in pins if pin.unit == unit), key=lambda pin: pin.start_min)
        _require_in_order(own, spec, travel)
        if spec.break_min == 0:
            found.append(np.array([0, 0], dtype=np.int64))
            continue
        low, high = 0.25 * third, 0.75 * third
        room = _room(own, spec, travel, low, high)
        if room is None:
            room = _room(own, spec, travel, 0, third)
        if room is None:
            msg = (
                f"the pins of unit {unit + 1} leave no room for a break of {spec.break_min} "
                "minutes; drop one of them or plan without a break"
            )
            raise DosageError(msg, code="no_room_for_break")
        reach = min(30.0, third / 8)
        start = min(max(middles[unit] - reach, room[0]), room[1])
        end = min(max(middles[unit] + reach, start), room[1])
        found.append(np.array([int(start), int(end)], dtype=np.int64))
    return found


def _require_in_order(own: Sequence[Pin], spec: PlanSpec, travel: Ints) -> None:
    for pin in own:
        if not 0 <= pin.start_min <= spec.shift_min - spec.visit_min:
            msg = f"a pin of unit {pin.unit + 1} is not within the shift; move or drop it"
            raise DosageError(msg, code="pin_outside_shift")
    for one, two in itertools.pairwise(own):
        needed = spec.visit_min + int(travel[one.zone, two.zone])
        if two.start_min - one.start_min < needed:
            msg = (
                f"two pins of unit {one.unit + 1} start {two.start_min - one.start_min} minutes "
                f"apart, but the visit and the way take {needed}; move one of them or give it to "
                "another unit"
            )
            raise DosageError(msg, code="pins_too_close")


def _room(
    own: Sequence[Pin], spec: PlanSpec, travel: Ints, low: float, high: float
) -> tuple[int, int] | None:
    """Find the widest stretch between pins in which a break may start."""
    begins = [low, *(pin.start_min + spec.visit_min for pin in own)]
    ends = [
        *(
            pin.start_min - spec.break_min - (int(travel[own[i - 1].zone, pin.zone]) if i else 0)
            for i, pin in enumerate(own)
        ),
        high,
    ]
    rooms = [
        (int(np.ceil(max(begin, low))), int(np.floor(min(end, high))))
        for begin, end in zip(begins, ends, strict=True)
    ]
    rooms = [room for room in rooms if room[0] <= room[1]]
    return max(rooms, key=lambda room: room[1] - room[0], default=None)


if TYPE_CHECKING:
    Floats = NDArray[np.float64]

DEAREST = 10**6
STATUS = routing_enums_pb2.RoutingSearchStatus
FINISHED = (STATUS.ROUTING_SUCCESS, STATUS.ROUTING_OPTIMAL)
LEAST_PRICE = 500  # of leaving a visit out, in minutes of travel


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    """A visit that can be made: its zone, its place among the zone's visits, its window."""

    zone: int
    place: int
    low: int
    high: int
    unit: int | None = None  # of a pinned visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Improved:
    """Rounds, and whether the search came to its own end."""

    rounds: Rounds
    finished: bool


def improve(
    rounds: Rounds,
    targets: Ints,
    travel: Ints,
    spec: PlanSpec,
    windows: Sequence[Ints],
    worth: Sequence[Floats],
    limit_s: float,
    *,
    loosen: bool = False,
) -> Improved:
    """Look for rounds with more visits or less travel.

    Parameters
    ----------
    rounds
        A feasible plan.
    targets, travel, spec, windows
        As in :func:`spatial.patrol.schedule.first_plan`.
    worth
        What each zone's first, second, ... visit is worth.
    limit_s
        The search is ended after this many seconds.
    loosen
        Take out each visit before or after which a gap is too long, and let the search put it back
        only where it is not. Without it such a gap stays as it is.
    """
    nodes, routes = _nodes(rounds, targets, spec, loosen=loosen)
    if not nodes:
        return Improved(rounds=rounds, finished=True)
    size = len(nodes)
    manager = pywrapcp.RoutingIndexManager(size + 1, spec.units, size)
    model = pywrapcp.RoutingModel(manager)
    breaks = _lay_out(model, manager, nodes, travel, spec, windows, worth)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.local_search_metaheuristic = (
        routing_enums_pb2.LocalSearchMetaheuristic.GREEDY_DESCENT
    )
    parameters.time_limit.FromMilliseconds(max(1, int(1000 * limit_s)))
    model.CloseModelWithParameters(parameters)
    first = model.ReadAssignmentFromRoutes(
        [[manager.NodeToIndex(node) for node in route] for route in routes], True
    )
    found = first and model.SolveFromAssignmentWithParameters(first, parameters)
    if not found:
        return Improved(rounds=rounds, finished=False)
    return Improved(
        rounds=_read(model, manager, found, nodes, breaks),
        finished=model.status() in FINISHED,
    )


def _nodes(
    rounds: Rounds, targets: Ints, spec: PlanSpec, *, loosen: bool
) -> tuple[list[_Node], list[list[int]]]:
    """Return the nodes, and the plan at hand as routes over them."""
    placed: list[list[tuple[int, int, bool]]] = [[] for _ in targets]  # start, unit, pinned
    for unit, stops in enumerate(rounds.stops):
        for stop in stops:
            placed[stop.zone].append((stop.start_min, unit, stop.pinned))
    nodes: list[_Node] = []
    of_stop: dict[tuple[int, int, int], int] = {}
    for zone, visits in enumerate(placed):
        visits.sort()
        spans = _spans([v[0] for v in visits], [v[2] for v in visits], spec)
        for place, ((start, unit, pinned), (low, high)) in enumerate(
            zip(visits, spans, strict=True)
        ):
            if loosen and not pinned:
                moved = _rule_window(place, visits, spans, spec)
                if moved is not None:
                    nodes.append(_Node(zone=zone, place=place, low=moved[0], high=moved[1]))
                    continue
            of_stop[zone, start, unit] = len(nodes)
            nodes.append(
                _Node(zone=zone, place=place, low=low, high=high, unit=unit if pinned else None)
            )
        missing = int(targets[zone]) - len(visits)
        nodes += [
            _Node(zone=zone, place=len(visits) + i, low=low, high=high)
            for i, (low, high) in enumerate(_openings(spans, spec)[: max(0, missing)])
        ]
    routes = [
        [
            of_stop[stop.zone, stop.start_min, unit]
            for stop in stops
            if (stop.zone, stop.start_min, unit) in of_stop
        ]
        for unit, stops in enumerate(rounds.stops)
    ]
    return nodes, routes


def _spans(starts: Sequence[int], pinned: Sequence[bool], spec: PlanSpec) -> list[tuple[int, int]]:
    """Return the window of each visit of a zone.

    Neighbours share the room between them: half of what the gap may still grow by, and half of what
    it may still shrink by.
    """
    spans = []
    last = len(starts) - 1
    for i, start in enumerate(starts):
        before = start - (starts[i - 1] + spec.visit_min if i else 0)
        after = (starts[i + 1] if i < last else spec.shift_min) - start - spec.visit_min
        sooner = [_share(spec.gap_min - after, shared=i < last)]
        sooner.append(_share(before - spec.least_gap_min, shared=True) if i else before)
        later = [_share(spec.gap_min - before, shared=i > 0)]
        later.append(_share(after - spec.least_gap_min, shared=True) if i < last else after)
        low, high = start - max(0, min(sooner)), start + max(0, min(later))
        spans.append((start, start) if pinned[i] else (low, high))
    return spans


def _rule_window(
    place: int,
    visits: Sequence[tuple[int, int, bool]],
    spans: Sequence[tuple[int, int]],
    spec: PlanSpec,
) -> tuple[int, int] | None:
    """Return when a visit would have to start for the gaps around it not to be too long.

    Nothing if they are not, or if there is no such moment while its neighbours stay where they are.
    """
    step, most = spec.visit_min + spec.least_gap_min, spec.visit_min + spec.gap_min
    first, last = place == 0, place == len(visits) - 1
    start = visits[place][0]
    until = spec.gap_min if first else visits[place - 1][0] + most
    since = spec.shift_min - most if last else visits[place + 1][0] - most
    if since <= start <= until:
        return None
    low = max(since, 0 if first else spans[place - 1][1] + step)
    high = min(until, spec.shift_min - spec.visit_min if last else spans[place + 1][0] - step)
    return (low, high) if low <= high else None


def _share(room: int, *, shared: bool) -> int:
    return room // 2 if shared else room


def _openings(spans: Sequence[tuple[int, int]], spec: PlanSpec) -> list[tuple[int, int]]:
    """Return windows between a zone's visits in which one more would not come too soon."""
    step = spec.visit_min + spec.least_gap_min
    lows = [0, *(high + step for _, high in spans)]
    highs = [*(low - step for low, _ in spans), spec.shift_min - spec.visit_min]
    found = [(low, high) for low, high in zip(lows, highs, strict=True) if low <= high]
    return sorted(found, key=lambda window: (window[0] - window[1], window[0]))


def _lay_out(
    model: Any,
    manager: Any,
    nodes: Sequence[_Node],
    travel: Ints,
    spec: PlanSpec,
    windows: Sequence[Ints],
    worth: Sequence[Floats],
) -> list[Any]:
    """Tell the solver of ways, windows, prices, pins and breaks; give the breaks."""
    size = len(nodes)
    zones = np.array([node.zone for node in nodes])
    ways = np.zeros((size + 1, size + 1), dtype=np.int64)  # the last is where units come from
    ways[:size, :size] = travel[np.ix_(zones, zones)]
    times = ways.copy()
    times[:size, :] += spec.visit_min
    model.SetArcCostEvaluatorOfAllVehicles(model.RegisterTransitMatrix(ways.tolist()))
    model.AddDimension(
        model.RegisterTransitMatrix(times.tolist()), spec.shift_min, spec.shift_min, False, "time"
    )
    clock = model.GetDimensionOrDie("time")
    least = min(float(values.min()) for values in worth if len(values))
    for number, node in enumerate(nodes):
        index = manager.NodeToIndex(number)
        clock.CumulVar(index).SetRange(node.low, node.high)
        if node.unit is not None:
            model.VehicleVar(index).SetValue(node.unit)
            continue
        values = worth[node.zone]
        value = float(values[min(node.place, len(values) - 1)])
        model.AddDisjunction([index], min(DEAREST, int(LEAST_PRICE * value / least)))
    if spec.break_min == 0:
        return []
    solver = model.solver()
    lengths = [spec.visit_min] * size + [0] * (model.Size() - size)
    breaks = []
    for unit, (low, high) in enumerate(windows):
        pause = solver.FixedDurationIntervalVar(
            int(low), int(high), spec.break_min, False, f"break {unit}"
        )
        clock.SetBreakIntervalsOfVehicle([pause], unit, lengths)
        breaks.append(pause)
    return breaks


def _read(
    model: Any, manager: Any, found: Any, nodes: Sequence[_Node], breaks: Sequence[Any]
) -> Rounds:
    clock = model.GetDimensionOrDie("time")
    stops: list[list[Stop]] = []
    for unit in range(model.vehicles()):
        own = []
        index = found.Value(model.NextVar(model.Start(unit)))
        while not model.IsEnd(index):
            node = nodes[manager.IndexToNode(index)]
            start = found.Min(clock.CumulVar(index))
            own.append(Stop(node.zone, int(start), node.unit is not None))
            index = found.Value(model.NextVar(index))
        stops.append(own)
    pauses: list[int | None] = [None] * len(stops)
    if breaks:
        taken = found.IntervalVarContainer()
        by_name = {
            taken.Element(i).Var().Name(): int(taken.Element(i).StartMin())
            for i in range(taken.Size())
        }
        pauses = [by_name[pause.Name()] for pause in breaks]
    return Rounds(stops, pauses)
