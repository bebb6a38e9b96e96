"""The only place that knows Flask, click and the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings

__all__ = ["create_app"]


def create_app(settings: Settings | None = None) -> Flask:
    """Make the application: the public part, and with a secret key the staff's.

    Pages are imported when they are made: commands and workers, which have none, start without.

    Raises
    ------
    StoreError
        If it is to show the staff's pages and the database is not ready.
    """
    from app import web

    return web.create_app(settings)
