"""Gunshot alerts and 911 calls: which belong to one event, how far off a place is, what is covered.

An event is a set of alerts and calls about the same gunfire. Rows that share an event number belong
together; a call that no alert shares its number with joins the alert nearest in time, then in
place, inside a window. An event spans at most so long, and every row is in exactly one event. The
answer depends on what the rows say, not on their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
import pandas as pd
import shapely

from spatial.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

# Half and double what is used, so that a reader sees what the choice decides.
SENSITIVITY_MINUTES = (5.0, 10.0, 15.0)
SENSITIVITY_METRES = (200.0, 400.0, 800.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSpec:
    """The window in which a call belongs to an alert, and the longest span of an event.

    ``before_s`` and ``after_s`` are how long before and after the trigger a call may come;
    ``reach_units`` is how far from the alert's place, in units of the coordinates.
    """

    before_s: float = 120.0
    after_s: float = 600.0
    reach_units: float = 400.0
    span_s: float = 900.0

    def __post_init__(self) -> None:
        for name in ("before_s", "after_s", "reach_units", "span_s"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                msg = f"{name} must be a number from 0, got {value!r}"
                raise SpecError(msg, code="number_range")


@dataclass(frozen=True, kw_only=True, eq=False)
class Reports:
    """Alerts or calls: moment in milliseconds, place, and event number.

    ``number`` holds the same whole number for the same event number in alerts and calls, -1 where
    there is none. Shapes ``(rows,)``.
    """

    ms: Floats
    x: Floats
    y: Floats
    number: Ints

    def __len__(self) -> int:
        return len(self.ms)


@dataclass(frozen=True, kw_only=True, eq=False)
class Events:
    """Linked events, in order of their first moment.

    ``alert_event`` and ``call_event`` give each row's event; the other arrays have one value an
    event: first and last moment in milliseconds, and how many alerts and calls it holds.
    """

    alert_event: Ints
    call_event: Ints
    first_ms: Floats
    last_ms: Floats
    alerts: Ints
    calls: Ints

    def __len__(self) -> int:
        return len(self.first_ms)

    @property
    def alert_only(self) -> NDArray[np.bool_]:
        """Events that nobody called about."""
        return self.calls == 0

    @property
    def both(self) -> NDArray[np.bool_]:
        """Events with an alert and a call."""
        return (self.alerts > 0) & (self.calls > 0)

    @property
    def call_only(self) -> NDArray[np.bool_]:
        """Events without an alert."""
        return self.alerts == 0


def link_events(alerts: Reports, calls: Reports, spec: LinkSpec) -> Events:
    """Link alerts and calls into events.

    Parameters
    ----------
    alerts, calls
        Rows in any order, coordinates in one projected system.
    spec
        Window and span.
    """
    alert_order, call_order = _canonical(alerts), _canonical(calls)
    alerts, calls = _take(alerts, alert_order), _take(calls, call_order)
    ms = np.concatenate([alerts.ms, calls.ms])
    unit = _by_number(ms, np.concatenate([alerts.number, calls.number]), spec.span_s * 1000)
    unit = _join_by_window(alerts, calls, unit, spec)
    return _assemble(ms, unit, len(alerts), alert_order, call_order)


def sensitivity(
    alerts: Reports, calls: Reports, spec: LinkSpec, metre_units: float
) -> list[tuple[float, float, Events]]:
    """Link again under wider and narrower windows.

    Parameters
    ----------
    alerts, calls, spec
        As in :func:`link_events`.
    metre_units
        Units of the coordinates in a metre.

    Returns
    -------
    Minutes after the trigger, metres, and the events, for each pair of the two lists.
    """
    found = []
    for minutes in SENSITIVITY_MINUTES:
        for metres in SENSITIVITY_METRES:
            changed = LinkSpec(
                before_s=spec.before_s,
                after_s=minutes * 60,
                reach_units=metres * metre_units,
                span_s=max(spec.span_s, minutes * 60),
            )
            found.append((minutes, metres, link_events(alerts, calls, changed)))
    return found


def number_codes(*columns: Sequence[str | None]) -> list[Ints]:
    """Turn event numbers into whole numbers, the same for the same text in every column.

    >>> [codes.tolist() for codes in number_codes(["a", None], ["b", "a"])]
    [[0, -1], [1, 0]]
    """
    texts = [np.asarray(column, dtype=object) for column in columns]
    codes = np.asarray(pd.factorize(np.concatenate(texts))[0], dtype=np.int64)
    return np.split(codes, np.cumsum([len(column) for column in texts])[:-1])


def location_error(x: Floats, y: Floats, true_x: Floats, true_y: Floats) -> Floats:
    """Return the distance between told and true places, in units; NaN where either is missing."""
    return np.hypot(x - true_x, y - true_y)


def covered(x: Floats, y: Floats, area: BaseGeometry | None) -> Floats:
    """Return whether points lie in the covered area: 1, 0, or NaN where the area is not known."""
    if area is None:
        return np.full(len(x), np.nan)
    shapely.prepare(area)
    return np.asarray(shapely.intersects_xy(area, x, y), dtype=np.float64)


def _canonical(rows: Reports) -> Ints:
    """Order rows by what they say, so that the answer does not depend on how they came."""
    order = np.argsort(rows.ms, kind="stable")
    same = np.diff(rows.ms[order]) == 0
    tied = np.flatnonzero(np.append(same, False) | np.insert(same, 0, False))
    mates = order[tied]
    order[tied] = mates[
        np.lexsort((rows.number[mates], rows.y[mates], rows.x[mates], rows.ms[mates]))
    ]
    return order


def _take(rows: Reports, order: Ints) -> Reports:
    return Reports(ms=rows.ms[order], x=rows.x[order], y=rows.y[order], number=rows.number[order])


def _by_number(ms: Floats, number: Ints, span_ms: float) -> Ints:
    """Return each row its unit: rows of one number within a span, every other row by itself."""
    order = np.lexsort((ms, number))
    return np.asarray(_units(ms[order], number[order], order, span_ms), dtype=np.int64)


def _join_by_window(alerts: Reports, calls: Reports, unit: Ints, spec: LinkSpec) -> Ints:
    """Let units of calls join the unit of the nearest alert in the window."""
    n = len(alerts)
    first, last = _spans(np.concatenate([alerts.ms, calls.ms]), unit)
    with_alert = np.zeros(len(first), dtype=bool)
    with_alert[unit[:n]] = True
    free = np.flatnonzero(~with_alert[unit[n:]])
    start = np.searchsorted(alerts.ms, calls.ms[free] - spec.after_s * 1000, side="left")
    end = np.searchsorted(alerts.ms, calls.ms[free] + spec.before_s * 1000, side="right")
    call = np.repeat(free, end - start)
    offset = np.arange(len(call)) - np.repeat(np.cumsum(end - start) - (end - start), end - start)
    alert = np.repeat(start, end - start) + offset
    away = np.hypot(calls.x[call] - alerts.x[alert], calls.y[call] - alerts.y[alert])
    near = away <= spec.reach_units
    call, alert, away = call[near], alert[near], away[near]
    gap = np.abs(calls.ms[call] - alerts.ms[alert])
    order = np.lexsort((call, alert, away, gap))
    target = _join(unit[n + call[order]], unit[alert[order]], first, last, spec.span_s * 1000)
    return np.asarray(target[unit], dtype=np.int64)


def _spans(ms: Floats, unit: Ints) -> tuple[Floats, Floats]:
    number = int(unit.max()) + 1 if len(unit) else 0
    first, last = np.full(number, np.inf), np.full(number, -np.inf)
    np.minimum.at(first, unit, ms)
    np.maximum.at(last, unit, ms)
    return first, last


def _assemble(ms: Floats, unit: Ints, n_alerts: int, alert_order: Ints, call_order: Ints) -> Events:
    first, last = _spans(ms, unit)
    used = np.flatnonzero(np.isfinite(first))
    rank = np.full(len(first), -1, dtype=np.int64)
    order = used[np.argsort(first[used], kind="stable")]
    rank[order] = np.arange(len(order))
    event = rank[unit]
    alert_event, call_event = np.empty(n_alerts, np.int64), np.empty(len(ms) - n_alerts, np.int64)
    alert_event[alert_order] = event[:n_alerts]
    call_event[call_order] = event[n_alerts:]
    return Events(
        alert_event=alert_event,
        call_event=call_event,
        first_ms=first[order],
        last_ms=last[order],
        alerts=np.bincount(alert_event, minlength=len(order)),
        calls=np.bincount(call_event, minlength=len(order)),
    )


@numba.njit(cache=True)
def _units(ms: Any, number: Any, order: Any, span_ms: float) -> Any:
    """Cut rows sorted by number and moment into units of at most one span."""
    unit = np.empty(len(ms), dtype=np.int64)
    current, first = -1, 0.0
    for i in range(len(ms)):
        same = i > 0 and number[i] >= 0 and number[i] == number[i - 1]
        if not same or ms[i] - first > span_ms:
            current += 1
            first = ms[i]
        unit[order[i]] = current
    return unit


@numba.njit(cache=True)
def _join(unit: Any, wanted: Any, first: Any, last: Any, span_ms: float) -> Any:
    """Join units in the order of their pairs, as long as the joined span allows."""
    target = np.arange(len(first))
    for i in range(len(unit)):
        mine, theirs = unit[i], wanted[i]
        if target[mine] != mine:
            continue
        start, end = min(first[mine], first[theirs]), max(last[mine], last[theirs])
        if end - start > span_ms:
            continue
        target[mine] = theirs
        first[theirs], last[theirs] = start, end
    return target
