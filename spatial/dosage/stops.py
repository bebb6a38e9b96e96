"""What passes between the steps of planning: stops, pins, rounds, and the room each stop has."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from spatial.errors import DosageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from spatial.dosage.allotment import PlanSpec

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
        """Give the starts of visits in each zone, in order."""
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
    """Give the minutes of a shift without a visit: before the first, between, after the last."""
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
            raise DosageError(msg)
        reach = min(30.0, third / 8)
        start = min(max(middles[unit] - reach, room[0]), room[1])
        end = min(max(middles[unit] + reach, start), room[1])
        found.append(np.array([int(start), int(end)], dtype=np.int64))
    return found


def _require_in_order(own: Sequence[Pin], spec: PlanSpec, travel: Ints) -> None:
    for pin in own:
        if not 0 <= pin.start_min <= spec.shift_min - spec.visit_min:
            msg = f"a pin of unit {pin.unit + 1} is not within the shift; move or drop it"
            raise DosageError(msg)
    for one, two in itertools.pairwise(own):
        needed = spec.visit_min + int(travel[one.zone, two.zone])
        if two.start_min - one.start_min < needed:
            msg = (
                f"two pins of unit {one.unit + 1} start {two.start_min - one.start_min} minutes "
                f"apart, but the visit and the way take {needed}; move one of them or give it to "
                "another unit"
            )
            raise DosageError(msg)


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
