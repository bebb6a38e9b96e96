"""When each visit starts, once it is settled who goes where in which order.

A linear program: the minutes by which gaps are too long, added up over all zones, are as few as the
order allows; after that, visits stay near the moments they had. Every row holds the difference of
two moments, so the best corner is in whole minutes.

A first plan: whoever is free next goes where a visit is due and near.

The choice is the apparent tardiness cost with setups (Lee, Bhaskaran and Pinedo 1997; the rule is
common in the literature, the paper was not opened for this): the score of a visit falls off
exponentially with the time that is left until it is due and with the time that is lost to get
there. How fast, and a noise on every score, are drawn; the best of many draws is kept.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from spatial.patrol.routing import SPARE_MIN, Rounds, Stop, draw_starts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from spatial.patrol.allocation import PlanSpec
    from spatial.patrol.routing import Pin


if TYPE_CHECKING:
    Ints = NDArray[np.int64]

# Of the cost of a minute: waiting longer than the limit comes before any shift of a start.
PER_EXCESS_MIN = 1000.0


def retime(
    rounds: Rounds, travel: Ints, spec: PlanSpec, windows: Sequence[Ints], zones: int
) -> Rounds:
    """Move visits and breaks so that gaps are as little too long as the order allows.

    The order of each unit, the place of its break in it and the order of visits in each zone stay.

    Parameters
    ----------
    rounds
        A feasible plan.
    travel, spec, windows
        As in :func:`spatial.patrol.schedule.first_plan`.
    zones
        How many zones there are.
    """
    program = _Program(rounds, travel, spec, zones)
    moments = program.solve(windows)
    if moments is None:
        return rounds
    stops, number = [], 0
    for own in rounds.stops:
        stops.append(
            [Stop(stop.zone, int(moments[number + i]), stop.pinned) for i, stop in enumerate(own)]
        )
        number += len(own)
    breaks: list[int | None] = []
    for start in rounds.breaks:
        breaks.append(None if start is None else int(moments[number]))
        number += start is not None
    return Rounds(stops, breaks)


class _Program:
    """Rows ``x[later] - x[earlier] >= least``, and gaps that may be too long at a price."""

    def __init__(self, rounds: Rounds, travel: Ints, spec: PlanSpec, zones: int) -> None:
        self.spec = spec
        self.rounds = rounds
        self.flat = [stop for own in rounds.stops for stop in own]
        self.breaks = [start for start in rounds.breaks if start is not None]
        self.least: list[tuple[int, int, int]] = []  # later, earlier, minutes
        self.gaps: list[tuple[int | None, int | None, int]] = []  # later, earlier, most minutes
        self._units(travel)
        self._zones(zones)

    def _units(self, travel: Ints) -> None:
        """Let units go from stop to stop, with breaks between the two they lay between."""
        number, pause = 0, len(self.flat)
        visit, rest = self.spec.visit_min, self.spec.break_min
        for own, start in zip(self.rounds.stops, self.rounds.breaks, strict=True):
            before = len([stop for stop in own if start is not None and stop.start_min < start])
            for i in range(1, len(own)):
                way = visit + int(travel[own[i - 1].zone, own[i].zone])
                broken = start is not None and i == before
                self.least.append((number + i, number + i - 1, way + (rest if broken else 0)))
            if start is not None:
                if before:
                    self.least.append((pause, number + before - 1, visit))
                if before < len(own):
                    self.least.append((number + before, pause, rest))
                pause += 1
            number += len(own)

    def _zones(self, zones: int) -> None:
        spec = self.spec
        order = sorted(range(len(self.flat)), key=lambda i: (self.flat[i].start_min, i))
        for zone in range(zones):
            own = [i for i in order if self.flat[i].zone == zone]
            if not own:
                continue
            self.gaps.append((own[0], None, spec.gap_min))
            self.gaps.append((None, own[-1], spec.gap_min + spec.visit_min - spec.shift_min))
            for one, two in itertools.pairwise(own):
                if not (self.flat[one].pinned and self.flat[two].pinned):
                    self.least.append((two, one, spec.visit_min + spec.least_gap_min))
                self.gaps.append((two, one, spec.visit_min + spec.gap_min))

    def solve(self, windows: Sequence[Ints]) -> Ints | None:
        """Return the moments of stops and breaks, or nothing if there are none."""
        spec = self.spec
        n, extra = len(self.flat) + len(self.breaks), len(self.gaps)
        if not self.flat:
            return None
        rows: list[tuple[int, int, float]] = []
        bounds: list[float] = []
        for row, (later, earlier, least) in enumerate(self.least):
            rows += [(row, later, -1.0), (row, earlier, 1.0)]
            bounds.append(-least)
        for i, (later_, earlier_, most) in enumerate(self.gaps):
            row = len(self.least) + i
            rows.append((row, n + i, -1.0))
            rows += [(row, later_, 1.0)] if later_ is not None else []
            rows += [(row, earlier_, -1.0)] if earlier_ is not None else []
            bounds.append(most)
        line, column, value = (np.array(part) for part in zip(*rows, strict=True))
        width = 3 * n + extra  # moments, minutes too long, minutes later and sooner than before
        kept = coo_matrix((value, (line, column)), shape=(len(bounds), width)).tocsr()
        same = np.arange(n)
        moved = coo_matrix(
            (
                np.concatenate([np.ones(n), -np.ones(n), np.ones(n)]),
                (np.tile(same, 3), np.concatenate([same, n + extra + same, 2 * n + extra + same])),
            ),
            shape=(n, width),
        ).tocsr()
        were = [stop.start_min for stop in self.flat] + self.breaks
        cost = np.concatenate([np.zeros(n), np.full(extra, PER_EXCESS_MIN), np.ones(2 * n)])
        limits: list[tuple[int, int | None]] = [
            (stop.start_min, stop.start_min)
            if stop.pinned
            else (0, spec.shift_min - spec.visit_min)
            for stop in self.flat
        ]
        limits += [(int(low), int(high)) for low, high in windows][: len(self.breaks)]
        limits += [(0, None)] * (extra + 2 * n)
        found = linprog(
            cost,
            A_ub=kept,
            b_ub=bounds,
            A_eq=moved,
            b_eq=were,
            bounds=limits,
            method="highs-ds",
        )
        if found.status != 0:
            return None
        return np.rint(found.x[:n]).astype(np.int64)


if TYPE_CHECKING:
    Floats = NDArray[np.float64]

DRAWS = 40
EARLY_MIN, LATE_MIN = 30, 15  # a visit starts this much before or after the moment drawn for it
WAIT_MIN, IDLE_MIN = 8, 5  # rather than wait longer than the first, look again after the second
PATIENCE = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0)
EFFORT = (3.0, 5.0, 8.0, 12.0, 20.0)
NEVER = -(10**6)


@dataclass(slots=True)
class _Slot:
    """A visit that a zone is to get; ``pin`` is its fixed start."""

    nominal: int
    pin: int | None = None


def first_plan(
    targets: Ints,
    travel: Ints,
    spec: PlanSpec,
    pins: Sequence[Pin],
    windows: Sequence[Ints],
    rng: Generator,
    merit: Callable[[Rounds], tuple[float, int]],
) -> Rounds:
    """Make a feasible plan: no unit at two places, every way travelled, every break kept.

    Parameters
    ----------
    targets
        Visits wanted in each zone, shape ``(z,)``.
    travel
        Minutes from zone to zone, shape ``(z, z)``.
    spec, pins
        The ask.
    windows
        Between when and when each unit's break may start.
    rng
        Decides the draws.
    merit
        Ranks rounds, the least first.

    Returns
    -------
    The first of all draws by merit.
    """
    slots = _slots(targets, spec, pins, rng)
    drawn = (_Dispatch(travel, spec, pins, windows, slots, rng).run() for _ in range(DRAWS))
    return min(drawn, key=merit)


def _slots(targets: Ints, spec: PlanSpec, pins: Sequence[Pin], rng: Generator) -> list[list[_Slot]]:
    """Draw when zones are to be visited; a pin takes the place of the nearest visit drawn."""
    found = []
    for zone, target in enumerate(targets.tolist()):
        own = sorted(pin.start_min for pin in pins if pin.zone == zone)
        slots = [_Slot(nominal) for nominal in draw_starts(max(target, len(own)), spec, rng)]
        for start in own:
            nearest = min(
                (slot for slot in slots if slot.pin is None),
                key=lambda slot: abs(slot.nominal - start),
            )
            nearest.nominal = nearest.pin = start
        found.append(sorted(slots, key=lambda slot: slot.nominal))
    return found


class _Dispatch:
    """One draw."""

    def __init__(
        self,
        travel: Ints,
        spec: PlanSpec,
        pins: Sequence[Pin],
        windows: Sequence[Ints],
        slots: Sequence[Sequence[_Slot]],
        rng: Generator,
    ) -> None:
        self.travel, self.spec, self.windows, self.slots = travel, spec, windows, slots
        zones = len(slots)
        self.patience, self.effort = float(rng.choice(PATIENCE)), float(rng.choice(EFFORT))
        most = max((len(of_zone) for of_zone in slots), default=0)
        self.noise = rng.uniform(0.8, 1.25, (zones, most + 1))
        self.free = [0] * spec.units
        self.at = [-1] * spec.units
        self.breaks: list[int | None] = [None if spec.break_min else 0] * spec.units
        self.stops: list[list[Stop]] = [[] for _ in range(spec.units)]
        self.pins = [
            sorted((pin for pin in pins if pin.unit == unit), key=lambda pin: pin.start_min)
            for unit in range(spec.units)
        ]
        self.position = [0] * zones
        self.last = np.full(zones, NEVER, dtype=np.int64)  # end of the last visit
        self.release, self.due, self.latest = (np.zeros(zones, dtype=np.int64) for _ in range(3))
        for zone in range(zones):
            self._advance(zone)

    def run(self) -> Rounds:
        """Let the unit that is free first act, until no unit can."""
        active = set(range(self.spec.units))
        while active:
            unit = min(active, key=lambda unit: (self.free[unit], unit))
            if not self._act(unit):
                active.discard(unit)
        return Rounds(self.stops, self.breaks if self.spec.break_min else [None for _ in self.at])

    def _act(self, unit: int) -> bool:
        """Visit, take the break, keep a pin or wait; tell whether there is more to do."""
        now, pin = self.free[unit], self._next_pin(unit)
        if self._break_is_next(unit, pin) and now >= self.windows[unit][0]:
            self.breaks[unit] = now
            self.free[unit] = now + self.spec.break_min
            return True
        start = self._starts(unit)
        fits = self._fits(unit, start, pin)
        if not fits.any():
            return self._move_on(unit, pin)
        zone = int(np.argmax(np.where(fits, self._scores(now, start), -1.0)))
        way = self._ways(unit)[zone]
        if start[zone] - now - way > WAIT_MIN and self._wait(unit, pin):
            return True
        self._visit(unit, zone, int(start[zone]))
        self.last[zone] = int(start[zone]) + self.spec.visit_min
        self.position[zone] += 1
        self._advance(zone)
        return True

    def _next_pin(self, unit: int) -> Pin | None:
        return self.pins[unit][0] if self.pins[unit] else None

    def _break_is_next(self, unit: int, pin: Pin | None) -> bool:
        """Whether the break is still to come, and no pin before it."""
        if self.breaks[unit] is not None:
            return False
        return pin is None or pin.start_min > self.windows[unit][1]

    def _ways(self, unit: int) -> Ints:
        at = self.at[unit]
        return self.travel[at] if at >= 0 else np.zeros(len(self.slots), dtype=np.int64)

    def _starts(self, unit: int) -> Ints:
        return np.maximum(self.free[unit] + self._ways(unit), self.release)

    def _fits(self, unit: int, start: Ints, pin: Pin | None) -> NDArray[np.bool_]:
        """Which zones the unit can visit and still keep its break and its pins."""
        end = start + self.spec.visit_min
        fits = start <= self.latest
        ready = end
        if self._break_is_next(unit, pin):
            low, high = self.windows[unit]
            fits &= end <= high
            ready = np.maximum(end, low) + self.spec.break_min
        if pin is not None:
            fits &= ready + self.travel[:, pin.zone] <= pin.start_min
        return np.asarray(fits & (end <= self.spec.shift_min), dtype=np.bool_)

    def _scores(self, now: int, start: Ints) -> Floats:
        slack = np.maximum(self.due - start, 0)
        late = np.maximum(start - self.due, 0)
        zones = np.arange(len(start))
        score = np.exp(-slack / self.patience - (start - now) / self.effort) * (1 + late / 30)
        return np.asarray(score * self.noise[zones, self.position], dtype=np.float64)

    def _move_on(self, unit: int, pin: Pin | None) -> bool:
        """Go to the next pin or wait for the break, as no zone can be visited before."""
        if self._break_is_next(unit, pin):
            self.free[unit] = max(self.free[unit], int(self.windows[unit][0]))
            return True
        if pin is None:
            return False
        self.pins[unit].pop(0)
        self._visit(unit, pin.zone, pin.start_min, pinned=True)
        return True

    def _wait(self, unit: int, pin: Pin | None) -> bool:
        """Wait a little, if neither a break nor a pin would be missed."""
        until = self.free[unit] + IDLE_MIN
        if self._break_is_next(unit, pin):
            until = min(until, int(self.windows[unit][0]))
        elif pin is not None:
            until = min(until, pin.start_min - int(self._ways(unit)[pin.zone]))
        if until <= self.free[unit]:
            return False
        self.free[unit] = until
        return True

    def _visit(self, unit: int, zone: int, start: int, *, pinned: bool = False) -> None:
        self.stops[unit].append(Stop(zone, start, pinned))
        self.free[unit], self.at[unit] = start + self.spec.visit_min, zone

    def _advance(self, zone: int) -> None:
        """Find the zone's next visit that is not pinned and still has room."""
        spec, slots = self.spec, self.slots[zone]
        while self.position[zone] < len(slots):
            slot = slots[self.position[zone]]
            if slot.pin is not None:
                self.last[zone] = slot.pin + spec.visit_min
                self.position[zone] += 1
                continue
            last = int(self.last[zone])
            earliest = last + spec.least_gap_min if last != NEVER else 0
            following = [s.pin for s in slots[self.position[zone] :] if s.pin is not None]
            self.latest[zone] = following[0] - spec.least_gap_min if following else spec.shift_min
            self.latest[zone] -= spec.visit_min
            if earliest <= self.latest[zone]:
                self.release[zone] = max(earliest, slot.nominal - EARLY_MIN)
                self.release[zone] = min(self.release[zone], self.latest[zone])
                due = (last if last != NEVER else 0) + spec.gap_min - SPARE_MIN
                self.due[zone] = min(due, slot.nominal + LATE_MIN)
                return
            self.position[zone] += 1
        self.latest[zone] = NEVER
