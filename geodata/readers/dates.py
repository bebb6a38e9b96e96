"""Dates and times as police exports write them -> local date and seconds after midnight.

A value is a date, a time of day and an offset from UTC, each of which may be absent. How dates are
written is decided for a whole column: the form that most values fit. A value in another form is
never guessed; it is left out with its row number. A year that comes first cannot be mistaken and is
read beside any other form.

Clocks as exports write them -> milliseconds since 1970 UTC.

A moment with an offset, or counted from 1970, is taken at its word. A local time is brought to UTC
by the city's zone; in the hour that comes twice in autumn it is the first unless a row's other
clocks say the second, and a time that spring skips is read an hour later. What was read so is
counted, never hidden.
"""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

ISO = "%Y-%m-%d"
MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%m.%d.%Y", "%m-%d-%y")
DAY_FIRST = ("%d/%m/%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%Y", "%d.%m.%y", "%d-%m-%y")
OTHER = (
    "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d-%b-%Y", "%d-%b-%y", "%d%b%Y", "%d%b%y", "%b %d, %Y",
    "%b %d %Y", "%B %d, %Y", "%B %d %Y", "%d %b %Y", "%d %B %Y", "%d %b %y", "%d-%B-%Y",
)  # fmt: skip
FORMS = (*MONTH_FIRST, *DAY_FIRST, *OTHER)
YEARS, MONTHS = "years", "months"
ALONE = {
    YEARS: "holds years, not days; where month and day have columns of their own, name all three, "
    'as in date = ["YEAR", "MONTH", "DAY"]',
    MONTHS: "holds months, not days; export the day of each incident",
}
MONTH_ALONE = r"\d{4}[-/]\d{1,2}|\d{1,2}[-/]\d{4}|[A-Z]{3,9}[ -]\d{4}"
WEEKDAY = r"^(?:MON|TUE|WED|THU|FRI|SAT|SUN)[A-Z]{0,6},? "
CLOCK = (
    r"^(\d{1,2})(?:[:.](\d{2}))?(?:[:.](\d{2}(?:[.,]\d{1,9})?))?(?:[.,]\d{1,9})?"
    r" ?(?:([AP])\.?(?: ?M\.?)?)?$"
)
DIGITS_AND_HALF = r"^(\d{1,2})(\d{2}) ?(?=[AP]M?$)"  # 0205P
# How programs write a moment, turned into how people do; ctime, JavaScript and .NET among them.
REGION = r" ([A-Z]{2,12}/[A-Z_]{3,20}(?:/[A-Z_]{3,20})?)$"  # of the time zone database
LETTERS = r"[A-Z]{2}|H\d"
CTIME = r"^([A-Z]{3} \d{1,2}) (\d\d:\d\d:\d\d)((?: [A-Z]{3,4})?) (\d{4})$"
REMARK = r" ?\([A-Z ]{3,40}\)$| UHR$"
BEFORE_OFFSET = r" ?(?:GMT|UTC)(?=[+-]\d\d)"
HOUR_SIGN = r"(?<=[ T]\d)H(?=\d\d)|(?<=[ T]\d\d)H(?=\d\d)"
ZONE = r"(?:(?<=\d)|(?<=\d )|(?<=M )|(?<=\. ))([ECMP][SD]T)$"
# Hours of zones by their names: RFC 2822, section 4.3.
ZONE_HOURS = {"EST": 5, "EDT": 4, "CST": 6, "CDT": 5, "MST": 7, "MDT": 6, "PST": 8, "PDT": 7}
SPANISH_MONTHS = {"ENE": "JAN", "ABR": "APR", "AGO": "AUG", "DIC": "DEC", "SET": "SEP"}
SPANISH_MONTH = (
    r"(?<![A-Z])(?:DE )?(ENE|JAN|FEB|MAR|ABR|APR|MAY|JUN|JUL|AGO|AUG|SEP|SET|OCT|NOV|DIC|DEC)"
    r"(?:RO|RERO|ZO|IL|O|IO|STO|T|TIEMBRE|IEMBRE|UBRE)?(?![A-Z])(?:\.(?= ))?(?: DEL?(?= ))?"
)
DOT_NET = r"^/Date\((\d{9,14})(?:[+-]\d{4})?\)/$"
# A time of day has minutes or AM/PM; digits alone are one after a date of three parts.
MOMENT = re.compile(
    r"^(?P<date>.{1,40}?)(?:[T, ]{1,4}|(?<=[A-Z]\d{4}):|(?<=[A-Z]\d{2}):)"  # or as 31JAN2024:14:05
    r"(?P<clock>\d{1,2}(?:[:.]\d{2}){1,2}(?:[.,]\d{1,9})? ?(?:[AP]\.?(?: ?M\.?)?)?"
    r"|\d{1,2} ?[AP]\.? ?M\.?)"
    r" ?(?P<offset>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?$"
)
DIGITS_LAST = re.compile(
    r"^(?P<date>\d{1,4}[/.-](?:\d{1,2}|[A-Z]{3,9})[/.-]\d{1,4}|\d{8})[T ]"
    r"(?P<clock>\d{3,4}|\d{6}) ?(?P<offset>Z|[+-]\d{2}(?::?\d{2})?)?$"
)
LONGEST_MOMENT = 100  # letters, with the longest names of days and months
LARGEST_TIME = 1e6  # of HHMMSS; what is larger is no time of day
TRIED = 200  # values that are tried in every form
DOTTED = r"\d{1,2}\.\d{2}"
DAY_SECONDS, HOUR_MS = 86_400, 3_600_000
EXCEL_START = pd.Timestamp("1899-12-30")  # of Access too
# The first day of 1900 stands for "no date" in exports of databases and spreadsheets.
EARLIEST, LATEST = pd.Timestamp("1900-01-02"), pd.Timestamp("2100-01-01")
# Seconds since 1970 are believed from 1990 to 2100 only: a shorter number of digits is a date
# written together (202401311405) far more often than a moment of the seventies.
FIRST_SECOND, LAST_SECOND = 631_152_000.0, 4_102_444_800.0
SCALES = {"seconds": 1.0, "milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}
TOGETHER = {"%Y%m%d": 1e7, "%Y%m%d%H%M": 1e11, "%Y%m%d%H%M%S": 1e13}


def _shape(text: str) -> str:
    """Return a date with a 0 for each number and an A for each word.

    >>> _shape("01/31/2024"), _shape("31JAN2024")
    ('0/0/0', '0A0')
    """
    return LETTERS_TOGETHER.sub("A", DIGITS_TOGETHER.sub("0", text))


def _shape_of_form(form: str) -> str:
    example = form.replace("%b", "A").replace("%B", "A")
    return _shape(re.sub(r"%[dmyY]", "1", example))


DIGITS_TOGETHER, LETTERS_TOGETHER = re.compile(r"\d+"), re.compile(r"[^\W\d_]+")
FORM_SHAPES = {form: _shape_of_form(form) for form in FORMS}


@dataclass(frozen=True, kw_only=True, eq=False)
class Moments:
    """When each row happened.

    ``day`` is NaT where the date could not be read; ``seconds`` after midnight is NaN where no time
    is reported or it could not be read. ``unread`` marks times that are there and cannot be read.
    ``form`` names the form that was found: one of :data:`ALONE` where values are no days at all.
    """

    day: NDArray[np.datetime64]
    seconds: Floats
    unread: Flags
    form: str
    notes: tuple[str, ...]


@dataclass(kw_only=True, eq=False)
class _Stamps:
    """Moments of one column: ``naive`` in UTC where ``utc``, local elsewhere.

    ``clock`` marks values that state a time of day, ``unread`` those whose time cannot be read.
    """

    naive: pd.Series
    utc: Flags
    clock: Flags
    unread: Flags
    form: str
    notes: list[str]


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
    stamps = _read_stamps(dates, date_format)
    local, notes = stamps.naive, list(stamps.notes)
    zoned = stamps.utc & local.notna().to_numpy()
    if zoned.any() and times is None and not _time_of_day(local[zoned]).any():
        notes.append("every moment is midnight UTC: read as days, without a time of day")
        clock = np.zeros(len(local), dtype=bool)
    else:
        turned = local[zoned].dt.tz_localize("UTC").dt.tz_convert(timezone).dt.tz_localize(None)
        local = local.copy()
        local[zoned] = turned.astype(local.dtype)
        clock = stamps.clock
    day = local.dt.normalize()
    seconds = np.where(clock, _time_of_day(local), np.nan)
    unread = stamps.unread
    if times is not None:
        seconds, more = read_times(times)
        notes += more
        unread = _present(times) & np.isnan(seconds)
        late = seconds == DAY_SECONDS  # 24:00 is the next day's midnight
        day = day.where(~late, day + pd.Timedelta(days=1))
        seconds = np.where(late, 0.0, seconds)
    elif not (seconds[~np.isnan(seconds)] > 0).any():
        seconds = np.full(len(dates), np.nan)  # midnight everywhere: no time is reported
    return Moments(
        day=day.to_numpy(), seconds=seconds, unread=unread, form=stamps.form, notes=tuple(notes)
    )


def read_times(times: pd.Series) -> tuple[Floats, list[str]]:
    """Read a column of times of day.

    Returns
    -------
    Seconds after midnight, NaN where a value is absent or cannot be read and 86,400 for 24:00; and
    how numbers were read, where they are not hours and minutes written together.
    """
    texts = _plain(times).fillna("")
    numbers = pd.to_numeric(texts.where(texts != ""), errors="coerce").to_numpy(
        dtype=np.float64, na_value=np.nan
    )
    numbers = np.where(np.abs(numbers) < LARGEST_TIME, numbers, np.nan)
    there = (texts != "").to_numpy(dtype=bool)
    dotted = texts.str.fullmatch(DOTTED).to_numpy(dtype=bool) & (numbers >= 1)
    if not dotted.any() and there.any() and 2 * np.isfinite(numbers).sum() >= there.sum():
        return _numeric_times(numbers)
    found = texts.str.extract(MOMENT)  # Access and Excel write a bare time as one of 12/30/1899
    bare = found["clock"].fillna(texts.str.replace(r"^\d+ DAYS? \+?", "", regex=True))
    bare = bare.str.replace(DIGITS_AND_HALF, r"\1:\2 ", regex=True)
    return _clock_seconds(bare), []


def _numeric_times(numbers: Floats) -> tuple[Floats, list[str]]:
    """Read times that are numbers in the way that most of them allow."""
    known = numbers[np.isfinite(numbers)]
    whole = bool((known == np.round(known)).all())
    if not whole and bool(((known >= 0) & (known <= 1)).all()):
        return np.round(numbers * DAY_SECONDS), ["times are read as parts of a day"]
    if whole and bool(((known >= 0) & (known <= 24)).all()):
        return numbers * 3600, ["times are numbers from 0 to 24: read as hours"]
    usual = _digits(numbers * 100)
    if 2 * np.isfinite(usual).sum() > len(known):  # of seconds, one in fifty looks like HHMM
        return usual, []
    after = np.where((numbers >= 0) & (numbers <= DAY_SECONDS), numbers, np.nan)
    together = _digits(numbers)
    if np.isfinite(together).sum() > np.isfinite(after).sum():
        return together, ["times are numbers: read as hours, minutes and seconds written together"]
    return after, ["times are numbers: read as seconds after midnight"]


def _digits(numbers: Floats) -> Floats:
    """Return seconds after midnight of HHMMSS; NaN where a part is no hour, minute or second."""
    hours, minutes, seconds = numbers // 10_000, numbers // 100 % 100, numbers % 100
    found = hours * 3600 + minutes * 60 + seconds
    good = (minutes < 60) & (seconds < 60) & (numbers >= 0) & (found <= DAY_SECONDS)
    return np.where(good & (numbers == np.round(numbers)), found, np.nan)


def _clock_seconds(texts: pd.Series) -> Floats:
    """Return seconds after midnight of "14:05", "14.05.07", "2:05 PM", "1405"; NaN elsewhere."""
    parts = texts.str.extract(CLOCK)
    values = parts[[0, 1, 2]].apply(
        lambda part: pd.to_numeric(part.str.replace(",", "."), errors="coerce").fillna(0.0)
    )
    hours, minutes, seconds = values.to_numpy(dtype=np.float64).T
    half = parts[3].fillna("").to_numpy(dtype=object)
    hours = np.where((half == "A") & (hours == 12), 0, hours)
    hours = np.where((half == "P") & (hours < 12), hours + 12, hours)
    found = hours * 3600 + minutes * 60 + seconds
    stated = (parts[1].notna() | parts[3].notna()).to_numpy(dtype=bool)
    good = stated & (minutes < 60) & (seconds < 60) & (found <= DAY_SECONDS)
    together = pd.to_numeric(texts.where(texts.str.fullmatch(r"\d{3,4}|\d{6}")), errors="coerce")
    digits = together.to_numpy(dtype=np.float64, na_value=np.nan)
    short = (texts.str.len() <= 4).to_numpy(dtype=bool, na_value=False)
    with np.errstate(invalid="ignore"):
        return np.where(good, found, _digits(np.where(short, digits * 100, digits)))


def in_columns(frame: pd.DataFrame, columns: Sequence[str]) -> tuple[pd.Series, pd.Series | None]:
    """Return dates and times that stand in one column, in two, or a part in each.

    Three to six columns are year, month, day, hour, minute and second.
    """
    if len(columns) <= 2:
        return frame[columns[0]], frame[columns[1]] if len(columns) == 2 else None
    parts = [_whole(frame[name]) for name in columns]
    names = frame[columns[1]].astype("string").str.strip().str[:3].str.title()
    named = pd.to_datetime(names, format="%b", errors="coerce").dt.month
    parts[1] = parts[1].fillna(named.astype("Int64"))
    year, month, day = (part.astype("string") for part in parts[:3])
    dates = year.str.zfill(4) + "-" + month.str.zfill(2) + "-" + day.str.zfill(2)
    if len(columns) == 3:
        return dates, None
    clock = [part.astype("string").str.zfill(2) for part in parts[3:]]
    times = clock[0] + ":" + (clock[1].fillna("00") if len(clock) > 1 else "00")
    return dates, times + ":" + clock[2].fillna("00") if len(clock) > 2 else times


def _whole(column: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce")
    return numbers.where((numbers >= 0) & (numbers == numbers.round())).astype("Int64")


def _read_stamps(dates: pd.Series, date_format: str | None) -> _Stamps:
    dates = dates.reset_index(drop=True)
    if pd.api.types.is_datetime64_any_dtype(dates):
        found = _of_type(dates)
    elif date_format is not None:
        found = _stated(dates, date_format)
    else:
        numbers = pd.to_numeric(dates, errors="coerce")
        if numbers.isna().all():
            texts = dates.astype("string").str.strip()
            numbers = pd.to_numeric(texts.str.extract(DOT_NET, expand=False), errors="coerce")
        there = _present(dates)
        numeric = there.any() and numbers[there].notna().mean() > 0.5
        found = _of_numbers(numbers.astype(float)) if numeric else _of_texts(dates)
    found.naive = found.naive.where((found.naive >= EARLIEST) & (found.naive < LATEST))
    return found


def _of_type(dates: pd.Series) -> _Stamps:
    zoned = getattr(dates.dt, "tz", None) is not None
    naive = dates.dt.tz_convert("UTC").dt.tz_localize(None) if zoned else dates
    stated = bool(_time_of_day(naive).any())
    return _stamps(naive, "a date column", utc=zoned, clock=stated or zoned)


def _stated(dates: pd.Series, date_format: str) -> _Stamps:
    zoned = "%z" in date_format or "%Z" in date_format
    texts = dates.astype("string").str.strip()
    found = pd.to_datetime(texts, format=date_format, errors="coerce", utc=zoned)
    naive = found.dt.tz_localize(None) if zoned else found
    clock = zoned or any(part in date_format for part in ("%H", "%I", "%c", "%X", "%s"))
    return _stamps(naive, date_format, utc=zoned, clock=clock)


def _of_numbers(numbers: pd.Series) -> _Stamps:
    """Read dates that are numbers in the one way in which they can be dates."""
    middle = float(numbers.median())
    for form, least in TOGETHER.items():
        if 1.9 * least < middle < 2.1 * least:
            texts = numbers.where(numbers == numbers.round()).astype("Int64").astype("string")
            naive = pd.to_datetime(texts, format=form, errors="coerce")
            return _stamps(naive, form, clock="%H" in form)
    if 2e4 < middle < 7e4:
        naive = EXCEL_START + pd.to_timedelta((numbers.clip(0, 8e4) * DAY_SECONDS).round(), "s")
        return _stamps(naive, "Excel days", clock=bool((numbers % 1 > 0).any()))
    for name, scale in SCALES.items():
        if FIRST_SECOND < middle / scale < LAST_SECOND:
            sane = numbers.where(numbers.between(FIRST_SECOND * scale, LAST_SECOND * scale))
            naive = pd.Timestamp(0) + pd.to_timedelta((sane / scale).round(6), unit="s")
            return _stamps(naive, f"epoch {name}", utc=True, clock=True)
    nothing = pd.Series(pd.NaT, index=numbers.index, dtype="datetime64[us]")
    if 1900 <= middle <= 2100:
        return _stamps(nothing, YEARS)
    return _stamps(nothing, MONTHS if 190_001 <= middle <= 210_012 else "none")


def _of_texts(dates: pd.Series) -> _Stamps:
    texts = _respelled(_plain(dates).str.replace(WEEKDAY, "", regex=True))
    regions = texts.str.extract(REGION, expand=False)
    if regions.notna().any():
        texts = texts.str.replace(REGION, "", regex=True)
    parts = texts.str.extract(MOMENT)
    digits = texts.where(parts["date"].isna()).str.extract(DIGITS_LAST)
    clock, offset = (parts[name].fillna(digits[name]) for name in ("clock", "offset"))
    bare = parts["date"].fillna(digits["date"]).fillna(texts).str.rstrip(", ")
    notes: list[str] = []
    days, form = _read_days(bare, notes)
    alone = texts.str.fullmatch(MONTH_ALONE).fillna(value=False).sum()
    if form == "none" and 2 * alone > texts.notna().sum():
        form = MONTHS
    seconds = _clock_seconds(clock.fillna(""))
    stated = clock.notna().to_numpy(dtype=bool)
    minutes = _offset_minutes(offset)
    local = days + pd.to_timedelta(pd.Series(np.nan_to_num(seconds)).round(6), unit="s")
    if regions.notna().any():
        minutes = _minutes_of_regions(local, regions, minutes)
    naive = local - pd.to_timedelta(pd.Series(np.nan_to_num(minutes)), unit="min")
    if stated.any():
        form = f"{form} %H:%M"
    if form.startswith(ISO):
        form = "ISO8601"
    found = _stamps(naive, form)
    found.utc = ~np.isnan(minutes)
    found.clock = stated & ~np.isnan(seconds)
    found.unread = stated & np.isnan(seconds)
    found.notes = notes
    return found


def _respelled(texts: pd.Series) -> pd.Series:
    """Return moments as people write them, where letters say that a program or Spanish did."""
    if not texts.str.contains(LETTERS).any():
        return texts
    texts = texts.str.replace(CTIME, r"\1 \4 \2\3", regex=True)
    texts = texts.str.replace(REMARK, "", regex=True).str.replace(BEFORE_OFFSET, "", regex=True)
    texts = texts.str.replace(HOUR_SIGN, ":", regex=True)
    texts = texts.str.replace(ZONE, lambda found: f"-0{ZONE_HOURS[found[1]]}:00", regex=True)
    return texts.str.replace(
        SPANISH_MONTH, lambda found: SPANISH_MONTHS.get(found[1], found[1]), regex=True
    )


def _minutes_of_regions(local: pd.Series, regions: pd.Series, minutes: Floats) -> Floats:
    """Return minutes east of UTC, also of moments that name a region such as America/New_York."""
    known = {name.upper(): name for name in zoneinfo.available_timezones()}
    found = minutes.copy()
    for region in regions.dropna().unique():
        rows = ((regions == region) & local.notna()).fillna(value=False).to_numpy(dtype=bool)
        if region not in known:
            continue
        utc, _, _ = _to_utc(local[rows], np.ones(int(rows.sum()), dtype=bool), known[region])
        found[rows] = (local[rows] - utc).dt.total_seconds() / 60
    return found


def _plain(column: pd.Series) -> pd.Series:
    """Return texts in capitals with single spaces; what is longer than any moment is cut."""
    texts = column.astype("string").str.slice(0, LONGEST_MOMENT).str.upper()
    return texts.str.replace(r"\s+", " ", regex=True).str.strip()


def _read_days(texts: pd.Series, notes: list[str]) -> tuple[pd.Series, str]:
    """Read dates without their clocks, each different one once."""
    numbers, different = pd.factorize(texts)
    unique = pd.Series(different, dtype="string")
    weights = np.bincount(numbers[numbers >= 0], minlength=len(unique))
    best, name, hits = pd.Series(pd.NaT, index=unique.index, dtype="datetime64[us]"), "none", 0
    for form in _likely_forms(unique):
        found = pd.to_datetime(unique, format=form, errors="coerce").astype("datetime64[us]")
        number = int(weights[found.notna().to_numpy()].sum())
        if number > hits:
            best, name, hits = found, form, number
        elif number == hits and number and form in DAY_FIRST and not found.equals(best):
            notes.append(
                f"dates fit {name} and {form} alike: read as {name}; state date_format to be sure"
            )
    plain = pd.to_datetime(unique, format=ISO, errors="coerce").astype("datetime64[us]")
    best = best.fillna(plain)
    best = best.where((best >= EARLIEST) & (best < LATEST))  # others may have no offset added
    days = np.full(len(texts), np.datetime64("NaT"), dtype="datetime64[us]")
    days[numbers >= 0] = best.to_numpy()[numbers[numbers >= 0]]
    return pd.Series(days), name


def _likely_forms(values: pd.Series) -> list[str]:
    """Return the forms that any value has; of many, any of a few hundred taken evenly.

    What no value of those has is not how most are written. Forms whose digits, words and signs
    stand as in no value are not tried at all: of a batch of one row, trying is what takes the time.
    """
    few = len(values) <= 2 * TRIED
    some = values if few else values.iloc[np.linspace(0, len(values) - 1, TRIED).astype(int)]
    there = {_shape(str(value)) for value in some.dropna()}
    forms = [ISO, *(form for form in FORMS if FORM_SHAPES[form] in there)]
    if few:
        return forms
    return [f for f in forms if pd.to_datetime(some, format=f, errors="coerce").notna().any()]


def _offset_minutes(offsets: pd.Series) -> Floats:
    """Return minutes east of UTC; NaN where no offset is stated."""
    parts = offsets.str.extract(r"^([+-])(\d{2}):?(\d{2})?$")
    hours, minutes = (
        pd.to_numeric(parts[i], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        for i in (1, 2)
    )
    east = np.where(parts[0].fillna("+").to_numpy(dtype=object) == "-", -1.0, 1.0)
    found = east * (hours * 60 + np.nan_to_num(minutes))
    return np.where(offsets.isin(["Z", "UTC", "GMT"]).to_numpy(dtype=bool), 0.0, found)


def _stamps(naive: pd.Series, form: str, *, utc: bool = False, clock: bool = False) -> _Stamps:
    there = naive.notna().to_numpy()
    return _Stamps(
        naive=naive.astype("datetime64[us]"),
        utc=there & utc,
        clock=there & clock,
        unread=np.zeros(len(naive), dtype=bool),
        form=form,
        notes=[],
    )


def _time_of_day(stamps: pd.Series) -> Floats:
    """Return seconds after midnight, 0 where there is no moment."""
    seconds = (stamps - stamps.dt.normalize()).dt.total_seconds()
    return np.asarray(seconds.fillna(0.0), dtype=np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Instants:
    """Moments of one column.

    ``ms`` is NaN where nothing could be read; whole numbers below 2 to the 53rd are exact in it.
    ``given`` marks rows that had something to read. ``twice`` marks local times of the repeated
    hour, read as the first of the two.
    """

    ms: Floats
    given: Flags
    twice: Flags
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
    stamps = _read_stamps(dates, date_format)
    value = _present(dates) & (_present(times) if times is not None else True)
    notes = list(stamps.notes)
    if times is None:
        moments, is_local = stamps.naive.where(stamps.clock), ~stamps.utc
    else:
        seconds, more = read_times(times)
        notes += more
        moments = stamps.naive.dt.normalize() + pd.to_timedelta(pd.Series(seconds), unit="s")
        is_local = np.ones(len(dates), dtype=bool)
    utc, twice, skipped = _to_utc(moments.dt.round("ms"), is_local, timezone)
    ms = (utc - pd.Timestamp(0)) / pd.Timedelta(milliseconds=1)
    return Instants(
        ms=np.round(ms.to_numpy(dtype=np.float64)),
        given=np.asarray(value, dtype=bool),
        twice=twice,
        skipped=skipped,
        notes=tuple(notes),
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
