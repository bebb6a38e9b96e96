"""The analyst's workbench: sources, runs, comparison, drafts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.analyst import home, new_city, sources, uploads

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Add the workbench to an application that has its workroom."""
    app.register_blueprint(home.bp)
    app.register_blueprint(new_city.bp)
    app.register_blueprint(sources.bp)
    app.register_blueprint(uploads.bp)
