"""The interface described: as OpenAPI for programs, and as a page for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app, render_template, request

from app.api import openapi
from app.api.answers import require_known, send_json
from app.api.reading import reference_page
from app.api.registry import OPENAPI, Answer, Operation, describe
from app.api.released import bp
from app.views import pages
from app.views.doors import site

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

page_bp = Blueprint("reference", __name__, url_prefix="/api")


@bp.get("/openapi.json", endpoint="openapi")
@describe(
    Operation(
        summary="The interface",
        meaning="This document, made from the code that answers.",
        tag="about",
        answers={200: Answer(meaning="The document.", forms={OPENAPI: {"type": "object"}})},
    )
)
def openapi_() -> ResponseReturnValue:
    """Describe the interface."""
    require_known()
    return send_json(document(), form=OPENAPI)


@page_bp.get("/")
def page() -> ResponseReturnValue:
    """Describe the interface for people."""
    shown = site().shown(request.args.get("city"))
    frame = pages.frame(shown) if shown is not None else None
    return render_template("public/reference.html", frame=frame, page=reference_page(document()))


def document() -> dict[str, Any]:
    """Give the document of the application that answers, made once."""
    kept: dict[str, Any] | None = current_app.extensions.get("saferground.openapi")
    if kept is None:
        kept = openapi.document(current_app)
        current_app.extensions["saferground.openapi"] = kept
    return kept
