"""The interface for programs, ``/api/v1``: what is published, for anybody.

Nothing below this package can reach the database; an import contract keeps it so. What staff may
ask is in :mod:`app.api_staff`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.api import features, measure_endpoints, reference, release_endpoints

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["features", "measure_endpoints", "register"]


def register(app: Flask) -> None:
    """Add the public part of the interface and its description to an application."""
    app.register_blueprint(release_endpoints.bp)
    app.register_blueprint(reference.page_bp)
