"""Rules of alerts, 911 calls and verified gunfire: clocks, holidays, 25 m, once an event.

A clock that is out of order is no clock: a publication before its trigger is no publication time.
Moments are milliseconds since 1970 UTC, coordinates in one projected system.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spatial.gunshots import location_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spatial.gunshots import Events

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

ACCURATE_M = 25.0  # 82 ft, the radius of vendors' contracts
HOLIDAYS = ((12, 31), (1, 1), (7, 4), (7, 5))  # the days around two midnights: month and day


def after(clock: pd.Series, earlier: pd.Series) -> pd.Series:
    """Return a clock where it does not come before an earlier one that is known."""
    return clock.where(~(clock < earlier))


def minutes_between(clock: pd.Series, earlier: pd.Series) -> pd.Series:
    """Return the minutes between two clocks that are known and in order."""
    return (after(clock, earlier) - earlier) / 60_000


def on_holiday(day: pd.Series) -> Flags:
    """Return which days the vendor's contract leaves out."""
    days = pd.DatetimeIndex(day)
    return np.isin(days.month * 100 + days.day, [m * 100 + d for m, d in HOLIDAYS])


def timed_alerts(alerts: pd.DataFrame) -> pd.DataFrame:
    """Return alerts with the times between their clocks.

    Parameters
    ----------
    alerts
        ``triggered_ms``, ``review_started_ms``, ``published_ms``, ``dispatched_ms``,
        ``arrived_ms`` and ``day``.

    Returns
    -------
    The same with ``publish_s`` and ``review_publish_s`` (seconds from trigger and from review to
    publication), ``response_min`` and ``after_publish_min`` (minutes from trigger and from
    publication to arrival), missing where a clock is or is out of order, and ``holiday``.
    """
    trigger = alerts["triggered_ms"]
    published = after(alerts["published_ms"], trigger)
    review = after(alerts["review_started_ms"], trigger)
    arrived = after(alerts["arrived_ms"], alerts["dispatched_ms"].fillna(trigger))
    return alerts.assign(
        publish_s=(published - trigger) / 1000,
        review_publish_s=(after(published, review) - review) / 1000,
        response_min=minutes_between(arrived, trigger),
        after_publish_min=minutes_between(arrived, published),
        holiday=on_holiday(alerts["day"]),
    )


def timed_calls(calls: pd.DataFrame) -> pd.DataFrame:
    """Return calls with ``response_min``, the minutes from ``received_ms`` to ``arrived_ms``."""
    received = calls["received_ms"]
    arrived = after(calls["arrived_ms"], calls["dispatched_ms"].fillna(received))
    return calls.assign(response_min=minutes_between(arrived, received))


def locate_verified(
    verified: pd.DataFrame, alerts: pd.DataFrame, limit_units: float
) -> pd.DataFrame:
    """Return verified gunfire and what became of it.

    Parameters
    ----------
    verified
        ``x``, ``y``, ``day``, ``district`` and ``alert``, the key of the alert that it produced.
    alerts
        ``row_key``, ``x``, ``y``, ``day``, ``district``, ``verified_x`` and ``verified_y``.
    limit_units
        How far the place of an alert may be off.

    Returns
    -------
    The same with ``state`` (accurate, mislocated, not detected, or unknown where its alert is not
    stored) and ``holiday``. An alert with a verified place of its own counts too, where no row
    names it.
    """
    place = alerts.set_index("row_key")[["x", "y"]]
    there = place.reindex(verified["alert"])
    error = location_error(
        *(there[c].to_numpy() for c in ("x", "y")), *(verified[c].to_numpy() for c in ("x", "y"))
    )
    missed = verified["alert"].isna().to_numpy()
    frame = verified.assign(state=location_states(error, missed, limit_units))
    named = set(frame["alert"].dropna())
    own = alerts[alerts["verified_x"].notna() & ~alerts["row_key"].isin(named)]
    if len(own):
        error = location_error(*(own[c].to_numpy() for c in ("x", "y", "verified_x", "verified_y")))
        state = location_states(error, np.zeros(len(own), dtype=bool), limit_units)
        added = own[["row_key", "district", "day"]].assign(
            alert=own["row_key"], x=own["verified_x"], y=own["verified_y"], state=state
        )
        frame = pd.concat([frame, added], ignore_index=True)
    return frame.assign(holiday=on_holiday(frame["day"]))


def location_states(error_units: Floats, missed: Flags, limit_units: float) -> NDArray[np.object_]:
    """Return accurate, mislocated, not detected or unknown; the limit itself is accurate.

    >>> location_states(np.array([25.0, 25.1, np.nan]), np.zeros(3, dtype=bool), 25.0).tolist()
    ['accurate', 'mislocated', 'unknown']
    """
    state = np.full(len(error_units), "unknown", dtype=object)
    with np.errstate(invalid="ignore"):
        state[error_units <= limit_units] = "accurate"
        state[error_units > limit_units] = "mislocated"
    state[missed] = "not detected"
    return state


def once_an_event(values: pd.Series, number: pd.Series) -> pd.Series:
    """Count what several alerts of one event number report once: the most that one of them says.

    >>> once_an_event(pd.Series([1.0, 2.0, 4.0]), pd.Series(["E1", "E1", None])).tolist()
    [2.0, 0.0, 4.0]
    """
    known = number.notna() & values.notna()
    again = known & number.where(known).duplicated()
    if not again.any():
        return values
    most = values[known].groupby(number[known]).transform("max").reindex(values.index)
    return most.where(known, values).where(~again, 0.0)


def describe_events(linked: Events, alerts: pd.DataFrame, calls: pd.DataFrame) -> pd.DataFrame:
    """Return one row an event, district and coverage of its first alert, else of its first call.

    Returns
    -------
    ``alert_only``, ``both``, ``call_only``, ``confirmed``, ``district`` and ``covered`` (1, 0 or
    missing).
    """
    lead = _leading(linked.alert_event, alerts["triggered_ms"].to_numpy(), len(linked))
    first = _leading(linked.call_event, calls["received_ms"].to_numpy(), len(linked))
    confirmed = np.zeros(len(linked), dtype=bool)
    sure = (alerts["disposition"] == "confirmed").to_numpy()
    confirmed[linked.alert_event[sure]] = True
    frame = pd.DataFrame(
        {
            "alert_only": linked.alert_only,
            "both": linked.both,
            "call_only": linked.call_only,
            "confirmed": confirmed,
        }
    )
    for name in ("district", "covered"):
        column = np.full(len(linked), None, dtype=object)
        column[first >= 0] = calls[name].to_numpy(dtype=object)[first[first >= 0]]
        column[lead >= 0] = alerts[name].to_numpy(dtype=object)[lead[lead >= 0]]
        frame[name] = pd.Series(column, dtype=object)
    return frame.astype({"covered": float})


def _leading(event: NDArray[np.int64], ms: Floats, number: int) -> NDArray[np.int64]:
    """Return the row of the first moment of each event, -1 where it has none."""
    earliest = np.full(number, np.inf)
    np.minimum.at(earliest, event, ms)
    leading = np.flatnonzero(ms == earliest[event])[::-1]
    first = np.full(number, -1, dtype=np.int64)
    first[event[leading]] = leading
    return first
