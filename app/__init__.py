"""The only place that knows Flask, click and the environment."""

from app.web import create_app

__all__ = ["create_app"]
