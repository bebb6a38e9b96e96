"""Visits from positions: when a unit entered a zone, and when it left the zone and what is around.

A position fixes a unit only roughly, and one that stands at a zone's edge seems to go in and out.
So a visit begins with a position within the zone and ends with the last one within the zone widened
by a buffer; pauses between two visits to one zone are joined; what is short is a drive-through.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from spatial.errors import DosageError
from spatial.grid import area_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchSpec:
    """What counts as a visit.

    Parameters
    ----------
    buffer_units
        How far outside of a zone a unit is still at it, in units of the reference system.
    joined_minutes
        Two visits of a unit to one zone no longer apart are one, if it was at no other between.
    least_minutes
        Shorter ones are no visits.
    silent_minutes
        Where no position came for longer than this, nobody knows where the unit was: the visit ends
        before.

    Raises
    ------
    DosageError
        If a number cannot be so.
    """

    buffer_units: float
    joined_minutes: float = 5.0
    least_minutes: float = 3.0
    silent_minutes: float = 5.0

    def __post_init__(self) -> None:
        for name in ("buffer_units", "joined_minutes", "least_minutes", "silent_minutes"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                msg = f"{name} must be a number from 0, got {value!r}"
                raise DosageError(msg, code="number_range")
        if self.silent_minutes == 0:
            msg = "silent_minutes must be more than 0, or no two positions belong together"
            raise DosageError(msg, code="silent_minutes")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matches:
    """Visits, by unit and start; ``short`` counts those too short to be one.

    ``zone`` and ``unit`` are positions in what was given; ``at`` is the position, of those given,
    within the zone that lies nearest to the middle of them; ``positions`` says of how many a visit
    is made, and ``in_no_zone`` how many belong to none, of a unit that is nowhere.
    """

    zone: Ints
    unit: Ints
    start_ms: Ints
    end_ms: Ints
    at: Ints
    positions: Ints
    short: int
    in_no_zone: int

    def __len__(self) -> int:
        return len(self.zone)


@dataclass(slots=True)
class _Stay:
    zone: int
    unit: int
    rows: list[int]


def match_visits(
    unit: Ints, ms: Ints, x: Floats, y: Floats, zones: Sequence[BaseGeometry], spec: MatchSpec
) -> Matches:
    """Find the visits that positions tell of.

    Parameters
    ----------
    unit
        Number of the unit of each position, shape ``(n,)``, in any order.
    ms
        When it was there, milliseconds.
    x, y
        Where, in units of the reference system.
    zones
        Zones; where two overlap, the first has it.
    spec
        What counts as a visit.
    """
    order = np.lexsort((y, x, ms, unit))  # the place too, so that the order given decides nothing
    inside = area_of(x, y, zones).astype(np.int64)
    around = _around(x, y, zones, spec.buffer_units)
    stays = _stays(order, unit, ms, inside, around, spec)
    stays = _joined(stays, ms, spec.joined_minutes * MINUTE_MS)
    kept = [
        stay
        for stay in stays
        if ms[stay.rows[-1]] - ms[stay.rows[0]] >= spec.least_minutes * MINUTE_MS
    ]
    return Matches(
        zone=np.array([stay.zone for stay in kept], dtype=np.int64),
        unit=np.array([stay.unit for stay in kept], dtype=np.int64),
        start_ms=np.array([ms[stay.rows[0]] for stay in kept], dtype=np.int64),
        end_ms=np.array([ms[stay.rows[-1]] for stay in kept], dtype=np.int64),
        at=np.array([_middle(stay, x, y, inside) for stay in kept], dtype=np.int64),
        positions=np.array([len(stay.rows) for stay in kept], dtype=np.int64),
        short=len(stays) - len(kept),
        in_no_zone=len(ms) - sum(len(stay.rows) for stay in stays),
    )


def _around(
    x: Floats, y: Floats, zones: Sequence[BaseGeometry], buffer_units: float
) -> set[tuple[int, int]]:
    """Return pairs of a position and a zone that it lies in or near."""
    found: set[tuple[int, int]] = set()
    points = shapely.points(x, y)
    for number, zone in enumerate(zones):
        wide = shapely.buffer(zone, buffer_units)
        shapely.prepare(wide)
        rows = np.flatnonzero(shapely.intersects(wide, points))
        found.update((int(row), number) for row in rows)
    return found


def _stays(
    order: Ints,
    unit: Ints,
    ms: Ints,
    inside: Ints,
    around: set[tuple[int, int]],
    spec: MatchSpec,
) -> list[_Stay]:
    silent_ms = spec.silent_minutes * MINUTE_MS
    stays: list[_Stay] = []
    now: _Stay | None = None
    last = -1
    for row in order.tolist():
        if last >= 0 and (unit[row] != unit[last] or ms[row] - ms[last] > silent_ms):
            now = None
        here = int(inside[row])
        if here >= 0 and (now is None or now.zone != here):
            now = _Stay(zone=here, unit=int(unit[row]), rows=[row])
            stays.append(now)
        elif now is not None and (here >= 0 or (row, now.zone) in around):
            now.rows.append(row)
        else:
            now = None
        last = row
    return stays


def _joined(stays: list[_Stay], ms: Ints, joined_ms: float) -> list[_Stay]:
    joined: list[_Stay] = []
    for stay in stays:
        before = joined[-1] if joined else None
        if (
            before is not None
            and (before.unit, before.zone) == (stay.unit, stay.zone)
            and ms[stay.rows[0]] - ms[before.rows[-1]] <= joined_ms
        ):
            before.rows += stay.rows
        else:
            joined.append(stay)
    return joined


def _middle(stay: _Stay, x: Floats, y: Floats, inside: Ints) -> int:
    rows = np.array([row for row in stay.rows if inside[row] == stay.zone])
    away = np.hypot(x[rows] - x[rows].mean(), y[rows] - y[rows].mean())
    return int(rows[np.lexsort((y[rows], x[rows], away))[0]])
