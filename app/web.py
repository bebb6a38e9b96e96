"""Make the application: settings in, nothing else read."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.routing import IntegerConverter

from app import admin, api, api_staff, command, compression, errors, links, workbench
from app.auth import guard
from app.config import Settings
from app.extensions import Workroom, furnish
from app.headers import HEADERS
from app.i18n import language, titles
from app.private import template_dir
from app.public import accountability, data_pages, embed, explore, health, measure_views, views
from app.public.released import ReleasedSite
from app.strict_json import StrictJSONProvider
from app.workbench import previews
from geodata.db.engine import open_database

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.routing import Map


LARGEST_FORM = 256 * 1024  # bytes
LARGEST_NUMBER = 2**31 - 1  # that every database takes for a number of a row


class NumberConverter(IntegerConverter):
    """A whole number of an address; there is nothing at one that no database takes."""

    regex = r"\d{1,10}"

    def __init__(self, map: Map, **options: Any) -> None:
        super().__init__(map, max=LARGEST_NUMBER, **options)


def create_app(settings: Settings | None = None) -> Flask:
    """Make the application: the public part, and with a secret key the staff's.

    Raises
    ------
    StoreError
        If it is to show the staff's pages and the database is not ready.
    """
    settings = settings or Settings.from_env()
    app = Flask(__name__, template_folder=str(template_dir()))
    app.json = StrictJSONProvider(app)
    app.url_map.converters["int"] = NumberConverter
    app.config["SECRET_KEY"] = settings.secret_key
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_FORM
    app.extensions["saferground.site"] = _site(settings)
    links.register(app, settings)
    guard.register(app)
    app.register_blueprint(views.bp)
    app.register_blueprint(explore.bp)
    app.register_blueprint(measure_views.bp)
    app.register_blueprint(measure_views.initiatives_bp)
    app.register_blueprint(data_pages.bp)
    app.register_blueprint(accountability.bp)
    app.register_blueprint(embed.bp)
    api.register(app)
    app.register_blueprint(health.bp)
    language.register(app)
    titles.register(app)
    errors.register(app)
    app.jinja_env.globals["has_staff_pages"] = settings.secret_key is not None
    if settings.secret_key is not None:
        database = open_database(settings.database_url)
        app.extensions[previews.APPS] = cache(lambda city: create_app(_previewing(settings, city)))
        room = Workroom(settings=settings, database=database)
        furnish(app, room)
        admin.register(app, settings, database)
        workbench.register(app, room)
        command.register(app)
        api_staff.register(app)
    links.register_proxies(app, settings.proxies)

    compression.register(app)
    headers = {**HEADERS, "X-Robots-Tag": "noindex"} if settings.preview else HEADERS

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response

    return app


def _previewing(settings: Settings, city: str) -> Settings:
    """Return the settings of the public part over a city's preview, inside of the staff's pages."""
    return replace(settings, preview=True, city=city, secret_key=None, proxies=0)


def _site(settings: Settings) -> ReleasedSite:
    """Return what the public pages read: approved releases, or previews."""
    if settings.preview:
        return ReleasedSite(
            settings.releases,
            settings.city,
            settings.preview_maps,
            previews=settings.previews,
        )
    return ReleasedSite(settings.releases, settings.city, settings.maps)
