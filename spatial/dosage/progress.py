"""How a shift stands: what was planned until now, what was made, what is late, what waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

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
    ended is taken to last ``open_min`` at most.
    """

    gap_min: float = 120.0
    late_min: float = 15.0
    open_min: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneProgress:
    """How a zone stands.

    ``planned`` and ``made`` are visits of the whole shift, ``due`` those whose start has come,
    ``late`` those that are late. ``since_min`` is how long the zone has waited, nothing while a
    visit lasts; ``next_min`` the planned start of the first visit that is not made yet.
    """

    zone: int
    planned: int
    made: int
    due: int
    late: int
    since_min: float | None
    next_min: float | None
    state: State


def shift_progress(
    planned_min: Sequence[Sequence[float]],
    zone: Ints,
    start_min: Floats,
    end_min: Floats,
    now_min: float,
    shift_min: float,
    spec: ProgressSpec,
) -> list[ZoneProgress]:
    """Tell how each zone of a plan stands; as in compliance, the k-th visit makes the k-th planned.

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
    due = sum(moment <= until for moment in planned)
    over = now_min >= shift_min
    behind = planned[made:]
    late = len(behind) if over else sum(moment + spec.late_min < until for moment in behind)
    lasting = np.isnan(end) & (start + spec.open_min > now_min)
    under_way = bool(lasting.any()) or bool((end > now_min).any())
    known = np.where(np.isnan(end) | (end < start), start, end)
    last = float(known.max()) if made else 0.0
    since = None if under_way else max(0.0, until - last)
    return ZoneProgress(
        zone=position,
        planned=len(planned),
        made=made,
        due=due,
        late=late,
        since_min=since,
        next_min=behind[0] if behind else None,
        state=_state(under_way, over, late, since, behind, spec),
    )


def _state(
    under_way: bool,
    over: bool,
    late: int,
    since: float | None,
    behind: list[float],
    spec: ProgressSpec,
) -> State:
    if under_way and not over:
        return "under way"
    if not behind:
        return "done"
    if over:
        return "missed"
    if late:
        return "late"
    return "gap" if since is not None and since > spec.gap_min else "waiting"
