"""Small pages for other sites to frame: the zones, or one measure. No script, no cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, current_app, render_template, request, url_for
from werkzeug.exceptions import NotFound

from app import forms
from app.site import open_data
from app.views.doors import with_release
from app.views.embed_pages import measure_card, zones_card

if TYPE_CHECKING:
    from flask import Response
    from flask.typing import ResponseReturnValue

    from app.site.shown import Shown
    from geodata.publishing.folder import ReleaseFolder

bp = Blueprint("embed", __name__)
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors *"
)


@bp.get("/embed/zones")
@with_release
def zones(_shown: Shown, release: ReleaseFolder) -> ResponseReturnValue:
    """Show the zones of the city or of one district."""
    district = forms.choice(request.args, "district", open_data.districts(release))
    card = zones_card(release, district)
    if card is None:
        raise NotFound
    more = url_for("public.zones", district=district, city=request.args.get("city"))
    return render_template("public/embed_zones.html", card=card, more=more)


@bp.get("/embed/measure/<identity>")
@with_release
def measure(_shown: Shown, release: ReleaseFolder, identity: str) -> ResponseReturnValue:
    """Show one measure of the last 12 months, of the city or of one district."""
    district = forms.choice(request.args, "district", open_data.districts(release))
    card = measure_card(release, identity, district)
    if card is None:
        raise NotFound
    more = url_for(
        "measures.measure", identity=identity, district=district, city=request.args.get("city")
    )
    return render_template("public/embed_measure.html", card=card, more=more)


@bp.after_request
def may_be_framed(response: Response) -> Response:
    """Let any site frame these pages, and nothing else of this site."""
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if response.status_code == current_app.response_class.default_status:
        response.cache_control.public = True
        response.cache_control.max_age = 300
    return response
