"""Clocks as exports write them -> milliseconds since 1970 UTC.

A moment with an offset, or counted from 1970, is taken at its word. A local time is brought to UTC
by the city's zone; in the hour that comes twice in autumn it is the first unless a row's other
clocks say the second, and a time that spring skips is read an hour later. What was read so is
counted, never hidden.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata.readers.dates import read_moments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

HOUR_MS = 3_600_000
OFFSET = r"(?:[Zz]|[+-]\d{2}:?\d{2})$"


@dataclass(frozen=True, kw_only=True, eq=False)
class Instants:
    """Moments of one column.

    ``ms`` is NaN where nothing could be read; whole numbers below 2 to the 53rd are exact in it.
    ``given`` marks rows that had something to read. ``twice`` marks local times of the repeated
    hour, read as the first of the two.
    """

    ms: NDArray[np.float64]
    given: NDArray[np.bool_]
    twice: NDArray[np.bool_]
    skipped: int
    notes: tuple[str, ...]


def read_instants(
    dates: pd.Series, times: pd.Series | None, *, date_format: str | None, timezone: str
) -> Instants:
    """Read a column of moments, or a column of dates and one of times.

    Parameters
    ----------
    dates, times
        Columns as they were read.
    date_format
        ``strptime`` form, if the city file states it.
    timezone
        The city's.
    """
    given = _present(dates) & (_present(times) if times is not None else True)
    zoned = _with_offset(dates) if times is None else np.zeros(len(dates), dtype=bool)
    zone = "UTC" if zoned.any() else timezone
    moments = read_moments(dates, times, date_format=date_format, timezone=zone)
    midnight = (
        given & np.isnan(moments.seconds) if times is None else np.zeros(len(dates), dtype=bool)
    )
    seconds = np.where(midnight & _has_clock(dates), 0.0, moments.seconds)
    local = pd.Series(pd.DatetimeIndex(moments.day)).astype("datetime64[us]") + pd.to_timedelta(
        pd.Series(seconds).round(3), unit="s"
    )
    is_local = ~zoned & (not moments.form.startswith("epoch"))
    utc, twice, skipped = _to_utc(local, is_local, timezone)
    ms = (utc - pd.Timestamp(0)) / pd.Timedelta(milliseconds=1)
    return Instants(
        ms=np.round(ms.to_numpy(dtype=np.float64)),
        given=np.asarray(given, dtype=bool),
        twice=twice,
        skipped=skipped,
        notes=moments.notes,
    )


def settle_twice(clocks: Mapping[str, Instants]) -> dict[str, NDArray[np.float64]]:
    """Choose between the two readings of the repeated hour by a row's other clocks.

    Clocks come in the order in which they should tick. A clock earlier than the one before it is
    moved to its second reading where that puts it right; then a clock more than an hour before the
    next is moved where that keeps the order.
    """
    names = list(clocks)
    ms = {name: clock.ms.copy() for name, clock in clocks.items()}
    if not any(clock.twice.any() for clock in clocks.values()):
        return ms
    with np.errstate(invalid="ignore"):
        last = np.full(len(next(iter(ms.values()))), np.nan)
        for name in names:
            late = clocks[name].twice & (ms[name] < last) & (ms[name] + HOUR_MS >= last)
            ms[name][late] += HOUR_MS
            last = np.where(np.isnan(ms[name]), last, ms[name])
        following = np.full(len(last), np.nan)
        for name in reversed(names):
            first = clocks[name].twice & (ms[name] == clocks[name].ms)
            early = first & (following - ms[name] >= HOUR_MS) & ~np.isnan(following)
            ms[name][early] += HOUR_MS
            following = np.where(np.isnan(ms[name]), following, ms[name])
    return ms


def local_days(ms: NDArray[np.float64], timezone: str) -> pd.DatetimeIndex:
    """Give the local date and time of moments, without a zone; NaT where there is none."""
    stamps = pd.to_datetime(pd.Series(ms), unit="ms", utc=True)
    return pd.DatetimeIndex(stamps.dt.tz_convert(timezone).dt.tz_localize(None))


def _present(column: pd.Series) -> NDArray[np.bool_]:
    texts = column.astype("string").str.strip().fillna("")
    return np.asarray(texts != "", dtype=bool)


def _with_offset(dates: pd.Series) -> NDArray[np.bool_]:
    if isinstance(dates.dtype, pd.DatetimeTZDtype):
        return np.ones(len(dates), dtype=bool)
    if pd.api.types.is_datetime64_any_dtype(dates) or pd.api.types.is_numeric_dtype(dates):
        return np.zeros(len(dates), dtype=bool)
    texts = dates.astype("string").str.strip()
    zoned = texts.str.contains(OFFSET, regex=True, na=False) & (texts.str.len() > 10)
    return np.asarray(zoned.fillna(value=False), dtype=bool)


def _has_clock(dates: pd.Series) -> NDArray[np.bool_]:
    """Tell which values say a time of day, even midnight."""
    if pd.api.types.is_datetime64_any_dtype(dates):
        return np.zeros(len(dates), dtype=bool)
    texts = dates.astype("string")
    return np.asarray(texts.str.contains(":", na=False), dtype=bool)


def _to_utc(
    local: pd.Series, is_local: NDArray[np.bool_], timezone: str
) -> tuple[pd.Series, NDArray[np.bool_], int]:
    """Bring local moments to UTC; those that are UTC already stay."""
    twice, skipped = np.zeros(len(local), dtype=bool), 0
    if not is_local.any():
        return local, twice, skipped
    mine = local[is_local]
    first_of_two = np.ones(len(mine), dtype=bool)
    exact = mine.dt.tz_localize(timezone, ambiguous=first_of_two, nonexistent="NaT")
    gone = (exact.isna() & mine.notna()).to_numpy()
    mine = mine.where(~gone, mine + pd.Timedelta(milliseconds=HOUR_MS))
    first = mine.dt.tz_localize(timezone, ambiguous=first_of_two)
    second = mine.dt.tz_localize(timezone, ambiguous=~first_of_two)
    utc = local.copy()
    utc[is_local] = first.dt.tz_convert("UTC").dt.tz_localize(None)
    twice[is_local] = (first != second).to_numpy() & mine.notna().to_numpy()
    return utc, twice, int(gone.sum())
