"""From the figures of a measure to the points of its charts.

The public pages of measures.

The public pages of initiatives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, current_app, render_template, request
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound

from app import forms
from app.charts import charts
from app.charts import measure_charts as charts_measures
from app.charts.measure_charts import Axis, Point
from app.i18n import measure_words, numbers
from app.i18n.language import N_, by_address, translated
from app.public import initiative_pages, measure_pages, pages, periods
from app.public.decorators import site, with_city
from app.public.measure_pages import is_partial, is_small
from app.public.periods import district_choices
from app.public.released_figures import SMALL

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from flask.typing import ResponseReturnValue

    from app.public.periods import Period
    from app.public.published_city import PublicCityView
    from app.public.released_figures import MeasureDetail, PublicValue


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
        else measure_words.capital(measure_words.unit(unit, None)),
        counted=unit not in measure_words.MEASURED,
        percent=unit == "share",
        target=None if value.target is None else scale * value.target,
        target_told=measure_words.target(value.measure, value.target),
    )


def course_points(_shown: PublicCityView, found: MeasureDetail) -> list[Point]:
    """Return the months or weeks of a measure, oldest first."""
    through = found.value.value.data_through
    return [
        _point(
            one,
            _tick(one.value.scope.start, found.by),
            partial=is_partial(one.value.scope, found.by, through),
        )
        for one in found.series
    ]


def district_points(published: PublicCityView, found: MeasureDetail) -> list[Point]:
    """Return the districts of a measure, in the city's order."""
    names = dict(district_choices(published))
    return [
        _point(one, names.get(one.value.scope.district or "", ""), partial=False)
        for one in found.districts
    ]


def _tick(day: dt.date, by: str) -> str:
    return f"{numbers.dated(day, 'MMM' if by == 'month' else 'MMMd')}\n{day.year}"


def _point(public: PublicValue, label: str, *, partial: bool) -> Point:
    figure, unit = public.value.figure, public.value.measure.unit
    scale = 100.0 if unit == "share" else 1.0
    value, low, high = (
        None if number is None else scale * number
        for number in (figure.value, figure.low, figure.high)
    )
    return Point(
        label=label,
        told=_describe(public),
        value=value,
        low=low,
        high=high,
        hollow=partial or is_small(public),
        withheld=bool(public.withheld),
    )


def _describe(public: PublicValue) -> str:
    if public.withheld:
        return translated(SMALL) if public.withheld == SMALL else _("not told")
    return numbers.amount(public.value.figure.value, public.value.measure.unit)


POINTS: Mapping[str, Callable[[PublicCityView, MeasureDetail], list[Point]]] = {
    "course": course_points,
    "districts": district_points,
}


bp = Blueprint("measures", __name__)
CHARTS = {"course": charts_measures.course, "districts": charts_measures.districts}


@bp.get("/measures/")
@with_city
def measures(published: PublicCityView) -> ResponseReturnValue:
    """Show every measure, by group."""
    period = periods.choose(request.args, published)
    found = site().figures(published, period.scope)
    page = measure_pages.measures_page(published, period, found, request.args.get("city"))
    return render_template("public/measures.html", frame=pages.frame(published), page=page)


@bp.get("/measures/<identity>")
@with_city
def measure(released: PublicCityView, identity: str) -> ResponseReturnValue:
    """Show one measure: its figure, its course, its districts and its definition."""
    if identity not in released.measures:
        none = measure_pages.missing_page(released, identity, request.args.get("city"))
        result = render_template(
            "public/measure_missing.html", frame=pages.frame(released), page=none
        )
        return result, 404
    period, found = _detail(released, identity)
    published = initiative_pages.facts_of(released, identity)
    page = measure_pages.measure_page(released, period, found, published, request.args.get("city"))
    return render_template("public/measure.html", frame=pages.frame(released), page=page)


@bp.get("/measures/<identity>/<name>.svg")
@by_address
@with_city
def chart(published: PublicCityView, identity: str, name: str) -> ResponseReturnValue:
    """Draw one chart of a measure; ``narrow`` is the form for small screens."""
    if identity not in published.measures or name not in CHARTS:
        raise NotFound
    _, found = _detail(published, identity)
    points = POINTS[name](published, found)
    narrow = forms.choice(request.args, "narrow", ["1"]) is not None
    drawn = charts.draw(CHARTS[name], points, axis(found), narrow)
    response = current_app.response_class(drawn, mimetype="image/svg+xml")
    response.cache_control.public = True
    response.cache_control.max_age = 300
    return response


def _detail(published: PublicCityView, identity: str) -> tuple[Period, MeasureDetail]:
    period = periods.choose(request.args, published)
    by = forms.choice(request.args, "by", ["month", "week"])
    found = site().detail(published, period.scope, identity, "week" if by == "week" else "month")
    return period, found


initiatives_bp = Blueprint("initiatives", __name__)


@initiatives_bp.get("/initiatives/")
@with_city
def initiatives(published: PublicCityView) -> ResponseReturnValue:
    """List the initiatives of a city, with the measures that matter most."""
    found = site().figures(published, periods.last_year(published))
    page = initiative_pages.initiatives_page(published, found, request.args.get("city"))
    return render_template("public/initiatives.html", frame=pages.frame(published), page=page)


@initiatives_bp.get("/initiatives/<slug>")
@with_city
def initiative(published: PublicCityView, slug: str) -> ResponseReturnValue:
    """Show one initiative: strategies with their figures, what is said, and what was said when."""
    record = site().initiative(published, slug)
    found = site().figures(published, periods.last_year(published))
    page = initiative_pages.initiative_page(published, record, found, request.args.get("city"))
    return render_template("public/initiative.html", frame=pages.frame(published), page=page)
