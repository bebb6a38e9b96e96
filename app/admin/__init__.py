"""Pages of the staff: signing in, one's own account, people and audit. They read the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_wtf import CSRFProtect

from app.admin import account, archive_pages, city, login, people_pages
from app.admin.layout import register_frame
from app.auth import provider, secrets
from app.auth.secrets import Keys
from app.auth.sign_in import Desk

__all__ = ["account", "register"]

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings
    from geodata.db.engine import Database


def register(app: Flask, settings: Settings, database: Database) -> None:
    """Add the staff's pages to an application that has a secret key and an open database."""
    if settings.secret_key is None:
        msg = "the staff side needs a secret key"
        raise ValueError(msg)
    app.extensions["saferground.desk"] = Desk(
        database=database,
        keys=Keys.derive(settings.secret_key),
        idle=settings.idle,
    )
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # as long as the session of the form
    CSRFProtect(app)
    secrets.prepare()
    provider.register(app, settings.provider)
    register_frame(app)
    app.register_blueprint(login.bp)
    app.register_blueprint(account.bp)
    app.register_blueprint(people_pages.bp)
    app.register_blueprint(archive_pages.bp)
    app.register_blueprint(city.bp)
