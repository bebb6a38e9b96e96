"""When each visit starts, once it is settled who goes where in which order.

A linear program: the minutes by which gaps are too long, added up over all zones, are as few as the
order allows; after that, visits stay near the moments they had. Every row holds the difference of
two moments, so the best corner is in whole minutes.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from spatial.dosage.stops import Rounds, Stop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spatial.dosage.allotment import PlanSpec

    Ints = NDArray[np.int64]

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
        As in :func:`spatial.dosage.dispatch.first_plan`.
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
        """Give the moments of stops and breaks, or nothing if there are none."""
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
        held = coo_matrix((value, (line, column)), shape=(len(bounds), width)).tocsr()
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
            A_ub=held,
            b_ub=bounds,
            A_eq=moved,
            b_eq=were,
            bounds=limits,
            method="highs-ds",
        )
        if found.status != 0:
            return None
        return np.rint(found.x[:n]).astype(np.int64)
