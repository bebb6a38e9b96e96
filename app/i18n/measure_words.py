"""Measures in plain words: figures with their unit, what they rest on, and what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from babel.numbers import format_decimal
from flask_babel import gettext as _
from flask_babel import ngettext

from app.i18n import numbers
from app.i18n.language import N_, locale, translated
from geodata.clock import utc_now
from geodata.measures.outcomes import GROUP

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from geodata.measures.record import Figure, Measure, MeasureValue
    from geodata.releases.figure_documents import ReportedMeasure
    from spatial.measures.scopes import Scope

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
    "incidents": "incident",
}
SECTIONS = {
    "alerts": N_("gunshot alerts"),
    "calls": N_("911 calls for gunfire"),
    "verified": N_("verified gunfire"),
    "visits": N_("dosage visits"),
    "occurrences": N_("dated records"),
    "counts": N_("totals"),
    "incidents": N_("incidents"),
    "plans": N_("patrol plans"),
}
EITHER = {"occurrences", "counts"}  # a measure that names both needs only one of them
STATUSES = {
    "met": N_("Target met"),
    "not met": N_("Target not met"),
    "not enough data": N_("Not enough data"),
    "stale": N_("Data are stale"),
}
UNCOUNTED = (N_("per 100 events"), N_("times chance"))  # units that have no singular
MEASURED = ("share", "seconds", "minutes", "per 100 events", "times chance")  # not counted


def title(measure: Measure | ReportedMeasure) -> str:
    """Return what a measure is called; of an outcome what the city calls that."""
    if measure.group != GROUP:
        return translated(measure.title)
    return capital(numbers.plain(measure.id.removeprefix(f"{GROUP}.")))


def unit(name: str, value: float | None) -> str:
    """Name a unit beside a figure; a share has its sign in the figure already.

    >>> unit("guns", 1.0), unit("guns", 2.0), unit("share", 0.5), unit("times chance", 1.0)
    ('gun', 'guns', '', 'times chance')
    """
    if name == "share":
        return ""
    if name not in ONE:
        return translated(name)
    return ngettext(ONE[name], name, 1 if value == 1.0 else 2)


def figure(value: float | None, name: str) -> str:
    """Write a figure with its unit in one line.

    >>> figure(0.9123, "share"), figure(1.0, "guns"), figure(None, "guns")
    ('91.2 %', '1 gun', 'no data')
    """
    text = numbers.amount(value, name)
    return text if value is None else f"{text} {unit(name, value)}".rstrip()


def target(measure: Measure, aim: float | None) -> str:
    """Tell a target; nothing where there is none."""
    if aim is None:
        return ""
    result = _round(aim, measure.unit)
    if measure.direction == "neither":
        return result
    return (
        _("at least %(aim)s", aim=result)
        if measure.direction == "up"
        else _("at most %(aim)s", aim=result)
    )


def _round(aim: float, name: str) -> str:
    """Write a target without decimals that it does not have.

    >>> _round(0.9, "share"), _round(0.125, "share"), _round(120.0, "minutes")
    ('90 %', '12.5 %', '120 minutes')
    """
    figure = 100 * aim if name == "share" else aim
    result = format_decimal(float(f"{figure:g}"), locale=locale())
    return f"{result} {'%' if name == 'share' else unit(name, aim)}"


def basis(measure: Measure, found: Figure) -> str:
    """Tell what a figure was worked out from."""
    if found.value is None:
        return ""
    if measure.is_share and found.numerator is not None and found.denominator is not None:
        return _(
            "%(number)s of %(of)s %(what)s",
            number=numbers.number(found.numerator),
            of=numbers.number(found.denominator),
            what=translated(measure.denominator or "") or _("rows"),
        )
    if measure.unit == "per 100 events" and found.numerator is not None:
        return _(
            "%(number)s %(what)s at %(of)s %(where)s",
            number=numbers.number(found.numerator),
            what=translated(measure.numerator or ""),
            of=numbers.number(found.denominator or 0.0),
            where=translated(measure.denominator or ""),
        )
    if found.year_before is not None:
        return _(
            "%(number)s in the same days of the year before",
            number=numbers.number(found.year_before),
        )
    if found.n is None:
        return "" if measure.group == GROUP else _("the number of rows is not published")
    return ngettext(
        "from %(number)s row", "from %(number)s rows", found.n, number=numbers.number(found.n)
    )


def fraction(measure: Measure, found: Figure) -> str:
    """Tell what a figure was worked out from, as briefly as a table needs it."""
    if found.value is None:
        return ""
    parts = found.numerator is not None and found.denominator is not None
    if parts and measure.unit in ("share", "per 100 events"):
        return _(
            "%(number)s of %(of)s",
            number=numbers.number(found.numerator or 0.0),
            of=numbers.number(found.denominator or 0.0),
        )
    return "" if found.n is None else numbers.number(found.n)


def sources(measure: Measure) -> str:
    """Name the records that a measure needs."""
    return _sections(measure.sources)


def _sections(sections: Iterable[str]) -> str:
    return numbers.listed([translated(SECTIONS[section]) for section in sections])


def missing(found: Figure) -> str:
    """Tell how many rows lacked what a figure needs; nothing where that is not published."""
    if found.missing is None:
        return ""
    if found.missing == 0:
        return _("nothing missing")
    return ngettext(
        "%(number)s row lacks what it needs",
        "%(number)s rows lack what it needs",
        found.missing,
        number=numbers.number(found.missing),
    )


def absence(value: MeasureValue, extents: Extents) -> str:
    """Tell what is missing where there is no figure."""
    measure, scope, found = value.measure, value.scope, value.figure
    lacking = [section for section in measure.sources if section not in extents]
    if set(measure.sources) >= EITHER:
        lacking = [] if len(lacking) < len(measure.sources) else [measure.sources[0]]
    if lacking:
        return _("no %(what)s have been imported", what=_sections(lacking))
    outside = [
        result for section in measure.sources if (result := _outside(section, scope, extents))
    ]
    if outside:
        return outside[0]
    if found.missing and "counts" in measure.sources:
        return ngettext(
            "%(number)s total reaches beyond this period and cannot be split",
            "%(number)s totals reach beyond this period and cannot be split",
            found.missing,
            number=numbers.number(found.missing),
        )
    if found.missing:
        return ngettext(
            "%(number)s row in this period, all without what it needs",
            "%(number)s rows in this period, all without what it needs",
            found.missing,
            number=numbers.number(found.missing),
        )
    if measure.group == "zones":
        return _("no incident in this period is later than those the zones were drawn from")
    if scope.district:
        return _("nothing to work it out from in this period and district")
    return _("nothing to work it out from in this period")


def _outside(section: str, scope: Scope, extents: Extents) -> str:
    """Tell that a section has no row of a scope's days, if it has none."""
    if section not in extents:
        return ""
    first, last = extents[section]
    name = translated(SECTIONS[section])
    if scope.start > last:
        return _("%(what)s end on %(day)s, before this period", what=name, day=numbers.day(last))
    if scope.end <= first:
        return _("%(what)s begin on %(day)s, after this period", what=name, day=numbers.day(first))
    return ""


def ago(days: int) -> str:
    """Tell how long ago a day was.

    >>> ago(0), ago(1), ago(12)
    ('today', '1 day ago', '12 days ago')
    """
    if days == 0:
        return _("today")
    return ngettext("%(number)s day ago", "%(number)s days ago", days, number=numbers.number(days))


def minutes_ago(when: dt.datetime) -> str:
    """Return how long ago a time was: in minutes, hours or days."""
    minutes = int((utc_now() - when.replace(tzinfo=None)).total_seconds() // 60)
    if minutes < 1:
        return _("just now")
    if minutes < 60:
        return ngettext("%(num)d minute ago", "%(num)d minutes ago", minutes)
    if minutes < 24 * 60:
        return ngettext("%(num)d hour ago", "%(num)d hours ago", minutes // 60)
    return ago(minutes // (24 * 60))


def span(start: dt.date, end: dt.date) -> str:
    """Write the first and the last day of a half-open period, as briefly as it can be read.

    >>> import datetime as dt
    >>> span(dt.date(2025, 1, 1), dt.date(2026, 1, 1))
    'January 1 to December 31, 2025'
    >>> span(dt.date(2025, 1, 1), dt.date(2025, 1, 2))
    'January 1, 2025'
    """
    last = end - numbers.ONE_DAY
    if start == last:
        return numbers.day(start)
    first = numbers.dated(start, "MMMMd") if start.year == last.year else numbers.day(start)
    return numbers.period(first, numbers.day(last))


def change(now: float | None, before: float | None, name: str) -> str:
    """Tell how a figure differs from an earlier one; nothing where either is missing.

    >>> change(110.0, 100.0, "alerts"), change(0.55, 0.5, "share"), change(3.0, 3.0, "guns")
    ('10 more (10 % more)', '5.0 percentage points more', 'the same')
    """
    if now is None or before is None:
        return ""
    gap = now - before
    size = numbers.amount(abs(gap), name)
    if size == numbers.amount(0.0, name):
        return _("the same")
    if name == "share":
        size = _("%(number)s percentage points", number=numbers.number(100 * abs(gap), 1))
        return _way(size, gap, counted=False)
    counted = name not in numbers.FRACTIONAL
    text = _way(size, gap, counted=counted)
    if before <= 0:
        return text
    return f"{text} ({_way(numbers.percent(abs(gap) / before), gap, counted=counted)})"


def _way(size: str, gap: float, *, counted: bool) -> str:
    if gap > 0:
        return _("%(size)s more", size=size)
    return _("%(size)s fewer", size=size) if counted else _("%(size)s less", size=size)


def first_sentence(text: str) -> str:
    """Return the first sentence of a text.

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
