"""What the pages of measures tell beside the tables: link windows, kinds, and the year before.

Only measures that are published as they are have such figures.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from geodata.cityfile.measures import usual_measures
from geodata.measures.declared import by_kind, has_totals
from geodata.measures.events import link_windows
from geodata.measures.outcomes import title_of
from geodata.measures.registry import (
    data_through,
    measures_of,
    work_out_scopes,
    year_scopes,
)
from geodata.releases.encoding import document_bytes, number
from geodata.releases.figure_documents import (
    FigureCourse,
    KindFigure,
    SpanFigure,
    WindowFigure,
    YearFigures,
)
from geodata.releases.measure_files import COURSE
from spatial.measures.scopes import Scopes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from geodata.measures.record import Measure, MeasureValue
    from geodata.measures.registry import Step
    from geodata.releases.figures import Figures
    from geodata.releases.inputs import Material


def course_file(material: Material, figures: Figures) -> dict[str, bytes]:
    """Write the figures that stand beside the published ones, by period and district."""
    ledger, places = material.ledger, [None, *map(str, material.city.districts["code"])]
    cells = [
        (when, replace(scope, district=district))
        for when, scope in figures.periods.items()
        for district in places
    ]
    scopes = Scopes([scope for _, scope in cells])
    plain = [one for one in measures_of(ledger.city.measures).values() if one.disclosure == "open"]
    split = {one.id: by_kind(ledger, scopes, one) for one in plain if one.kinds}
    own, city = ledger.city.measures, ledger.city
    public = [one for one in city.outcomes if one not in city.sensitive_outcomes]
    course = FigureCourse(
        windows=tuple(
            WindowFigure(
                period=when,
                district=scope.district or "",
                minutes=one.minutes,
                metres=one.metres,
                used=one.used,
                both=one.both,
            )
            for (when, scope), found in zip(cells, link_windows(ledger, scopes), strict=True)
            for one in found
        ),
        kinds=tuple(
            KindFigure(
                period=when,
                district=scope.district or "",
                measure=identity,
                kind=kind,
                value=number(value),
            )
            for position, (when, scope) in enumerate(cells)
            for identity, found in split.items()
            for kind, value in found[position].items()
        ),
        years=tuple(year for measure in plain for year in _years(material, measure, places)),
        declared=None if own == usual_measures() else own,
        outcomes={name: title_of(name, city.titles) for name in public} or None,
    )
    return {COURSE: document_bytes(FigureCourse, course)}


def _years(
    material: Material, measure: Measure, places: Sequence[str | None]
) -> Iterator[YearFigures]:
    """Return the year so far and the like of the year before, of each place that has either."""
    ledger = material.ledger
    through = data_through(ledger, measure)
    if not measure.sources or through is None:
        return
    by: Step = "month" if has_totals(ledger, measure) else "week"
    spans = year_scopes(min(through, material.last_day), by)
    scopes = [replace(span, district=place) for place in places for span in spans]
    values = list(work_out_scopes(ledger, scopes, [measure], {}).values())
    for place, now, before in zip(places, values[::2], values[1::2], strict=True):
        if now.figure.value is not None or before.figure.value is not None:
            yield YearFigures(
                measure=measure.id,
                district=place or "",
                by=by,
                now=_dated(now),
                before=_dated(before),
            )


def _dated(value: MeasureValue) -> SpanFigure:
    return SpanFigure(start=value.scope.start, end=value.scope.end, figure=value.figure)
