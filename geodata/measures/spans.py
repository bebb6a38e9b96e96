"""The periods that figures are reported for, one definition for releases, pages and previews.

Twelve months and a year so far are whole calendar months, so that counts that are hidden by month
and figures that are not stand beside each other for the same days.
"""

from __future__ import annotations

import datetime as dt

WHOLE, LAST_YEAR, THIS_YEAR = PERIODS = ("whole", "last 12 months", "this year")
DAY = dt.timedelta(days=1)

Span = tuple[dt.date, dt.date]


def last_year(first: dt.date, end: dt.date) -> Span:
    """Return the last twelve months that are over: first day, and day after the last.

    Parameters
    ----------
    first, end
        First day that there are rows of, and the day after the last that may be reported.

    Returns
    -------
    365 or 366 days, fewer where the rows begin later; the days from ``first`` on where no month is
    over yet.
    """
    start, after = _whole_months(first, end)
    if after.day > 1:
        return start, after
    return max(start, after.replace(year=after.year - 1)), after


def this_year(first: dt.date, end: dt.date) -> Span:
    """Return the months of the year of the last month that is over, from January on.

    Parameters
    ----------
    first, end
        As for :func:`last_year`.
    """
    start, after = _whole_months(first, end)
    return max(start, dt.date((after - DAY).year, 1, 1)), after


def _whole_months(first: dt.date, end: dt.date) -> Span:
    """Return the whole months of some days; the days themselves where there is none."""
    after = end.replace(day=1)
    return (first.replace(day=1), after) if after > first else (first, end)
