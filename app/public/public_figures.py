"""Figures of measures as the public may see them, worked out together for a page or an answer.

What a single alert led to is sensitive: such a figure is given only where
:mod:`geodata.measures.masked` gives it, and says why where it does not.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from geodata.measures.declared import by_kind, has_totals
from geodata.measures.events import link_windows
from geodata.measures.masked import PART
from geodata.measures.record import Figure, Scope, Scopes
from geodata.measures.registry import (
    data_through,
    find_measure,
    measures_of,
    steps,
    work_out_one,
    year_scopes,
    year_to_date,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from geodata.measures.events import Window
    from geodata.measures.ledger import Ledger
    from geodata.measures.masked import Masks
    from geodata.measures.record import Measure, MeasureValue
    from geodata.measures.registry import Step

    Targets = Mapping[str, tuple[float, str]]

SAME_ALERTS = (
    "alerts.confirmed",
    "alerts.unconfirmed",
    "alerts.unfounded",
    "alerts.no_disposition",
    "alerts.performance",
    "alerts.located_25m",
)
LONGEST = {"month": 60, "week": 104}


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicValue:
    """A measure as the public may see it; ``withheld`` says why a figure is kept back.

    ``moved`` marks a figure of other days than those that were asked for: its scope tells which.
    """

    value: MeasureValue
    withheld: str = ""
    moved: bool = False

    def as_json(self) -> dict[str, Any]:
        """Give the record as the command does, and whether its figure is withheld."""
        return {
            **self.value.as_json(),
            "withheld": self.withheld or None,
            "from": self.value.scope.start.isoformat(),
            "to": self.value.scope.end.isoformat(),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class CityFigures:
    """Every measure of a city in one scope, by id, and its events under other link windows.

    ``same_alerts`` has the contract's formula and the dispositions of one set of days.
    """

    scope: Scope
    values: Mapping[str, PublicValue]
    windows: tuple[Window, ...]
    same_alerts: Mapping[str, PublicValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """The year so far and the like of the year before: the same weeks or the same months."""

    now: PublicValue
    before: PublicValue
    by: Step


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasureDetail:
    """One measure in a scope: its figure, its course, its districts, its kinds and its year.

    ``span`` is the part of the scope that the series covers: the days that its sources have rows
    of, and no more steps than a chart can show. ``cut`` says that there were more. ``offered`` are
    the steps that it can be told by.
    """

    value: PublicValue
    by: Step
    span: Scope | None
    cut: bool
    series: tuple[PublicValue, ...]
    districts: tuple[PublicValue, ...]
    year: Year | None
    kinds: tuple[tuple[str | None, float], ...]
    offered: tuple[Step, ...] = ("month", "week")


def city_figures(ledger: Ledger, scope: Scope, targets: Targets, masks: Masks) -> CityFigures:
    """Work out every measure in a scope."""
    values = {
        identity: public_value(ledger, scope, measure, targets, masks)
        for identity, measure in measures_of(ledger.city.measures).items()
    }
    days = values[SAME_ALERTS[0]].value.scope
    return CityFigures(
        scope=scope,
        values=values,
        windows=tuple(link_windows(ledger, Scopes([scope]))[0]),
        same_alerts={
            identity: same_days(
                days, public_value(ledger, days, values[identity].value.measure, targets, masks)
            )
            for identity in SAME_ALERTS
        },
    )


def same_days(days: Scope, public: PublicValue) -> PublicValue:
    """Keep a figure back that is not of the days that others beside it are of."""
    return withhold(public.value, PART) if public.value.scope != days else public


def measure_detail(
    ledger: Ledger, scope: Scope, identity: str, by: Step, targets: Targets, masks: Masks
) -> MeasureDetail:
    """Work out one measure in a scope, over its months or weeks and in each district.

    A sensitive measure is told by month only.

    Raises
    ------
    DataError
        If there is no such measure.
    """
    measure = find_measure(identity, measures_of(ledger.city.measures))
    by = "month" if measure.sensitive else by
    span, cut = _span(ledger, scope, measure, by)
    parts = steps(span, by) if span else []
    codes = list(ledger.city.districts["code"]) if measure.sources else []

    def told(part: Scope) -> PublicValue:
        return public_value(ledger, part, measure, targets, masks)

    return MeasureDetail(
        value=told(scope),
        by=by,
        span=span,
        cut=cut,
        series=tuple(told(part) for part in parts),
        districts=tuple(told(replace(scope, district=code)) for code in codes),
        year=_year(ledger, scope, measure, told),
        kinds=tuple(by_kind(ledger, Scopes([scope]), measure)[0].items()),
        offered=("month",) if measure.sensitive else ("month", "week"),
    )


def public_value(
    ledger: Ledger, scope: Scope, measure: Measure, targets: Targets, masks: Masks
) -> PublicValue:
    """Work out one measure, and withhold it where it must not be told."""
    if not measure.sensitive:
        return PublicValue(value=work_out_one(ledger, scope, measure, targets))
    told = masks.tell(ledger, scope, measure)
    value = work_out_one(ledger, told.scope, measure, targets)
    if told.figure is None and value.figure.value is not None:
        return withhold(replace(value, scope=scope), told.withheld)
    return PublicValue(value=value, moved=told.scope != scope)


def _span(ledger: Ledger, scope: Scope, measure: Measure, by: Step) -> tuple[Scope | None, bool]:
    """Give the part of a scope that a measure's sources have rows of, its last steps at most."""
    found = [extent for source in measure.sources if (extent := ledger.extent(source))]
    if not found:
        return None, False
    start = max(scope.start, min(first for first, _ in found))
    end = min(scope.end, max(last for _, last in found) + dt.timedelta(days=1))
    if start >= end:
        return None, False
    days = LONGEST[by] * (31 if by == "month" else 7)
    most = end - dt.timedelta(days=days)
    if measure.sensitive:  # whole months, also the one in which the rows begin
        start = max(scope.start, start.replace(day=1))
    first = max(start, most)
    if first > start:
        first = first.replace(day=1) if by == "month" else first - dt.timedelta(first.weekday())
    return scope.within(first, end), first > start


def _year(
    ledger: Ledger, scope: Scope, measure: Measure, tell: Callable[[Scope], PublicValue]
) -> Year | None:
    """Work a measure out from January 1 of its last year, and for the like a year before.

    That is the same weeks, or the same whole months of what is told by months only.
    """
    through = data_through(ledger, measure)
    if not measure.sources or through is None:
        return None
    if not (measure.sensitive or has_totals(ledger, measure)):
        now, before = year_to_date(ledger, measure.id, district=scope.district)
        return Year(now=PublicValue(value=now), before=PublicValue(value=before), by="week")
    year, like = year_scopes(through, "month", scope.district)
    return Year(now=tell(year), before=tell(like), by="month")


def withhold(value: MeasureValue, why: str) -> PublicValue:
    """Keep a figure back; what it was worked out from is kept back with it."""
    kept = replace(value, figure=Figure(value=None, n=0), status=None)
    return PublicValue(value=kept, withheld=why)
