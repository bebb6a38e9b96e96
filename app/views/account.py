"""How the zones of earlier releases did, and on whom zones and alerts fall."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, current_app, render_template, request
from werkzeug.exceptions import NotFound

from app import forms
from app.drawing import charts
from app.drawing.charts_account import later_hits
from app.language import by_address
from app.views import pages
from app.views.account_pages import account_page, scores
from app.views.doors import release_of, releases_of, with_city, with_release
from app.views.notices import notices

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from app.site.shown import Shown
    from geodata.publishing.folder import ReleaseFolder

bp = Blueprint("open", __name__)


@bp.get("/accountability/")
@with_city
def accountability(shown: Shown) -> ResponseReturnValue:
    """Tell how zones did, where they and alerts fall, who lives there, what was enforced."""
    release = release_of(shown)
    withdrawn = {one.id for one in releases_of(shown) if one.state == "withdrawn"}
    page = account_page(release, withdrawn)
    return render_template(
        "public/accountability.html",
        frame=pages.frame(shown),
        page=page,
        notices=notices(release),
    )


@bp.get("/accountability/chart.svg")
@by_address
@with_release
def chart(_shown: Shown, release: ReleaseFolder) -> ResponseReturnValue:
    """Draw what the zones of earlier releases held; ``narrow`` is the form for small screens."""
    narrow = forms.choice(request.args, "narrow", ["1"]) is not None
    found = scores(release)
    if not found:
        raise NotFound
    response = current_app.response_class(
        charts.draw(later_hits, found, narrow), mimetype="image/svg+xml"
    )
    response.cache_control.public = True
    response.cache_control.max_age = 300
    return response


@bp.get("/accessibility/")
@with_city
def accessibility(shown: Shown) -> ResponseReturnValue:
    """Say who can use these pages, how that was tested, and whom to tell of what is missing."""
    return render_template(
        "public/accessibility.html",
        frame=pages.frame(shown),
        notices=notices(release_of(shown)),
    )
