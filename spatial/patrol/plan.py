"""Plan a shift of dosage patrols: visits by expected incidents, feasible rounds, a bound on both.

The problem is a team orienteering problem with time windows: units have a shift and a break, each
visit to a zone has a worth, ways take time, and not everything can be done. What is shared out
first (:mod:`spatial.patrol.allocation`) is dispatched (:mod:`spatial.patrol.schedule`), improved by
a solver (:mod:`spatial.patrol.routing`) and timed (:mod:`spatial.patrol.schedule`).
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from spatial.errors import DosageError
from spatial.patrol.allocation import allocate_visits, capacity, units_for
from spatial.patrol.routing import break_windows, excess_min, gaps_of, improve
from spatial.patrol.schedule import first_plan, retime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spatial.patrol.allocation import PlanSpec
    from spatial.patrol.routing import Pin, Rounds

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

TURNS = 6  # of improving and timing; later ones were seen to find nothing
PER_VISIT_MIN = 30  # so many minutes of too long gaps weigh as much as the visit of least worth
Kind = Literal["unvisited", "fewer", "gaps"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedVisit:
    """A visit; ``zone`` is a position, minutes count from the start of the shift."""

    zone: int
    start_min: int
    end_min: int
    pinned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPlan:
    """What one unit does, in order. ``break_min`` is the start of its break, if it has one."""

    visits: tuple[PlannedVisit, ...]
    travel_min: int
    break_min: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonePlan:
    """What one zone gets.

    ``longest_gap_min`` is the longest time of the shift without a visit, from its start and to its
    end included.
    """

    visits: int
    target: int
    expected: float
    longest_gap_min: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveWay:
    """What could not be had, and in which zones (positions)."""

    kind: Kind
    zones: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """What rounds come to: visits, their worth, travel, and minutes by which gaps are too long."""

    visits: int
    worth: float
    travel_min: int
    excess_min: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PatrolPlan:
    """A plan of a shift.

    ``bound`` is a worth that no plan of the wanted visits can exceed and ``gap`` the share of it
    that is missing. ``greedy`` is the plan before it was improved. ``units_for_rule`` estimates how
    many units would visit every zone within the gap. Where the search is not ``finished``, the time
    limit ended it and another machine may find another plan.
    """

    units: tuple[UnitPlan, ...]
    zones: tuple[ZonePlan, ...]
    total: Sum
    greedy: Sum
    bound: float
    gap: float
    capacity: int
    units_for_rule: int
    gave_way: tuple[GaveWay, ...]
    finished: bool


def plan_visits(
    expected: Floats,
    travel: Ints,
    spec: PlanSpec,
    *,
    pins: Sequence[Pin] = (),
    dropped: Sequence[int] = (),
) -> PatrolPlan:
    """Plan the visits of a shift.

    The same arguments give the same plan, on any machine that finishes the search.

    Parameters
    ----------
    expected
        Incidents expected in each zone, shape ``(z,)``.
    travel
        Whole minutes from zone to zone, shape ``(z, z)``, 0 on the diagonal.
    spec
        Shift, units and rules.
    pins
        Visits that are fixed; they count towards their zone's number.
    dropped
        Positions of zones that get no visit.

    Raises
    ------
    DosageError
        If there is no zone, or pins cannot be kept.
    """
    started = time.monotonic()
    kept = _kept_zones(len(expected), pins, dropped, spec.units)
    rng = np.random.default_rng(spec.seed)
    windows = break_windows(spec, pins, travel, rng)
    reach = capacity(spec, travel[np.ix_(kept, kept)])
    targets = np.bincount([pin.zone for pin in pins], minlength=len(expected))
    targets[kept] = np.maximum(targets[kept], allocate_visits(expected[kept], reach, spec))
    judge = _Judge(
        expected=expected, targets=targets, kept=kept, travel=travel, spec=spec, pins=pins
    )
    first = first_plan(targets, travel, spec, pins, windows, rng, judge.merit)
    rounds, finished, loosen = retime(first, travel, spec, windows, len(expected)), True, False
    for _ in range(TURNS):
        left = spec.limit_s - (time.monotonic() - started)
        if left <= 0:
            finished = False
            break
        better = improve(rounds, targets, travel, spec, windows, judge.worths, left, loosen=loosen)
        finished = finished and better.finished
        timed = retime(better.rounds, travel, spec, windows, len(expected))
        gained = judge.merit(timed) < judge.merit(rounds)
        if gained:
            rounds = timed
        elif loosen:
            break
        loosen = not gained or loosen
        if loosen and judge.total(rounds).excess_min == 0:
            break
    return judge.describe(rounds, first, reach, finished=finished)


def _kept_zones(zones: int, pins: Sequence[Pin], dropped: Sequence[int], units: int) -> Ints:
    """Return the positions of zones that get visits; refuse pins that cannot be kept."""
    kept = np.array([z for z in range(zones) if z not in set(dropped)], dtype=np.int64)
    if len(kept) == 0:
        msg = "there is no zone to patrol; keep at least one"
        raise DosageError(msg, code="no_zone")
    if lost := sorted({pin.zone for pin in pins} - set(kept.tolist())):
        msg = f"zones {', '.join(map(str, lost))} are both pinned and dropped; choose one"
        raise DosageError(msg, code="pinned_and_dropped")
    if any(not 0 <= pin.unit < units for pin in pins):
        msg = f"a pin names a unit that is not there; there are {units}"
        raise DosageError(msg, code="unknown_unit")
    return kept


def visit_worths(expected: Floats, targets: Ints, kept: Ints) -> list[Floats]:
    """Return what the first, second, ... visit to each zone is worth.

    The k-th is worth ``(1 / z + p) / k``: half of all worth is shared out equally over the z zones,
    so that none is forgotten, half by their share p of expected incidents, and each further visit
    to a zone adds less.

    Returns
    -------
    For each zone as many values as it is to have visits.
    """
    total = float(expected[kept].sum())
    share = expected / total if total > 0 else np.full(len(expected), 1 / len(kept))
    return [
        (1 / len(kept) + share[zone]) / np.arange(1, target + 1)
        for zone, target in enumerate(targets.tolist())
    ]


def worth_bound(
    worths: Sequence[Floats], travel: Ints, spec: PlanSpec, pins: Sequence[Pin]
) -> float:
    """Bound what any plan can be worth: the visits of most worth a minute, the last one in part.

    A visit takes at least its own length and the way from the nearest other zone, or the time that
    must pass before the same zone may be visited again; the first visit of a unit takes no way. A
    unit may take its break while it waits, so the break takes room only where no way is a wait.
    """
    ways = least_ways(travel, spec, pins)
    waits = len(ways) > 0 and bool((ways >= spec.least_gap_min).any())
    rest = 0 if waits else spec.break_min
    cost = np.concatenate([np.full(len(w), spec.visit_min + ways[z]) for z, w in enumerate(worths)])
    worth = np.concatenate(list(worths))
    room = spec.units * (spec.shift_min - rest + float(ways.max(initial=0)))
    order = np.argsort(-worth / cost, kind="stable")
    before = np.concatenate([[0.0], np.cumsum(cost[order])[:-1]])
    part = np.clip((room - before) / cost[order], 0.0, 1.0)
    return float(part @ worth[order])


def least_ways(travel: Ints, spec: PlanSpec, pins: Sequence[Pin]) -> Ints:
    """Return the least minutes between the visit before, by the same unit, and one to each zone."""
    size = len(travel)
    away = np.where(np.eye(size, dtype=bool), spec.least_gap_min, travel)
    ways = np.asarray(away.min(axis=0), dtype=np.int64)
    numbers = np.bincount([pin.zone for pin in pins], minlength=size)
    ways[numbers > 1] = 0  # pins may follow each other at once
    return ways


@dataclass(frozen=True, kw_only=True, eq=False)
class _Judge:
    """Tells what rounds come to."""

    expected: Floats
    targets: Ints
    kept: Ints
    travel: Ints
    spec: PlanSpec
    pins: Sequence[Pin]

    @cached_property
    def worths(self) -> list[Floats]:
        """Worth of each visit to each zone."""
        return visit_worths(self.expected, self.targets, self.kept)

    def worth(self, numbers: Sequence[int]) -> float:
        """Add up what numbers of visits are worth."""
        return sum(
            float(values[:number].sum())
            for values, number in zip(self.worths, numbers, strict=True)
        )

    def total(self, rounds: Rounds) -> Sum:
        """Add up visits, worth, travel and minutes by which gaps are too long."""
        starts = rounds.starts(len(self.targets))
        numbers = [len(of_zone) for of_zone in starts]
        return Sum(
            visits=sum(numbers),
            worth=self.worth(numbers),
            travel_min=rounds.travel_min(self.travel),
            excess_min=excess_min([starts[zone] for zone in self.kept.tolist()], self.spec),
        )

    def merit(self, rounds: Rounds) -> tuple[float, int]:
        """Rank rounds, the least first: more worth and no long gaps, then less travel."""
        total = self.total(rounds)
        least = min(float(values[-1]) for values in self.worths if len(values))
        lost = total.excess_min * least / PER_VISIT_MIN - total.worth
        return round(lost, 9), total.travel_min

    def describe(self, rounds: Rounds, first: Rounds, reach: int, *, finished: bool) -> PatrolPlan:
        """Tell everything about the rounds that were found."""
        spec, total = self.spec, self.total(rounds)
        zones = tuple(
            ZonePlan(
                visits=len(of_zone),
                target=int(target),
                expected=float(mean),
                longest_gap_min=max(gaps_of(of_zone, spec.visit_min, spec.shift_min)),
            )
            for of_zone, target, mean in zip(
                rounds.starts(len(self.targets)), self.targets, self.expected, strict=True
            )
        )
        bound = worth_bound(self.worths, self.travel, spec, self.pins)
        among = self.travel[np.ix_(self.kept, self.kept)]
        return PatrolPlan(
            units=tuple(_unit_plan(rounds, unit, self.travel, spec) for unit in range(spec.units)),
            zones=zones,
            total=total,
            greedy=self.total(first),
            bound=bound,
            gap=max(0.0, 1 - total.worth / bound),
            capacity=reach,
            units_for_rule=units_for(spec, among),
            gave_way=_gave_way(zones, self.kept, spec),
            finished=finished,
        )


def _unit_plan(rounds: Rounds, unit: int, travel: Ints, spec: PlanSpec) -> UnitPlan:
    stops = rounds.stops[unit]
    return UnitPlan(
        visits=tuple(
            PlannedVisit(
                zone=stop.zone,
                start_min=stop.start_min,
                end_min=stop.start_min + spec.visit_min,
                pinned=stop.pinned,
            )
            for stop in stops
        ),
        travel_min=sum(int(travel[a.zone, b.zone]) for a, b in itertools.pairwise(stops)),
        break_min=rounds.breaks[unit],
    )


def _gave_way(zones: Sequence[ZonePlan], kept: Ints, spec: PlanSpec) -> tuple[GaveWay, ...]:
    """Tell which zones have no visit, which fewer than they were to have, which too long gaps."""
    found: dict[Kind, list[int]] = {"unvisited": [], "fewer": [], "gaps": []}
    for position in kept.tolist():
        zone = zones[position]
        if zone.visits == 0:
            found["unvisited"].append(position)
            continue
        if zone.visits < zone.target:
            found["fewer"].append(position)
        if zone.longest_gap_min > spec.gap_min:
            found["gaps"].append(position)
    return tuple(GaveWay(kind=kind, zones=tuple(at)) for kind, at in found.items() if at)
