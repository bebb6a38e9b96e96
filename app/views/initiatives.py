"""The public pages of initiatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, render_template, request

from app import periods
from app.views import initiative_pages, pages
from app.views.doors import site, with_city

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from app.site.shown import Shown

bp = Blueprint("initiatives", __name__)


@bp.get("/initiatives/")
@with_city
def initiatives(shown: Shown) -> ResponseReturnValue:
    """List the initiatives of a city, with the measures that matter most."""
    found = site().figures(shown, periods.last_year(shown))
    page = initiative_pages.initiatives_page(shown, found, request.args.get("city"))
    return render_template("public/initiatives.html", frame=pages.frame(shown), page=page)


@bp.get("/initiatives/<slug>")
@with_city
def initiative(shown: Shown, slug: str) -> ResponseReturnValue:
    """Show one initiative: strategies with their figures, what is said, and what was said when."""
    record, history = site().initiative(shown, slug)
    found = site().figures(shown, periods.last_year(shown))
    page = initiative_pages.initiative_page(shown, record, history, found, request.args.get("city"))
    return render_template("public/initiative.html", frame=pages.frame(shown), page=page)
