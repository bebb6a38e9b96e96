"""Measures of outcomes: incidents, against the same days a year before, and inside zones."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from geodata.measures.figures import NOTHING, in_reach
from geodata.measures.record import Figure, Measure
from spatial.intervals import poisson
from spatial.measures.scopes import Scopes

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable, Mapping

    from geodata.measures.ledger import MeasureData
    from geodata.measures.record import Disclosure
    from spatial.measures.scopes import Scope

SOURCES = ("incidents",)
GROUP = "incidents"
FEWEST_EXPECTED = 3
YEAR_BEFORE = "The same days of the year before stand beside it, where all of them are known."


def measures_of(
    outcomes: Iterable[str], titles: Mapping[str, str], sensitive: Collection[str] = ()
) -> list[Measure]:
    """Return the measures of each outcome: all incidents, and those inside zones.

    A release publishes the first, unless the outcome is ``sensitive``: those have a file of their
    own (``data/incidents_monthly.csv``).
    """
    return [
        measure
        for outcome in outcomes
        for measure in _measures(
            outcome, title_of(outcome, titles), "staff" if outcome in sensitive else "count"
        )
    ]


def title_of(outcome: str, titles: Mapping[str, str]) -> str:
    """Return what a city calls an outcome, or else its name in words."""
    return titles.get(outcome) or outcome.replace("_", " ")


def measure_id(outcome: str) -> str:
    """Return the id of the measure that counts the incidents of an outcome."""
    return f"{GROUP}.{outcome}"


def _measures(outcome: str, title: str, disclosure: Disclosure) -> tuple[Measure, Measure]:
    every = Measure(
        id=measure_id(outcome),
        title=f"{title[:1].upper()}{title[1:]}",
        unit="incidents",
        direction="down",
        definition=f"Incidents of this kind in the period. {YEAR_BEFORE}",
        formula="number of incidents whose day lies in the period, inside the area",
        figures=partial(_count, outcome=outcome, in_zones=False),
        sources=SOURCES,
        caveat="Only what was reported and recorded counts. The interval is what chance alone "
        "does to a count of this size.",
        sensitive=True,
        disclosure=disclosure,
    )
    inside = Measure(
        id=f"{measure_id(outcome)}.in_zones",
        title=f"{title[:1].upper()}{title[1:]} inside zones",
        unit="incidents",
        direction="down",
        definition=f"Incidents of this kind inside the zones that are in use. {YEAR_BEFORE}",
        formula="number of incidents whose day lies in the period, inside zones of the area",
        figures=partial(_count, outcome=outcome, in_zones=True),
        sources=SOURCES,
        numerator="incidents inside zones",
        denominator="incidents in the area",
        caveat="Zones were drawn where incidents had happened: of the days that they were drawn "
        "from, many lie inside by construction.",
    )
    return every, inside


def _count(ledger: MeasureData, scopes: Scopes, *, outcome: str, in_zones: bool) -> list[Figure]:
    if in_zones and (ledger.run is None or ledger.run.outcome != outcome):
        return [NOTHING] * len(scopes)
    now, of = _numbers(ledger, scopes, outcome, in_zones=in_zones)
    earlier = Scopes([year_before(scope) for scope in scopes])
    before, _ = _numbers(ledger, earlier, outcome, in_zones=in_zones)
    extent = ledger.extent("incidents")
    figures = []
    reached = in_reach(ledger, "incidents", scopes)
    for n, all_of, was, scope, known in zip(now, of, before, earlier, reached, strict=True):
        if not known:
            figures.append(NOTHING)
            continue
        low, high = poisson(n)
        figures.append(
            Figure(
                value=float(n),
                n=all_of,
                numerator=float(n) if in_zones else None,
                denominator=float(all_of) if in_zones else None,
                low=low,
                high=high,
                year_before=float(was) if extent and _is_covered(scope, was, extent[0]) else None,
            )
        )
    return figures


def _is_covered(scope: Scope, number: int, first: dt.date) -> bool:
    """Return whether rows that begin on ``first`` cover a scope of which so many are known.

    Rows begin with the first incident, which comes some days after the days that they tell of. A
    gap is taken for that where fewer than three would be expected in it: so few are missing by
    chance one time in twenty (the rule of three; Hanley and Lippman-Hand 1983).
    """
    gap, known = (first - scope.start).days, (scope.end - first).days
    return gap <= 0 or (known > 0 and number * gap / known < FEWEST_EXPECTED)


def _numbers(
    ledger: MeasureData, scopes: Scopes, outcome: str, *, in_zones: bool
) -> tuple[list[int], list[int]]:
    """Return the incidents that count in each scope, and all of them."""
    index, inside = ledger.incidents(outcome)
    rows = ledger.cut(index, scopes)
    every = rows.sizes.tolist()
    return (rows.counts(inside).tolist() if in_zones else every), every


def year_before(scope: Scope) -> Scope:
    """Return the same days a year earlier; 29 February counts as the day after the 28th."""
    start, end = (
        day.replace(year=day.year - 1, month=3, day=1)
        if (day.month, day.day) == (2, 29)
        else day.replace(year=day.year - 1)
        for day in (scope.start, scope.end)
    )
    return scope.within(start, end)
