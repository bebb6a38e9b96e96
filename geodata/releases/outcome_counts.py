"""Counts of outcomes as a release publishes them, beside all else that it says of the same rows.

A release tells incidents of an outcome by district and month, and elsewhere how many of them lay
inside zones, out of how many. The days of those figures begin and end anywhere; so months are cut
there, and all of it is hidden together (:mod:`geodata.releases.sensitive`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geodata.analysis_documents import BacktestDocument, ValidationDocument
from geodata.measures.outcomes import measure_id, year_before
from geodata.releases.run_findings import accounts, cut_days, old_enough
from geodata.releases.sensitive import CITY, CountDisclosure
from spatial.disclosure.linked import HELD, LEAST_SHOWN, SHOWN

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from geodata.releases.inputs import Material
    from geodata.releases.run_findings import Span
    from geodata.releases.sensitive import Hidden, SensitiveCounts, Where
    from spatial.measures.scopes import Scope


@dataclass(frozen=True, kw_only=True)
class OutcomeDays:
    """The days that a release counts the incidents of an outcome in.

    Parameters
    ----------
    spans
        Days that are published of the city and of districts, the most important first.
    pieces
        All days, cut wherever anything that is published of the outcome begins or ends.
    of_city
        Days of which other files of the release give the city's incidents, however few.
    """

    spans: Sequence[Span]
    pieces: Sequence[Scope]
    of_city: Sequence[Span]


def days_of_outcome(
    material: Material,
    outcome: str,
    periods: Sequence[Scope],
    months: Sequence[Scope],
    earlier: Iterable[Where],
) -> OutcomeDays:
    """Return the days that the incidents of an outcome are counted in.

    Parameters
    ----------
    material
        Of the city.
    outcome
        The outcome.
    periods, months
        Days that are published, the most important first; the year before each stands beside it.
    earlier
        What earlier releases counted.
    """
    first, end = months[0].start, months[-1].end
    measure = measure_id(outcome)
    before = [year_before(scope) for scope in periods]
    spans = [_days(scope) for scope in periods]
    spans += [_days(scope) for scope in before if scope.start >= first]
    since = None
    if material.run is not None and material.run.outcome == outcome:
        since = material.run.period_to
        spans += [_since(span, since) for span in spans if span[0] < since < span[1]]
        spans += [_since(_days(month), since) for month in months if _cuts(month, since)]
    spans = list(dict.fromkeys([*spans, *map(_days, months)]))

    def is_inside(span: Span) -> bool:
        return first <= span[0] < span[1] <= end

    of_city = list(filter(is_inside, _counted_in_city(material, outcome)))
    before_now = filter(is_inside, [where[2:] for where in earlier if where[0] == measure])
    return OutcomeDays(
        spans=spans,
        pieces=cut_days([*spans, *of_city, *before_now], end),
        of_city=of_city,
    )


def hits_days(scope: Scope, since: dt.date) -> Span:
    """Return the days of a scope that zones drawn until ``since`` are checked in."""
    return _since(_days(scope), since)


def least_counts(measure: str, wanted: Iterable[Span], hits: Iterable[Hidden]) -> dict[Where, int]:
    """Return how many incidents there were at least, as those inside zones tell.

    Parameters
    ----------
    measure
        That counts the incidents.
    wanted
        Days that are published.
    hits
        What is published of incidents of this outcome inside sets of zones.
    """
    found: dict[Where, int] = {}
    spans = list(wanted)
    for table in hits:
        for (_, place, start, end), result in table.told.items():
            least = result.value if result.label == SHOWN else None
            if result.label == HELD:  # it stands for 5 or more, see Linked.group
                least = LEAST_SHOWN
            for span in spans if least else ():
                if span[0] <= start and end <= span[1]:
                    where = (measure, place, *span)
                    found[where] = max(found.get(where, 0), least or 0)
    return found


def stated_of_city(table: SensitiveCounts, spans: Sequence[Span]) -> dict[Where, CountDisclosure]:
    """Return the counts of the whole city in days of which another file gives them."""
    (measure,), counts = table.measures, table.counts.sum(axis=(0, 1))
    found = {}
    for start, end in spans:
        inside = [start <= piece.start and piece.end <= end for piece in table.months]
        number = int(counts[np.array(inside)].sum())
        found[measure, CITY, start, end] = CountDisclosure(label=int(SHOWN), value=number)
    return found


def _counted_in_city(material: Material, outcome: str) -> list[Span]:
    """Return the days of which the run, its validations and accounts give the city's incidents."""
    run, spans = material.run, []
    if run is not None and run.outcome == outcome:
        spans = [(run.period_from, run.period_to)]
        spans += [(one.start, one.end) for one in old_enough(material, ValidationDocument)]
        backtests = old_enough(material, BacktestDocument)
        spans += [(window.start, window.end) for one in backtests for window in one.origins]
    return spans + [one.days for one in accounts(material) if one.zones.outcome == outcome]


def _days(scope: Scope) -> Span:
    return scope.start, scope.end


def _since(span: Span, since: dt.date) -> Span:
    return max(span[0], since), span[1]


def _cuts(scope: Scope, day: dt.date) -> bool:
    return scope.start < day < scope.end
