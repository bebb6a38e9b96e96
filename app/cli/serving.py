"""The command that serves the pages."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import click
import waitress

from app import create_app
from app.cli.common import database_option, say, settings_for
from app.cli.people import tell_first_administrator
from app.config import SettingsError
from spatial.errors import SaferGroundError

if TYPE_CHECKING:
    from app.config import Settings

DEFAULT_PORT = 8000


class PortTakenError(SaferGroundError):
    """The port cannot be had."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=DEFAULT_PORT, show_default=True)
@click.option("--preview", is_flag=True, help="Show what is not published, for staff only.")
@click.option("--public", is_flag=True, help="The public part alone: no sign-in, no database.")
@database_option
def serve(host: str, port: int, database_url: str | None, *, preview: bool, public: bool) -> None:
    """Serve the public pages of the published releases, and the staff's."""
    settings = settings_for(database_url)
    if public and (preview or settings.preview):
        msg = "--public serves releases alone; a preview needs the database"
        raise click.UsageError(msg)
    if public:
        settings = replace(settings, secret_key=None)
    elif settings.secret_key is None:
        msg = (
            f"there is no secret key in SAFERGROUND_SECRET_KEY or {settings.key_file}; make one "
            "with: saferground init, or serve the public part alone: saferground serve --public"
        )
        raise SettingsError(msg)
    require_free_port(host, port)
    if not public:
        tell_first_administrator(database_url)
    run_server(replace(settings, preview=settings.preview or preview), host, port)


def require_free_port(host: str, port: int) -> None:
    """Fail early, and say what to do, where a port is taken."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            msg = f"cannot listen on {host} port {port} ({error.strerror}); choose another --port"
            raise PortTakenError(msg) from error


def run_server(settings: Settings, host: str, port: int) -> None:
    """Serve until stopped."""
    app = create_app(settings)
    shown = f"[{host}]" if ":" in host else host
    say(f"Safer Ground is at http://{shown}:{port}/ (stop with Ctrl+C)")
    threading.Thread(target=app.extensions["saferground.site"].warm, daemon=True).start()
    waitress.serve(
        app,
        host=host,
        port=port,
        threads=8,
        ident="saferground",
        clear_untrusted_proxy_headers=not settings.proxies,  # else the application reads them
    )
