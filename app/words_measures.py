"""Measures in plain words: figures with their unit, what they rest on, and what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import words

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from geodata.measures.record import Figure, Measure, MeasureValue, Scope

    Extents = Mapping[str, tuple[dt.date, dt.date]]

ONE = {
    "alerts": "alert",
    "events": "event",
    "seconds": "second",
    "minutes": "minute",
    "guns": "gun",
    "arrests": "arrest",
    "casings": "casing",
    "people": "person",
    "visits": "visit",
    "complaints": "complaint",
    "ride-outs": "ride-out",
    "vehicles": "vehicle",
    "citations": "citation",
    "crashes": "crash",
    "contacts": "contact",
    "days": "day",
}
SECTIONS = {
    "alerts": "gunshot alerts",
    "calls": "911 calls for gunfire",
    "verified": "verified gunfire",
    "visits": "dosage visits",
    "occurrences": "dated records",
    "counts": "totals",
    "incidents": "incidents",
    "plans": "patrol plans",
}
EITHER = {"occurrences", "counts"}  # a measure that names both needs only one of them
STATUSES = {
    "met": "Target met",
    "not met": "Target not met",
    "not enough data": "Not enough data",
    "stale": "Data are stale",
}
MEASURED = ("share", "seconds", "minutes", "per 100 events", "times chance")  # not counted


def unit(name: str, value: float | None) -> str:
    """Name a unit beside a figure; a share has its sign in the figure already.

    >>> unit("guns", 1.0), unit("guns", 2.0), unit("share", 0.5), unit("times chance", 1.0)
    ('gun', 'guns', '', 'times chance')
    """
    if name == "share":
        return ""
    return ONE.get(name, name) if value == 1.0 else name


def figure(value: float | None, name: str) -> str:
    """Write a figure with its unit in one line.

    >>> figure(0.9123, "share"), figure(1.0, "guns"), figure(None, "guns")
    ('91.2 %', '1 gun', 'no data')
    """
    told = words.amount(value, name)
    return told if value is None else f"{told} {unit(name, value)}".rstrip()


def target(measure: Measure, aim: float | None) -> str:
    """Tell a target; nothing where there is none."""
    if aim is None:
        return ""
    least = {"up": "at least ", "down": "at most "}.get(measure.direction, "")
    return f"{least}{_round(aim, measure.unit)}"


def _round(aim: float, name: str) -> str:
    """Write a target without decimals that it does not have.

    >>> _round(0.9, "share"), _round(0.125, "share"), _round(120.0, "minutes")
    ('90 %', '12.5 %', '120 minutes')
    """
    number = f"{100 * aim:g} %" if name == "share" else f"{aim:,g}"
    return f"{number} {unit(name, aim)}".rstrip()


def basis(measure: Measure, found: Figure) -> str:
    """Tell what a figure was worked out from."""
    if found.value is None:
        return ""
    if measure.is_share and found.numerator is not None and found.denominator is not None:
        of = measure.denominator or "rows"
        return f"{found.numerator:,.0f} of {found.denominator:,.0f} {of}"
    if measure.unit == "per 100 events" and found.numerator is not None:
        return f"{found.numerator:,.0f} {measure.numerator} at {found.n:,} {measure.denominator}"
    return f"from {found.n:,} {'row' if found.n == 1 else 'rows'}"


def fraction(measure: Measure, found: Figure) -> str:
    """Tell what a figure was worked out from, as briefly as a table needs it."""
    if found.value is None:
        return ""
    parts = found.numerator is not None and found.denominator is not None
    if parts and measure.unit in ("share", "per 100 events"):
        return f"{found.numerator:,.0f} of {found.denominator:,.0f}"
    return f"{found.n:,}"


def sources(measure: Measure) -> str:
    """Name the records that a measure needs."""
    return _listed([SECTIONS[section] for section in measure.sources])


def missing(found: Figure) -> str:
    """Tell how many rows lacked what a figure needs."""
    if found.missing == 0:
        return "nothing missing"
    return f"{found.missing:,} {'row lacks' if found.missing == 1 else 'rows lack'} what it needs"


def absence(value: MeasureValue, extents: Extents) -> str:
    """Tell what is missing where there is no figure."""
    measure, scope, found = value.measure, value.scope, value.figure
    lacking = [section for section in measure.sources if section not in extents]
    if set(measure.sources) >= EITHER:
        lacking = [] if len(lacking) < len(measure.sources) else [measure.sources[0]]
    if lacking:
        return f"no {_listed([SECTIONS[s] for s in lacking])} have been imported"
    outside = [told for section in measure.sources if (told := _outside(section, scope, extents))]
    if outside:
        return outside[0]
    if found.missing and "counts" in measure.sources:
        totals = "total reaches" if found.missing == 1 else "totals reach"
        return f"{found.missing:,} {totals} beyond this period and cannot be split"
    if found.missing:
        rows = "row" if found.missing == 1 else "rows"
        return f"{found.missing:,} {rows} in this period, all without what it needs"
    if measure.group == "zones":
        return "no incident in this period is later than those the zones were drawn from"
    return f"nothing to work it out from in this period{' and district' if scope.district else ''}"


def _outside(section: str, scope: Scope, extents: Extents) -> str:
    """Tell that a section has no row of a scope's days, if it has none."""
    if section not in extents:
        return ""
    first, last = extents[section]
    name = SECTIONS[section]
    if scope.start > last:
        return f"{name} end on {words.day(last)}, before this period"
    if scope.end <= first:
        return f"{name} begin on {words.day(first)}, after this period"
    return ""


def _listed(names: list[str]) -> str:
    """Join names as people do.

    >>> _listed(["alerts", "calls"])
    'alerts and calls'
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def ago(days: int) -> str:
    """Tell how long ago a day was.

    >>> ago(0), ago(1), ago(12)
    ('today', '1 day ago', '12 days ago')
    """
    if days == 0:
        return "today"
    return f"{days:,} {'day' if days == 1 else 'days'} ago"


def span(start: dt.date, end: dt.date) -> str:
    """Write the first and the last day of a half-open period, as briefly as it can be read.

    >>> import datetime as dt
    >>> span(dt.date(2025, 1, 1), dt.date(2026, 1, 1))
    'January 1 to December 31, 2025'
    >>> span(dt.date(2025, 1, 1), dt.date(2025, 1, 2))
    'January 1, 2025'
    """
    last = end - words.ONE_DAY
    if start == last:
        return words.day(start)
    first = f"{start:%B} {start.day}" if start.year == last.year else words.day(start)
    return f"{first} to {words.day(last)}"


def change(now: float | None, before: float | None, name: str) -> str:
    """Tell how a figure differs from an earlier one; nothing where either is missing.

    >>> change(110.0, 100.0, "alerts"), change(0.55, 0.5, "share"), change(3.0, 3.0, "guns")
    ('10 more (10 % more)', '5.0 percentage points more', 'the same')
    """
    if now is None or before is None:
        return ""
    gap = now - before
    size = words.amount(abs(gap), name)
    if size == words.amount(0.0, name):
        return "the same"
    way = "more" if gap > 0 else "less"
    if name == "share":
        return f"{100 * abs(gap):.1f} percentage points {way}"
    if name not in words.FRACTIONAL:
        way = "more" if gap > 0 else "fewer"
    if before <= 0:
        return f"{size} {way}"
    return f"{size} {way} ({100 * abs(gap) / before:.0f} % {way})"


def first_sentence(text: str) -> str:
    """Give the first sentence of a text.

    >>> first_sentence("Reports of 911. Both count.")
    'Reports of 911.'
    """
    first, stop, _ = text.partition(". ")
    return f"{first}." if stop else text


def capital(text: str) -> str:
    """Begin a phrase with a capital.

    >>> capital("from 3 rows")
    'From 3 rows'
    """
    return f"{text[:1].upper()}{text[1:]}"
