"""When things happen in the demonstration city: local time, in milliseconds since 1970.

Local time is counted as if it had no zone. Nothing happens around a change of the clocks, so a
difference of two local times is the time that went by; and nothing starts so close to midnight of a
month that what belongs together could lie in two months.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
EPOCH = pd.Timestamp("1970-01-01")
HOLIDAYS = ((12, 31), (1, 1), (7, 4), (7, 5))  # 48 hours around two noisy midnights
PEAK = 16.0  # how much more is heard in the noisy hours
QUIET_MONTH_START, QUIET_MONTH_END = 10 * 60, 20 * 60  # seconds


def milliseconds(moments: pd.DatetimeIndex | pd.Timestamp) -> NDArray[np.float64]:
    """Count the milliseconds since 1970."""
    return np.asarray((moments - EPOCH) / pd.Timedelta(milliseconds=1), dtype=np.float64)


def stamps(ms: NDArray[np.float64]) -> pd.DatetimeIndex:
    """Give moments back; NaN becomes NaT."""
    return pd.DatetimeIndex(pd.to_datetime(pd.Series(ms), unit="ms"))


def is_holiday(ms: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark moments of the days around New Year's Eve and 4 July."""
    when = stamps(ms)
    code = np.asarray(when.month * 100 + when.day)
    return np.isin(code, [month * 100 + day for month, day in HOLIDAYS])


def hours_of(year: int) -> pd.DatetimeIndex:
    """Give every hour of a year."""
    return pd.date_range(f"{year}-01-01", f"{year + 1}-01-01", freq="h", inclusive="left")


def gunfire_weights(hours: pd.DatetimeIndex) -> Floats:
    """Weigh hours as gunfire does: evenings, weekends, summers and two noisy nights."""
    hour = hours.hour.to_numpy()
    away = np.minimum(np.abs(hour - 23), 24 - np.abs(hour - 23))
    clock = 0.14 + np.exp(-(away**2) / 14)
    season = 1 + 0.22 * np.sin(2 * np.pi * (hours.day_of_year.to_numpy() - 105) / 365)
    weekend = np.where(hours.day_of_week.to_numpy() >= 4, 1.3, 0.88)
    return clock * season * weekend * np.where(_noisy(hours), PEAK, 1.0) * ~_clocks_change(hours)


def draw_moments(hours: pd.DatetimeIndex, weights: Floats, number: int, rng: Generator) -> Floats:
    """Draw whole milliseconds within hours, away from midnight of a month."""
    slot = rng.choice(len(hours), number, p=weights / weights.sum())
    drawn = hours[slot]
    hour = drawn.hour.to_numpy()
    low = np.where(hour == 0, 30, 0)
    low = np.where((hour == 0) & (drawn.day.to_numpy() == 1), QUIET_MONTH_START, low)
    high = np.where((hour == 23) & drawn.is_month_end, 3_600 - QUIET_MONTH_END, 3_600)
    seconds = low + rng.random(number) * (high - low)
    return milliseconds(drawn) + np.floor(seconds * SECOND)


def _noisy(hours: pd.DatetimeIndex) -> NDArray[np.bool_]:
    code = hours.month.to_numpy() * 100 + hours.day.to_numpy()
    before, after = np.isin(code, (1231, 704)), np.isin(code, (101, 705))
    hour = hours.hour.to_numpy()
    return (before & (hour >= 20)) | (after & (hour < 3))


def _clocks_change(hours: pd.DatetimeIndex) -> NDArray[np.bool_]:
    """Mark three hours on either side of the changes: last Sundays of March and October."""
    quiet = np.zeros(len(hours), dtype=bool)
    for year in np.unique(hours.year):
        for month in (3, 10):
            last = pd.Timestamp(year=int(year), month=month, day=31)
            sunday = last - pd.Timedelta(days=(last.day_of_week + 1) % 7)
            quiet |= np.abs((hours - sunday) / pd.Timedelta(hours=1)) <= 3
    return quiet
