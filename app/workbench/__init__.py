"""The analyst's workbench: sources, runs, comparison, drafts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import links
from app.workbench import (
    city_status,
    compare,
    corrections,
    drafts,
    job_pages,
    new_city,
    newer_pages,
    previews,
    results,
    run_pages,
    source_pages,
    upload_pages,
    use_run,
    zone_edits,
)
from app.workbench.city_status import WorkerWatch

if TYPE_CHECKING:
    from flask import Flask

    from app.extensions import Workroom

PAGES = (  # modules of pages; those about one run share a blueprint
    city_status,
    new_city,
    source_pages,
    corrections,
    upload_pages,
    newer_pages,
    run_pages,
    job_pages,
    drafts,
    previews,
    results,
    zone_edits,
    use_run,
    compare,
)


def register(app: Flask, room: Workroom) -> None:
    """Add the workbench to an application that has its workroom."""
    app.extensions.setdefault(links.CHECKS, {})["worker"] = WorkerWatch(room.database)
    for blueprint in dict.fromkeys(module.bp for module in PAGES):
        app.register_blueprint(blueprint)
