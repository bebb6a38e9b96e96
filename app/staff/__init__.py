"""Pages of the staff: signing in, one's own account, people and audit. They read the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_wtf import CSRFProtect

from app.people import passwords
from app.people.keys import Keys
from app.people.signing_in import Desk
from app.staff import account, admin, coming_in, ground, provider, tokens
from app.staff.frame import register_frame

__all__ = ["register", "tokens"]

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings
    from geodata.database import Database


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
    passwords.prepare()
    provider.register(app, settings.provider)
    register_frame(app)
    app.register_blueprint(coming_in.bp)
    app.register_blueprint(account.bp)
    app.register_blueprint(admin.bp)
    app.register_blueprint(ground.bp)
