"""The commander's desk: plans, visits, actions, outcome. Its pages read and write the database."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from app.command import action_pages, board, outcome, overview, plans, visit_pages

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Add the commander's desk to an application that has its workroom."""
    app.jinja_env.filters["as_png"] = as_png
    app.register_blueprint(overview.bp)
    app.register_blueprint(plans.bp)
    app.register_blueprint(visit_pages.bp)
    app.register_blueprint(board.bp)
    app.register_blueprint(action_pages.bp)
    app.register_blueprint(outcome.bp)


def as_png(picture: bytes) -> str:
    """Return a picture as an address that holds it."""
    return "data:image/png;base64," + base64.b64encode(picture).decode()
