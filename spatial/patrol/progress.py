"""How a shift stands: what was planned until now, what was made, what is late, what waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.optimize import linear_sum_assignment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

State = Literal["under way", "missed", "late", "gap", "done", "waiting"]
STATES: tuple[State, ...] = ("under way", "missed", "late", "gap", "done", "waiting")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressSpec:
    """When something is late; ``gap_min`` is how long a zone may wait for a visit.

    A planned visit is late once its start lies more than ``late_min`` back. A visit that nobody
    ended is taken to last ``open_min`` at most. A visit makes a planned one whose start lies at
    most half of ``gap_min`` from its own: beyond that it is nearer to what the plan's longest gap
    asks for before or after.
    """

    gap_min: float = 120.0
    late_min: float = 15.0
    open_min: float = 60.0

    @property
    def window_min(self) -> float:
        """How far the start of a visit may lie from that of the planned one it makes."""
        return self.gap_min / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneProgress:
    """How a zone stands.

    ``planned`` and ``made`` are visits of the whole shift, ``due`` those whose start has come,
    ``kept`` the planned starts that a visit made, ``late`` the number of those that are late.
    ``since_min`` is how long the zone has waited, nothing while a visit lasts, and ``waits`` says
    that it is longer than the plan's gap allows. ``next_min`` is the first planned start ahead that
    no visit made, ``overdue_min`` the first late one that a visit can still make.
    """

    zone: int
    planned: int
    made: int
    due: int
    kept: tuple[float, ...]
    late: int
    since_min: float | None
    waits: bool
    next_min: float | None
    overdue_min: float | None
    state: State


def match_visits(planned_min: Sequence[float], start_min: Floats, window_min: float) -> set[int]:
    """Return the positions of the planned visits that were made.

    Each visit makes one planned visit at most, and each of these is made by one visit: as many as
    can be, and of all such ways the one with the least minutes between planned and made (the
    assignment problem; Kuhn 1955).

    Parameters
    ----------
    planned_min
        Planned starts in one zone, in minutes.
    start_min
        When the visits there started, in the same minutes, shape ``(n,)``.
    window_min
        How far the two may lie apart.
    """
    apart = np.abs(np.asarray(planned_min, dtype=np.float64)[:, None] - start_min[None, :])
    if apart.size == 0:
        return set()
    never = 1.0 + window_min * (len(planned_min) + len(start_min))  # dearer than all others added
    rows, columns = linear_sum_assignment(np.where(apart <= window_min, apart, never))
    return {int(i) for i, j in zip(rows, columns, strict=True) if apart[i, j] <= window_min}


def shift_progress(
    planned_min: Sequence[Sequence[float]],
    zone: Ints,
    start_min: Floats,
    end_min: Floats,
    now_min: float,
    shift_min: float,
    spec: ProgressSpec,
) -> list[ZoneProgress]:
    """Tell how each zone of a plan stands.

    Visits make planned ones by :func:`match_visits`. As in compliance, every visit of the shift in
    the zone counts as made, whether it was planned or not.

    Parameters
    ----------
    planned_min
        Planned starts by zone, in minutes from the start of the shift.
    zone
        Position of the zone that each visit lies in, -1 outside of all, shape ``(n,)``.
    start_min, end_min
        When it started and ended, in the same minutes; NaN where nobody ended it.
    now_min
        The present moment in the same minutes.
    shift_min
        Length of the shift.
    spec
        When something is late.
    """
    seen = (start_min >= 0) & (start_min < shift_min) & (start_min <= now_min)
    return [
        _zone(
            position,
            sorted(starts),
            start_min[seen & (zone == position)],
            end_min[seen & (zone == position)],
            now_min,
            shift_min,
            spec,
        )
        for position, starts in enumerate(planned_min)
    ]


def _zone(
    position: int,
    planned: list[float],
    start: Floats,
    end: Floats,
    now_min: float,
    shift_min: float,
    spec: ProgressSpec,
) -> ZoneProgress:
    made = len(start)
    until = min(max(now_min, 0.0), shift_min)
    over = now_min >= shift_min
    kept = match_visits(planned, start, spec.window_min)
    open_ = [moment for i, moment in enumerate(planned) if i not in kept]
    overdue = [moment for moment in open_ if moment + spec.late_min < until]
    lasting = np.isnan(end) & (start + spec.open_min > now_min)
    under_way = bool(lasting.any()) or bool((end > now_min).any())
    known = np.where(np.isnan(end) | (end < start), start, end)
    last = float(known.max()) if made else 0.0
    since = None if under_way else max(0.0, until - last)
    waits = since is not None and since > spec.gap_min
    late = len(open_) if over else len(overdue)
    in_time = [] if over else [m for m in overdue if until <= m + spec.window_min]
    return ZoneProgress(
        zone=position,
        planned=len(planned),
        made=made,
        due=sum(moment <= until for moment in planned),
        kept=tuple(planned[i] for i in sorted(kept)),
        late=late,
        since_min=since,
        waits=waits,
        next_min=next((moment for moment in open_ if moment >= now_min and not over), None),
        overdue_min=next(iter(in_time), None),
        state=_state(under_way, over, late, waits, open_),
    )


def _state(under_way: bool, over: bool, late: int, waits: bool, left: list[float]) -> State:
    if under_way and not over:
        return "under way"
    if not left:
        return "done"
    if over:
        return "missed"
    if late:
        return "late"
    return "gap" if waits else "waiting"
