"""The public pages of measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, current_app, render_template, request
from werkzeug.exceptions import NotFound

from app import forms, periods
from app.drawing import charts, charts_measures
from app.language import by_address
from app.views import initiative_pages, measure_charts, measure_pages, pages
from app.views.doors import site, with_city

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from app.periods import Period
    from app.site.public_figures import MeasureDetail
    from app.site.shown import Shown

bp = Blueprint("measures", __name__)
CHARTS = {"course": charts_measures.course, "districts": charts_measures.districts}


@bp.get("/measures/")
@with_city
def measures(shown: Shown) -> ResponseReturnValue:
    """Show every measure, by group."""
    period = periods.choose(request.args, shown)
    found = site().figures(shown, period.scope)
    page = measure_pages.measures_page(shown, period, found, request.args.get("city"))
    return render_template("public/measures.html", frame=pages.frame(shown), page=page)


@bp.get("/measures/<identity>")
@with_city
def measure(shown: Shown, identity: str) -> ResponseReturnValue:
    """Show one measure: its figure, its course, its districts and its definition."""
    if identity not in shown.measures:
        none = measure_pages.missing_page(shown, identity, request.args.get("city"))
        told = render_template("public/measure_missing.html", frame=pages.frame(shown), page=none)
        return told, 404
    period, found = _detail(shown, identity)
    published = initiative_pages.facts_of(shown, identity)
    page = measure_pages.measure_page(shown, period, found, published, request.args.get("city"))
    return render_template("public/measure.html", frame=pages.frame(shown), page=page)


@bp.get("/measures/<identity>/<name>.svg")
@by_address
@with_city
def chart(shown: Shown, identity: str, name: str) -> ResponseReturnValue:
    """Draw one chart of a measure; ``narrow`` is the form for small screens."""
    if identity not in shown.measures or name not in CHARTS:
        raise NotFound
    _, found = _detail(shown, identity)
    points = measure_charts.POINTS[name](shown, found)
    narrow = forms.choice(request.args, "narrow", ["1"]) is not None
    drawn = charts.draw(CHARTS[name], points, measure_charts.axis(found), narrow)
    response = current_app.response_class(drawn, mimetype="image/svg+xml")
    response.cache_control.public = True
    response.cache_control.max_age = 300
    return response


def _detail(shown: Shown, identity: str) -> tuple[Period, MeasureDetail]:
    period = periods.choose(request.args, shown)
    by = forms.choice(request.args, "by", ["month", "week"])
    found = site().detail(shown, period.scope, identity, "week" if by == "week" else "month")
    return period, found
