"""The interface for programs, ``/api/v1``: what staff may ask with an access token.

Tokens alone open it: cookies are not looked at, so no other site can ask in somebody's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.api_staff import blueprint, job_endpoints, row_endpoints, run_endpoints

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["job_endpoints", "register", "row_endpoints", "run_endpoints"]


def register(app: Flask) -> None:
    """Add the staff's part of the interface to an application that has its workroom."""
    app.extensions["csrf"].exempt(blueprint.bp)
    app.register_blueprint(blueprint.bp)
