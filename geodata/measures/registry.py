"""Every measure by id, and the one way to work them out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Literal

from geodata.cityfile.measures import MeasureGroup, usual_measures
from geodata.clock import utc_now
from geodata.errors import DataError
from geodata.measures import alerts, declared, dosage, events, outcomes, site, work, zones
from geodata.measures.record import Disclosure, Measure, MeasureValue, status_of
from spatial.measures.scopes import Scope, Scopes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geodata.cityfile.measures import DeclaredMeasure
    from geodata.measures.ledger import MeasureData
    from geodata.repositories.cities import CityRecord

Step = Literal["month", "week"]

Measures = Mapping[str, Measure]
GROUPS = {
    "alerts": MeasureGroup(
        title="Gunshot alerts",
        about="What the gunshot detection system published, how fast, how well placed, and what "
        "came of it.",
    ),
    "events": MeasureGroup(
        title="Gunfire events",
        about="Alerts and 911 calls about the same gunfire, counted once.",
    ),
    "response": MeasureGroup(
        title="Response time", about="How long until the first officer arrives."
    ),
    "dosage": MeasureGroup(
        title="Dosage patrols", about="Short visits of patrols to risk terrain zones."
    ),
    "zones": MeasureGroup(
        title="Risk terrain zones",
        about="Whether later incidents happened where the zones were drawn.",
    ),
    "incidents": MeasureGroup(
        title="Incidents", about="What was reported, against the same days of the year before."
    ),
    "actions": MeasureGroup(
        title="Work on places",
        about="What was done about places, by departments and by those who own them.",
    ),
    "site": MeasureGroup(title="These pages", about="Whether these pages keep their own promise."),
}
STALE_DAYS = 7  # after a week a weekly export is late
SAME_WEEKDAYS = dt.timedelta(weeks=52)  # a year of whole weeks: the same weekdays are compared
MOST_STEPS = 600


@cache
def measures_of(declared_measures: tuple[DeclaredMeasure, ...]) -> Measures:
    """Return every measure of a city by id: those with a formula, and those that it declares."""
    own = declared.measures_of(declared_measures)
    parts = (alerts, events, dosage, zones, work)
    listed = [one for module in parts for one in module.MEASURES]
    return {one.id: one for one in (*listed, *own, *site.MEASURES)}


MEASURES = measures_of(usual_measures())  # of a city that declares none


def measures_of_city(city: CityRecord) -> Measures:
    """Return every measure of a city by id, those of its outcomes included."""
    own = outcomes.measures_of(city.outcomes, city.titles, city.sensitive_outcomes)
    return {**measures_of(city.measures), **{one.id: one for one in own}}


def groups_of(measures: Measures) -> dict[str, MeasureGroup]:
    """Return what each group of some measures is called, in their order."""
    found: dict[str, MeasureGroup] = {}
    for measure in measures.values():
        usual = GROUPS.get(measure.group) or MeasureGroup(title=_words(measure.group))
        if measure.declared_group or measure.group not in found:
            found[measure.group] = measure.declared_group or usual
    return found


def disclosed(measures: Measures, *ways: Disclosure) -> tuple[str, ...]:
    """Return the ids of the measures that a release publishes in some ways."""
    return tuple(one.id for one in measures.values() if one.disclosure in ways)


def find_measure(identity: str, measures: Measures = MEASURES) -> Measure:
    """Return a measure by id.

    Raises
    ------
    DataError
        If there is none.
    """
    if identity not in measures:
        msg = f"there is no measure {identity[:80]!r}; the ids are {', '.join(measures)}"
        raise DataError(msg, code="unknown_measure")
    return measures[identity]


def whole_scope(ledger: MeasureData, district: str | None = None) -> Scope:
    """Return the scope of every day from the first that the city has rows of to today."""
    last = max(ledger.newest_day or ledger.today, ledger.today)
    return Scope(start=ledger.first_day or last, end=last + dt.timedelta(days=1), district=district)


def work_out(
    ledger: MeasureData,
    scope: Scope,
    ids: Iterable[str] | None = None,
    *,
    targets: Mapping[str, tuple[float, str]] | None = None,
) -> list[MeasureValue]:
    """Work measures out, all of them if none is named.

    Parameters
    ----------
    ledger, scope
        Rows, and which of them.
    ids
        Measures wanted, in this order.
    targets
        The city's own targets with their source, by measure; they replace the registry's.
    """
    known = measures_of_city(ledger.city)
    wanted = list(known.values() if ids is None else [find_measure(one, known) for one in ids])
    found = work_out_scopes(ledger, [scope], wanted, targets or {})
    return [found[measure.id, scope] for measure in wanted]


def work_out_scopes(
    ledger: MeasureData,
    scopes: Sequence[Scope],
    measures: Iterable[Measure],
    targets: Mapping[str, tuple[float, str]],
) -> dict[tuple[str, Scope], MeasureValue]:
    """Work measures out for many scopes in one pass over the rows of each.

    Returns
    -------
    Values by id and scope.
    """
    together = Scopes(scopes)
    now = utc_now()
    found = {}
    for measure in measures:
        target, source = targets.get(measure.id, (measure.target, measure.target_source))
        through = data_through(ledger, measure)
        for scope, figure in zip(scopes, measure.figures(ledger, together), strict=True):
            stale = _is_stale(ledger, measure, scope, through)
            found[measure.id, scope] = MeasureValue(
                measure=measure,
                scope=scope,
                figure=figure,
                target=target,
                target_source=source,
                status=status_of(measure, figure, target, stale=stale),
                data_through=through,
                computed_at=now,
            )
    return found


def data_through(ledger: MeasureData, measure: Measure) -> dt.date | None:
    """Return the last day of the source that ends first, of those that a measure needs and has."""
    if not measure.sources:
        return ledger.newest_day
    if measure.adds_up:
        return declared.data_through(ledger, measure)
    ends = [extent[1] for source in measure.sources if (extent := ledger.extent(source))]
    return min(ends) if ends else None


def steps(scope: Scope, by: Step) -> list[Scope]:
    """Cut a scope into calendar months or weeks from Monday, the first and last cut short.

    Raises
    ------
    DataError
        If there would be more than 600.
    """
    found: list[Scope] = []
    start = scope.start
    while start < scope.end:
        following = _next_month(start) if by == "month" else _next_monday(start)
        found.append(scope.within(start, min(following, scope.end)))
        start = following
        if len(found) > MOST_STEPS:
            msg = f"more than {MOST_STEPS} {by}s from {scope.start} to {scope.end}; shorten it"
            raise DataError(msg, code="too_many_steps")
    return found


def year_scopes(through: dt.date, by: Step, district: str | None = None) -> tuple[Scope, Scope]:
    """Return the year up to a day, and the like of the year before: its same weeks or months.

    Weeks of the year before start 364 days earlier, so that each weekday meets its like; of months
    only those that are over count.
    """
    end = through + dt.timedelta(days=1)
    if by == "month":
        end = end.replace(day=1)
    start = (end - dt.timedelta(days=1)).replace(month=1, day=1)
    now = Scope(start=start, end=end, district=district)
    if by == "week":
        return now, now.within(start - SAME_WEEKDAYS, end - SAME_WEEKDAYS)
    return now, now.within(start.replace(year=start.year - 1), end.replace(year=end.year - 1))


def _is_stale(ledger: MeasureData, measure: Measure, scope: Scope, through: dt.date | None) -> bool:
    """Return whether data end more than a week before the scope does, or before today."""
    if through is None or not measure.sources:
        return False
    until = min(ledger.today, scope.end - dt.timedelta(days=1))
    return (until - through).days > STALE_DAYS


def _words(group: str) -> str:
    return group.replace("_", " ").capitalize()


def _next_month(day: dt.date) -> dt.date:
    return dt.date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _next_monday(day: dt.date) -> dt.date:
    return day + dt.timedelta(days=7 - day.weekday())
