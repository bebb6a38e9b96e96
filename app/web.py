"""Make the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from app.config import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """Make the application."""
    return Flask(__name__)
