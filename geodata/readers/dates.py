"""Dates and times as police exports write them -> local date and seconds after midnight.

The form is decided for a whole column: the one that most values fit. A value in another form is
never guessed; it is left out with its row number.

Clocks as exports write them -> milliseconds since 1970 UTC.

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

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray


CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", " %H:%M:%S.%f")
MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%m.%d.%Y")
DAY_FIRST = ("%d/%m/%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%Y")
OTHER = ("%Y/%m/%d", "%Y%m%d", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%B %d, %Y", "%d %b %Y")
TIMES = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p", "%H:%M:%S.%f")
DAY_SECONDS = 86_400
EPOCH, EXCEL_START = pd.Timestamp("1970-01-01"), pd.Timestamp("1899-12-30")
LONGEST_SECONDS = 1e10  # three centuries
SAMPLE = 2_000  # values that tell which forms are worth trying
EARLIEST, LATEST = pd.Timestamp("1900-01-01"), pd.Timestamp("2100-01-01")


@dataclass(frozen=True, kw_only=True, eq=False)
class Moments:
    """When each row happened.

    ``day`` is NaT where the date could not be read; ``seconds`` after midnight is NaN where no time
    is reported or it could not be read. ``form`` names the form that was found.
    """

    day: NDArray[np.datetime64]
    seconds: NDArray[np.float64]
    form: str
    notes: tuple[str, ...]


def read_moments(
    dates: pd.Series,
    times: pd.Series | None,
    *,
    date_format: str | None,
    timezone: str,
) -> Moments:
    """Read a date column, and a time column where there is one.

    Parameters
    ----------
    dates, times
        Columns as they were read.
    date_format
        ``strptime`` form of the dates, if the city file states it.
    timezone
        The city's; a moment with an offset is brought to its local time.
    """
    notes: list[str] = []
    stamps, form = _read_dates(dates, date_format, timezone, notes)
    stamps = stamps.where((stamps >= EARLIEST) & (stamps < LATEST))
    day = stamps.dt.normalize()
    seconds = (stamps - day).dt.total_seconds().to_numpy(dtype=np.float64)
    if times is not None:
        seconds = read_times(times)
    elif not (seconds[~np.isnan(seconds)] > 0).any():
        seconds = np.full(len(dates), np.nan)  # midnight everywhere: no time is reported
    return Moments(day=day.to_numpy(), seconds=seconds, form=form, notes=tuple(notes))


def read_times(times: pd.Series) -> NDArray[np.float64]:
    """Read a column of times of day; seconds after midnight, NaN where it cannot be read.

    Numbers are ``HHMM`` when every one of them could be, else seconds after midnight.
    """
    numbers = pd.to_numeric(times, errors="coerce")
    if numbers.notna().sum() >= times.notna().sum() / 2 and numbers.notna().any():
        known = numbers.dropna()
        clock_like = ((known <= 2359) & (known % 100 < 60) & (known >= 0)).all()
        seconds = (numbers // 100 * 3600 + numbers % 100 * 60) if clock_like else numbers
        sane = (seconds >= 0) & (seconds < DAY_SECONDS)
        return np.asarray(seconds.where(sane), dtype=np.float64)
    texts = times.astype("string").str.strip().str.upper()
    found = pd.Series(np.nan, index=times.index)
    for form in TIMES:
        parsed = pd.to_datetime(texts, format=form, errors="coerce")
        seconds = (parsed - parsed.dt.normalize()).dt.total_seconds()
        found = found.fillna(seconds)
    return np.asarray(found, dtype=np.float64)


def _read_dates(
    dates: pd.Series, date_format: str | None, timezone: str, notes: list[str]
) -> tuple[pd.Series, str]:
    if pd.api.types.is_datetime64_any_dtype(dates):
        return _local(dates, timezone), "a date column"
    if date_format is not None:
        texts = dates.astype("string").str.strip()
        return _parse(texts, date_format, timezone), date_format
    numbers = pd.to_numeric(dates, errors="coerce")
    present = dates.notna() & (dates.astype("string").str.strip() != "")
    if present.any() and numbers[present].notna().mean() > 0.5:
        known = numbers.dropna()
        for form, stamps, least, most in _numeric_forms(numbers):
            if least < known.median() < most:
                return stamps.astype("datetime64[us]"), form
    texts = dates.astype("string").str.strip()
    best, name, hits = pd.Series(pd.NaT, index=dates.index, dtype="datetime64[us]"), "none", 0
    for form in _likely_forms(texts, timezone):
        stamps = _parse(texts, form, timezone)
        number = int(stamps.notna().sum())
        if number > hits:
            best, name, hits = stamps, form, number
        elif number == hits and number and form in _day_first_forms() and not stamps.equals(best):
            notes.append(
                f"dates fit {name} and {form} alike: read as {name}; state date_format to be sure"
            )
    return best, name


def _numeric_forms(numbers: pd.Series) -> Iterator[tuple[str, pd.Series, float, float]]:
    """Return each form that numbers can have, and between which middles it is believed."""
    as_text = numbers.where(numbers == numbers.round()).astype("Int64").astype("string")
    yield "%Y%m%d", pd.to_datetime(as_text, format="%Y%m%d", errors="coerce"), 1.9e7, 2.1e7
    yield "Excel days", _since(EXCEL_START, numbers * DAY_SECONDS), 2e4, 7e4
    yield "epoch seconds", _since(EPOCH, numbers), 1e8, 4e9
    yield "epoch milliseconds", _since(EPOCH, numbers / 1000), 1e11, 4e12


def _since(start: pd.Timestamp, seconds: pd.Series) -> pd.Series:
    sane = seconds.where(seconds.abs() < LONGEST_SECONDS)
    return start + pd.to_timedelta(sane, unit="s")


def _likely_forms(texts: pd.Series, timezone: str) -> list[str]:
    """Return the forms that some of a column's values fit, found out on values spread over it.

    The form that most values fit is among them: trying ninety forms on every value of a long column
    would take minutes.
    """
    forms = list(_forms(texts))
    result = texts[texts.notna() & (texts != "")]
    if len(result) <= SAMPLE:
        return forms
    sample = result.iloc[np.linspace(0, len(result) - 1, SAMPLE).astype(np.intp)]
    return [form for form in forms if _parse(sample, form, timezone).notna().any()] or forms


def _forms(texts: pd.Series) -> Iterator[str]:
    """Forms worth trying, ISO first; those with a clock only where the values are long enough."""
    yield "ISO8601"
    longest = int(texts.str.len().max()) if texts.notna().any() else 0
    for group in (MONTH_FIRST, DAY_FIRST, OTHER):
        for clock in CLOCKS:
            if clock and longest < 9:
                continue
            for form in group:
                yield form + clock


def _day_first_forms() -> frozenset[str]:
    return frozenset(form + clock for form in DAY_FIRST for clock in CLOCKS)


def _parse(texts: pd.Series, form: str, timezone: str) -> pd.Series:
    if form == "ISO8601":
        offset = texts.str.contains(r"(?:[Zz]|[+-]\d{2}:?\d{2})$", regex=True, na=False)
        long = texts.str.len() > 10
        plain = pd.to_datetime(texts.where(~(offset & long)), format=form, errors="coerce")
        zoned = pd.to_datetime(texts.where(offset & long), format=form, errors="coerce", utc=True)
        return plain.astype("datetime64[us]").fillna(_local(zoned, timezone))
    stamps = pd.to_datetime(texts, format=form, errors="coerce")
    return _local(stamps, timezone)


def _local(stamps: pd.Series, timezone: str) -> pd.Series:
    """Bring zoned moments to the city's local time; leave others as they are."""
    if getattr(stamps.dt, "tz", None) is not None:
        stamps = stamps.dt.tz_convert(timezone).dt.tz_localize(None)
    return stamps.astype("datetime64[us]")


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
    value = _present(dates) & (_present(times) if times is not None else True)
    zoned = _with_offset(dates) if times is None else np.zeros(len(dates), dtype=bool)
    zone = "UTC" if zoned.any() else timezone
    moments = read_moments(dates, times, date_format=date_format, timezone=zone)
    midnight = (
        value & np.isnan(moments.seconds) if times is None else np.zeros(len(dates), dtype=bool)
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
        given=np.asarray(value, dtype=bool),
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
    """Return the local date and time of moments, without a zone; NaT where there is none."""
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
