"""Every measure by id, and the one way to work them out."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from geodata.errors import DataError
from geodata.measures import alerts, declared, dirtbike, dosage, events, site, zones
from geodata.measures.ids import TALLIED
from geodata.measures.record import Measure, MeasureValue, Scope, Scopes, status_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from geodata.measures.ledger import Ledger

Step = Literal["month", "week"]

MEASURES: Mapping[str, Measure] = {
    measure.id: measure
    for module in (alerts, events, dosage, zones, dirtbike, site)
    for measure in module.MEASURES
}
STALE_DAYS = 7
SAME_WEEKDAYS = dt.timedelta(weeks=52)
MOST_STEPS = 600


def find_measure(identity: str) -> Measure:
    """Give a measure by id.

    Raises
    ------
    DataError
        If there is none.
    """
    if identity not in MEASURES:
        msg = f"there is no measure {identity[:80]!r}; the ids are {', '.join(MEASURES)}"
        raise DataError(msg)
    return MEASURES[identity]


def whole_scope(ledger: Ledger, district: str | None = None) -> Scope:
    """Give the scope of every day from the first that the city has rows of to today."""
    last = max(ledger.newest_day or ledger.today, ledger.today)
    return Scope(start=ledger.first_day or last, end=last + dt.timedelta(days=1), district=district)


def work_out(
    ledger: Ledger,
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
    wanted = [find_measure(identity) for identity in ids] if ids is not None else MEASURES.values()
    found = work_out_scopes(ledger, [scope], wanted, targets or {})
    return [found[measure.id, scope] for measure in wanted]


def work_out_one(
    ledger: Ledger, scope: Scope, measure: Measure, targets: Mapping[str, tuple[float, str]]
) -> MeasureValue:
    """Work one measure out and tell how it stands."""
    return work_out_scopes(ledger, [scope], [measure], targets)[measure.id, scope]


def work_out_scopes(
    ledger: Ledger,
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
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
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


def data_through(ledger: Ledger, measure: Measure) -> dt.date | None:
    """Give the last day of the source that ends first, of those that a measure needs and has."""
    if not measure.sources:
        return ledger.newest_day
    if measure.id in TALLIED:
        return declared.data_through(ledger, measure.id)
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
            raise DataError(msg)
    return found


def series(ledger: Ledger, scope: Scope, identity: str, by: Step) -> list[MeasureValue]:
    """Work one measure out for each month or week of a scope."""
    parts = steps(scope, by)
    return list(work_out_scopes(ledger, parts, [find_measure(identity)], {}).values())


def by_district(ledger: Ledger, scope: Scope, identity: str) -> list[MeasureValue]:
    """Work one measure out for each district of the city."""
    parts = [replace(scope, district=code) for code in ledger.city.districts["code"]]
    return list(work_out_scopes(ledger, parts, [find_measure(identity)], {}).values())


def year_to_date(
    ledger: Ledger, identity: str, *, district: str | None = None
) -> tuple[MeasureValue, MeasureValue]:
    """Work a measure out from January 1 of its last year, and in the same weeks a year before.

    The weeks of the year before start 364 days earlier, so that each weekday meets its like.
    """
    measure = find_measure(identity)
    scopes = year_scopes(data_through(ledger, measure) or ledger.today, "week", district)
    now, before = work_out_scopes(ledger, scopes, [measure], {}).values()
    return now, before


def year_scopes(through: dt.date, by: Step, district: str | None = None) -> tuple[Scope, Scope]:
    """Give the year up to a day, and the like of the year before: its same weeks or months.

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


def _is_stale(ledger: Ledger, measure: Measure, scope: Scope, through: dt.date | None) -> bool:
    """Tell whether data end more than a week before the scope does, or before today."""
    if through is None or not measure.sources:
        return False
    until = min(ledger.today, scope.end - dt.timedelta(days=1))
    return (until - through).days > STALE_DAYS


def _next_month(day: dt.date) -> dt.date:
    return dt.date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _next_monday(day: dt.date) -> dt.date:
    return day + dt.timedelta(days=7 - day.weekday())
