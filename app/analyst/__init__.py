"""The analyst's workbench: sources, runs, comparison, drafts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.analyst import (
    comparing,  # noqa: F401 - adds its pages to the blueprint of runs
    drafts,
    editing,  # noqa: F401 - as above
    home,
    new_city,
    reading,  # noqa: F401 - as above
    reading_room,
    runs,
    sources,
    uploads,
    work,
)
from app.analyst.readiness import WorkerWatch
from app.views import health

if TYPE_CHECKING:
    from flask import Flask

    from app.workroom import Workroom


def register(app: Flask, room: Workroom) -> None:
    """Add the workbench to an application that has its workroom."""
    app.extensions.setdefault(health.CHECKS, {})["worker"] = WorkerWatch(room.database)
    app.register_blueprint(home.bp)
    app.register_blueprint(new_city.bp)
    app.register_blueprint(sources.bp)
    app.register_blueprint(uploads.bp)
    app.register_blueprint(runs.bp)
    app.register_blueprint(work.bp)
    app.register_blueprint(drafts.bp)
    app.register_blueprint(reading_room.bp)
