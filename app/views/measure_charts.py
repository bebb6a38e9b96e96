"""From the figures of a measure to the points of its charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import gettext as _

from app import words, words_measures
from app.drawing.charts_measures import Axis, Point
from app.language import N_, translated
from app.site.released_figures import SMALL
from app.views.measure_pages import is_partial, is_small
from app.views.pages import district_choices

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from app.site.released_figures import MeasureDetail, PublicValue
    from app.site.shown import Shown

SHORT = {
    "share": N_("Percent"),
    "per 100 events": N_("Per 100 events"),
    "times chance": N_("Times chance"),
}


def axis(found: MeasureDetail) -> Axis:
    """Tell what a chart's figures are."""
    value = found.value.value
    unit = value.measure.unit
    scale = 100.0 if unit == "share" else 1.0
    return Axis(
        unit=translated(SHORT[unit])
        if unit in SHORT
        else words_measures.capital(words_measures.unit(unit, None)),
        counted=unit not in words_measures.MEASURED,
        percent=unit == "share",
        target=None if value.target is None else scale * value.target,
        target_told=words_measures.target(value.measure, value.target),
    )


def course_points(_shown: Shown, found: MeasureDetail) -> list[Point]:
    """Give the months or weeks of a measure, oldest first."""
    through = found.value.value.data_through
    return [
        _point(
            one,
            _tick(one.value.scope.start, found.by),
            partial=is_partial(one.value.scope, found.by, through),
        )
        for one in found.series
    ]


def district_points(shown: Shown, found: MeasureDetail) -> list[Point]:
    """Give the districts of a measure, in the city's order."""
    names = dict(district_choices(shown))
    return [
        _point(one, names.get(one.value.scope.district or "", ""), partial=False)
        for one in found.districts
    ]


def _tick(day: dt.date, by: str) -> str:
    return f"{words.dated(day, 'MMM' if by == 'month' else 'MMMd')}\n{day.year}"


def _point(public: PublicValue, label: str, *, partial: bool) -> Point:
    figure, unit = public.value.figure, public.value.measure.unit
    scale = 100.0 if unit == "share" else 1.0
    value, low, high = (
        None if number is None else scale * number
        for number in (figure.value, figure.low, figure.high)
    )
    return Point(
        label=label,
        told=_told(public),
        value=value,
        low=low,
        high=high,
        hollow=partial or is_small(public),
        withheld=bool(public.withheld),
    )


def _told(public: PublicValue) -> str:
    if public.withheld:
        return translated(SMALL) if public.withheld == SMALL else _("not told")
    return words.amount(public.value.figure.value, public.value.measure.unit)


POINTS: Mapping[str, Callable[[Shown, MeasureDetail], list[Point]]] = {
    "course": course_points,
    "districts": district_points,
}
