"""The analyst's workbench: sources, runs, comparison, drafts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.analyst import (
    comparing,
    drafts,
    editing,
    home,
    new_city,
    previews,
    reading,
    runs,
    sources,
    uploads,
    using,
    work,
)
from app.analyst.readiness import WorkerWatch
from app.views import health

if TYPE_CHECKING:
    from flask import Flask

    from app.workroom import Workroom

PAGES = (  # modules of pages; those about one run share a blueprint
    home,
    new_city,
    sources,
    uploads,
    runs,
    work,
    drafts,
    previews,
    reading,
    editing,
    using,
    comparing,
)


def register(app: Flask, room: Workroom) -> None:
    """Add the workbench to an application that has its workroom."""
    app.extensions.setdefault(health.CHECKS, {})["worker"] = WorkerWatch(room.database)
    for blueprint in dict.fromkeys(module.bp for module in PAGES):
        app.register_blueprint(blueprint)
