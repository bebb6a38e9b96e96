"""Was the plan kept, and can it be kept: planned visits beside those that were logged."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spatial.patrol.routing import gaps_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spatial.patrol.allocation import PlanSpec
    from spatial.patrol.plan import PatrolPlan, UnitPlan

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneShift:
    """One planned zone in one shift: visits planned and done, longest time without one."""

    zone: int
    planned: int
    done: int
    longest_gap_min: float

    @property
    def met(self) -> bool:
        """Whether it got at least the planned number of visits."""
        return self.done >= self.planned


def judge_plan(
    planned: Sequence[int], zone: Ints, start_min: Floats, end_min: Floats, shift_min: float
) -> list[ZoneShift]:
    """Set what was done beside what was planned.

    Parameters
    ----------
    planned
        Visits planned in each zone; zones without any are not judged.
    zone
        Position of the zone that each logged visit lies in, -1 outside of all, shape ``(n,)``.
    start_min, end_min
        When it started and ended, in minutes from the start of the shift, shape ``(n,)``. One that
        started outside of the shift belongs to another; one without an end, or with one before its
        start, counts as a visit of no length.
    shift_min
        Length of the shift.
    """
    inside = (start_min >= 0) & (start_min < shift_min)
    found = []
    for position, number in enumerate(planned):
        if number == 0:
            continue
        mine = inside & (zone == position)
        found.append(
            ZoneShift(
                zone=position,
                planned=number,
                done=int(mine.sum()),
                longest_gap_min=_longest(start_min[mine], end_min[mine], shift_min),
            )
        )
    return found


def _longest(start: Floats, end: Floats, shift_min: float) -> float:
    order = np.argsort(start, kind="stable")
    start = start[order]
    known = np.where(end[order] >= start, end[order], start)  # also where it is missing
    until = np.maximum.accumulate(np.concatenate([[0.0], np.minimum(known, shift_min)]))
    return float(np.maximum(np.append(start, shift_min) - until, 0.0).max())


def plan_faults(plan: PatrolPlan, travel: Ints, spec: PlanSpec) -> list[str]:
    """Tell what makes a plan impossible to carry out; nothing if it can be.

    Parameters
    ----------
    plan
        A plan, however it was made.
    travel
        Minutes from zone to zone.
    spec
        What was requested.
    """
    faults = []
    for number, unit in enumerate(plan.units, start=1):
        faults += [f"unit {number}: {fault}" for fault in _unit_faults(unit, travel, spec)]
    for position, zone in enumerate(plan.zones):
        own = sorted(
            (visit.start_min, visit.pinned)
            for unit in plan.units
            for visit in unit.visits
            if visit.zone == position
        )
        for (one, fixed), (two, also) in itertools.pairwise(own):
            if not (fixed and also) and two - one - spec.visit_min < spec.least_gap_min:
                faults.append(f"zone {position}: visited again too soon at {two}")
        longest = max(gaps_of([start for start, _ in own], spec.visit_min, spec.shift_min))
        if longest != zone.longest_gap_min or len(own) != zone.visits:
            faults.append(f"zone {position}: {len(own)} visits, its longest gap is {longest}")
    return faults


def _unit_faults(unit: UnitPlan, travel: Ints, spec: PlanSpec) -> list[str]:
    faults = []
    for visit in unit.visits:
        if visit.start_min < 0 or visit.end_min > spec.shift_min:
            faults.append(f"a visit at {visit.start_min} is out of the shift")
        if visit.end_min - visit.start_min != spec.visit_min:
            faults.append(f"a visit at {visit.start_min} is too short or too long")
    for before, after in itertools.pairwise(unit.visits):
        needed = int(travel[before.zone, after.zone])
        if unit.break_min is not None and before.start_min < unit.break_min <= after.start_min:
            needed += spec.break_min
        if after.start_min - before.end_min < needed:
            faults.append(f"too little time before {after.start_min}")
    return faults + _break_faults(unit, spec)


def _break_faults(unit: UnitPlan, spec: PlanSpec) -> list[str]:
    start = unit.break_min
    if spec.break_min == 0:
        return [] if start is None else ["a break that nobody asked for"]
    if start is None or start < 0 or start + spec.break_min > spec.shift_min:
        return ["no break within the shift"]
    return [
        f"a visit at {visit.start_min} is in the break"
        for visit in unit.visits
        if visit.start_min < start + spec.break_min and visit.end_min > start
    ]
