"""The analyst's workbench: sources, runs, comparison, drafts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.analyst import (
    comparing,  # noqa: F401 - adds its pages to the blueprint of runs
    drafts,
    editing,  # noqa: F401 - as above
    home,
    reading,  # noqa: F401 - as above
    reading_room,
    runs,
    work,
)

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Add the workbench to an application that has its workroom."""
    app.register_blueprint(home.bp)
    app.register_blueprint(runs.bp)
    app.register_blueprint(work.bp)
    app.register_blueprint(drafts.bp)
    app.register_blueprint(reading_room.bp)
