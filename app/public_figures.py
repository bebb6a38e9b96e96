"""Figures of measures as the public may see them, worked out together for a page or an answer.

What a single alert led to is sensitive: such a figure is given only where
:mod:`geodata.measures.masked` gives it, and says why where it does not.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from geodata.measures.dirtbike import by_kind
from geodata.measures.events import link_windows
from geodata.measures.record import Figure, Scope
from geodata.measures.registry import (
    MEASURES,
    data_through,
    find_measure,
    steps,
    whole_scope,
    work_out_one,
    year_to_date,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geodata.measures.events import Window
    from geodata.measures.ledger import Ledger
    from geodata.measures.record import Measure, MeasureValue
    from geodata.measures.registry import Step

    Targets = Mapping[str, tuple[float, str]]

BY_KIND = ("dirtbike.seizures",)
WHOLE_ONLY = "given for the whole city and all days only, because small counts are not published"
LONGEST = {"month": 60, "week": 104}


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicValue:
    """A measure as the public may see it; ``withheld`` says why a figure is kept back."""

    value: MeasureValue
    withheld: str = ""

    def as_json(self) -> dict[str, Any]:
        """Give the record as the command does, and whether its figure is withheld."""
        return {**self.value.as_json(), "withheld": self.withheld or None}


@dataclass(frozen=True, kw_only=True, eq=False)
class CityFigures:
    """Every measure of a city in one scope, by id, and its events under other link windows."""

    scope: Scope
    values: Mapping[str, PublicValue]
    windows: tuple[Window, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasureDetail:
    """One measure in a scope: its figure, its course, its districts, its kinds and its year.

    ``span`` is the part of the scope that the series covers: the days that its sources have rows
    of, and no more steps than a chart can show. ``cut`` says that there were more.
    """

    value: PublicValue
    by: Step
    span: Scope | None
    cut: bool
    series: tuple[PublicValue, ...]
    districts: tuple[PublicValue, ...]
    year: tuple[PublicValue, PublicValue] | None
    kinds: tuple[tuple[str | None, float], ...]


def city_figures(ledger: Ledger, scope: Scope, targets: Targets) -> CityFigures:
    """Work out every measure in a scope."""
    return CityFigures(
        scope=scope,
        values={
            identity: public_value(ledger, scope, measure, targets)
            for identity, measure in MEASURES.items()
        },
        windows=tuple(link_windows(ledger, scope)),
    )


def measure_detail(
    ledger: Ledger, scope: Scope, identity: str, by: Step, targets: Targets
) -> MeasureDetail:
    """Work out one measure in a scope, over its months or weeks and in each district.

    Raises
    ------
    DataError
        If there is no such measure.
    """
    measure = find_measure(identity)
    span, cut = _span(ledger, scope, measure, by)
    whole_city = replace(scope, district=None)
    return MeasureDetail(
        value=public_value(ledger, scope, measure, targets),
        by=by,
        span=span,
        cut=cut,
        series=tuple(
            public_value(ledger, part, measure, targets)
            for part in (steps(span, by) if span else ())
        ),
        districts=tuple(
            public_value(ledger, replace(whole_city, district=code), measure, targets)
            for code in (ledger.city.districts["code"] if measure.sources else ())
        ),
        year=_year(ledger, scope, measure),
        kinds=tuple(by_kind(ledger, scope, identity).items()) if identity in BY_KIND else (),
    )


def public_value(ledger: Ledger, scope: Scope, measure: Measure, targets: Targets) -> PublicValue:
    """Work out one measure, and withhold it where it must not be told."""
    value = work_out_one(ledger, scope, measure, targets)
    if not measure.sensitive:
        return PublicValue(value=value)
    if scope == whole_scope(ledger):
        return PublicValue(value=value)
    return withhold(value, WHOLE_ONLY)


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
    first = max(start, most)
    if first > start:
        first = first.replace(day=1) if by == "month" else first - dt.timedelta(first.weekday())
    return scope.within(first, end), first > start


def _year(ledger: Ledger, scope: Scope, measure: Measure) -> tuple[PublicValue, PublicValue] | None:
    """Work a measure out from January 1 of its last year, and in the same weeks a year before."""
    if measure.sensitive or not measure.sources or data_through(ledger, measure) is None:
        return None
    now, before = year_to_date(ledger, measure.id, district=scope.district)
    return PublicValue(value=now), PublicValue(value=before)


def withhold(value: MeasureValue, why: str) -> PublicValue:
    """Keep a figure back; what it was worked out from is kept back with it."""
    kept = replace(value, figure=Figure(value=None, n=0), status=None)
    return PublicValue(value=kept, withheld=why)
