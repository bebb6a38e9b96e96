"""When incidents happen: a profile over the hours of a week, and what a shift can expect.

An incident whose time is not known, or known only as an interval, counts in every hour that it may
have happened in, by the part of the interval that lies there (aoristic analysis).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spatial.errors import DosageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

DAY, WEEK = 24, 168
# Between the earliest and the latest moment of an incident; more is a fault of a clock.
LONGEST_H = 10 * 366 * 24.0


def aoristic(start_h: ArrayLike, end_h: ArrayLike) -> Floats:
    """Spread each incident over the hours of the week that it may have happened in.

    Parameters
    ----------
    start_h, end_h
        Earliest and latest moment of each incident, shape ``(n,)``, in local hours since the
        midnight that began some Monday. Where both are equal the moment is known.

    Returns
    -------
    Weight of each incident in each hour of the week, from Monday 0:00, shape ``(n, 168)``. Every
    row sums to 1.

    Raises
    ------
    DosageError
        If a moment is no number, or an interval ends before it starts or is longer than ten years.
    """
    start, end = np.asarray(start_h, dtype=float), np.asarray(end_h, dtype=float)
    length = end - start
    if not np.all((length >= 0) & (length <= LONGEST_H)):
        msg = "every incident needs an earliest and a latest moment, in order and within ten years"
        raise DosageError(msg, code="incident_times")
    first = np.floor(start)
    hours = np.maximum(np.ceil(end) - first, 1).astype(np.int64)
    row = np.repeat(np.arange(len(start)), hours)
    offset = np.arange(len(row)) - np.repeat(np.cumsum(hours) - hours, hours)
    hour = first[row] + offset
    inside = np.minimum(end[row], hour + 1) - np.maximum(start[row], hour)
    known = length[row] == 0
    part = np.where(known, 1.0, inside / np.where(known, 1.0, length[row]))
    weights = np.zeros((len(start), WEEK))
    np.add.at(weights, (row, hour.astype(np.int64) % WEEK), part)
    return weights


def hour_of_week(weights: Floats) -> Floats:
    """Return the share of incidents in each hour of the week, steadied where they are few.

    The counts are shrunk towards what day of the week and hour of the day give independently of
    each other, with the weight of one incident an hour of the week, and a single incident is spread
    over the whole week: ``(c + 168 d h + 1 / 168) / (n + 169)`` with c the count of the hour, d and
    h the shares of its day and of its hour of day.

    Parameters
    ----------
    weights
        Of :func:`aoristic`, shape ``(n, 168)``.

    Returns
    -------
    Shape ``(168,)``; they sum to 1.
    """
    counts = weights.sum(axis=0)
    n = float(counts.sum())
    flat = np.full(WEEK, 1.0 / WEEK)
    if n == 0:
        return flat
    table = counts.reshape(7, DAY) / n
    apart = np.outer(table.sum(axis=1), table.sum(axis=0)).ravel()
    return (counts + WEEK * apart + flat) / (n + WEEK + 1)


def shift_hours(start_h: float, minutes: int) -> Floats:
    """Return how much of each hour of the week a shift covers.

    Parameters
    ----------
    start_h
        Local hours from Monday 0:00 to the start.
    minutes
        Length of the shift.

    Returns
    -------
    Shape ``(168,)``, in hours; they sum to the length.
    """
    return aoristic([start_h], [start_h + minutes / 60])[0] * (minutes / 60)


def expected_in_shift(
    rate_per_week: Floats, weights: Floats, zone: NDArray[np.int64], covered: Floats
) -> Floats:
    """Expect incidents of each zone in a shift.

    Each zone's share of a week's incidents that falls in the shift is its own, shrunk towards that
    of all incidents by as much as zones differ no more than chance makes them (beta-binomial,
    moments): ``(x + k s) / (n + k)`` with x of the zone's n incidents in the shift and s the share
    of all.

    Parameters
    ----------
    rate_per_week
        Incidents a week expected in each zone, shape ``(z,)``.
    weights
        Of every incident in the area, :func:`aoristic`.
    zone
        Position of the zone that each incident lies in, -1 outside of all.
    covered
        Of :func:`shift_hours`.

    Returns
    -------
    Incidents expected in the shift, shape ``(z,)``.
    """
    overall = float(hour_of_week(weights) @ covered)
    inside = zone >= 0
    size = len(rate_per_week)
    x = np.asarray(np.bincount(zone[inside], weights[inside] @ covered, size), dtype=np.float64)
    n = np.asarray(np.bincount(zone[inside], minlength=size), dtype=np.float64)
    pull = _pull(x, n, overall)
    own = np.full(size, overall) if np.isinf(pull) else (x + pull * overall) / (n + pull)
    return np.asarray(rate_per_week * own, dtype=np.float64)


def _pull(x: Floats, n: Floats, share: float) -> float:
    """How many incidents the common share weighs; infinite where zones differ only by chance."""
    some = np.flatnonzero(n)
    x, n = x[some], n[some]
    chance = share * (1 - share)
    total = float(n.sum())
    freedom = len(n) - 1
    room = total - float((n**2).sum()) / total - freedom if freedom > 0 else 0.0
    if room <= 0 or chance <= 0:
        return float("inf")
    spread = float((n * (x / n - share) ** 2).sum()) - freedom * chance
    between = spread / room
    if between <= 0:
        return float("inf")
    return max(chance / between - 1, 1e-9)
