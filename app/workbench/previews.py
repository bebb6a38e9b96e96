"""The preview of a city: the public pages over a draft, behind the sign-in of staff."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app, redirect, request, url_for
from werkzeug.exceptions import NotFound

from app.admin.city import staff_city
from app.auth.guard import require_visitor
from app.extensions import workroom
from app.jobs import jobs
from app.site_documents import forget_maps
from geodata.releases.preview import preview_draft
from geodata.repositories.releases import get_release

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("previews", __name__, url_prefix="/analyst/<city>/preview")
APPS = "saferground.preview"  # gives the public part of the application over a city's preview


@bp.post("")
def make(city: str) -> ResponseReturnValue:
    """Ask for a preview of the data as they stand, or show a draft that there is."""
    staff_city(city)
    room, who, draft = workroom(), require_visitor().person.name, request.form.get("release")
    if draft:
        with room.database.session() as session:
            if get_release(session, draft).city != city:
                raise NotFound
        preview_draft(room.settings.releases, room.settings.previews, city, draft)
        forget_maps(room.settings)
        return redirect(url_for("previews.page", city=city), 303)
    job = jobs.ask(room.database, "preview", {"city": city}, who)
    return redirect(url_for("work.job", city=city, job=job.id), 303)


@bp.get("/")
@bp.get("/<path:path>")
def page(city: str, path: str = "") -> ResponseReturnValue:
    """Show a public page of the preview, below this address, as it will be public."""
    staff_city(city)
    environ = {
        **request.environ,
        "SCRIPT_NAME": f"{request.environ['SCRIPT_NAME']}/analyst/{city}/preview",
        "PATH_INFO": f"/{path}".encode().decode("latin-1"),  # as WSGI has any path
        "saferground.releases": url_for("drafts.listed", city=city),
    }
    return Response.from_app(current_app.extensions[APPS](city), environ, buffered=True)
